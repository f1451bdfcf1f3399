"""The address plan: the cluster's ranges, what else has addresses, where the two meet, and what is still free.

Two CIDRs are apart or one lies within the other, so that all of them together make a tree. Pure; the nodes' networks,
routes and name servers come from their facts, as far as these are known.
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
from acp_tui.checks.plan.results import listed
from acp_tui.core.i18n import _
from acp_tui.nodes.facts import Facts, Interface, Route
from acp_tui.plan.field_types import is_ip
from acp_tui.plan.model import ClusterCidr, JoinCidr, Node, Plan, ServiceCidr

Network = IPv4Network | IPv6Network

_PRIVATE = tuple(map(ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fd00::/8")))
_WIDE = 8
"""A route with a shorter prefix is a default route in disguise, as VPN clients set it."""
_USUAL_SUBNET = {4: 24, 6: 64}
"""Prefix that is kept free around a node of which nothing is known yet."""


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
    """A network, or a single address, that has a meaning. `path`: the answer that gives it, if one does."""

    network: Network
    kind: Kind
    path: str = ""
    hosts: tuple[str, ...] = ()
    """A subnet of nodes: their addresses in it. Else the nodes that told of it, by plan address."""
    guessed: bool = False
    """The prefix is not known: the usual one is kept free, and only `hosts` are sure."""

    @property
    def of_plan(self) -> bool:
        return self.kind in _OF_PLAN.values()

    @property
    def sure(self) -> tuple[Network, ...]:
        return tuple(map(ip_network, self.hosts)) if self.guessed else (self.network,)


def ranges(plan: Plan) -> dict[str, Network]:
    """The cluster's ranges in force by plan path: of the chosen families, the join range with Kube-OVN alone."""
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
    """Whether two networks share an address; those of different families never do."""
    if isinstance(one, IPv4Network):
        return isinstance(other, IPv4Network) and one.overlaps(other)
    return isinstance(other, IPv6Network) and one.overlaps(other)


def taken(plan: Plan, facts: Mapping[str, Facts]) -> tuple[Taken, ...]:
    """All that has addresses: the cluster's ranges, nodes' subnets, addresses of the plan, name servers, other networks
    that nodes have a route to, and what the installer's container runtime keeps. Each network and kind once."""
    found: dict[tuple[Network, Kind], Taken] = {}
    for one in (*_of_plan(plan), *_of_nodes(plan, facts), *_addresses(plan), *_around(plan, facts), *_reserved(plan)):
        first = found.setdefault((one.network, one.kind), one)
        hosts = tuple(dict.fromkeys((*first.hosts, *one.hosts)))
        found[one.network, one.kind] = replace(first, hosts=hosts, guessed=first.guessed and one.guessed)
    subnets = {network for network, kind in found if kind is Kind.NODES}
    return tuple(one for one in found.values() if one.kind is not Kind.ROUTE or one.network not in subnets)


def suggestions(plan: Plan, facts: Mapping[str, Facts]) -> dict[str, Network]:
    """For each range of the cluster that meets something, or is too small for its Pods, by plan path, a free one to use
    instead. Of two that meet, the one that stands first in the plan stays. All of them may be taken together."""
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
    """A free range for this one alone, if it meets anything or is too small. None: it is well, or nothing is free."""
    now = ranges(plan)
    fixed = [one for one in taken(plan, facts) if not one.of_plan]
    others = [network for other, network in now.items() if other != path]
    return _free_instead(plan, now, path, fixed, others) if path in now else None


def with_room(plan: Plan, path: str, network: Network) -> Network:
    """`network`, or where it is the Pods' and has too few addresses for those of all nodes, one that has enough."""
    needed = len(plan.nodes) * plan.kubernetes.max_pods_per_node
    if "cluster_cidr" not in path or network.num_addresses >= needed:
        return network
    return network.supernet(new_prefix=network.max_prefixlen - (needed - 1).bit_length())


def free_range(wanted: Network, used: Iterable[Network]) -> Network | None:
    """The private range nearest to `wanted` that meets nothing in `used`: of its size or, where that is nowhere free,
    of the next smaller one. In the private block that `wanted` is of, if there is room; of two at the same distance
    the higher one. None: no private range of the family is free."""
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
    """The network that the interface is in; None where its prefix is nonsense."""
    try:
        return ip_interface(f"{interface.address}/{interface.prefix}").network
    except ValueError:
        return None


def interface_of(address: str, interfaces: tuple[Interface, ...]) -> Interface | None:
    """The interface that has `address`."""
    wanted = ip_address(address)
    return next((i for i in interfaces if is_ip(i.address) and ip_address(i.address) == wanted), None)


def routed(routes: Iterable[Route]) -> Iterator[Network]:
    """The networks behind these routes, without default routes, the node itself and its links."""
    for route in routes:
        try:
            network = ip_network(route.destination, strict=False)
        except ValueError:
            continue
        if route.nic != "lo" and network.prefixlen >= _WIDE and not _of_a_link(network):
            yield network


def special(address: str) -> bool:
    """Loopback, link-local, multicast, reserved (broadcast among it) or unspecified: no other machine reaches it."""
    ip = ip_address(address)
    kinds = (ip.is_loopback, ip.is_link_local, ip.is_multicast, ip.is_unspecified)
    return any(kinds) or (ip.version == 4 and ip.is_reserved)


def node_addresses(plan: Plan, node: Node) -> tuple[tuple[str, str], ...]:
    """(field, address) of a node, in dual stack both."""
    six = node.ipv6 if plan.network.ip_family == "dual" else None
    return (("address", node.address), *((("ipv6", six),) if six else ()))


def _of_plan(plan: Plan) -> Iterator[Taken]:
    for path, network in ranges(plan).items():
        yield Taken(network, _OF_PLAN[path.split(".")[1]], path)


def _of_nodes(plan: Plan, facts: Mapping[str, Facts]) -> Iterator[Taken]:
    places = [
        (f"nodes[{index}].{field}", address, host_network(facts.get(node.address), address))
        for index, node in enumerate(plan.nodes)
        for field, address in node_addresses(plan, node)
    ]
    # A prefix of full length, as clouds give it, says nothing about the neighbours.
    known = [subnet for *_place, subnet in places if subnet is not None and subnet.prefixlen < subnet.max_prefixlen]
    for path, address, _subnet in places:
        one = ip_network(address)
        neighbours = next((subnet for subnet in known if meet(subnet, one)), None)
        usual = one.supernet(new_prefix=_USUAL_SUBNET[one.version])
        yield Taken(neighbours or usual, Kind.NODES, path, (address,), guessed=neighbours is None)


def host_network(facts: Facts | None, address: str) -> Network | None:
    """The subnet of a node's address, as the node has it; None where that is not known."""
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
    told = set[str]()
    for path, kind, host in named:
        if is_ip(host) and host not in told:
            told.add(host)
            yield Taken(ip_network(host), kind, path)


def _around(plan: Plan, facts: Mapping[str, Facts]) -> Iterator[Taken]:
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
        first, last = IPv4Address(check.text("first")), IPv4Address(check.text("last"))
        for network in summarize_address_range(first, last):
            yield Taken(network, Kind.RESERVED)


def _of_a_link(network: Network) -> bool:
    address = network.network_address
    return address.is_link_local or address.is_multicast or address.is_loopback


def _free_instead(
    plan: Plan, now: Mapping[str, Network], path: str, fixed: Iterable[Taken], others: Iterable[Network]
) -> Network | None:
    """A free range instead of the one at `path`, if that is too small or meets one of `others` or what is `fixed`."""
    fixed, wanted = tuple(fixed), with_room(plan, path, now[path])
    met = (*(network for one in fixed for network in one.sure), *others)
    if wanted == now[path] and not any(meet(wanted, other) for other in met):
        return None
    rest = [network for other, network in now.items() if other != path]
    return free_range(wanted, [*(one.network for one in fixed), *rest])


def _nearest(wanted: int, size: int, pool: Network, used: Iterable[Network]) -> Iterator[int]:
    """From each gap of the pool that has room for `size` addresses, the aligned start that is nearest to `wanted`."""
    bounds = sorted((int(n.network_address), int(n.broadcast_address)) for n in used if meet(n, pool))
    start, end = int(pool.network_address), int(pool.broadcast_address)
    for first, last in (*bounds, (end + 1, end + 1)):
        lowest, highest = -(-start // size) * size, (first // size - 1) * size
        if lowest <= highest:
            yield min(max(wanted // size * size, lowest), highest)
        start = max(start, last + 1)


def free_range_remedy(free: Mapping[str, Network], *paths: str) -> str:
    """The remedy that names the free ranges for these answers; "" where there is none to name."""
    told = listed(_("{range} is free for {path}").format(range=free[path], path=path) for path in paths if path in free)
    return _("Choose another range: {ranges}.").format(ranges=told) if any(path in free for path in paths) else ""
