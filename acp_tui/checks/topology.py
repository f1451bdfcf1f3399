"""What the plan makes a node find out around it.

Port numbers come from the catalogue, so that whoever asks and whoever judges read the same row.
"""

from base64 import b64encode
from functools import cache

from pydantic import SecretStr

from acp_tui.checks.catalog import FunctionCheck, Requirement, catalogue
from acp_tui.nodes.collectors.connectivity import NodeTestSpec
from acp_tui.plan.field_types import is_domain, is_ip
from acp_tui.plan.model import Node, Plan

_BALANCER_RULES = ("LB-443", "LB-6443", "LB-11443", "LB-HTTP")
_RECOVERY_RULES = ("LB-DR-2379", "LB-DR-80")
_REGISTRY_PORT = 443


def node_test_spec(plan: Plan, node: Node) -> NodeTestSpec:
    """All that `node` shall find out.

    The ports of every network plugin are tried, so that a changed choice needs no new connection (X-FIREWALL)."""
    others = [other for other in plan.nodes if other.address != node.address]
    dials = [
        (address, port)
        for other in others
        for address in addresses(plan, other)
        for port in peer_ports(plan, other, plugins=("kube-ovn", "calico"))
    ]
    registry = external_registry(plan)
    if registry:
        dials.append(registry)
    if plan.address.cluster_endpoint and has_external_load_balancer(plan):
        dials += [(plan.address.cluster_endpoint, port) for port in balancer_ports(plan)]
    return NodeTestSpec(
        tcp_targets=tuple(dict.fromkeys(dials)),
        peers=tuple(address for other in others for address in addresses(plan, other)),
        names=required_names(plan),
        vip=plan.address.cluster_endpoint if node.role == "control-plane" and deploys_keepalived(plan) else None,
        registry=registry,
        registry_login=_registry_login(plan) if registry else None,
    )


def addresses(plan: Plan, node: Node) -> tuple[str, ...]:
    """Where the other nodes reach `node`: in dual stack at both addresses."""
    return (node.address, node.ipv6) if node.ipv6 and plan.network.ip_family == "dual" else (node.address,)


def peer_ports(plan: Plan, node: Node, plugins: tuple[str, ...]) -> tuple[int, ...]:
    """TCP ports at which other nodes have to reach `node` with these network plugins (X-FIREWALL)."""
    listed = _listed_ports(plan.effective_release, plugins)
    return tuple(dict.fromkeys((node.ssh.port or plan.ssh.port, plan.address.https_port, *listed)))


@cache
def _listed_ports(release: str, plugins: tuple[str, ...]) -> tuple[int, ...]:
    """Asked for each pair of nodes: ten thousand times of a hundred."""
    check = _function(catalogue(release)["X-FIREWALL"])
    return tuple(int(port) for name in ("ports", *plugins) for port in check.texts(name))


def balancer_ports(plan: Plan) -> tuple[int, ...]:
    """All ports that the load balancer has to forward (LB-*)."""
    rules = catalogue(plan.effective_release)
    wanted = _BALANCER_RULES + (_RECOVERY_RULES if plan.disaster_recovery.role != "none" else ())
    return tuple(dict.fromkeys(port for rule in wanted if (port := balancer_port(plan, rules[rule]))))


def balancer_port(plan: Plan, rule: Requirement) -> int:
    """The port that a rule LB-* is about: one of the plan's, or the row's own number; 0: none."""
    port = _function(rule).text("port")
    return int(port) if port.isdigit() else {"https": plan.address.https_port, "http": plan.address.http_port}[port]


def has_external_load_balancer(plan: Plan) -> bool:
    """Whether somebody's load balancer stands before the control plane."""
    return len(plan.nodes) > 1 and not plan.address.self_built_vip


def deploys_keepalived(plan: Plan) -> bool:
    """Whether the installer will make the VIP, so that nobody may have it yet."""
    return len(plan.nodes) > 1 and plan.address.self_built_vip and is_ip(plan.address.cluster_endpoint)


def required_names(plan: Plan) -> tuple[str, ...]:
    """The domain names that nodes will have to resolve, sorted (NETRES-DOMAIN)."""
    registry = external_registry(plan)
    hosts = {plan.address.cluster_endpoint, plan.platform_address, *plan.address.others}
    hosts.add(registry[0] if registry else plan.registry_address)
    return tuple(sorted(host for host in hosts if is_domain(host)))


def external_registry(plan: Plan) -> tuple[str, int] | None:
    """Host and port of the external registry; None: the platform's own, or none given yet."""
    if plan.registry.mode != "external" or not plan.registry.address:
        return None
    address = plan.registry_address
    if is_ip(address):  # the colons of a bare IPv6 address lead to no port
        return address, _REGISTRY_PORT
    host, colon, port = address.rpartition(":")
    return (host.strip("[]"), int(port)) if colon and port.isdigit() else (address, _REGISTRY_PORT)


def _registry_login(plan: Plan) -> SecretStr | None:
    user, password = plan.registry.username, plan.registry.password
    if not user or password is None:
        return None
    return SecretStr(b64encode(f"{user}:{password.get_secret_value()}".encode()).decode())


def _function(rule: Requirement) -> FunctionCheck:
    """TypeError: the row names no function."""
    if not isinstance(rule.check, FunctionCheck):
        raise TypeError(f"{rule.id} names no function")
    return rule.check
