"""Texts about the traffic between nodes that was not tested: which traffic it is, and how to test it."""

from collections.abc import Iterable, Mapping

from acp_tui.checks.cluster.host_filters import hosts_filter_nothing
from acp_tui.checks.cluster.path_problems import MOST_SHOWN
from acp_tui.checks.finding import ClusterSubject
from acp_tui.core.i18n import _, ngettext
from acp_tui.nodes.fact_types import PathTest
from acp_tui.nodes.path_summary import PathSummary

TEST_COMMAND = "acp-tui check PLAN --also paths"


def untested_remedy() -> str:
    """Return how to test the traffic that is not tested yet."""
    return _(
        "Run the active test `paths`: it opens temporary test ports on all nodes for up to two minutes.\n{command}"
    ).format(command=TEST_COMMAND)


def required(subject: ClusterSubject) -> Mapping[str, tuple[str, ...]]:
    """Return the test ports that the plan needs on each node."""
    return {targets.node: targets.test_ports for targets in subject.topology.nodes}


def in_node_range(spec: str) -> bool:
    """Return True if a test port is in the NodePort range."""
    return spec[0] in "tu" and 30000 <= int(spec[1:]) <= 32767


def format_test_ports(specs: Iterable[str]) -> str:
    """Format test ports (see `PathFailure`) as `TCP 30000, 31383; UDP 53; IP protocol 4`."""
    by_kind: dict[str, list[str]] = {}
    for spec in specs:
        by_kind.setdefault({"t": "TCP", "u": "UDP"}.get(spec[0], "IP protocol"), []).append(spec[1:])
    return "; ".join(f"{kind} {', '.join(ports)}" for kind, ports in by_kind.items())


def stale(subject: ClusterSubject, tests: Mapping[str, PathTest], kinds: str = "tu") -> str:
    """Return a text about nodes and ports that the test did not include; "" if it included all.

    The plan may have changed since the test."""
    addresses = {address for targets in subject.topology.nodes for address in targets.addresses}
    new = {node.address for node in subject.plan.nodes if node.address not in tests}
    for hosts in {id(results.hosts): results.hosts for results in tests.values()}.values():
        new |= {subject.topology.owners[address] for address in addresses - hosts}
    ports: dict[str, None] = {}
    needed = required(subject)
    for node, results in tests.items():
        if not results.echo_problem:
            untested = (spec for spec in needed[node] if spec not in results.ports)
            ports |= dict.fromkeys(spec for spec in untested if spec[0] in kinds)
    if new:
        nodes = ", ".join(node.address for node in subject.plan.nodes if node.address in new)
        return _("the path test did not include these nodes: {nodes}").format(nodes=nodes)
    if ports:
        return _("the path test did not include these ports: {ports}").format(ports=format_test_ports(ports))
    return ""


def untested_text(subject: ClusterSubject) -> str:
    """Return which traffic was not tested, for a cluster without results of the path test."""
    specs = dict.fromkeys(spec for targets in subject.topology.nodes for spec in targets.test_ports)
    udp = ", ".join(spec[1:] for spec in specs if spec[0] == "u" and not in_node_range(spec))
    text = _("not tested: UDP ports {ports}, the NodePort range 30000-32767 and source addresses")
    if hosts_filter_nothing(subject):
        text = _(
            "the packet filters of the nodes block no traffic, but the network between the nodes was not tested for "
            "UDP ports {ports}, the NodePort range 30000-32767 and source addresses"
        )
    return text.format(ports=udp)


def _tcp_works(paths: PathSummary | None, host: str) -> bool:
    peer = paths.peers.by_address.get(host) if paths is not None and paths.peers is not None else None
    if paths is None or peer is None:
        return False
    return any(path is not None and path.open for path in (paths.path(host, port) for port in peer.ports))


def unanswered_pings(subject: ClusterSubject, tests: Mapping[str, PathTest]) -> str:
    """Return a text about nodes that answer to no ping, although TCP connections to them work; "" without any."""
    pairs: list[tuple[str, str]] = []
    for source, facts in subject.facts.items():
        listed = facts.pings.listed if facts.pings else ()
        silent = {ping.host for ping in listed if ping.sent > 0 and ping.received == 0}
        for host in sorted(host for host in silent if _tcp_works(facts.paths, host)):
            target = subject.topology.owners.get(host)
            if target is not None and not (target in tests and tests[target].ignores_pings):
                pairs.append((source, target))
    if not pairs:
        return ""
    shown = ", ".join(f"{source} → {target}" for source, target in pairs[:MOST_SHOWN])
    return ngettext(
        "pings (ICMP) get no reply on {count} path, although TCP connections work: {pairs}",
        "pings (ICMP) get no reply on {count} paths, although TCP connections work: {pairs}",
        len(pairs),
    ).format(count=len(pairs), pairs=shown)
