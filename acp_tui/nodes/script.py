"""The bash script that runs all collectors on a node, and the reader of its output.

This module does not use SSH. Collection, tests and practice nodes use the same output format.
Lines with a random marker enclose the output of each collector. The last line contains the exit status:

    <marker> <name>
    ...output...
    <marker> <name> <status>
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from acp_tui.core.text import fill_template, sanitize

TIMED_OUT = 124  # the status of timeout(1)
SUDO_PATIENCE = 20
"""Seconds to wait for sudo. sudo resolves the host name, and an unreachable name server delays it."""
CUT = 125  # more output than a collector may print
NEEDS_ROOT = 77
ABSENT = 66  # the file to read does not exist
NOT_FOUND = 127  # the exit status of a shell for a missing command

MAX_OUTPUT = 256 * 1024
"""The limit in bytes of the output of one collector. The script on the node and the reader both enforce it."""

_FLUSH_EVERY = 10  # collectors per write: few packets, and still several updates

_LAUNCH = """sh -c '
cd /; LC_ALL=C; export LC_ALL; unset BASH_ENV ENV POSIXLY_CORRECT;
command -v timeout >/dev/null || timeout() { shift; "$@"; };
u=$(id -u); r=0; m=;
if [ "$u" != 0 ]; then
  m=$(timeout @SUDO@ sudo -n bash -c : 2>&1 </dev/null); r=$?;
  if [ "$r" -eq 0 ]; then exec sudo -n bash --norc -p -s -- "$u" "$r" "$m"; fi;
fi;
exec bash --norc -p -s -- "$u" "$r" "$m"'"""
LAUNCH = fill_template(_LAUNCH.replace("\n", " "), SUDO=str(SUDO_PATIENCE))
"""The command to run on a node, with the script on its stdin.

It becomes root if sudo works without a password. It passes three arguments to the script: `$1` is the user ID of the
login, `$2` the exit status of sudo, `$3` the message of sudo. It is one line, because the login shell can be csh. It
contains no path of a program, because the shell can be restricted. `cd /`: Python on the node searches the current
folder for modules, and other users could place some there. `-p` prevents bash from importing functions from the user's
environment."""

LAUNCH_PLAIN = "sh -c 'cd /; unset BASH_ENV; exec bash --norc -p -s'"
"""A command like `LAUNCH`, but without sudo. It is for scripts that need a quick reply."""

_HEADER = """\


main() {
ulimit -c 0 2>/dev/null
export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin:/usr/local/sbin:/usr/bin:/bin"
unset TZ TIME_STYLE TMOUT
declare -A started
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
  exec {fd}< <(printf '%s\\n' "$BASHPID"; "collect_$1" </dev/null 2>/dev/null; printf '\\n%s' "$?")
  started[$1]=$fd
}
run() {
  local name=$1 part text= left=@LIMIT@ got=0 status pid fd end=$((SECONDS + $2)) slice=1 waited=0
  [ $((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1])) -ge 403 ] || slice=$2
  [ -n "${started[$name]}" ] || begin "$name"
  fd=${started[$name]}
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
# The timeout is `read -t` on a process substitution: one fork per collector, no timeout(1), and a process that cannot
# be killed does not block the others. A NUL ends a `read` early, so each NUL counts as one character. While the script
# waits it prints the marker once a second: this shows progress, and if the connection is closed the write fails and
# the script ends all its processes. Before bash 4.3 a `read` that times out may lose a byte, so there it waits in one
# piece. Everything is one function, so a partly sent script runs nothing. The empty lines protect it from a shell
# profile that reads standard input.
# mapfile reads files of /proc in one go: `read` seeks back after each line, and the kernel generates the file again.
# Use no here-documents: bash writes them to a file, and the disk may be full or read-only.
# Core dumps are disabled, because the script can have a password.

_MARKER = re.compile(r"^marker=([0-9a-f]+) ", re.MULTILINE)
_RUN = re.compile(r"^run ([a-z0-9_]+) [0-9]+(?:; flush)?$", re.MULTILINE)
_STATUS = re.compile(rb"([0-9]{1,3})\r?\n")


@dataclass(frozen=True)
class CollectorOutput:
    """The output of one collector and its exit status. Its length is limited and control characters are removed."""

    name: str
    status: int
    text: str


class MissingKind(Enum):
    """Reasons for missing facts that are the same for all facts of a node."""

    OTHER = "other"
    ENDED = "ended"
    """The collection ended before the collector of the fact sent its output."""
    NEEDS_ROOT = "needs root"
    NO_COMMAND = "no command"
    """The command that reads the value is not installed on the node."""


class MissingReason(str):
    """The reason why a fact is missing. A parser returns it instead of the value of the fact."""

    __slots__ = ("kind",)
    kind: MissingKind

    def __new__(cls, text: str, kind: MissingKind = MissingKind.OTHER) -> "MissingReason":
        reason = super().__new__(cls, text)
        reason.kind = kind
        return reason


@dataclass(frozen=True)
class Collector:
    """A shell snippet that reads facts on a node, and the parser of its output.

    `shell` is the body of a bash function. It uses `return`, never `exit`. Helpers:
    - `root || return` ends the function if the script does not run as root.
    - `show FILE` prints a file without a new process; it fails with status 66 if the file does not exist.
    - `maybe FILE` also prints a file, but a file that does not exist counts as empty.
    - `tool NAME` succeeds if the command exists and is executable (`type -P` also finds files that are not executable).
    - `limit SECONDS COMMAND` runs a command with a time limit.

    `parse` converts the output into values of the `Facts` fields that `fields` names. A field without a value is
    missing. If `parse` raises ValueError, all fields are missing, and the text of the error is the reason. `timeout` is
    in seconds.
    """

    name: str
    fields: tuple[str, ...]
    shell: str
    parse: Callable[[CollectorOutput], Mapping[str, object]]
    timeout: int = 10
    any_status: bool = False
    """True if the output is parsed even if the exit status is not 0."""
    urgent: bool = False
    """True if the collector must run first and send its output immediately."""
    early: bool = False
    """True if the collector starts before the others and runs in parallel with them.

    Tests that wait for the network start early."""


def build(collectors: Iterable[Collector], marker: str) -> str:
    """Return the script that the command `LAUNCH` reads from stdin. `marker`: random lower-case hexadecimal digits."""
    collectors = tuple(collectors)
    header = fill_template(_HEADER, MARKER=marker, LIMIT=str(MAX_OUTPUT), EVERY=str(_FLUSH_EVERY))
    functions = [f"collect_{s.name}() {{\n{s.shell.strip()}\n}}\n" for s in collectors]
    urgent = [f"run {s.name} {s.timeout}; flush\n" for s in collectors if s.urgent]
    begins = [f"begin {s.name}\n" for s in collectors if s.early]
    calls = [f"run {s.name} {s.timeout}\n" for s in collectors if not s.urgent and not s.early]
    waits = [f"run {s.name} {s.timeout}\n" for s in collectors if s.early]
    between = ["flush\n"] if waits else []  # send local facts before waiting for the network
    lines = [header, *functions, *urgent, *begins, *calls, *between, *waits]
    return "".join([*lines, 'flush\nexit\n}\nmain "$@"\n'])


def split(script: str) -> tuple[str, tuple[str, ...]]:
    """Return the marker and the collector names of a script from `build`. Raises ValueError for any other text."""
    marker = _MARKER.search(script)
    names = tuple(_RUN.findall(script))
    if marker is None or not names:
        raise ValueError("the text is not a collector script")
    return marker[1], names


def reply(marker: str, output: CollectorOutput) -> bytes:
    """Return the bytes that a node sends for the output of one collector."""
    end = f"\n{marker} {output.name} {output.status}\n"
    return f"{marker} {output.name}\n{output.text}{end}".encode()


class Reader:
    """Extracts the outputs of collectors from the stream of a node. Text outside the markers is ignored."""

    def __init__(self, marker: str) -> None:
        self._mark = marker.encode()
        self._begin = re.compile(re.escape(self._mark) + rb" ([a-z0-9_]{1,64})\r?\n")
        self._end = b""
        """The start of the line that ends the current output; empty between two outputs."""
        self._name = ""
        self._buffer = bytearray()
        self._searched = 0
        self._overflow = False

    def feed(self, data: bytes) -> list[CollectorOutput]:
        """Add `data` to the buffer, and return the outputs that are now complete.

        The buffer holds at most about twice as many bytes as one output can have."""
        self._buffer += data
        outputs: list[CollectorOutput] = []
        while True:
            if not self._end:
                if not self._find_begin():
                    return outputs
            else:
                output = self._find_end()
                if output is None:
                    return outputs
                outputs.append(output)

    def _find_begin(self) -> bool:
        match = self._begin.search(self._buffer)
        if match is None:
            keep = len(self._mark) + 80  # a first line that has not arrived completely
            del self._buffer[: max(0, len(self._buffer) - keep)]
            return False
        name = match[1]
        self._name = name.decode()
        self._end = b"\n" + self._mark + b" " + name + b" "
        self._overflow = False
        del self._buffer[: match.end()]
        self._searched = 0
        return True

    def _find_end(self) -> CollectorOutput | None:
        at = self._buffer.find(self._end, self._searched)
        while at >= 0 and not (match := _STATUS.match(self._buffer, at + len(self._end))):
            at = self._buffer.find(self._end, at + 1)
        tail = len(self._mark) + 80
        if at < 0 or match is None:
            if len(self._buffer) > MAX_OUTPUT + 2 * tail:
                self._overflow = True
                del self._buffer[MAX_OUTPUT : len(self._buffer) - tail]
            self._searched = max(0, len(self._buffer) - tail)
            return None
        status = CUT if self._overflow else int(match[1])
        text = bytes(self._buffer[: min(at, MAX_OUTPUT)]).decode(errors="replace")
        del self._buffer[: match.end()]
        self._end = b""
        return CollectorOutput(self._name, status, sanitize(text, limit=None))
