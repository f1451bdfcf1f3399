"""Collectors for interfaces, addresses and routes (NET-*, VIP-SUBNET).

ACP requires the program `ip`, but a node may not have it yet. The collectors then read /proc instead.
"""

import re
from collections.abc import Callable, Mapping
from ipaddress import IPv4Address, IPv4Network, IPv6Address, ip_address, ip_network

from acp_tui.nodes.collectors.parsing import is_address, lines
from acp_tui.nodes.fact_types import Interface, Route
from acp_tui.nodes.script import Collector, CollectorOutput

_IGNORED_ROUTES = ("unreachable", "blackhole", "prohibit", "throw", "broadcast", "local", "multicast", "anycast")


def _ipv4(little_endian_hex: str) -> IPv4Address:
    return IPv4Address(bytes.fromhex(little_endian_hex)[::-1])


def _routes_of_proc(rows: list[str]) -> tuple[Route, ...]:
    """Parse rows of /proc/net/route. Numbers are little-endian hexadecimal.

    The columns are interface, destination, gateway, flags, and more; the eighth is the mask."""
    routes = []
    for row in rows:
        columns = row.split()
        if len(columns) < 8 or not all(re.fullmatch(r"[0-9A-F]{8}", columns[i]) for i in (1, 2, 7)):
            continue
        if int(columns[3][:8], 16) & 0x0200:  # RTF_REJECT
            continue
        destination = ip_network(f"{_ipv4(columns[1])}/{_ipv4(columns[7])}", strict=False)
        gateway = None if columns[2] == "00000000" else str(_ipv4(columns[2]))
        routes.append(Route(_destination(str(destination)), columns[0], gateway))
    return tuple(routes)


def _routes6_of_proc(rows: list[str]) -> tuple[Route, ...]:
    """Parse rows of /proc/net/ipv6_route. Prefix lengths are hexadecimal.

    The columns are destination, prefix, source, prefix, gateway, metric, reference count, use count, flags, interface.
    """
    routes = []
    for row in rows:
        columns = row.split()
        if len(columns) < 10 or not re.fullmatch(r"[0-9a-f]{32}", columns[0]) or int(columns[8], 16) & 0x80200200:
            continue  # local or rejected routes
        destination = ip_network((bytes.fromhex(columns[0]), int(columns[1], 16)), strict=False)
        gateway = None if not columns[4].strip("0") else str(IPv6Address(bytes.fromhex(columns[4])))
        routes.append(Route(_destination(str(destination)), columns[9], gateway))
    return tuple(routes)


def _destination(text: str) -> str:
    if text in ("default", "0.0.0.0", "0.0.0.0/0", "::/0"):  # noqa: S104 - a route, not a socket
        return "default"
    network = ip_network(text, strict=False)
    return str(network)


def _route(line: str) -> Route | None:
    tokens = line.replace("\\", " ").split()
    if not tokens or tokens[0] in _IGNORED_ROUTES:
        return None
    if tokens[0] == "unicast":
        tokens = tokens[1:]

    def after(keyword: str) -> str | None:
        return tokens[tokens.index(keyword) + 1] if keyword in tokens[:-1] else None

    try:
        return Route(_destination(tokens[0]), after("dev"), after("via"))
    except (ValueError, IndexError):
        return None


def _routes(
    name: str, of_proc: Callable[[list[str]], tuple[Route, ...]]
) -> Callable[[CollectorOutput], Mapping[str, object]]:
    """Return a parser for the field `name`, which contains the routes of a node.

    The node sends the output of `ip -o route`. If `ip` is missing or broken, a line `proc` and rows of /proc follow. In
    this case, the parser uses only the rows of /proc, and `of_proc` converts them."""

    def parse(output: CollectorOutput) -> Mapping[str, object]:
        rows = lines(output)
        if "proc" in rows:
            return {name: of_proc(rows[rows.index("proc") + 1 :])}
        return {name: tuple(route for line in rows if (route := _route(line)) is not None)}

    return parse


def _interfaces(output: CollectorOutput) -> Mapping[str, object]:
    """Parse the interfaces and addresses of a node from the output of `ip -o addr`.

    If `ip` is missing or broken, a line `proc` and rows of /proc follow, and the parser uses only these rows. Each of
    them starts with `route`, `six` or `trie`. Raises ValueError without any address."""
    rows = lines(output)
    if "proc" in rows:
        return {"interfaces": _some(_interfaces_of_proc(rows[rows.index("proc") + 1 :]))}
    interfaces = []
    for line in rows:
        match = re.match(
            r"[0-9]{1,9}: +(\S{1,64}?)(?:@\S{1,64})? +inet6? +([0-9a-fA-F:.]{1,64})(?: peer [0-9a-fA-F:.]{1,64})?"
            r"(?:/([0-9]{1,3}))?",
            line,
        )
        if match and is_address(match[2]):
            address = ip_address(match[2])
            interfaces.append(Interface(match[1].rstrip(":"), str(address), int(match[3] or address.max_prefixlen)))
    return {"interfaces": _some(tuple(interfaces))}


def _some(interfaces: tuple[Interface, ...]) -> tuple[Interface, ...]:
    """Return the addresses. Raises ValueError if there is not even that of the loopback interface."""
    if not interfaces:
        raise ValueError("the node lists no network address")
    return interfaces


def _interfaces_of_proc(rows: list[str]) -> tuple[Interface, ...]:
    """Parse interfaces and addresses from rows of /proc.

    /proc/net/fib_trie contains the IPv4 addresses, but not their interfaces. An address therefore gets the interface of
    the route without a gateway whose destination is the smallest network that contains the address."""
    connected: list[tuple[IPv4Network, str]] = []
    six: list[Interface] = []
    addresses: dict[str, None] = {}
    candidate = ""
    for row in rows:
        kind, _, rest = row.partition(" ")
        columns = rest.split()
        if kind == "route":
            for route in _routes_of_proc([rest]):
                if route.gateway is None and route.nic and route.destination != "default":
                    connected.append((IPv4Network(route.destination), route.nic))
        elif (
            kind == "six"
            and len(columns) == 6
            and re.fullmatch(r"[0-9a-f]{32} [0-9a-f]+ [0-9a-f]{2}", " ".join(columns[:3]))
        ):
            six.append(Interface(columns[5], str(IPv6Address(bytes.fromhex(columns[0]))), int(columns[2], 16)))
        elif kind == "trie":
            leaf = re.search(r"\|-- ([0-9.]+)$", rest)
            if leaf:
                candidate = leaf[1]
            elif "/32 host LOCAL" in rest and is_address(candidate):
                addresses[candidate] = None
    interfaces = []
    for address in addresses:
        if address.startswith("127."):
            interfaces.append(Interface("lo", address, 8))
            continue
        networks = [(net.prefixlen, nic) for net, nic in connected if IPv4Address(address) in net]
        prefix, nic = max(networks, default=(32, "?"))
        interfaces.append(Interface(nic, address, prefix))
    return (*interfaces, *six)


COLLECTORS = (
    Collector(
        "interfaces",
        ("interfaces",),
        """
local line file rows
tool ip && limit 3 ip -o addr && return
echo proc
for file in route:route if_inet6:six fib_trie:trie; do
  rows=()
  mapfile -t rows <"/proc/net/${file%:*}"
  for line in "${rows[@]}"; do echo "${file#*:} $line"; done
done
return 0
""",
        _interfaces,
    ),
    Collector(
        "routes",
        ("routes",),
        "tool ip && limit 3 ip -o -4 route || { echo proc; show /proc/net/route; }",
        _routes("routes", _routes_of_proc),
    ),
    Collector(
        "routes6",
        ("routes6",),
        """
[ -e /proc/net/if_inet6 ] || return 0
tool ip && limit 3 ip -o -6 route || { echo proc; show /proc/net/ipv6_route; }
""",
        _routes("routes6", _routes6_of_proc),
    ),
)
