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
from acp_tui.checks.topology import NodeTargets
from acp_tui.checks.verdict import Outcome
from acp_tui.core.i18n import NC_, _, pgettext
from acp_tui.nodes.fact_types import TcpPath, TcpResult

_IMMEDIATELY = 0.5  # seconds

_RESULTS: Mapping[TcpResult, str] = {
    TcpResult.CONNECTED: NC_("connection", "connected"),
    TcpResult.REFUSED: NC_("connection", "refused"),
    TcpResult.TIMEOUT: NC_("connection", "timed out"),
    TcpResult.NO_ROUTE: NC_("connection", "no route to host"),
    TcpResult.FORBIDDEN: NC_("connection", "rejected by a route or packet filter of the connecting node"),
    TcpResult.UNRESOLVED: NC_("connection", "the host name does not resolve"),
}

Paths = dict[tuple[str, int], TcpPath]


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
    subject: ClusterSubject, tested: Mapping[str, tuple[TcpPath, ...]]
) -> tuple[list[PathProblem], list[PathProblem], int]:
    """Return the closed paths, the paths of unknown state, and the number of open paths.

    `tested` maps the address of each source node to the paths that this node tested.
    """
    closed: list[PathProblem] = []
    unknown: list[PathProblem] = []
    count = 0
    paths_of = {source: {(path.host, path.port): path for path in paths} for source, paths in tested.items()}
    for target in subject.topology.nodes:
        to_target, without_result, opened = _paths_to(subject, target, paths_of)
        unknown += without_result
        count += opened
        # A node that no other node reaches is down; its node state reports that.
        if opened or _login_worked(subject, target, paths_of):
            closed += to_target
    return closed, unknown, count


def _paths_to(
    subject: ClusterSubject, target: NodeTargets, paths_of: Mapping[str, Paths]
) -> tuple[list[PathProblem], list[PathProblem], int]:
    """Return the closed paths, the paths of unknown state and the number of open paths to the node `target`."""
    closed: list[PathProblem] = []
    unknown: list[PathProblem] = []
    count = 0
    texts: dict[str, str] = {}
    untested = _("connection not tested since the last change of the nodes or ports in the plan")
    login_worked = _login_worked(subject, target, paths_of)
    back = tuple(paths_of.get(target.node, {}).values())
    keys = [(host, port) for host in target.addresses for port in target.ports]
    for source, paths in paths_of.items():
        if source == target.node:
            continue
        for key in keys:
            path = paths.get(key)
            if path is None:
                unknown.append(PathProblem(source, target.node, text=untested, port=key[1]))
            elif path.result is TcpResult.UNKNOWN:
                if path.detail not in texts:
                    texts[path.detail] = describe_result(path)
                unknown.append(PathProblem(source, target.node, text=texts[path.detail], port=key[1]))
            elif not path.open or (path.result is TcpResult.REFUSED and path.port == target.ssh_port and login_worked):
                own = path.result is TcpResult.FORBIDDEN or _source_has_no_route(subject, path, source, back)
                text = describe_result(path)
                closed.append(PathProblem(source, target.node, text=text, port=path.port, source_at_fault=own))
            else:
                count += 1
    return closed, unknown, count


def _login_worked(subject: ClusterSubject, target: NodeTargets, paths_of: Mapping[str, Paths]) -> bool:
    """Return True if acp-tui logged in to the node `target` and this node reported the TCP paths that it tested.

    If not, the node is possibly down, so a closed path to the node does not prove that a firewall blocks it.
    """
    facts = subject.facts.get(target.node)
    return facts is not None and facts.host_key is not None and target.node in paths_of


def describe_result(path: TcpPath) -> str:
    """Return the result of a TCP connection attempt as a phrase."""
    if path.result is TcpResult.UNKNOWN:
        return _("connection not tested: {reason}").format(reason=path.detail)
    return pgettext("connection", _RESULTS[path.result])


def _source_has_no_route(subject: ClusterSubject, path: TcpPath, source: str, back: tuple[TcpPath, ...]) -> bool:
    """Return True if the node `source` has no route to the host of `path`.

    In this case, the connection attempt of the source fails at once, and connections from the target to the source time
    out, because the source cannot reply. `back`: all TCP paths that the target tested. A packet filter on the target
    gives a different result, because it does not block connections that the target opens. A target that is down gives
    a different result, too, because the attempt of the source then fails only after seconds.
    """
    immediate = path.result is TcpResult.NO_ROUTE and path.seconds is not None and path.seconds < _IMMEDIATELY
    return immediate and any(
        p.result is TcpResult.TIMEOUT for p in back if subject.topology.owners.get(p.host) == source
    )


def _cut_packets(subject: ClusterSubject) -> list[PathProblem]:
    text = _("packets of {size} bytes are dropped or fragmented")
    return [
        PathProblem(source, target, text=text.format(size=ping.size))
        for source, facts in subject.facts.items()
        for ping in facts.pings or ()
        if ping.unfragmented is False and (target := subject.topology.owners.get(ping.host)) is not None
    ]
