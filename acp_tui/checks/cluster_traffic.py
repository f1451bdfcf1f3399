"""Example packets of the traffic that passes through the packet filter of one node when the cluster runs.

Labels of packets are in English: they consist of a protocol, a port and addresses.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from acp_tui.checks.catalog import FunctionCheck, catalogue
from acp_tui.nodes.facts import Facts
from acp_tui.nodes.packet_filter.model import Hook, Match, PacketFilter, What, number
from acp_tui.nodes.packet_filter.simulate import ACK, ANY_NIC, ICMP, ICMP6, IPIP, SYN, TCP, UDP, Packet
from acp_tui.plan.field_types import is_ip
from acp_tui.plan.model import Plan
from acp_tui.plan.sections.node import Node

_IN = (Hook.INGRESS, Hook.PREROUTING, Hook.INPUT)
_OUT = (Hook.OUTPUT, Hook.POSTROUTING)
_THROUGH = (Hook.INGRESS, Hook.PREROUTING, Hook.FORWARD, Hook.POSTROUTING)
_NODE_PORTS = (30000, 31080, 32767)
_TUNNELS = {"kube-ovn": 6081, "calico": 4789}
"""The UDP ports of the tunnels between nodes: Geneve and VXLAN."""
_POD_NICS = {"kube-ovn": "ovn0", "calico": "cali01234567890"}
_POD_PORT = 8443
_EPHEMERAL = 45678
_DNS = 53


@dataclass(frozen=True)
class Sample:
    """Packets of one kind. They count as blocked if all of them are blocked.

    `forwarded`: the node only passes them on. `first_address`: their source is the first address of its interface."""

    label: str
    packets: tuple[Packet, ...]
    forwarded: bool = False
    first_address: bool = True


@dataclass(frozen=True)
class _Link:
    """The way from this node to another host: the addresses, and the interface of this node."""

    own: str
    other: str
    nic: str

    @property
    def family(self) -> int:
        return 6 if ":" in self.own else 4

    def incoming(self, protocol: int, port: int = -1, **more: object) -> Packet:
        packet = Packet(
            self.family,
            protocol,
            number(ip_address(self.other)),
            number(ip_address(self.own)),
            _IN,
            _EPHEMERAL if port >= 0 else -1,
            port,
            nic_in=self.nic,
            flags=SYN if protocol == TCP else 0,
            local=True,
        )
        return replace(packet, **more)  # type: ignore[arg-type] # fields of Packet

    def outgoing(self, protocol: int, port: int = -1, **more: object) -> Packet:
        packet = self.incoming(protocol, port)
        return replace(
            packet,
            source=packet.destination,
            destination=packet.source,
            hooks=_OUT,
            nic_in="",
            nic_out=self.nic,
            local=False,
            **more,  # type: ignore[arg-type] # fields of Packet
        )


def cluster_traffic(plan: Plan, facts: Facts, packet_filter: PacketFilter) -> Iterator[Sample]:
    """Yield the packets that the node `facts.address` must not block."""
    node = next((node for node in plan.nodes if node.address == facts.address), None)
    if node is None:
        return
    ports = _tcp_ports(plan)
    for own in _addresses(plan, node):
        nic = _nic(facts, own)
        others = _other_nodes(plan, node, own, packet_filter)
        for other in others:
            yield from _between_nodes(plan, node, _Link(own, other, nic), ports)
        neighbours = _neighbours(facts, own)
        if not others:
            yield from _clients(plan, [_Link(own, address, nic) for address in neighbours])
        yield from _pods(plan, own, (*others, *neighbours)[:1], nic)
        yield from _own(own, ports)
    yield from _name_servers(facts)


def traffic_between_nodes(plan: Plan, facts: Facts, packet_filter: PacketFilter) -> Iterator[Sample]:
    """Yield packets of the node, and of its Pods with Calico, to the other nodes."""
    node = next((node for node in plan.nodes if node.address == facts.address), None)
    for own in _addresses(plan, node) if node is not None else ():
        nic = _nic(facts, own)
        first = next((entry.address for entry in facts.interfaces or () if entry.nic == nic), own) == own
        for other in _other_nodes(plan, node, own, packet_filter) if node is not None else ():
            link = _Link(own, other, nic)
            for protocol, port in ((TCP, 6443), (UDP, _TUNNELS[plan.network.cni])):
                label = f"{_PROTOCOLS[protocol]} {port} to {other}"
                yield Sample(label, (link.outgoing(protocol, port),), first_address=first)
            pods = _pod_network(plan, own)
            if plan.network.cni == "calico" and pods is not None:
                here, there = (number(pods.network_address + offset) for offset in (300, 700))
                packet = replace(
                    link.outgoing(TCP, _POD_PORT),
                    source=here,
                    destination=there,
                    hooks=_THROUGH[1:],
                    nic_in=_POD_NICS["calico"],
                )
                yield Sample(f"TCP {_POD_PORT} from Pods to Pods", (packet,), forwarded=True)


_PROTOCOLS = {TCP: "TCP", UDP: "UDP"}


def _addresses(plan: Plan, node: Node) -> tuple[str, ...]:
    dual = node.ipv6 is not None and plan.network.ip_family == "dual"
    return (node.address, node.ipv6) if dual and node.ipv6 is not None else (node.address,)


def _nic(facts: Facts, address: str) -> str:
    """Return the interface of an address of the node; `ANY_NIC` if it is unknown."""
    return next((entry.nic for entry in facts.interfaces or () if entry.address == address), ANY_NIC)


def _tcp_ports(plan: Plan) -> tuple[int, ...]:
    """Return the TCP ports that every node must reach on every other node, without SSH."""
    check = catalogue(plan.effective_release)["X-FIREWALL"].check
    names = (*check.texts("ports"), *check.texts(plan.network.cni)) if isinstance(check, FunctionCheck) else ()
    web = tuple(port for port in (plan.address.https_port, plan.address.http_port) if port)
    return tuple(dict.fromkeys((*(int(name) for name in names), *web)))


def _other_nodes(plan: Plan, node: Node, own: str, packet_filter: PacketFilter) -> tuple[str, ...]:
    """Return addresses of other nodes: one of those that no rule distinguishes."""
    family = ":" in own
    others = [
        address for other in plan.nodes if other is not node for address in _addresses(plan, other)
        if (":" in address) == family
    ]  # fmt: skip
    if len(others) < 2:
        return tuple(others)
    limits = sorted(set(_limits(packet_filter)))
    return tuple({_interval(limits, address): address for address in reversed(others)}.values())


def _limits(packet_filter: PacketFilter) -> Iterator[int]:
    """Yield the first number of each range of addresses in the rules, and the first number behind it."""
    for chain in packet_filter.chains:
        for rule in chain.rules:
            yield from _limits_of(rule.matches)


def _limits_of(matches: Iterable[Match]) -> Iterator[int]:
    for match in matches:
        if match.what in (What.SOURCE, What.DESTINATION):
            for first, last in match.ranges:
                yield first
                yield last + 1
        for group in match.alternatives:
            yield from _limits_of(group)


def _interval(limits: list[int], address: str) -> int:
    return bisect_right(limits, number(ip_address(address)))


def _between_nodes(plan: Plan, node: Node, link: _Link, ports: tuple[int, ...]) -> Iterator[Sample]:
    """Yield the packets from and to one other node."""
    other = link.other
    ssh = plan.login(node).port
    for port in ports:
        yield Sample(f"TCP {port} from {other}", (link.incoming(TCP, port),))
        yield Sample(f"TCP {port} to {other}", (link.outgoing(TCP, port),))
    yield Sample(f"TCP {ssh} from {other}", (link.incoming(TCP, ssh, steady=True),))
    for port in _NODE_PORTS:
        yield Sample(f"TCP {port} (NodePort) from {other}", (link.incoming(TCP, port),))
    yield Sample(f"UDP {_NODE_PORTS[0]} (NodePort) from {other}", (link.incoming(UDP, _NODE_PORTS[0]),))
    tunnel = _TUNNELS[plan.network.cni]
    yield Sample(f"UDP {tunnel} from {other}", (link.incoming(UDP, tunnel),))
    yield Sample(f"UDP {tunnel} to {other}", (link.outgoing(UDP, tunnel),))
    if plan.network.cni == "calico" and link.family == 4:
        yield Sample(f"IP protocol 4 from {other}", (link.incoming(IPIP),))
        yield Sample(f"IP protocol 4 to {other}", (link.outgoing(IPIP),))
    reply = link.incoming(TCP, _EPHEMERAL, source_port=6443, state="established", flags=ACK)
    yield Sample(f"TCP replies from {other}", (reply,))
    yield from _icmp(link)


def _icmp(link: _Link) -> Iterator[Sample]:
    """Yield ICMP packets: echo requests, and the errors with which the path MTU is found."""
    protocol, echo, too_big = (ICMP, 8 * 256, 3 * 256 + 4) if link.family == 4 else (ICMP6, 128 * 256, 2 * 256)
    name = "ICMP" if link.family == 4 else "ICMPv6"
    yield Sample(f"{name} echo from {link.other}", (link.incoming(protocol, icmp=echo, steady=True),))
    yield Sample(f"{name} echo to {link.other}", (link.outgoing(protocol, icmp=echo, steady=True),))
    error = link.incoming(protocol, icmp=too_big, state="related", steady=True)
    yield Sample(f"{name} errors (packet too big) from {link.other}", (error,))
    if link.family == 6:
        for kind in (135, 136):
            packet = link.incoming(protocol, icmp=kind * 256, state="untracked", steady=True)
            yield Sample(f"ICMPv6 neighbour discovery from {link.other}", (packet,))


def _neighbours(facts: Facts, own: str) -> list[str]:
    """Return some addresses of the subnet of the node, which clients could have."""
    prefix = next((entry.prefix for entry in facts.interfaces or () if entry.address == own), 24 if "." in own else 64)
    try:
        network = ip_network(f"{own}/{prefix}", strict=False)
    except ValueError:
        return []
    size = network.num_addresses
    found = (str(network[at % size]) for at in (size // 7 + 1, size // 3 + 1, size // 2 + 1, size - 2))
    return [address for address in dict.fromkeys(found) if address != own]


def _clients(plan: Plan, clients: list[_Link]) -> Iterator[Sample]:
    """Yield packets of clients to a single node. Some clients may be blocked, but not all."""
    for port in (plan.address.https_port, 6443):
        packets = tuple(link.incoming(TCP, port) for link in clients)
        if packets:
            yield Sample(f"TCP {port} from clients", packets)


def _pod_network(plan: Plan, own: str) -> IPv4Network | IPv6Network | None:
    network = ip_network(plan.network.cluster_cidr.ipv6 if ":" in own else plan.network.cluster_cidr.ipv4)
    return network if network.num_addresses > 1024 else None


def _pods(plan: Plan, own: str, others: tuple[str, ...], nic: str) -> Iterator[Sample]:
    """Yield packets between the Pods of this node and the node itself, and packets of Pods to other hosts."""
    network = _pod_network(plan, own)
    if network is None:
        return
    pod = str(network.network_address + 300)
    link = _Link(own, pod, _POD_NICS[plan.network.cni])
    for port in (6443, 10250, plan.address.https_port, _NODE_PORTS[0]):
        yield Sample(f"TCP {port} from Pods", (link.incoming(TCP, port),))
    yield Sample("TCP to Pods", (link.outgoing(TCP, _POD_PORT),))
    reply = link.incoming(TCP, _EPHEMERAL, source_port=_POD_PORT, state="established", flags=ACK)
    yield Sample("TCP replies from Pods", (reply,))
    for other in others:
        away = replace(
            link.incoming(TCP, 443),
            destination=number(ip_address(other)),
            hooks=_THROUGH[1:],
            nic_out=nic,
            local=False,
        )
        yield Sample("forwarded TCP from Pods", (away,), forwarded=True)
        back = replace(  # before routing, the destination of a reply is still the address of this node
            away,
            hooks=_THROUGH[2:],
            source=away.destination,
            destination=away.source,
            source_port=443,
            destination_port=_EPHEMERAL,
            nic_in=nic,
            nic_out=away.nic_in,
            state="established",
            flags=ACK,
        )
        yield Sample("forwarded TCP to Pods", (back,), forwarded=True)


def _own(own: str, ports: tuple[int, ...]) -> Iterator[Sample]:
    """Yield packets of the node to itself, which pass through the interface lo."""
    link = _Link(own, own, "lo")
    for port in ports[:1]:
        packet = replace(link.incoming(TCP, port), hooks=(*_OUT, *_IN), nic_out="lo")
        yield Sample(f"TCP {port} from the node itself", (packet,))


def _name_servers(facts: Facts) -> Iterator[Sample]:
    """Yield packets to and from the name servers of the node."""
    servers = [server for server in facts.nameservers or () if is_ip(server) and not ip_address(server).is_loopback]
    for server in servers[:3]:
        link = _to_server(facts, server)
        if link is not None:
            yield Sample(f"UDP {_DNS} to {server}", (link.outgoing(UDP, _DNS),))
            reply = link.incoming(UDP, _EPHEMERAL, source_port=_DNS, state="established")
            yield Sample(f"UDP {_DNS} replies from {server}", (reply,))


def _to_server(facts: Facts, server: str) -> _Link | None:
    """Return the way to a name server: by the interface in its subnet, else by that of the default route."""
    family = ":" in server
    own = [entry for entry in facts.interfaces or () if (":" in entry.address) == family and entry.nic != "lo"]
    if not own:
        return None
    for entry in own:
        if ip_address(server) in ip_network(f"{entry.address}/{entry.prefix}", strict=False):
            return _Link(entry.address, server, entry.nic)
    routes = (facts.routes6 if family else facts.routes) or ()
    gateway = next((route.nic for route in routes if route.destination == "default"), None)
    source = next((entry.address for entry in own if entry.nic == gateway), own[0].address)
    return _Link(source, server, gateway or ANY_NIC)
