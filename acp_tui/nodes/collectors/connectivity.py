"""What a node sees around it: the other nodes, the cluster endpoint, name servers, the image registry. Read-only.

The questions depend on the plan, so these snippets are made for each node. They run beside the node's own questions,
all connects at once, so that a black hole costs its few seconds once and a healthy network next to nothing.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from shlex import quote

from pydantic import SecretStr

from acp_tui.core.text import fill_template
from acp_tui.nodes.collectors.parsing import lines
from acp_tui.nodes.collectors.registry import asking_registry
from acp_tui.nodes.collectors.tcp_connect import dialling
from acp_tui.nodes.facts import Ping
from acp_tui.nodes.script import Collector, CollectorOutput
from acp_tui.plan.field_types import is_ip

# Children write into a pipe each, first their process number: no line can be torn, and who hangs can be ended.
_CHILDREN = """
local fds=() whom=() fd
gather() {
  local i text got left end=$((SECONDS + $1 + 1))
  for i in "${!fds[@]}"; do
    left=$((end - SECONDS)); [ "$left" -gt 0 ] || left=0.01
    IFS= read -r -d '' -t "$left" text <&"${fds[i]}"; got=$?
    if [ "$got" -ne 1 ]; then kill -9 "${text%%[!0-9]*}"; text+=' (silent)'; fi
    text=${text//$'\\n'/ }
    printf '%s %s\\n' "${whom[i]}" "${text#* }"
    fd=${fds[i]}; exec {fd}<&-
  done
  fds=() whom=()
}
"""

_PINGS = """
local host gap=0.2
tool ping || return 127
[ "$EUID" -ne 0 ] || gap=0.02
# MIN/AVG/... in ms: the average is far above the quickest. A node that is busy for a moment answers so.
uneven() {
  local min=${1%%/*} average=${1#*/}
  average=${average%%/*} min=${min/./} average=${average/./}
  case $min$average in '' | *[!0-9]*) return 1 ;; esac
  [ "$((10#$average))" -gt 1000 ] && [ "$((10#$average))" -gt $((2 * 10#$min)) ]
}
echo_of() {
  local way nic said mtu=1500 ping=ping head=28
  case $1 in *:*) head=48; ! tool ping6 || ping=ping6 ;; esac
  printf '%s ' "$BASHPID"
  way=$(ip -o route get "$1"); nic=${way#* dev }; nic=${nic%% *}
  [ -z "$nic" ] || read -r mtu <"/sys/class/net/$nic/mtu"
  printf 'size %s ' "$mtu"
  if said=$("$ping" -n -q -c 5 -i "$gap" -w 2 -M do -s $((mtu - head)) "$1"); then
    printf '%s' "$said"
    if uneven "${said##* = }"; then printf ' later '; "$ping" -n -q -c 5 -i 0.2 -w 2 "$1"; fi
    return
  fi
  printf '%s again ' "$said"
  "$ping" -n -q -c 5 -i "$gap" -w 2 "$1"
}
for host in @PEERS@; do
  exec {fd}< <(echo_of "$host")
  fds+=("$fd") whom+=("$host")
  [ "${#fds[@]}" -lt 50 ] || gather 5
done
gather 5
"""

_SPEEDS = """
local file nic speed
for file in /sys/class/net/*/speed; do
  nic=${file%/speed}
  read -r speed <"$file" && echo "${nic##*/} $speed"
done
return 0
"""

# A name that stands in /etc/hosts is asked of the name servers too: pods and browsers know only what those say.
_NAMES = """
local name rows
tool getent || return 127
mapfile -t rows </etc/hosts
rows=("${rows[@]%%#*}")
look_up() {
  printf '%s ' "$BASHPID"
  getent ahosts "$1"
  case " ${rows[*]//[[:blank:]]/ } " in *" $1 "*) ;; *) return ;; esac
  printf ' servers: '
  limit 2 getent -s dns ahosts "$1"
  [ "$?" -ne 124 ] || printf ' (no answer)'
}
for name in @NAMES@; do
  exec {fd}< <(look_up "$name")
  fds+=("$fd") whom+=("$name")
done
gather 6
"""

# The kernel asks three times, a second apart, before it says that nobody has the address. A shorter wait once called
# an address free that a busy machine had. It believes in a neighbour who has gone, unless root has it ask anew.
_VIP = """
local vip=@VIP@ text fd known mac unsure=1 end=$((SECONDS + 12))
known=$(ip neigh show to "$vip") mac=${known#*dev }
case $known in
  *PERMANENT*) ;;
  *lladdr*) ip neigh change "$vip" dev "${mac%% *}" nud probe ;;
esac
exec {fd}< <(printf '%s ' "$BASHPID"; { : 3<>"/dev/tcp/$vip/6443"; } 2>&1 && printf connected)
IFS= read -r -d '' -t 4 text <&"$fd" || [ "$?" -eq 1 ] || kill -9 "${text%%[!0-9]*}"
case $text in *'Connection refused'* | *connected) echo answers; unsure=0 ;; esac
tool ip || [ "$unsure" -eq 0 ] || return 127
while known=$(ip neigh show to "$vip"); do
  case $known in
    *STALE* | *DELAY* | *PROBE* | *INCOMPLETE*) [ "$SECONDS" -lt "$end" ] || break; sleep 0.5 ;;
    *lladdr*) mac=${known#*lladdr }; echo "mac ${mac%% *}"; return ;;
    *) return 0 ;;
  esac
done
return "$unsure"
"""


@dataclass(frozen=True)
class NodeTestSpec:
    """What one node shall find out. Hosts as in the plan, addresses or names."""

    dials: tuple[tuple[str, int], ...] = ()
    """Host and TCP port of each connect to try."""
    peers: tuple[str, ...] = ()
    """Addresses of the other nodes, to be pinged."""
    names: tuple[str, ...] = ()
    """Names to look up."""
    vip: str | None = None
    """An address at which nobody should answer yet."""
    registry: tuple[str, int] | None = None
    """Host and port of an external image registry."""
    registry_login: SecretStr | None = None
    """Base64 of `user:password` for it; None: no login is tried."""


def snippets_for(questions: NodeTestSpec) -> tuple[Collector, ...]:
    """The snippets that ask `questions`; none where there is nothing to ask."""
    found: list[Collector] = []

    def add(name: str, fields: str, shell: str, timeout: int, **blanks: str) -> None:
        shell = fill_template(shell, **blanks)
        found.append(Collector(name, tuple(fields.split()), shell, _PARSERS[name], timeout=timeout, early=True))

    if questions.dials:
        found.append(dialling(questions.dials))
    if questions.peers:
        waves = -(-len(questions.peers) // 50)
        add("pings", "pings", _CHILDREN + _PINGS, 7 * waves + 3, PEERS=_words(questions.peers))
        add("speeds", "link_speeds", _SPEEDS, 5)
    if questions.names:
        add("names", "names names_by_servers", _CHILDREN + _NAMES, 10, NAMES=_words(questions.names))
    if questions.vip:
        add("vip", "vip_owner", _VIP, 16, VIP=quote(questions.vip))
    if questions.registry:
        found.append(asking_registry(questions.registry, questions.registry_login))
    return tuple(found)


def _words(texts: tuple[str, ...]) -> str:
    return " ".join(map(quote, texts))


def _pings(reading: CollectorOutput) -> Mapping[str, object]:
    """Lines `HOST size BYTES REPORT [later REPORT | again REPORT]`: of whole packets that may not be cut, once more
    where some were quick and some late, and of small ones where none passed."""
    return {"pings": tuple(ping for line in lines(reading) if (ping := _ping(line)) is not None)}


def _ping(line: str) -> Ping | None:
    host, _mark, report = line.partition(" size ")
    size, _blank, report = report.partition(" ")
    first, _again, second = report.partition(" again ")
    first, _later, calm = first.partition(" later ")
    whole, small = _counted(first), _counted(second)
    if whole is None and small is None:
        return None
    best = max((c for c in (whole, small) if c), key=lambda c: c[1])
    passes = None if whole is None or not best[1] else whole[1] > 0
    averages = [_average(text) for text in ((second,) if small and best is small else (first, calm))]
    return Ping(
        host=host,
        sent=best[0],
        received=best[1],
        average=min((a for a in averages if a is not None), default=None) if best[1] else None,
        size=int(size) if size.isdigit() and len(size) < 7 else None,
        whole=passes,
    )


def _average(report: str) -> float | None:
    """Seconds, from the summary of ping."""
    found = re.search(r"min/avg/max\S* = [\d.]+/([\d.]+)/", report)
    return float(found[1]) / 1000 if found else None


def _counted(report: str) -> tuple[int, int] | None:
    """Packets sent and received, from the summary of ping."""
    found = re.search(r"(\d{1,4}) packets transmitted, (\d{1,4}) (?:packets )?received", report)
    return (int(found[1]), int(found[2])) if found else None


def _speeds(reading: CollectorOutput) -> Mapping[str, object]:
    rows = (line.split() for line in lines(reading))
    return {"link_speeds": {row[0]: int(row[1]) for row in rows if len(row) == 2 and re.fullmatch(r"\d{1,7}", row[1])}}


def _names(reading: CollectorOutput) -> Mapping[str, object]:
    """Lines `NAME ADDRESSES [servers: ADDRESSES]`, the latter where /etc/hosts names it."""
    found: dict[str, tuple[str, ...] | None] = {}
    by_servers: dict[str, tuple[str, ...] | None] = {}
    for line in lines(reading):
        name, _, rest = line.partition(" ")
        here, in_file, servers = rest.partition(" servers:")
        found[name] = None if "(silent)" in here else _addresses(here)
        if in_file:
            by_servers[name] = None if "(no answer)" in servers or "(silent)" in servers else _addresses(servers)
    return {"names": found, "names_by_servers": by_servers}


def _addresses(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word for word in text.split() if is_ip(word)))


def _vip(reading: CollectorOutput) -> Mapping[str, object]:
    words = lines(reading)
    return {"vip_owner": next((line[4:] for line in words if line.startswith("mac ")), next(iter(words), ""))}


_PARSERS = {
    "pings": _pings,
    "speeds": _speeds,
    "names": _names,
    "vip": _vip,
}
