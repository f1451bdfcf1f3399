"""Planted causes: changes to the facts of a healthy cluster, and the only finding that each may give."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace

from pydantic import JsonValue

from acp_tui.nodes.fact_types import Listener, Login, RegistryAnswer, TcpResult, Trust, Unit
from acp_tui.nodes.facts import Facts
from acp_tui.nodes.packet_filter.model import Action, Chain, Hook, PacketFilter
from acp_tui.nodes.path_summary import PathSummary
from acp_tui.nodes.script import MissingKind, MissingReason
from acp_tui.nodes.state import NodeState
from tests.support.factories.plans import VIP, nodes
from tests.support.factories.verdicts import (
    FIRST,
    SECOND,
    WORKER,
    close_paths,
    with_paths,
)

HOST = "api.example.com"
REGISTRY = "registry.example.com"
ALL = (FIRST, SECOND, "10.20.0.13", WORKER, "10.20.0.22")
Spoil = Callable[[dict[str, Facts]], object]


def change(facts: dict[str, Facts], node: str, **changes: object) -> None:
    facts[node] = replace(facts[node], **changes)  # type: ignore[arg-type]


def no_value(facts: dict[str, Facts], node: str, kind: MissingKind, *names: str) -> None:
    reasons = {**facts[node].missing, **{name: MissingReason(f"no value: {kind.value}", kind) for name in names}}
    change(facts, node, missing=reasons, **dict.fromkeys(names))


def unresolved(facts: dict[str, Facts], node: str, name: str) -> None:
    names = facts[node].names or {}
    change(facts, node, names={**names, name: ()})
    close_paths(facts, node, [name], result=TcpResult.UNRESOLVED)


def rejected(facts: dict[str, Facts], target: str, result: TcpResult, seconds: float | None) -> None:
    """Let the paths of the other nodes to `target` end with `result`, except SSH."""
    for source in facts:
        if source != target:
            facts[source] = with_paths(
                facts[source],
                lambda p: p._replace(result=result, seconds=seconds) if p.host == target and p.port != 22 else p,
            )


def firewall(facts: dict[str, Facts], node: str) -> None:
    chain = Chain("inet", "firewalld", "filter_INPUT", hook=Hook.INPUT, policy=Action.DROP)
    change(
        facts,
        node,
        units={**(facts[node].units or {}), "firewalld": Unit("active", "enabled")},
        packet_filter=PacketFilter(chains=(chain,)),
    )


def collected_before_loss(facts: dict[str, Facts], node: str, *names: str) -> None:
    """Let only the facts `names` of `node` be known."""
    local = ("disk_speed", "listener_results", "backends_reached", "wrong_ports_reached", "proxy_protocol_ports")
    active = (*local, "vrids_seen", "bandwidths")
    absent = [f.name for f in fields(Facts) if f.name not in ("address", "missing", *names, *active)]
    no_value(facts, node, MissingKind.ENDED, *absent)


WORKING_REGISTRY = RegistryAnswer(200, Trust.TRUSTED, login=Login.ACCEPTED)


def registry_open(facts: Facts) -> PathSummary | None:
    """Return the paths of a node that reaches the registry."""
    return with_paths(facts, lambda p: p._replace(result=TcpResult.CONNECTED) if p.host == REGISTRY else p).paths


@dataclass(frozen=True)
class Case:
    name: str
    spoil: Spoil
    finding: tuple[str, str | None]
    """The only finding: requirement and node."""
    followers: int
    """The smallest number of verdicts that follow from the finding."""
    plan: Mapping[str, JsonValue] = field(default_factory=dict)
    states: Mapping[str, NodeState] = field(default_factory=dict)


def _everywhere(one: Callable[[dict[str, Facts], str], object]) -> Spoil:
    return lambda facts: [one(facts, node) for node in facts]


def no_sudo(facts: dict[str, Facts]) -> None:
    change(facts, SECOND, uid=1000, sudo=False, sudo_message="sudo: a password is required")
    no_value(facts, SECOND, MissingKind.NEEDS_ROOT, "sshd", "boot_entries", "units")


def _sudo_without_reply(facts: dict[str, Facts]) -> None:
    change(facts, SECOND, uid=1000, sudo=None)
    reason = MissingReason("sudo did not reply within 20 s")
    change(facts, SECOND, missing={"sudo": reason})
    no_value(facts, SECOND, MissingKind.NEEDS_ROOT, "sshd", "units")


def _old_cluster(facts: dict[str, Facts]) -> None:
    running = (Listener(10250, "kubelet"), Listener(6443, "kube-apiserver"), Listener(2379, "etcd"))
    change(facts, SECOND, cluster_processes=("kubelet",), listeners=running)


def _registry_unresolved(facts: dict[str, Facts], node: str) -> None:
    unresolved(facts, node, REGISTRY)
    change(facts, node, missing={"registry_answer": "the host name does not resolve"})


DOMAIN: Mapping[str, JsonValue] = {"address": {"cluster_endpoint": HOST}}
EXTERNAL: Mapping[str, JsonValue] = {
    "registry": {"mode": "external", "address": f"{REGISTRY}:5000", "username": "u", "password": "p"}
}
LOST = {SECOND: NodeState.LOST}
UNREACHABLE = {SECOND: NodeState.UNREACHABLE}
NO_ENDPOINT: Mapping[str, JsonValue] = {"address": {"cluster_endpoint": "", "platform": None}}
RESERVED_VIP: Mapping[str, JsonValue] = {"address": {"cluster_endpoint": "172.20.0.9", "platform": None}}


def _no_name_server(facts: dict[str, Facts]) -> None:
    for name in (HOST, "acp.example.com"):
        unresolved(facts, SECOND, name)
    change(facts, SECOND, nameservers=())


def _no_resolv_conf(facts: dict[str, Facts]) -> None:
    unresolved(facts, SECOND, "acp.example.com")
    change(facts, SECOND, nameservers=(), resolv_exists=False)


def _rejecting_firewall(facts: dict[str, Facts]) -> None:
    firewall(facts, SECOND)
    rejected(facts, SECOND, TcpResult.NO_ROUTE, 0.001)


def _no_ip(facts: dict[str, Facts]) -> None:
    change(facts, SECOND, tools={**(facts[SECOND].tools or {}), "ip": False})
    no_value(facts, SECOND, MissingKind.NO_COMMAND, "interfaces", "routes")


CASES = (
    Case("load balancer without a reply", _everywhere(lambda f, n: close_paths(f, n, [VIP])), ("LB-443", None), 2),
    Case("load balancer without a reply to one node", lambda f: close_paths(f, FIRST, [VIP]), ("LB-443", FIRST), 2),
    Case(
        "endpoint without a record",
        _everywhere(lambda f, n: unresolved(f, n, HOST)),
        ("NETRES-DOMAIN", FIRST),
        7,
        DOMAIN,
    ),
    Case(
        "endpoint unresolved on one node",
        lambda f: unresolved(f, SECOND, HOST),
        ("NETRES-DOMAIN", SECOND),
        3,
        DOMAIN,
    ),
    Case(
        "no name server",
        _no_name_server,
        ("NET-RESOLV-NS", SECOND),
        4,
        DOMAIN,
    ),
    Case(
        "no resolv.conf",
        _no_resolv_conf,
        ("NET-RESOLV-EXISTS", SECOND),
        1,
    ),
    Case(
        "registry without a reply",
        _everywhere(lambda f, n: close_paths(f, n, [REGISTRY])),
        ("XR-REG-EXT", FIRST),
        9,
        EXTERNAL,
    ),
    Case("registry without a record", _everywhere(_registry_unresolved), ("NETRES-DOMAIN", FIRST), 14, EXTERNAL),
    Case(
        "firewall rejects",
        _rejecting_firewall,
        ("SEC-FIREWALL", SECOND),
        1,
    ),
    Case("sudo with a password", no_sudo, ("USR-SUDO", SECOND), 4, states={SECOND: NodeState.NO_SUDO}),
    Case("sudo without a reply", _sudo_without_reply, ("USR-ROOT", SECOND), 4, states={SECOND: NodeState.TIMEOUT}),
    Case(
        "no host name",
        lambda f: no_value(f, SECOND, MissingKind.OTHER, "hostname"),
        ("NET-HOSTNAME-LEN", SECOND),
        4,
    ),
    Case(
        "systemd without a reply",
        lambda f: no_value(f, SECOND, MissingKind.OTHER, "units", "tasks_max", "boot_swaps"),
        ("SEC-FIREWALL", SECOND),
        1,
    ),
    Case(
        "no ip command",
        _no_ip,
        ("SW-BINARIES", SECOND),
        5,
    ),
    Case("former cluster", _old_cluster, ("CAP-FRESH-ENV", SECOND), 1),
    Case("small machine", lambda f: change(f, SECOND, cpu_count=4, memory=4 * 10**9), ("CAP-SC-REC-CP", SECOND), 2),
    Case(
        "VIP in a reserved range",
        lambda f: None,
        ("NET-172-FREE", FIRST),
        9,
        {"address": {"cluster_endpoint": "172.20.0.9", "platform": None}},
    ),
    Case(
        "VIP in another subnet",
        lambda f: None,
        ("VIP-SUBNET", FIRST),
        2,
        {"address": {"cluster_endpoint": "10.99.0.1", "platform": None, "self_built_vip": True, "vrid": 5}},
    ),
    Case("two control plane nodes", lambda f: None, ("CAP-SC-CP-COUNT", None), 2, {"nodes": nodes(2, 2)}),
    Case(
        "no endpoint", lambda f: None, ("NETRES-VIP", None), 4, {"address": {"cluster_endpoint": "", "platform": None}}
    ),
    Case("lost", lambda f: collected_before_loss(f, SECOND, "uid", "sudo"), ("CAP-FRESH-ENV", SECOND), 50, states=LOST),
    Case(
        "unreachable",
        lambda f: f.update({SECOND: Facts(SECOND)}),
        ("USR-ROOT", SECOND),
        50,
        states={SECOND: NodeState.UNREACHABLE},
    ),
    Case("login failed", lambda f: f.pop(SECOND), ("USR-ROOT", SECOND), 50, states={SECOND: NodeState.AUTH_FAILED}),
)
