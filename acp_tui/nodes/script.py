"""One bash program asks a node everything; its answer is read while it streams in.

Pure text in, pure text out: no SSH here, so the same format serves the probe, the tests and the practice nodes.
Each snippet's output is framed by lines with a random marker, the end line also says how the snippet ended:

    <marker> <name>
    ...output...
    <marker> <name> <status>
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from acp_tui.core.text import fill_template, sanitize

TIMED_OUT = 124  # what timeout(1) says too
SUDO_PATIENCE = 20
"""Seconds: sudo looks up the host's name, and gives up on a dead name server only then."""
CUT = 125  # more output than a snippet may give
NEEDS_ROOT = 77
ABSENT = 66  # the file that would tell is not there
NOT_FOUND = 127  # the shell's word for a command that is not there

MAX_OUTPUT = 256 * 1024
"""Bytes of one snippet's output; a node cuts there, and the reader trusts no node to have done so."""

_FLUSH_EVERY = 10  # snippets a write: few packets, and still facts that appear in steps

_LAUNCH = """sh -c '
LC_ALL=C; export LC_ALL; unset BASH_ENV ENV POSIXLY_CORRECT;
command -v timeout >/dev/null || timeout() { shift; "$@"; };
u=$(id -u); r=0; m=;
if [ "$u" != 0 ]; then
  m=$(timeout @SUDO@ sudo -n bash -c : 2>&1 </dev/null); r=$?;
  if [ "$r" -eq 0 ]; then exec sudo -n bash --norc -p -s -- "$u" "$r" "$m"; fi;
fi;
exec bash --norc -p -s -- "$u" "$r" "$m"'"""
LAUNCH = fill_template(_LAUNCH.replace("\n", " "), SUDO=str(SUDO_PATIENCE))
"""The command a node is asked to run, with the script on its stdin. It becomes root where sudo asks no password, and
tells the script who logged in: `$1` the uid, `$2` the status of sudo, `$3` its message. In one line, for csh as a login
shell; without a path, for a restricted one; `-p`, so that nothing of the user's environment becomes part of the script.
"""

LAUNCH_PLAIN = "sh -c 'unset BASH_ENV; exec bash --norc -p -s'"
"""The same without becoming root: for questions that want a quick answer."""

_HEADER = """\


main() {
export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin:/usr/local/sbin:/usr/bin:/bin"
unset TZ TIME_STYLE TMOUT
declare -A begun
trap : PIPE
marker=@MARKER@ held= count=0 login_uid=${1:-$UID} sudo_status=${2:-0} sudo_message=$3
flush() { printf '%s' "$held" || reap $$; held= count=0; }
root() { [ "$EUID" -eq 0 ] || return 77; }
show() {
  local rows
  mapfile -t rows <"$1" || return 66
  [ "${#rows[@]}" -eq 0 ] || printf '%s\\n' "${rows[@]}"
}
tool() {
  local folder IFS=:
  for folder in $PATH; do [ ! -x "$folder/$1" ] || [ -d "$folder/$1" ] || return 0; done
  return 1
}
limit() { if tool timeout; then timeout "$@"; else shift; "$@"; fi; }
maybe() { show "$1" || [ ! -e "$1" ] || return 66; }
reap() {
  local file line child
  for file in /proc/[0-9]*/stat; do
    { read -r line <"$file"; } 2>/dev/null || continue
    line=${line##*) }; line=${line#* }
    if [ "${line%% *}" = "$1" ]; then child=${file#/proc/}; reap "${child%/stat}"; fi
  done
  kill -9 "$1" 2>/dev/null
}
begin() {
  local fd
  exec {fd}< <(printf '%s\\n' "$BASHPID"; "ask_$1" </dev/null 2>/dev/null; printf '\\n%s' "$?")
  begun[$1]=$fd
}
run() {
  local name=$1 part text= left=@LIMIT@ got=0 status pid fd end=$((SECONDS + $2)) slice=1 waited=0
  [ $((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1])) -ge 403 ] || slice=$2
  [ -n "${begun[$name]}" ] || begin "$name"
  fd=${begun[$name]}
  while [ "$left" -gt 0 ] && [ "$SECONDS" -le "$end" ]; do
    IFS= read -r -d '' -t "$slice" -n "$left" part <&"$fd"; got=$?
    text+=$part left=$((left - ${#part}))
    case $got in 0) left=$((left - 1)); continue ;; 1) break ;; esac
    waited=$((waited + slice))
    [ "$waited" -lt "$2" ] || break
    held+="$marker"$'\\n'; flush
  done
  exec {fd}<&-
  pid=${text%%$'\\n'*} text=${text#*$'\\n'}
  if [ "$got" -eq 1 ]; then status=${text##*$'\\n'} text=${text%$'\\n'*}
  elif [ "$got" -eq 0 ]; then status=125; reap "$pid"
  else status=124; reap "$pid"; fi
  case $status in ''|*[!0-9]*) status=1 ;; esac
  held+="$marker $name"$'\\n'"$text"$'\\n'"$marker $name $status"$'\\n'
  count=$((count + 1))
  [ "$count" -lt @EVERY@ ] || flush
}
"""
# `read -t` on a process substitution is the timeout: one fork a snippet, no need of timeout(1), and not even a process
# that cannot be killed holds the rest up. A NUL ends a `read` early, so each counts as a character. The marker once a
# second while it waits tells that it runs, and whether anybody listens: else all of it ends, and nothing stays. Before
# 4.3 a `read` that is late may lose a byte, so there it waits in one piece. All is one function, so that a half-sent
# script runs nothing; the empty lines are for a profile that reads what is not its own.
# Files of /proc are read whole by mapfile: `read` seeks back behind each line, and the kernel then makes all anew.
# Nothing here is a here-document: bash writes those to a file, and the disk may be full or read-only.

_MARKER = re.compile(r"^marker=([0-9a-f]+) ", re.MULTILINE)
_RUN = re.compile(r"^run ([a-z0-9_]+) [0-9]+(?:; flush)?$", re.MULTILINE)
_STATUS = re.compile(rb"([0-9]{1,3})\r?\n")


@dataclass(frozen=True)
class CollectorOutput:
    """What a node answered to one snippet: its exit status and its output, cut to size and cleaned."""

    name: str
    status: int
    text: str


class MissingReason(str):
    """Why a field stays unknown: what a parser gives in place of a value where it knows the reason."""

    __slots__ = ()


@dataclass(frozen=True)
class Collector:
    """How one thing is asked of a node.

    `shell` is the body of a bash function: it `return`s (never exits), and `root || return` skips it without root.
    `show FILE` prints a file without a fork; to `maybe FILE` a file that is not there is an empty answer. `tool NAME`
    tells whether a command can be run (`type -P` would also find a file that cannot).
    `parse` turns the answer into values of the `Facts` fields named in `fields`; a name it leaves out becomes a gap.
    It may raise ValueError: then all its fields are gaps with that text. `timeout` in seconds.
    """

    name: str
    fields: tuple[str, ...]
    shell: str
    parse: Callable[[CollectorOutput], Mapping[str, object]]
    timeout: int = 10
    any_status: bool = False
    """Whether an exit status other than 0 is part of the answer."""
    urgent: bool = False
    """Asked first and sent at once, not held back with its neighbours."""
    early: bool = False
    """Begun before the others and collected in its turn: for what waits on the network."""


def build(snippets: Iterable[Collector], marker: str) -> str:
    """The program for the stdin of `LAUNCH`. `marker`: lower-case hexadecimal digits that no output can foresee."""
    snippets = tuple(snippets)
    header = fill_template(_HEADER, MARKER=marker, LIMIT=str(MAX_OUTPUT), EVERY=str(_FLUSH_EVERY))
    functions = [f"ask_{s.name}() {{\n{s.shell.strip()}\n}}\n" for s in snippets]
    urgent = [f"run {s.name} {s.timeout}; flush\n" for s in snippets if s.urgent]
    begins = [f"begin {s.name}\n" for s in snippets if s.early]
    calls = [f"run {s.name} {s.timeout}\n" for s in snippets if not s.urgent and not s.early]
    waits = [f"run {s.name} {s.timeout}\n" for s in snippets if s.early]
    between = ["flush\n"] if waits else []  # what it knows of itself need not wait for others
    lines = [header, *functions, *urgent, *begins, *calls, *between, *waits]
    return "".join([*lines, 'flush\nexit\n}\nmain "$@"\n'])


def split(script: str) -> tuple[str, tuple[str, ...]]:
    """Marker and snippet names of a built script. ValueError: it is none."""
    marker = _MARKER.search(script)
    names = tuple(_RUN.findall(script))
    if marker is None or not names:
        raise ValueError("not a probe script")
    return marker[1], names


def reply(marker: str, reading: CollectorOutput) -> bytes:
    """The bytes with which a node answers one snippet."""
    end = f"\n{marker} {reading.name} {reading.status}\n"
    return f"{marker} {reading.name}\n{reading.text}{end}".encode()


class Reader:
    """Finds the readings in a node's stream. Whatever stands outside a frame is noise and is dropped."""

    def __init__(self, marker: str) -> None:
        self._mark = marker.encode()
        self._begin = re.compile(re.escape(self._mark) + rb" ([a-z0-9_]{1,64})\r?\n")
        self._end = b""
        """How the end line of the open frame begins; empty: no frame is open."""
        self._name = ""
        self._buffer = bytearray()
        self._searched = 0
        self._overflow = False

    def feed(self, data: bytes) -> list[CollectorOutput]:
        """The readings that `data` completes. Never holds more than about two snippets' output."""
        self._buffer += data
        readings: list[CollectorOutput] = []
        while True:
            if not self._end:
                if not self._find_begin():
                    return readings
            else:
                reading = self._find_end()
                if reading is None:
                    return readings
                readings.append(reading)

    def _find_begin(self) -> bool:
        found = self._begin.search(self._buffer)
        if found is None:
            keep = len(self._mark) + 80  # a begin line that is still coming in
            del self._buffer[: max(0, len(self._buffer) - keep)]
            return False
        name = found[1]
        self._name = name.decode()
        self._end = b"\n" + self._mark + b" " + name + b" "
        self._overflow = False
        del self._buffer[: found.end()]
        self._searched = 0
        return True

    def _find_end(self) -> CollectorOutput | None:
        at = self._buffer.find(self._end, self._searched)
        while at >= 0 and not (found := _STATUS.match(self._buffer, at + len(self._end))):
            at = self._buffer.find(self._end, at + 1)
        tail = len(self._mark) + 80
        if at < 0 or found is None:
            if len(self._buffer) > MAX_OUTPUT + 2 * tail:
                self._overflow = True
                del self._buffer[MAX_OUTPUT : len(self._buffer) - tail]
            self._searched = max(0, len(self._buffer) - tail)
            return None
        status = CUT if self._overflow else int(found[1])
        text = bytes(self._buffer[: min(at, MAX_OUTPUT)]).decode(errors="replace")
        del self._buffer[: found.end()]
        self._end = b""
        return CollectorOutput(self._name, status, sanitize(text))
