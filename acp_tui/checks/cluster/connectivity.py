"""Check the TCP paths between nodes, and whether packets as large as the MTU pass between them.

A TCP path is one port of one node, as seen from one other node.
"""

from collections.abc import Mapping

from acp_tui.checks.cluster.host_filters import translating_rules
from acp_tui.checks.cluster.missing_facts import fact_of_nodes
from acp_tui.checks.cluster.path_problems import (
    PathProblem,
    by_node_at_fault,
    by_source,
    describe_problems,
    one_finding_per_node,
)
from acp_tui.checks.cluster.path_tests import tested_traffic
from acp_tui.checks.cluster.untested_traffic import untested_remedy
from acp_tui.checks.finding import ClusterSubject, Finding, Findings
from acp_tui.checks.topology import NodeTargets, Topology
from acp_tui.checks.verdict import Outcome
from acp_tui.core.i18n import NC_, _, pgettext
from acp_tui.nodes.fact_types import TcpPath, TcpResult
from acp_tui.nodes.path_summary import PathSummary, Peers

_IMMEDIATELY = 0.5  # seconds

_RESULTS: Mapping[TcpResult, str] = {
    TcpResult.CONNECTED: NC_("connection", "connected"),
    TcpResult.REFUSED: NC_("connection", "refused"),
    TcpResult.TIMEOUT: NC_("connection", "timed out"),
    TcpResult.NO_ROUTE: NC_("connection", "no route to host"),
    TcpResult.FORBIDDEN: NC_("connection", "rejected by a route or packet filter of the connecting node"),
    TcpResult.UNRESOLVED: NC_("connection", "the host name does not resolve"),
}


def paths_open(subject: ClusterSubject) -> Findings:
    """X-FIREWALL: all traffic between two nodes must pass.

    If packets as large as the MTU do not pass, or if some traffic is not tested, the outcome is a warning.
    """
    tested, missing = fact_of_nodes(subject, "paths", lambda f: f.paths)
    closed, unknown, count = closed_paths(subject, tested)
    traffic = tested_traffic(subject, closed)
    findings = one_finding_per_node(
        *(
            (Outcome.FAIL, node, describe_problems(problems))
            for node, problems in by_node_at_fault(subject, [*closed, *traffic.closed]).items()
        ),
        *((Outcome.FAIL, node, text) for node, text in translating_rules(subject)),
        *((Outcome.UNKNOWN, finding.node, finding.observed) for finding in missing),
        *((Outcome.UNKNOWN, node, describe_problems(problems)) for node, problems in by_source(unknown).items()),
        *((Outcome.UNKNOWN, node, reason) for node, reason in traffic.unknown),
        *(
            (Outcome.WARN, node, describe_problems(problems))
            for node, problems in by_node_at_fault(subject, [*_cut_packets(subject), *traffic.cut]).items()
        ),
        *((Outcome.WARN, node, text) for node, text in traffic.in_use),
    )
    if any(finding.outcome is not Outcome.WARN for finding in findings):
        return findings
    observed = _("all {count} TCP paths between {nodes} nodes are open")
    observed = observed.format(count=count, nodes=len(subject.plan.nodes))
    if traffic.warning:
        remedy = untested_remedy() if traffic.untested else ""
        return (*findings, Finding(Outcome.WARN, f"{observed}; {traffic.warning}", remedy=remedy))
    return findings or (Finding(Outcome.PASS, f"{observed}; {traffic.passed}"),)


def closed_paths(
    subject: ClusterSubject, tested: Mapping[str, PathSummary]
) -> tuple[list[PathProblem], list[PathProblem], int]:
    """Return the closed paths, the paths of unknown state, and the number of open paths.

    `tested` maps the address of each source node to the paths that this node tested. A healthy path is only counted, so
    the cost grows with the number of nodes and problems, not with the number of paths.
    """
    closed: list[PathProblem] = []
    unknown: list[PathProblem] = []
    untested = _("connection not tested since the last change of the nodes or ports in the plan")
    targets = {target.node: target for target in subject.topology.nodes}
    paths_to = {name: len(target.addresses) * len(target.ports) for name, target in targets.items()}
    open_paths = {name: paths_to[name] * (len(tested) - (name in tested)) for name in targets}
    known: dict[int, tuple[tuple[str, int], ...]] = {}
    order = {address: number for number, target in enumerate(targets.values()) for address in target.addresses}

    def position(problem: tuple[tuple[str, int], object]) -> tuple[int, int]:
        (host, port), _text = problem
        return order.get(host, 0), port

    for source, summary in tested.items():
        if id(summary.peers) not in known:
            known[id(summary.peers)] = untested_keys(subject.topology, summary.peers)
        problems = dict.fromkeys(known[id(summary.peers)], (untested, False))
        problems |= {
            (path.host, path.port): (describe_result(path), path.result is not TcpResult.UNKNOWN)
            for path in summary.listed
            if not path.open or path.result is TcpResult.REFUSED
        }
        for key, (text, is_closed) in sorted(problems.items(), key=position):
            target = targets.get(subject.topology.owners.get(key[0], ""))
            if target is None or target.node == source or key[1] not in target.ports:
                continue
            if is_closed:
                path = summary.by_target[key]
                if path.result is TcpResult.REFUSED and not (
                    path.port == target.ssh_port and _login_worked(subject, target, tested)
                ):
                    continue
                own = path.result is TcpResult.FORBIDDEN or _source_has_no_route(subject, path, source, tested)
            else:
                own = False
            open_paths[target.node] -= 1
            problem = PathProblem(source, target.node, text=text, port=key[1], source_at_fault=is_closed and own)
            (closed if is_closed else unknown).append(problem)
    # A node that no other node reaches is down; its node state reports that.
    up = {name for name, target in targets.items() if open_paths[name] or _login_worked(subject, target, tested)}
    return [problem for problem in closed if problem.target in up], unknown, sum(open_paths.values())


def untested_keys(topology: Topology, peers: Peers | None) -> tuple[tuple[str, int], ...]:
    """Return each host and port of `topology` that is not in `peers`, the targets of an earlier test."""
    if peers is topology.peers:
        return ()
    known = peers.by_address if peers else {}
    return tuple(
        (address, port)
        for target in topology.nodes
        for address in target.addresses
        for port in target.ports
        if address not in known or port not in known[address].ports
    )


def _login_worked(subject: ClusterSubject, target: NodeTargets, tested: Mapping[str, PathSummary]) -> bool:
    """Return True if acp-tui logged in to the node `target` and this node reported the TCP paths that it tested.

    If not, the node is possibly down, so a closed path to the node does not prove that a firewall blocks it.
    """
    facts = subject.facts.get(target.node)
    return facts is not None and facts.host_key is not None and target.node in tested


def describe_result(path: TcpPath) -> str:
    """Return the result of a TCP connection attempt as a phrase."""
    if path.result is TcpResult.UNKNOWN:
        return _("connection not tested: {reason}").format(reason=path.detail)
    return pgettext("connection", _RESULTS[path.result])


def _source_has_no_route(
    subject: ClusterSubject, path: TcpPath, source: str, tested: Mapping[str, PathSummary]
) -> bool:
    """Return True if the node `source` has no route to the host of `path`.

    In this case, the connection attempt of the source fails at once, and connections from the target to the source time
    out, because the source cannot reply. A packet filter on the target gives a different result, because it does not
    block connections that the target opens. A target that is down gives a different result, too, because the attempt of
    the source then fails only after seconds.
    """
    immediate = path.result is TcpResult.NO_ROUTE and path.seconds is not None and path.seconds < _IMMEDIATELY
    back = tested.get(subject.topology.owners.get(path.host, "")) if immediate else None
    return back is not None and any(
        p.result is TcpResult.TIMEOUT for p in back.listed if subject.topology.owners.get(p.host) == source
    )


def _cut_packets(subject: ClusterSubject) -> list[PathProblem]:
    text = _("packets of {size} bytes are dropped or fragmented")
    return [
        PathProblem(source, target, text=text.format(size=ping.size))
        for source, facts in subject.facts.items()
        for ping in (facts.pings.listed if facts.pings else ())
        if ping.unfragmented is False and (target := subject.topology.owners.get(ping.host)) is not None
    ]
