"""Collectors for the connectivity of a node. They change nothing on the node.

They test the connections to other nodes, the cluster endpoint, name servers and the image registry. The plan defines
the targets, so each node has its own collectors. They run in parallel with the other collectors, and test all targets
at the same time. The tests of reachable targets take almost no time. All unreachable targets together take as long as
one timeout.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from shlex import quote

from pydantic import SecretStr

from acp_tui.core.text import fill_template
from acp_tui.nodes.collectors.children import CHILDREN
from acp_tui.nodes.collectors.image_registry import registry_collector
from acp_tui.nodes.collectors.install_folder import install_folder_collector
from acp_tui.nodes.collectors.link_speeds import LINK_SPEEDS
from acp_tui.nodes.collectors.parsing import lines
from acp_tui.nodes.collectors.pings import ping_collector
from acp_tui.nodes.collectors.tcp_connect import tcp_connect_collector
from acp_tui.nodes.path_summary import Peers
from acp_tui.nodes.script import Collector, CollectorOutput
from acp_tui.plan.field_types import is_ip

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
gather 6 print_line
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
    """The host and port of each TCP connect to a host that is not a node of the plan."""
    peers: Peers | None = None
    """The addresses and ports of all nodes, for TCP connects and pings; None if the plan has only one node."""
    own: frozenset[str] = frozenset()
    """The addresses in `peers` that are those of the node itself."""
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

    if spec.tcp_targets or spec.peers:
        collectors.append(tcp_connect_collector(spec.tcp_targets, spec.peers, spec.own))
    if spec.peers:
        collectors.append(ping_collector(spec.peers, spec.own))
        collectors.append(LINK_SPEEDS)
    if spec.names:
        add("names", "names names_by_servers", CHILDREN + _NAMES, 10, NAMES=_quote_all(spec.names))
    if spec.vip:
        add("vip", "vip_owner", _VIP, 16, VIP=quote(spec.vip))
    if spec.registry:
        collectors.append(registry_collector(spec.registry, spec.registry_login))
    if spec.install_folder:
        collectors.append(install_folder_collector(spec.install_folder))
    return tuple(collectors)


def _quote_all(texts: tuple[str, ...]) -> str:
    return " ".join(map(quote, texts))


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
    "names": _names,
    "vip": _vip,
}
