"""The topology: addresses and ports that the nodes of a plan must reach, and names that they must resolve.

It includes the load balancer, the VIP and the image registry. Port numbers come from the catalogue, so that the
collectors and the checks use the same numbers.
"""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from acp_tui.checks.catalog import FunctionCheck, Requirement, catalogue
from acp_tui.core.files import resolve_path
from acp_tui.core.units import MEGA
from acp_tui.nodes.collectors.connectivity import NodeTestSpec
from acp_tui.nodes.path_summary import Peer, Peers, peers_of
from acp_tui.plan.field_types import is_domain, is_ip
from acp_tui.plan.model import Plan
from acp_tui.plan.sections.node import Node

_LOAD_BALANCER_RULES = ("LB-443", "LB-6443", "LB-11443", "LB-HTTP")
_RECOVERY_RULES = ("LB-DR-2379", "LB-DR-80")
_PLUGINS = ("kube-ovn", "calico")
_REGISTRY_PORT = 443


@dataclass(frozen=True)
class NodeTargets:
    """The addresses and TCP ports of one node that the other nodes must reach (X-FIREWALL)."""

    node: str
    """The node's plan address."""
    addresses: tuple[str, ...]
    """The plan address of the node; in dual stack, also its IPv6 address."""
    ssh_port: int
    ports: tuple[int, ...]
    """The ports that must be reachable with the network plugin of the plan."""
    all_ports: tuple[int, ...]
    """The ports of all network plugins. Nodes test all of them, so that a change of the plugin needs no new test."""
    test_ports: tuple[str, ...] = ()
    """The ports that the active path test opens on this node; `PathFailure` describes their form.

    They are the required TCP ports except the SSH port, the required UDP ports, some ports of the NodePort range, and
    IP protocol 4 if the plan needs IP-in-IP."""


@dataclass(frozen=True)
class Topology:
    """The addresses, ports and names that the nodes of a plan test. They are computed once for each plan."""

    nodes: tuple[NodeTargets, ...]
    """The nodes in the order of the plan."""
    owners: Mapping[str, str]
    """For each IPv4 or IPv6 address of a node: the plan address of that node."""
    load_balancer: str
    """The host of the external load balancer; "" if there is no load balancer, or the plan does not name it yet."""
    load_balancer_ports: tuple[int, ...]
    """The ports that the external load balancer must forward (LB-*); () without an external load balancer."""
    vip: str | None
    """The VIP that the installer will create with keepalived, and that no host may use yet.

    None without a self-built VIP.
    """
    names: tuple[str, ...]
    """Domain names that every node must resolve, sorted (NETRES-DOMAIN)."""
    registry: tuple[str, int] | None
    """Host and port of the external registry; None if the plan has no external registry, or does not name it yet."""
    registry_login: SecretStr | None
    """The registry login: Base64 of `user:password`, as in a Basic authorization header."""
    installer_node: str
    """The plan address of the installer node; "" if the plan has no control plane node yet."""
    install_folder: str
    """The absolute path of the install folder on the installer node."""
    sufficient_bits: float
    """The required speed of a transfer between two nodes, in bits per second (NETCFG-BW-INTRA)."""
    peers: Peers | None
    """The addresses and ports that the nodes test on each other; None if the plan has only one node."""


def topology_of(plan: Plan, plan_dir: Path = Path("/")) -> Topology:
    """Return the addresses, ports and names that the nodes of `plan` test.

    `plan_dir`: the folder in which a relative path of the install folder starts.
    """
    rules = catalogue(plan.effective_release)
    ports = {plugin: _plugin_ports(rules["X-FIREWALL"], plugin) for plugin in ("", *_PLUGINS)}
    further = _further_test_ports(plan, rules)
    nodes = tuple(_node_targets(plan, node, ports, further) for node in plan.nodes)
    balanced = has_external_load_balancer(plan)
    load_balancer_ports = _load_balancer_ports(plan, rules) if balanced else ()
    login, speed = _registry_login(plan), _function(rules["NETCFG-BW-INTRA"])
    endpoint, registry = plan.address.cluster_endpoint, external_registry(plan)
    keepalived = len(plan.nodes) > 1 and plan.address.self_built_vip and is_ip(endpoint)
    return Topology(
        nodes=nodes,
        owners={address: targets.node for targets in reversed(nodes) for address in targets.addresses},
        load_balancer=endpoint if balanced else "",
        load_balancer_ports=load_balancer_ports,
        vip=endpoint if keepalived else None,
        names=required_names(plan),
        registry=registry,
        registry_login=login if registry else None,
        installer_node=plan.installer_node.address if plan.installer_node else "",
        install_folder=str(resolve_path(plan_dir.absolute(), plan.package.install_dir)),
        sufficient_bits=speed.number("megabits") * MEGA * speed.number("payload"),
        peers=_peers(nodes, _function(rules["NETCFG-LAT-INTRA"]).number("milliseconds") / 1000),
    )


def node_test_spec(topology: Topology, node: Node) -> NodeTestSpec:
    """Return the connectivity tests that `node` runs."""
    connects = [topology.registry] if topology.registry else []
    if topology.load_balancer:
        connects += [(topology.load_balancer, port) for port in topology.load_balancer_ports]
    known = topology.peers.by_address if topology.peers else {}
    return NodeTestSpec(
        tcp_targets=tuple(dict.fromkeys(connects)),
        peers=topology.peers,
        own=frozenset(address for address in (node.address, node.ipv6 or "") if address in known),
        names=topology.names,
        vip=topology.vip if node.role == "control-plane" else None,
        registry=topology.registry,
        registry_login=topology.registry_login,
        install_folder=topology.install_folder if node.address == topology.installer_node else None,
    )


def _peers(nodes: tuple[NodeTargets, ...], limit: float) -> Peers | None:
    if len(nodes) < 2:
        return None
    peers = {
        address: Peer(address, node.ssh_port, node.all_ports) for node in reversed(nodes) for address in node.addresses
    }
    return peers_of(tuple(reversed(peers.values())), limit)


def load_balancer_port(plan: Plan, rule: Requirement) -> int:
    """Return the port that the load balancer must forward to fulfil the requirement `rule` (LB-*).

    The catalogue row of `rule` contains a port number, or names the HTTPS or HTTP port of the plan. The HTTP port is 0
    if HTTP is off.
    """
    port = _function(rule).text("port")
    return int(port) if port.isdigit() else {"https": plan.address.https_port, "http": plan.address.http_port}[port]


def has_external_load_balancer(plan: Plan) -> bool:
    """Return True if an external load balancer is in front of the control plane nodes."""
    return len(plan.nodes) > 1 and not plan.address.self_built_vip


def required_names(plan: Plan) -> tuple[str, ...]:
    """Return the domain names that every node must resolve, sorted (NETRES-DOMAIN)."""
    registry = external_registry(plan)
    hosts = {plan.address.cluster_endpoint, plan.platform_address, *plan.address.others}
    hosts.add(registry[0] if registry else plan.registry_address)
    return tuple(sorted(host for host in hosts if is_domain(host)))


def external_registry(plan: Plan) -> tuple[str, int] | None:
    """Return host and port of the external registry; None if the plan does not name an external registry."""
    if plan.registry.mode != "external" or not plan.registry.address:
        return None
    address = plan.registry_address
    if is_ip(address):  # the colons of a bare IPv6 address separate no port
        return address, _REGISTRY_PORT
    host, colon, port = address.rpartition(":")
    return (host.strip("[]"), int(port)) if colon and port.isdigit() else (address, _REGISTRY_PORT)


def _further_test_ports(plan: Plan, rules: Mapping[str, Requirement]) -> tuple[str, ...]:
    """Return the test ports that are the same on all nodes: UDP, the NodePort range and IP-in-IP."""
    firewall, plugin = rules["X-FIREWALL"], plan.network.cni
    node_ports = _plugin_ports(firewall, "node_ports")
    datagrams = (*_plugin_ports(firewall, "udp"), *_plugin_ports(firewall, f"{plugin}_udp"), *node_ports)
    tunnel = plugin == "calico" and isinstance(rules["NETCFG-IPIP"].check, FunctionCheck)
    return (*(f"t{port}" for port in node_ports), *(f"u{port}" for port in datagrams), *(("i4",) if tunnel else ()))


def _node_targets(
    plan: Plan, node: Node, ports: Mapping[str, tuple[int, ...]], further: tuple[str, ...]
) -> NodeTargets:
    dual = node.ipv6 is not None and plan.network.ip_family == "dual"
    login = plan.login(node).port
    common = (login, plan.address.https_port, *ports[""])
    required = tuple(dict.fromkeys((*common, *ports[plan.network.cni])))
    return NodeTargets(
        node=node.address,
        addresses=(node.address, node.ipv6) if node.ipv6 is not None and dual else (node.address,),
        ssh_port=login,
        ports=required,
        all_ports=tuple(dict.fromkeys((*common, *(port for plugin in _PLUGINS for port in ports[plugin])))),
        test_ports=tuple(dict.fromkeys((*(f"t{port}" for port in required if port != login), *further))),
    )


def _plugin_ports(rule: Requirement, plugin: str) -> tuple[int, ...]:
    """Return the ports that `rule` lists for `plugin`, or under another key of its parameters.

    If `plugin` is "", return the TCP ports that every plugin needs.
    """
    return tuple(int(port) for port in _function(rule).texts(plugin or "ports"))


def _load_balancer_ports(plan: Plan, rules: Mapping[str, Requirement]) -> tuple[int, ...]:
    names = _LOAD_BALANCER_RULES + (_RECOVERY_RULES if plan.disaster_recovery.role != "none" else ())
    return tuple(dict.fromkeys(port for name in names if (port := load_balancer_port(plan, rules[name]))))


def _registry_login(plan: Plan) -> SecretStr | None:
    user, password = plan.registry.username, plan.registry.password
    if not user or password is None:
        return None
    return SecretStr(b64encode(f"{user}:{password.get_secret_value()}".encode()).decode())


def _function(rule: Requirement) -> FunctionCheck:
    """Return the check of `rule`. Raises TypeError: it is not a function check."""
    if not isinstance(rule.check, FunctionCheck):
        raise TypeError(f"{rule.id} names no function")
    return rule.check
