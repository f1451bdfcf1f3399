"""Collectors for the login and for sshd (USR-*).

`sshd -T` reads the files, not the running sshd. So the collector also reads when the sshd that serves this login has
read its files, and whether it has loaded modules of PAM.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from acp_tui.core.i18n import _
from acp_tui.nodes.collectors.parsing import lines
from acp_tui.nodes.fact_types import SshdSetting
from acp_tui.nodes.script import NOT_FOUND, SUDO_PATIENCE, TIMED_OUT, Collector, CollectorOutput, MissingReason

_KEYWORDS = ("usedns", "usepam")
_SETTING = re.compile(r"(usedns|usepam)(?:\s*=\s*|\s+)\"?([A-Za-z]+)\"?", re.IGNORECASE)
_OPTION = re.compile(r"(?:^| )-o ?\"?(usedns|usepam)(?: |=| = )\"?(yes|no)\b", re.IGNORECASE)
_STAT = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,9})?) ([0-9]{1,12}(?:\.[0-9]{1,9})?) (/\S.{0,4094})")
_SECONDS = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,9})?")
_BAD_FILE = re.compile(r"bad configuration option|\bline [0-9]|bad include|unsupported option", re.IGNORECASE)
_TICKS = 100
"""The unit of the start times in /proc, in ticks per second. It is the same on all Linux systems."""
_START_TOLERANCE = 0.05
"""The precision of a start time, in seconds: /proc has it in ticks, and the time is read after the uptime."""
_SAME_CHANGE = 1.0
"""If a file and its folder were changed within this time in seconds, the file was replaced, not only its permissions.
"""


def _login(output: CollectorOutput) -> Mapping[str, object]:
    """Parse the output of the collector `login`.

    The first line has two numbers: the user ID, and the exit status of `sudo -n true`. The message of sudo follows."""
    head, *message = output.text.split("\n", 1)
    match = re.fullmatch(r"([0-9]{1,10}) ([0-9]{1,3})", head.strip())
    if match is None:
        raise ValueError("the output contains no user ID")
    uid, status = int(match[1]), int(match[2])
    if uid == 0 or status == 0:
        return {"uid": uid, "sudo": True, "sudo_message": ""}
    if status == TIMED_OUT:
        text = _("sudo timed out after {seconds} s. A possible cause is an unreachable name server.")
        return {"uid": uid, "sudo": MissingReason(text.format(seconds=SUDO_PATIENCE)), "sudo_message": ""}
    if status == NOT_FOUND:
        return {"uid": uid, "sudo": False, "sudo_message": _("sudo is not installed on the node")}
    return {"uid": uid, "sudo": False, "sudo_message": "\n".join(message).strip()[-500:]}


@dataclass
class _Reading:
    """What the collector found. Times are in seconds since 1970."""

    effective: dict[str, str] = field(default_factory=dict)
    explicit: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Keyword → its value, and the number of files and folders in `opened` before the line that sets it."""
    opened: list[str] = field(default_factory=list)
    """The files and the folders of Include lines, in the order in which sshd reads them."""
    times: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Path → time of the last change of its content, and of its last change."""
    daemon: str = ""
    """`listener`, `connection` for an sshd that is started for each connection, or "" without a process of sshd."""
    arguments: str = ""
    read_at: float = 0.0
    """The time when the sshd that `daemon` names read its files."""
    login_at: float = 0.0
    """The time when the login started."""
    pam: str = ""
    error: str = ""


def _read(output: CollectorOutput) -> _Reading:
    found = _Reading()
    now = uptime = 0.0
    for line in lines(output):
        kind, _space, rest = line.partition(" ")
        if kind in ("effective", "file") and (match := _SETTING.match(rest)):
            keyword, value = match[1].lower(), match[2].lower()
            if kind == "effective":
                found.effective.setdefault(keyword, value)
            else:
                found.explicit.setdefault(keyword, (value, len(found.opened)))
        elif kind == "open":
            found.opened.append(rest)
        elif kind == "stat" and (match := _STAT.fullmatch(rest)):
            found.times[match[3]] = (float(match[1]), float(match[2]))
        elif kind in ("listener", "connection"):
            found.daemon, found.arguments = kind, rest
        elif kind == "pam" and rest in ("yes", "no"):
            found.pam = rest
        elif kind == "error":
            found.error = rest
        elif kind == "uptime" and _SECONDS.fullmatch(rest):
            uptime = float(rest)
        elif kind == "started" and (match := re.fullmatch(r"([0-9]{1,15}) ([0-9]{1,15})", rest)):
            # The folder of a process that has just started shows the time of the clock with which files are marked.
            now = found.times.get("/proc/self", (0.0, 0.0))[1]
            login, listener = (now - uptime + int(ticks) / _TICKS + _START_TOLERANCE for ticks in match.groups())
            found.login_at, found.read_at = login, listener
        elif kind == "pidfile" and found.read_at - 1 <= (written := found.times.get(rest, (0.0, 0.0))[0]) <= now:
            # sshd writes this file after it has read its settings, also after SIGHUP. A time before the start or in the
            # future is from before a correction of the clock.
            found.read_at = written
    return found


def _unread(found: _Reading, keyword: str) -> str:
    """Return the first file that can set the keyword and that the listener has not read; "" if it has read them all.

    Files that sshd reads after the line that sets the keyword do not count, because the first value counts."""
    setting = found.explicit.get(keyword)
    for path in found.opened if setting is None else found.opened[: setting[1]]:
        changed, touched = found.times.get(path, (0.0, 0.0))
        folder = found.times.get(path.rpartition("/")[0], (0.0, 0.0))[0]
        replaced = folder > found.read_at and abs(touched - folder) <= _SAME_CHANGE
        if max(changed, touched if replaced else 0.0) > found.read_at:
            return path
    return ""


def _pam(found: _Reading) -> str | None:
    """Return `yes` or `no`: whether the running sshd uses PAM; None if this is unknown.

    The login shows it, unless sshd has read its files again since the login started."""
    changed = found.read_at > found.login_at if found.daemon == "listener" else bool(_unread(found, "usepam"))
    return None if changed else found.pam or None


def _doubt(found: _Reading, keyword: str) -> str:
    if not found.daemon:
        return _("acp-tui found no process of sshd that serves its login")
    if found.daemon == "listener" and (path := _unread(found, keyword)):
        return _("sshd has not been restarted since {path} was changed").format(path=path)
    return ""


def _sshd(output: CollectorOutput) -> Mapping[str, object]:
    """Parse the output of the collector `sshd`.

    Lines: `listener ARGUMENTS` or `connection ARGUMENTS` (the sshd that serves the login), `pam yes` or `pam no` (has
    it loaded modules of PAM), `uptime SECONDS`, `started LOGIN LISTENER` (in ticks since the boot), `pidfile PATH`
    (when it read its files), `open PATH` and `file KEY VALUE` (sshd_config and included files, in the order of sshd),
    `effective KEY VALUE` and `error MESSAGE` (from `sshd -T`), and `stat CHANGED TOUCHED PATH`. If a key occurs twice,
    the first value counts."""
    found = _read(output)
    options = {keyword.lower(): value.lower() for keyword, value in reversed(_OPTION.findall(found.arguments))}
    explicit = {keyword: value for keyword, (value, _position) in found.explicit.items()}
    values = {**explicit, **found.effective, **options}
    running = {"usepam": _pam(found)}
    settings = {
        keyword: SshdSetting(
            values[keyword],
            keyword in explicit,
            running.get(keyword),
            "" if running.get(keyword) else _doubt(found, keyword),
        )
        for keyword in _KEYWORDS
        if keyword in values
    }
    error = found.error if not found.effective else ""
    return {"sshd": settings, "sshd_error": error[:500] if _BAD_FILE.search(error) else ""}


COLLECTORS = (
    Collector(
        "login",
        ("uid", "sudo", "sudo_message"),
        """
echo "$login_uid $sudo_status"; printf '%s' "$sudo_message" """,
        _login,
    ),
    Collector(
        "sshd",
        ("sshd", "sshd_error"),
        """
root || return
local line word name pid=$$ up parent ticks top= top_ticks login_ticks= pam=no args= error=
local config=/etc/ssh/sshd_config kind=listener opened=() watched=() pids=() rows
process() { # PID: set name, parent, ticks
  local fields
  read -r line <"/proc/$1/stat" || return
  name=${line#*"("} name=${name%")"*}
  fields=(${line##*") "})
  parent=${fields[1]} ticks=${fields[19]}
}
arguments() { # PID: set args
  args=
  while IFS= read -r -d '' word || [ -n "$word" ]; do
    [ -z "$word" ] || args+=" $word"
    [ "${#args}" -lt 2000 ] || break
  done <"/proc/$1/cmdline"
  args=${args# } args=${args//[$'\\n\\r']/ }
}
while [ "${pid:-0}" -gt 0 ] && process "$pid"; do
  case $name in sshd|sshd-*)
    top=$pid top_ticks=$ticks login_ticks=${login_ticks:-$ticks} rows=()
    mapfile -t rows <"/proc/$pid/maps"
    case ${rows[*]} in */security/pam_*) pam=yes ;; '') [ "$pam" = yes ] || pam= ;; esac
  esac
  pid=$parent
done
if [ -n "$top" ]; then
  [ -z "$pam" ] || echo "pam $pam"
  arguments "$top"
  case $args in
    *"[listener]"*) ;;
    sshd:*|sshd-*:*) # the listener that started this login is gone, or sshd is started for each connection
      kind=connection
      read -r pid </run/sshd.pid
      if [ -n "$pid" ] && process "$pid" && [ "$name" = sshd ]; then
        kind=listener top=$pid top_ticks=$ticks
        arguments "$pid"
      fi ;;
  esac
  case " $args " in *" -f "*) word=${args#*-f }; config=${word%% *} ;; esac
  echo "$kind $args"
fi
walk() {
  local line word file
  opened+=("$1")
  { echo "open $1"
  while read -r line || [ -n "$line" ]; do
    line=${line%$'\\r'}
    case ${line,,} in
      match[[:space:]=]*) return 0 ;;
      usedns*|usepam*) printf 'file %s\\n' "$line" ;;
      include[[:space:]=]*)
        [ "$2" -lt 16 ] || continue
        for word in ${line#*[[:space:]=]}; do
          word=${word//\\"/}
          case $word in /*) ;; *) word=/etc/ssh/$word ;; esac
          case ${word%/*} in /etc/ssh|*[*?[]*) ;; *) echo "open ${word%/*}"; opened+=("${word%/*}") ;; esac
          for file in $word; do walk "$file" $(($2 + 1)); done
        done ;;
    esac
  done; true; } <"$1"
}
settings() { sshd -T -f "$config" "$@"; }
walk "$config" 0 || return 66
while read -r line; do
  case $line in
    usedns*|usepam*) printf 'effective %s\\n' "$line" ;;
    pidfile\\ /*) pids+=("${line#pidfile }") ;;
    *[Dd]eprecated*) ;;
    *[Ll]ine\\ [0-9]*|*"onfiguration option"*) [ -n "$error" ] || error=$line ;;
  esac
done < <({ settings || settings -C user=root,host=localhost,addr=127.0.0.1,laddr=127.0.0.1,lport=22; } 2>&1)
[ -z "$error" ] || printf 'error %s\\n' "$error"
[ -n "$top" ] || return 0
for word in "${opened[@]}"; do watched+=("$word" "${word%/*}"); done
for word in "${pids[@]}" /run/sshd.pid /var/run/sshd.pid; do
  pid=
  [ -e "$word" ] && read -r pid <"$word" && [ "$pid" = "$top" ] && { watched+=("$word"); break; }
done
read -r up _ </proc/uptime
echo "uptime $up"
stat -L -c 'stat %.9Y %.9Z %n' -- /proc/self "${watched[@]}"
echo "started $login_ticks $top_ticks"
[ "$pid" != "$top" ] || echo "pidfile $word"
return 0
""",
        _sshd,
    ),
)
