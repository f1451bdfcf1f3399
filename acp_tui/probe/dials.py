"""TCP connects from a node to many places at once, with bash alone: who answers, refuses or is silent (X-FIREWALL).

A healthy network costs one process a host and a few milliseconds; a black hole costs its seconds once, not per port.
"""

import re
from collections.abc import Mapping
from shlex import quote

from acp_tui.facts import Reach, TcpPath
from acp_tui.inputs import is_ip
from acp_tui.probe.script import Reading, Snippet
from acp_tui.probe.snippets.answers import lines

_PATIENCE = 3  # seconds for a TCP connect: a retransmission or two, and what ARP needs to give up
_AT_ONCE = 200  # children of a node at a time


# First a child for each host dials port after port: on a healthy network that is all. What has no answer within a
# second is dialled again, each port by a child of its own, so that all of them wait together.
_SHELL = """
local fds=() whom=() again=() fd way port TIMEFORMAT=%3R
dial() {
  local port
  echo "$BASHPID"
  for port in ${2//,/ }; do
    { time : 3<>"/dev/tcp/$1/$port"; } 2>&1 && echo ': connected'
    echo "port $port"
  done
}
hear() {
  local host=$1 rest=,$2, left=$3 pid line words= took=
  IFS= read -r pid <&"$fd"
  while IFS= read -r -t "$left" line <&"$fd"; do
    case $line in
      *': '*) words=${line##*: } ;;
      'port '*)
        port=${line#port } rest=${rest/,${line#port },/,}
        printf '%s %s %s\\n' "$host" "$port" "$words $took"
        words= ;;
      *) took=$line ;;
    esac
  done
  exec {fd}<&-
  for port in ${rest//,/ }; do again+=("$host=$port"); done
  [ "$rest" = , ] || kill -9 "$pid"
}
gather() {
  local i left end=$((SECONDS + $1))
  for i in "${!fds[@]}"; do
    left=$((end - SECONDS)) fd=${fds[i]}; [ "$left" -gt 0 ] || left=0.01
    hear "${whom[i]%%=*}" "${whom[i]#*=}" "$left"
  done
  fds=() whom=()
}
begin_dial() {
  exec {fd}< <(dial "${1%%=*}" "${1#*=}")
  fds+=("$fd") whom+=("$1")
}
for way in @DIALS@; do
  begin_dial "$way"
  [ "${#fds[@]}" -lt @MOST@ ] || gather 1
done
gather 1
local second=("${again[@]}")
again=()
for way in "${second[@]}"; do
  begin_dial "$way"
  [ "${#fds[@]}" -lt @MOST@ ] || gather @SECONDS@
done
gather @SECONDS@
for way in "${again[@]}"; do printf '%s %s (silent)\\n' "${way%%=*}" "${way#*=}"; done
"""

_WORDS: Mapping[str, Reach] = {
    "Connection refused": Reach.REFUSED,
    "Connection timed out": Reach.TIMEOUT,
    "(silent)": Reach.TIMEOUT,
    "No route to host": Reach.NO_ROUTE,
    "Host is down": Reach.NO_ROUTE,
    "Network is unreachable": Reach.FORBIDDEN,
    "Permission denied": Reach.FORBIDDEN,
    "Operation not permitted": Reach.FORBIDDEN,
    "Invalid argument": Reach.FORBIDDEN,
    "connected": Reach.CONNECTED,
}
"""connect(2)'s errors in the C locale. A black hole among the node's own routes is an "Invalid argument"."""


def dialling(dials: tuple[tuple[str, int], ...]) -> Snippet:
    """The question what becomes of a connect to each host and port of `dials`."""
    by_host: dict[str, list[str]] = {}
    for host, port in dials:
        by_host.setdefault(host, []).append(str(port))
    waves = -(-len(by_host) // _AT_ONCE) + _PATIENCE * -(-len(dials) // _AT_ONCE)
    ways = " ".join(quote(f"{host}={','.join(ports)}") for host, ports in by_host.items())
    blanks = {"@DIALS@": ways, "@MOST@": str(_AT_ONCE), "@SECONDS@": str(_PATIENCE + 1)}
    shell = _SHELL
    for blank, value in blanks.items():
        shell = shell.replace(blank, value)
    return Snippet("paths", ("paths",), shell, _paths, timeout=waves + 8, early=True)


def _paths(reading: Reading) -> Mapping[str, object]:
    """Lines `HOST PORT[,PORT...] WORDS`, with the seconds of the connect among the words."""
    found = []
    for line in lines(reading):
        match = re.fullmatch(r"(\S+) (\d{1,5}(?:,\d{1,5})*) (.*)", line)
        reach = next((reach for words, reach in _WORDS.items() if match and words in match[3]), None)
        if match is None or reach is None:
            continue
        if reach is Reach.FORBIDDEN and "Invalid argument" in match[3] and not is_ip(match[1]):
            reach = Reach.UNRESOLVED  # what bash says of a name that it cannot look up
        took = re.search(r"\b(\d{1,4}[.,]\d{3})\b", match[3])
        seconds = float(took[1].replace(",", ".")) if took else None
        found += [TcpPath(match[1], int(port), reach, seconds) for port in match[2].split(",")]
    return {"paths": tuple(found)}
