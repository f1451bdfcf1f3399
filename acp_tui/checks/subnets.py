"""Subnets and ranges of the cluster: used networks, overlaps, and free ranges.

Two CIDR networks are separate, or one contains the other. Pure; the networks, routes and name servers of the nodes come
from their facts, if these are known.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Network,
    ip_address,
    ip_interface,
    ip_network,
    summarize_address_range,
)

from acp_tui.checks.catalog import FunctionCheck, catalogue
from acp_tui.core.i18n import _
from acp_tui.nodes.facts import Facts, Interface, Route
from acp_tui.plan.field_types import is_ip
from acp_tui.plan.model import ClusterCidr, JoinCidr, Node, Plan, ServiceCidr

Network = IPv4Network | IPv6Network

_PRIVATE = tuple(map(ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fd00::/8")))
_WIDE = 8
"""A route with a shorter prefix counts as a default route; VPN clients set such routes."""
_USUAL_SUBNET = {4: 24, 6: 64}
"""Prefix that stays free around a node without facts."""


class Kind(StrEnum):
    PODS = "pods"
    SERVICES = "services"
    JOIN = "join"
    NODES = "nodes"
    ENDPOINT = "endpoint"
    PLATFORM = "platform"
    OTHER = "other"
    REGISTRY = "registry"
    DNS = "dns"
    ROUTE = "route"
    RESERVED = "reserved"


_OF_PLAN = {"cluster_cidr": Kind.PODS, "service_cidr": Kind.SERVICES, "join_cidr": Kind.JOIN}


@dataclass(frozen=True)
class Taken:
    """A used network or address. `path`: the plan path of the answer that defines it; "": none."""

    network: Network
    kind: Kind
    path: str = ""
    hosts: tuple[str, ...] = ()
    """For a subnet of nodes: their addresses in it. Else the nodes that reported it, by plan address."""
    guessed: bool = False
    """The prefix is unknown: the usual one stays free, and only `hosts` are certain."""

    @property
    def of_plan(self) -> bool:
        return self.kind in _OF_PLAN.values()

    @property
    def sure(self) -> tuple[Network, ...]:
        return tuple(map(ip_network, self.hosts)) if self.guessed else (self.network,)


def ranges(plan: Plan) -> dict[str, Network]:
    """Return plan path → range of the cluster, for the chosen IP families. Only Kube-OVN has a join range."""
    network = plan.network
    named: dict[str, ClusterCidr | ServiceCidr | JoinCidr]
    named = {"cluster_cidr": network.cluster_cidr, "service_cidr": network.service_cidr}
    if network.cni == "kube-ovn":
        named["join_cidr"] = network.join_cidr
    found: dict[str, Network] = {}
    for name, pair in named.items():
        if network.ip_family != "ipv6":
            found[f"network.{name}.ipv4"] = ip_network(pair.ipv4)
        if network.ip_family != "ipv4":
            found[f"network.{name}.ipv6"] = ip_network(pair.ipv6)
    return found


def meet(one: Network, other: Network) -> bool:
    """Return whether two networks overlap. Networks of different IP families never do."""
    if isinstance(one, IPv4Network):
        return isinstance(other, IPv4Network) and one.overlaps(other)
    return isinstance(other, IPv6Network) and one.overlaps(other)


def taken(plan: Plan, facts: Mapping[str, Facts]) -> tuple[Taken, ...]:
    """Return all used networks, each network and kind once.

    These are: the cluster's ranges, nodes' subnets, addresses of the plan, name servers, other networks with a route,
    and the reserved range of the installer's container runtime."""
    found: dict[tuple[Network, Kind], Taken] = {}
    for one in (
        *_of_plan(plan),
        *_of_nodes(plan, facts),
        *_addresses(plan),
        *_near_nodes(plan, facts),
        *_reserved(plan),
    ):
        first = found.setdefault((one.network, one.kind), one)
        hosts = tuple(dict.fromkeys((*first.hosts, *one.hosts)))
        found[one.network, one.kind] = replace(first, hosts=hosts, guessed=first.guessed and one.guessed)
    subnets = {network for network, kind in found if kind is Kind.NODES}
    return tuple(one for one in found.values() if one.kind is not Kind.ROUTE or one.network not in subnets)


def suggestions(plan: Plan, facts: Mapping[str, Facts]) -> dict[str, Network]:
    """Return plan path → free range, for each range that overlaps another network or is too small for its Pods.

    Of two overlapping ranges, the first one in the plan stays. All suggestions can be used together."""
    fixed = [one for one in taken(plan, facts) if not one.of_plan]
    now = ranges(plan)
    found: dict[str, Network] = {}
    for index, path in enumerate(now):
        before = [now[other] for other in list(now)[:index]]
        free = _free_instead(plan, now, path, fixed, before)
        if free is not None:
            found[path] = now[path] = free
    return found


def suggestion(plan: Plan, facts: Mapping[str, Facts], path: str) -> Network | None:
    """Return a free range for one plan path; None: the range needs no change, or no range is free."""
    now = ranges(plan)
    fixed = [one for one in taken(plan, facts) if not one.of_plan]
    others = [network for other, network in now.items() if other != path]
    return _free_instead(plan, now, path, fixed, others) if path in now else None


def with_room(plan: Plan, path: str, network: Network) -> Network:
    """Return `network`; if it is the Pod range and too small for the Pods of all nodes, a larger network around it."""
    needed = len(plan.nodes) * plan.kubernetes.max_pods_per_node
    if "cluster_cidr" not in path or network.num_addresses >= needed:
        return network
    return network.supernet(new_prefix=network.max_prefixlen - (needed - 1).bit_length())


def free_range(wanted: Network, used: Iterable[Network]) -> Network | None:
    """Return the free private range nearest to `wanted`; None: no private range of the IP family is free.

    It has the size of `wanted`, else the next smaller free size. The private block of `wanted` is preferred; of two
    ranges at the same distance, the higher one is returned."""
    used = tuple(other for other in used if other.version == wanted.version)
    pools = [pool for pool in _PRIVATE if pool.version == wanted.version]
    pools.sort(key=lambda pool: not meet(pool, wanted))
    for prefix in range(wanted.prefixlen, wanted.max_prefixlen + 1):
        size = 1 << (wanted.max_prefixlen - prefix)
        for pool in pools:
            starts = list(_nearest(int(wanted.network_address), size, pool, used))
            if starts:
                start = min(starts, key=lambda start: (abs(start - int(wanted.network_address)), -start))
                return ip_network((start, prefix))
    return None


def subnet_of(interface: Interface) -> Network | None:
    """Return the network of the interface; None: its prefix is invalid."""
    try:
        return ip_interface(f"{interface.address}/{interface.prefix}").network
    except ValueError:
        return None


def interface_of(address: str, interfaces: tuple[Interface, ...]) -> Interface | None:
    """Return the interface that has `address`."""
    ip = ip_address(address)
    return next((i for i in interfaces if is_ip(i.address) and ip_address(i.address) == ip), None)


def routed(routes: Iterable[Route]) -> Iterator[Network]:
    """Return the networks of these routes, without default routes, loopback and link-local networks."""
    for route in routes:
        try:
            network = ip_network(route.destination, strict=False)
        except ValueError:
            continue
        if route.nic != "lo" and network.prefixlen >= _WIDE and not _of_a_link(network):
            yield network


def special(address: str) -> bool:
    """Return whether other machines cannot reach `address`: loopback, link-local, multicast, reserved, unspecified."""
    ip = ip_address(address)
    kinds = (ip.is_loopback, ip.is_link_local, ip.is_multicast, ip.is_unspecified)
    return any(kinds) or (ip.version == 4 and ip.is_reserved)


def node_addresses(plan: Plan, node: Node) -> tuple[tuple[str, str], ...]:
    """Return (field, address) of a node, in dual stack both addresses."""
    six = node.ipv6 if plan.network.ip_family == "dual" else None
    return (("address", node.address), *((("ipv6", six),) if six else ()))


def _of_plan(plan: Plan) -> Iterator[Taken]:
    for path, network in ranges(plan).items():
        yield Taken(network, _OF_PLAN[path.split(".")[1]], path)


def _of_nodes(plan: Plan, facts: Mapping[str, Facts]) -> Iterator[Taken]:
    addresses = [
        (f"nodes[{index}].{field}", address, host_network(facts.get(node.address), address))
        for index, node in enumerate(plan.nodes)
        for field, address in node_addresses(plan, node)
    ]
    # A full-length prefix, as in some clouds, does not show the subnet.
    known = [
        subnet for *_address, subnet in addresses if subnet is not None and subnet.prefixlen < subnet.max_prefixlen
    ]
    for path, address, _subnet in addresses:
        one = ip_network(address)
        neighbours = next((subnet for subnet in known if meet(subnet, one)), None)
        usual = one.supernet(new_prefix=_USUAL_SUBNET[one.version])
        yield Taken(neighbours or usual, Kind.NODES, path, (address,), guessed=neighbours is None)


def host_network(facts: Facts | None, address: str) -> Network | None:
    """Return the subnet of a node's address, from its facts; None: unknown."""
    owner = interface_of(address, (facts.interfaces if facts else None) or ())
    return subnet_of(owner) if owner else None


def _addresses(plan: Plan) -> Iterator[Taken]:
    address = plan.address
    registry = "" if plan.registry.mode == "external" and not plan.registry.address else plan.registry_address
    host, _colon, _port = registry.rpartition(":")
    named = [
        ("address.cluster_endpoint", Kind.ENDPOINT, address.cluster_endpoint),
        ("address.platform", Kind.PLATFORM, address.platform or ""),
        *((f"address.others[{index}]", Kind.OTHER, other) for index, other in enumerate(address.others)),
        ("registry.address", Kind.REGISTRY, registry if is_ip(registry) else host.strip("[]")),
    ]
    seen = set[str]()
    for path, kind, host in named:
        if is_ip(host) and host not in seen:
            seen.add(host)
            yield Taken(ip_network(host), kind, path)


def _near_nodes(plan: Plan, facts: Mapping[str, Facts]) -> Iterator[Taken]:
    for node in plan.nodes:
        known = facts.get(node.address)
        if known is None:
            continue
        for server in known.nameservers or ():
            if is_ip(server) and not ip_address(server).is_loopback:
                yield Taken(ip_network(server), Kind.DNS, hosts=(node.address,))
        own = [subnet for i in known.interfaces or () if i.nic != "lo" and (subnet := subnet_of(i)) is not None]
        for network in (*own, *routed((*(known.routes or ()), *(known.routes6 or ())))):
            if not _of_a_link(network):
                yield Taken(network, Kind.ROUTE, hosts=(node.address,))


def _reserved(plan: Plan) -> Iterator[Taken]:
    check = catalogue(plan.effective_release)["XR-CIDR-172"].check
    if isinstance(check, FunctionCheck):
        first, last = IPv4Address(check.word("first")), IPv4Address(check.word("last"))
        for network in summarize_address_range(first, last):
            yield Taken(network, Kind.RESERVED)


def _of_a_link(network: Network) -> bool:
    address = network.network_address
    return address.is_link_local or address.is_multicast or address.is_loopback


def _free_instead(
    plan: Plan, now: Mapping[str, Network], path: str, fixed: Iterable[Taken], others: Iterable[Network]
) -> Network | None:
    """A free range for `path`, if the current one is too small or overlaps `others` or `fixed`; else None."""
    fixed, wanted = tuple(fixed), with_room(plan, path, now[path])
    used = (*(network for one in fixed for network in one.sure), *others)
    if wanted == now[path] and not any(meet(wanted, other) for other in used):
        return None
    rest = [network for other, network in now.items() if other != path]
    return free_range(wanted, [*(one.network for one in fixed), *rest])


def _nearest(wanted: int, size: int, pool: Network, used: Iterable[Network]) -> Iterator[int]:
    """For each gap in the pool with `size` free addresses, the aligned start nearest to `wanted`."""
    bounds = sorted((int(n.network_address), int(n.broadcast_address)) for n in used if meet(n, pool))
    start, end = int(pool.network_address), int(pool.broadcast_address)
    for first, last in (*bounds, (end + 1, end + 1)):
        lowest, highest = -(-start // size) * size, (first // size - 1) * size
        if lowest <= highest:
            yield min(max(wanted // size * size, lowest), highest)
        start = max(start, last + 1)


def free_range_remedy(free: Mapping[str, Network], *paths: str) -> str:
    """Return the fix that names the free ranges for these plan paths; "": no range is free."""
    suggested = [f"{free[path]} ({path})" for path in paths if path in free]
    if not suggested:
        return ""
    return _("Use a free range: {ranges}.").format(ranges=", ".join(suggested))
