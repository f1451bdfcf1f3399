"""Collectors for the connectivity of a node. They change nothing on the node.

They test the connections to other nodes, the cluster endpoint, name servers and the image registry. The plan defines
the targets, so each node has its own collectors. They run in parallel with the other collectors, and test all targets
at the same time. The tests of reachable targets take almost no time. All unreachable targets together take as long as
one timeout.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from shlex import quote

from pydantic import SecretStr

from acp_tui.core.text import fill_template
from acp_tui.nodes.collectors.image_registry import registry_collector
from acp_tui.nodes.collectors.install_folder import install_folder_collector
from acp_tui.nodes.collectors.parsing import lines
from acp_tui.nodes.collectors.tcp_connect import tcp_connect_collector
from acp_tui.nodes.fact_types import Ping
from acp_tui.nodes.script import Collector, CollectorOutput
from acp_tui.plan.field_types import is_ip

# Each child writes into a pipe of its own, first its process ID: lines do not mix, and a child that hangs can be ended.
_CHILDREN = """
local fds=() targets=() fd
gather() {
  local i text got left end=$((SECONDS + $1 + 1))
  for i in "${!fds[@]}"; do
    left=$((end - SECONDS)); [ "$left" -gt 0 ] || left=0.01
    IFS= read -r -d '' -t "$left" text <&"${fds[i]}"; got=$?
    if [ "$got" -ne 1 ]; then kill -9 "${text%%[!0-9]*}"; text+=' (silent)'; fi
    text=${text//$'\\n'/ }
    printf '%s %s\\n' "${targets[i]}" "${text#* }"
    fd=${fds[i]}; exec {fd}<&-
  done
  fds=() targets=()
}
"""

_PINGS = """
local host gap=0.2
tool ping || return 127
[ "$EUID" -ne 0 ] || gap=0.02
# MIN/AVG/... in ms: the average is much longer than the minimum, for example on a node that is busy for a moment.
uneven() {
  local min=${1%%/*} average=${1#*/}
  average=${average%%/*} min=${min/./} average=${average/./}
  case $min$average in '' | *[!0-9]*) return 1 ;; esac
  [ "$((10#$average))" -gt 1000 ] && [ "$((10#$average))" -gt $((2 * 10#$min)) ]
}
echo_of() {
  local route nic report mtu=1500 ping=ping head=28
  case $1 in *:*) head=48; ! tool ping6 || ping=ping6 ;; esac
  printf '%s ' "$BASHPID"
  route=$(ip -o route get "$1"); nic=${route#* dev }; nic=${nic%% *}
  [ -z "$nic" ] || read -r mtu <"/sys/class/net/$nic/mtu"
  printf 'size %s ' "$mtu"
  if report=$("$ping" -n -q -c 5 -i "$gap" -w 2 -M do -s $((mtu - head)) "$1"); then
    printf '%s' "$report"
    if uneven "${report##* = }"; then printf ' later '; "$ping" -n -q -c 5 -i 0.2 -w 2 "$1"; fi
    return
  fi
  printf '%s again ' "$report"
  "$ping" -n -q -c 5 -i "$gap" -w 2 "$1"
}
for host in @PEERS@; do
  exec {fd}< <(echo_of "$host")
  fds+=("$fd") targets+=("$host")
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

# A name in /etc/hosts is also looked up at the name servers, because Pods and browsers use only these.
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
  fds+=("$fd") targets+=("$name")
done
gather 6
"""

# The kernel sends three ARP requests, one second apart, before it reports an address as unused. A shorter wait has
# reported an address of a busy machine as free. An old neighbour entry stays until root starts a new probe.
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
    """The connectivity tests of one node. Each host is an address or a name, as written in the plan."""

    tcp_targets: tuple[tuple[str, int], ...] = ()
    """The host and port of each TCP connect."""
    peers: tuple[str, ...] = ()
    """The addresses of the other nodes, for ping."""
    names: tuple[str, ...] = ()
    """The names to resolve."""
    vip: str | None = None
    """The address of a future VIP. No host should reply at this address yet."""
    registry: tuple[str, int] | None = None
    """The host and port of an external image registry."""
    registry_login: SecretStr | None = None
    """The base64 text of `user:password` for the registry. None means that no login is tested."""
    install_folder: str | None = None
    """The absolute path of the install folder, on the installer node only."""


def collectors_for(spec: NodeTestSpec) -> tuple[Collector, ...]:
    """Return the collectors for the tests in `spec`. The result is empty if `spec` has no tests."""
    collectors: list[Collector] = []

    def add(name: str, fields: str, shell: str, timeout: int, **blanks: str) -> None:
        shell = fill_template(shell, **blanks)
        collectors.append(Collector(name, tuple(fields.split()), shell, _PARSERS[name], timeout=timeout, early=True))

    if spec.tcp_targets:
        collectors.append(tcp_connect_collector(spec.tcp_targets))
    if spec.peers:
        waves = -(-len(spec.peers) // 50)
        add("pings", "pings", _CHILDREN + _PINGS, 7 * waves + 3, PEERS=_quote_all(spec.peers))
        add("speeds", "link_speeds", _SPEEDS, 5)
    if spec.names:
        add("names", "names names_by_servers", _CHILDREN + _NAMES, 10, NAMES=_quote_all(spec.names))
    if spec.vip:
        add("vip", "vip_owner", _VIP, 16, VIP=quote(spec.vip))
    if spec.registry:
        collectors.append(registry_collector(spec.registry, spec.registry_login))
    if spec.install_folder:
        collectors.append(install_folder_collector(spec.install_folder))
    return tuple(collectors)


def _quote_all(texts: tuple[str, ...]) -> str:
    return " ".join(map(quote, texts))


def _pings(output: CollectorOutput) -> Mapping[str, object]:
    """Parse lines `HOST size BYTES REPORT [later REPORT | again REPORT]`.

    BYTES is the MTU, and each REPORT is a summary of ping. The packets of the first ping have the size of the MTU and
    must not be fragmented. A second ping sends small packets. The report of the second ping follows `later` if the
    round-trip times of the first ping vary much, and `again` if the first ping fails."""
    return {"pings": tuple(ping for line in lines(output) if (ping := _ping(line)) is not None)}


def _ping(line: str) -> Ping | None:
    host, _mark, report = line.partition(" size ")
    size, _blank, report = report.partition(" ")
    first, _again, second = report.partition(" again ")
    first, _later, repeated = first.partition(" later ")
    full, small = _packets(first), _packets(second)
    if full is None and small is None:
        return None
    best = max((c for c in (full, small) if c), key=lambda c: c[1])
    unfragmented = None if full is None or not best[1] else full[1] > 0
    averages = [_average(text) for text in ((second,) if small and best is small else (first, repeated))]
    return Ping(
        host=host,
        sent=best[0],
        received=best[1],
        average=min((a for a in averages if a is not None), default=None) if best[1] else None,
        size=int(size) if re.fullmatch(r"[0-9]{1,6}", size) else None,
        unfragmented=unfragmented,
    )


def _average(report: str) -> float | None:
    """Return the average time in seconds from the summary of ping; None if the summary has no times."""
    match = re.search(r"min/avg/max\S{0,20} = [0-9.]{1,20}/([0-9]{1,9}(?:\.[0-9]{1,9})?)/", report)
    return float(match[1]) / 1000 if match else None


def _packets(report: str) -> tuple[int, int] | None:
    """Parse the summary of ping. Return the number of packets sent, and the number received; None without a summary."""
    match = re.search(r"(\d{1,4}) packets transmitted, (\d{1,4}) (?:packets )?received", report)
    return (int(match[1]), int(match[2])) if match else None


def _speeds(output: CollectorOutput) -> Mapping[str, object]:
    rows = (line.split() for line in lines(output))
    return {"link_speeds": {row[0]: int(row[1]) for row in rows if len(row) == 2 and re.fullmatch(r"\d{1,7}", row[1])}}


def _names(output: CollectorOutput) -> Mapping[str, object]:
    """Parse lines `NAME ADDRESSES [servers: ADDRESSES]`. Only names in /etc/hosts have the part `servers`."""
    addresses_of: dict[str, tuple[str, ...] | None] = {}
    by_servers: dict[str, tuple[str, ...] | None] = {}
    for line in lines(output):
        name, _, rest = line.partition(" ")
        here, in_file, servers = rest.partition(" servers:")
        addresses_of[name] = None if "(silent)" in here else _addresses(here)
        if in_file:
            by_servers[name] = None if "(no answer)" in servers or "(silent)" in servers else _addresses(servers)
    return {"names": addresses_of, "names_by_servers": by_servers}


def _addresses(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part for part in text.split() if is_ip(part)))


def _vip(output: CollectorOutput) -> Mapping[str, object]:
    rows = lines(output)
    return {"vip_owner": next((line[4:] for line in rows if line.startswith("mac ")), next(iter(rows), ""))}


_PARSERS = {
    "pings": _pings,
    "speeds": _speeds,
    "names": _names,
    "vip": _vip,
}
