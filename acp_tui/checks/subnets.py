"""Find the networks that the nodes and the cluster use, and overlaps between networks.

The functions are pure. The networks, routes and name servers of a node come from its facts, if the facts are known.
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
from acp_tui.nodes.fact_types import Interface, Route
from acp_tui.nodes.facts import Facts
from acp_tui.plan.field_types import is_ip
from acp_tui.plan.model import Plan
from acp_tui.plan.sections.network import ClusterCidr, JoinCidr, ServiceCidr
from acp_tui.plan.sections.node import Node

Network = IPv4Network | IPv6Network

_WIDE = 8
"""A prefix length in bits. VPN clients often set routes with a shorter prefix; these count as default routes."""
_USUAL_SUBNET = {4: 24, 6: 64}
"""For each IP version: the prefix length that is assumed for a node's subnet while the real one is unknown."""


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
    """A used network or address. `path`: the plan key that defines it; "" if it does not come from the plan."""

    network: Network
    kind: Kind
    path: str = ""
    hosts: tuple[str, ...] = ()
    """For a subnet of nodes: the addresses of the nodes in the subnet.

    For other networks: the plan addresses of the nodes that reported the network.
    """
    guessed: bool = False
    """True if the prefix length is unknown. Then `network` is an assumption, and only `hosts` are certainly used."""

    @property
    def of_plan(self) -> bool:
        return self.kind in _OF_PLAN.values()

    @property
    def sure(self) -> tuple[Network, ...]:
        return tuple(map(ip_network, self.hosts)) if self.guessed else (self.network,)


def ranges(plan: Plan) -> dict[str, Network]:
    """Return the ranges of the cluster by plan key, for the IP families of the plan. Only Kube-OVN has a join range."""
    network = plan.network
    named: dict[str, ClusterCidr | ServiceCidr | JoinCidr]
    named = {"cluster_cidr": network.cluster_cidr, "service_cidr": network.service_cidr}
    if network.cni == "kube-ovn":
        named["join_cidr"] = network.join_cidr
    networks: dict[str, Network] = {}
    for name, pair in named.items():
        if network.ip_family != "ipv6":
            networks[f"network.{name}.ipv4"] = ip_network(pair.ipv4)
        if network.ip_family != "ipv4":
            networks[f"network.{name}.ipv6"] = ip_network(pair.ipv6)
    return networks


def meet(network: Network, other: Network) -> bool:
    """Return True if two networks overlap. Networks of different IP families never overlap."""
    if isinstance(network, IPv4Network):
        return isinstance(other, IPv4Network) and network.overlaps(other)
    return isinstance(other, IPv6Network) and network.overlaps(other)


def taken(plan: Plan, facts: Mapping[str, Facts]) -> tuple[Taken, ...]:
    """Return all used networks. A network with several kinds of use occurs once for each kind.

    The kinds are: ranges of the cluster, subnets of nodes, addresses of the plan, name servers, other networks with a
    route, and the reserved range of the installer's container runtime.
    """
    by_network: dict[tuple[Network, Kind], Taken] = {}
    for used in (
        *_of_plan(plan),
        *_of_nodes(plan, facts),
        *_addresses(plan),
        *_near_nodes(plan, facts),
        *_reserved(plan),
    ):
        first = by_network.setdefault((used.network, used.kind), used)
        hosts = tuple(dict.fromkeys((*first.hosts, *used.hosts)))
        by_network[used.network, used.kind] = replace(first, hosts=hosts, guessed=first.guessed and used.guessed)
    subnets = {network for network, kind in by_network if kind is Kind.NODES}
    return tuple(used for used in by_network.values() if used.kind is not Kind.ROUTE or used.network not in subnets)


def subnet_of(interface: Interface) -> Network | None:
    """Return the network of the interface; None if its prefix length is invalid."""
    try:
        return ip_interface(f"{interface.address}/{interface.prefix}").network
    except ValueError:
        return None


def interface_of(address: str, interfaces: tuple[Interface, ...]) -> Interface | None:
    """Return the interface that has `address`; None if no interface has it."""
    ip = ip_address(address)
    return next((i for i in interfaces if is_ip(i.address) and ip_address(i.address) == ip), None)


def routed(routes: Iterable[Route]) -> Iterator[Network]:
    """Yield the destinations of `routes`, except default routes and loopback, link-local and multicast networks."""
    for route in routes:
        try:
            network = ip_network(route.destination, strict=False)
        except ValueError:
            continue
        if route.nic != "lo" and network.prefixlen >= _WIDE and not _of_a_link(network):
            yield network


def special(address: str) -> bool:
    """Return True if other machines cannot reach `address`.

    Such an address is loopback, link-local, multicast, reserved or unspecified.
    """
    ip = ip_address(address)
    kinds = (ip.is_loopback, ip.is_link_local, ip.is_multicast, ip.is_unspecified)
    return any(kinds) or (ip.version == 4 and ip.is_reserved)


def nameservers_in_use(facts: Facts) -> tuple[str, ...] | None:
    """Return the name servers that the node, its Pods or its local name server ask; None if they are unknown."""
    if facts.nameservers is None:
        return None
    others = (*(facts.pod_nameservers or ()), *(facts.upstream_nameservers or ()))
    return tuple(dict.fromkeys((*facts.nameservers, *others)))


def node_addresses(plan: Plan, node: Node) -> tuple[tuple[str, str], ...]:
    """Return (name of the plan field, address) for each address of a node. In dual stack, a node has two addresses."""
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
        host = ip_network(address)
        neighbours = next((subnet for subnet in known if meet(subnet, host)), None)
        usual = host.supernet(new_prefix=_USUAL_SUBNET[host.version])
        yield Taken(neighbours or usual, Kind.NODES, path, (address,), guessed=neighbours is None)


def host_network(facts: Facts | None, address: str) -> Network | None:
    """Return the subnet of the node address `address`, from the facts of the node; None if the subnet is unknown."""
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
    hosts = set[str]()
    for path, kind, host in named:
        if is_ip(host) and host not in hosts:
            hosts.add(host)
            yield Taken(ip_network(host), kind, path)


def _near_nodes(plan: Plan, facts: Mapping[str, Facts]) -> Iterator[Taken]:
    for node in plan.nodes:
        known = facts.get(node.address)
        if known is None:
            continue
        for server in nameservers_in_use(known) or ():
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
