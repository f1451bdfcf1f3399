"""What guards or limits a node: SELinux, AppArmor, firewall, swap, TasksMax, the login and sshd (SEC-*, SYS-*, USR-*).

Files say what holds after a boot, the kernel and systemd what holds now; both are reported, nothing is judged here.
"""

import re
from collections.abc import Mapping

from acp_tui.core.i18n import _
from acp_tui.nodes.collectors.parsing import first_line, keyed, lines
from acp_tui.nodes.facts import SshdSetting, Unit
from acp_tui.nodes.script import NOT_FOUND, SUDO_PATIENCE, TIMED_OUT, Collector, CollectorOutput, MissingReason

UNITS = ("firewalld", "ufw", "nftables", "iptables", "ip6tables", "netfilter-persistent", "apparmor")


def _selinux(reading: CollectorOutput) -> Mapping[str, object]:
    """The kernel's `0` or `1`; else the word of getenforce, where there is one."""
    told = first_line(reading).lower()
    word = {"": "disabled", "0": "permissive", "1": "enforcing"}.get(told, told)
    if word not in ("disabled", "permissive", "enforcing"):
        raise ValueError("neither 0 nor 1 in enforce")
    return {"selinux": word}


def _selinux_config(reading: CollectorOutput) -> Mapping[str, object]:
    """As libselinux reads it: the first line that begins with it and names a mode."""
    found = re.search(r"^SELINUX=(enforcing|permissive|disabled)", reading.text, re.MULTILINE | re.IGNORECASE)
    return {"selinux_config": found[1].lower() if found else ""}


def _setting(reading: CollectorOutput, name: str) -> str:
    """The last `NAME=value` line that is no comment, without quotes; "" if none."""
    found = re.findall(rf"^[ \t]*{name}[ \t]*=[ \t]*([^\n#]*)", reading.text, re.MULTILINE)
    return found[-1].strip().strip("\"'") if found else ""


def _apparmor(reading: CollectorOutput) -> Mapping[str, object]:
    values = keyed(reading)
    found: dict[str, object] = {"apparmor": values.get("enabled", "").upper() == "Y"}
    if values.get("profiles", "").isascii() and values.get("profiles", "").isdigit():
        found["apparmor_profiles"] = int(values["profiles"][:9])
    elif not found["apparmor"]:
        found["apparmor_profiles"] = 0
    return found


def _units(reading: CollectorOutput) -> Mapping[str, object]:
    """Lines `UNIT ACTIVE ENABLED`. A dash: systemctl printed nothing, as it does of a unit that is not there.

    If it prints nothing of any, systemd itself does not answer."""
    told = {}
    for line in lines(reading):
        name, active, enabled = [*line.split(" "), "-", "-"][:3]
        if name in UNITS:
            told[name] = (active, enabled)
    if len(told) < len(UNITS) or all(words == ("-", "-") for words in told.values()):
        raise ValueError("systemd does not answer systemctl")
    return {
        "units": {
            name: Unit("inactive" if active in ("-", "unknown") else active, "not-found" if enabled == "-" else enabled)
            for name, (active, enabled) in told.items()
        }
    }


def _swaps(reading: CollectorOutput) -> Mapping[str, object]:
    return {"swaps": tuple(line.split()[0] for line in lines(reading) if not line.startswith("Filename"))}


def _fstab_swaps(reading: CollectorOutput) -> Mapping[str, object]:
    """Lines `fstab ...` as they stand in the file, `unit NAME` of a unit that runs or is wanted at the next boot."""
    found: list[str] = []
    for line in lines(reading):
        kind, _space, rest = line.partition(" ")
        words = rest.split()
        in_fstab = kind == "fstab" and words[2:3] == ["swap"] and not words[0].startswith("#")
        if in_fstab and "noauto" in "".join(words[3:4]).split(","):
            continue
        if in_fstab or (kind == "unit" and rest.endswith((".swap", ".service"))):
            found.append(words[0])
    return {"fstab_swaps": tuple(dict.fromkeys(found))}


def _tasks_max(reading: CollectorOutput) -> Mapping[str, object]:
    value = first_line(reading).partition("DefaultTasksMax=")[2]
    return {"tasks_max": value} if value else {}


def _login(reading: CollectorOutput) -> Mapping[str, object]:
    """First line: uid and the status of `sudo -n true`; then what sudo said."""
    head, *message = reading.text.split("\n", 1)
    found = re.fullmatch(r"([0-9]{1,10}) ([0-9]{1,3})", head.strip())
    if found is None:
        raise ValueError("no uid")
    uid, status = int(found[1]), int(found[2])
    if uid == 0 or status == 0:
        return {"uid": uid, "sudo": True, "sudo_message": ""}
    if status == TIMED_OUT:
        slow = _("sudo did not answer within {seconds} s; a dead name server makes it so slow")
        return {"uid": uid, "sudo": MissingReason(slow.format(seconds=SUDO_PATIENCE)), "sudo_message": ""}
    if status == NOT_FOUND:
        return {"uid": uid, "sudo": False, "sudo_message": _("sudo is not installed")}
    return {"uid": uid, "sudo": False, "sudo_message": "\n".join(message).strip()[-500:]}


def _sshd(reading: CollectorOutput) -> Mapping[str, object]:
    """`effective KEY VALUE` from `sshd -T`, `file KEY VALUE` from the files; the first wins in both."""
    effective: dict[str, str] = {}
    explicit: dict[str, str] = {}
    for line in lines(reading):
        kind, _space, rest = line.partition(" ")
        found = re.match(r"(usedns|usepam)(?:\s*=\s*|\s+)\"?([A-Za-z]+)\"?", rest, re.IGNORECASE)
        if found:
            target = effective if kind == "effective" else explicit
            target.setdefault(found[1].lower(), found[2].lower())
    settings = {
        name: SshdSetting(effective.get(name) or explicit.get(name) or built_in, name in explicit)
        for name, built_in in (("usedns", "no"), ("usepam", "no"))  # OpenSSH's own defaults, where sshd -T is silent
    }
    return {"sshd": settings}


SNIPPETS = (
    Collector(
        "login",
        ("uid", "sudo", "sudo_message"),
        """
echo "$login_uid $sudo_status"; printf '%s' "$sudo_message" """,
        _login,
    ),
    Collector(
        "selinux",
        ("selinux",),
        """
show /sys/fs/selinux/enforce || [ ! -e /sys/fs/selinux/enforce ] || return 66
[ -e /sys/fs/selinux/enforce ] || ! tool getenforce || getenforce
return 0
""",
        _selinux,
    ),
    Collector(
        "selinux_config",
        ("selinux_config",),
        "maybe /etc/selinux/config",
        _selinux_config,
    ),
    Collector(
        "apparmor",
        ("apparmor", "apparmor_profiles"),
        """
local line count=0 file=/sys/kernel/security/apparmor/profiles
echo "enabled $(show /sys/module/apparmor/parameters/enabled)"
[ "$EUID" -eq 0 ] && while read -r line; do count=$((count + 1)); done <"$file" && echo "profiles $count"
return 0
""",
        _apparmor,
    ),
    Collector(
        "ufw",
        ("ufw_enabled",),
        "show /etc/ufw/ufw.conf",
        lambda reading: {"ufw_enabled": _setting(reading, "ENABLED").lower() == "yes"},
    ),
    Collector("swaps", ("swaps",), "[ -e /proc/self ] && maybe /proc/swaps", _swaps),
    Collector(
        "units",
        ("units",),
        f"""
local unit active enabled
tool systemctl || return 127
for unit in {" ".join(UNITS)}; do
  active=$(systemctl is-active "$unit"); enabled=$(systemctl is-enabled "$unit")
  active=${{active%%$'\\n'*}} enabled=${{enabled%%$'\\n'*}}
  echo "$unit ${{active:--}} ${{enabled:--}}"
done
return 0
""",
        _units,
        timeout=10,
    ),
    Collector(
        "fstab_swaps",
        ("fstab_swaps",),
        """
local line name load active file
while IFS= read -r line || [ -n "$line" ]; do
  case $line in *swap*) printf 'fstab %s\\n' "$line" ;; esac
done </etc/fstab
back() { [ "$(readlink "/etc/systemd/system/$1")" = /dev/null ] || echo "unit $1"; }
for file in /etc/systemd/system/*.wants/*.swap /etc/systemd/system/*.wants/zramswap.service; do
  [ ! -L "$file" ] || back "${file##*/}"
done
for file in /{usr/,}lib/systemd/system-generators/zram-generator; do
  [ -e "$file" ] || continue
  while read -r line; do
    case $line in "[zram"*"]") line=${line#"["}; back "systemd-zram-setup@${line%"]"}.service" ;; esac
  done </etc/systemd/zram-generator.conf
done
if tool systemctl; then
  systemctl list-units --type=swap --state=active --no-legend --no-pager --plain |
  while read -r name load active _; do
    case $name in *.swap) [ "$active" != active ] || echo "unit $name" ;; esac
  done
fi
return 0
""",
        _fstab_swaps,
        timeout=5,
    ),
    Collector("tasks_max", ("tasks_max",), "systemctl show --property=DefaultTasksMax", _tasks_max, timeout=5),
    Collector(
        "sshd",
        ("sshd",),
        """
root || return
local line
walk() {
  local line word file
  { while read -r line || [ -n "$line" ]; do
    line=${line%$'\\r'}
    case ${line,,} in
      match[[:space:]=]*) return 0 ;;
      usedns*|usepam*) printf 'file %s\\n' "$line" ;;
      include[[:space:]=]*)
        [ "$2" -lt 8 ] || continue
        for word in ${line#*[[:space:]=]}; do
          word=${word//\\"/}
          case $word in /*) ;; *) word=/etc/ssh/$word ;; esac
          for file in $word; do walk "$file" $(($2 + 1)); done
        done ;;
    esac
  done; true; } <"$1"
}
walk /etc/ssh/sshd_config 0 || return 66
while read -r line; do
  case $line in usedns*|usepam*) printf 'effective %s\\n' "$line" ;; esac
done < <(sshd -T || sshd -T -C user=root,host=localhost,addr=127.0.0.1,laddr=127.0.0.1,lport=22)
return 0
""",
        _sshd,
    ),
)
