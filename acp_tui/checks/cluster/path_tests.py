"""Judge the traffic that TCP connects do not show: UDP, the NodePort range, IP-in-IP, ICMP and source addresses.

The active path test measures this traffic. Without its results, the traffic counts as untested, never as open.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from acp_tui.checks.cluster.path_problems import PathProblem, by_node_at_fault, describe_problems
from acp_tui.checks.cluster.untested_traffic import (
    format_test_ports,
    in_node_range,
    required,
    stale,
    unanswered_pings,
    untested_remedy,
    untested_text,
)
from acp_tui.checks.finding import ClusterSubject, Finding, Findings
from acp_tui.checks.verdict import Outcome
from acp_tui.core.i18n import NC_, _, ngettext, pgettext
from acp_tui.nodes.fact_types import EchoState, PathFailure, PathResult, PathTest
from acp_tui.nodes.facts import Facts

_IPIP = "i4"

_TCP_RESULTS: Mapping[PathResult, str] = {
    PathResult.SILENT: NC_("connection", "no connection to the temporary test port"),
    PathResult.REFUSED: NC_("connection", "rejected (TCP reset or ICMP message), although the test port was open"),
    PathResult.UNREACHABLE: NC_("connection", "no route to host"),
    PathResult.FORBIDDEN: NC_("connection", "rejected by a route or packet filter of the connecting node"),
    PathResult.OTHER: NC_("connection", "a different node answered"),
}
_UDP_RESULTS: Mapping[PathResult, str] = {
    PathResult.SILENT: NC_("connection", "no answer over UDP"),
    PathResult.REFUSED: NC_("connection", "UDP packets are rejected"),
    PathResult.UNREACHABLE: NC_("connection", "no route for UDP packets"),
    PathResult.FORBIDDEN: NC_("connection", "UDP packets are rejected by a route or packet filter of the sending node"),
    PathResult.OTHER: NC_("connection", "a different node answered over UDP"),
}
_IPIP_RESULTS: Mapping[PathResult, str] = {
    PathResult.SILENT: NC_("connection", "no answer over IP-in-IP"),
    PathResult.REFUSED: NC_("connection", "IP-in-IP packets are rejected"),
    PathResult.UNREACHABLE: NC_("connection", "no route for IP-in-IP packets"),
    PathResult.FORBIDDEN: NC_(
        "connection", "IP-in-IP packets are rejected by a route or packet filter of the sending node"
    ),
    PathResult.OTHER: NC_("connection", "a different node answered over IP-in-IP"),
}
_RESULTS = {"t": _TCP_RESULTS, "u": _UDP_RESULTS, "i": _IPIP_RESULTS}


@dataclass(frozen=True)
class TrafficResults:
    """What the path test shows about X-FIREWALL."""

    closed: tuple[PathProblem, ...]
    cut: tuple[PathProblem, ...]
    """Paths on which large packets do not pass, but small ones do."""
    unknown: tuple[tuple[str, str], ...]
    """(node, reason) for each node whose results are missing, although the test ran."""
    in_use: tuple[tuple[str, str], ...]
    """(node, text) for each node on which other programs use test ports."""
    warning: str
    """The traffic that was not tested or that gets no reply, for the whole cluster; "" if there is none."""
    untested: bool
    """True if the warning asks for the test."""
    passed: str
    """A text about the traffic that passed; "" without results."""


def tested_traffic(subject: ClusterSubject, known: Collection[PathProblem]) -> TrafficResults:
    """Return what the path test shows. `known`: closed TCP paths that are reported already.

    A closed path is reported although an earlier path test found it open: a firewall may have been started since."""
    tests = path_tests(subject)
    if not tests:
        parts = (untested_text(subject), unanswered_pings(subject, {}))
        return TrafficResults((), (), (), (), "; ".join(filter(None, parts)), True, "")
    seen = {(problem.source, problem.target, problem.port) for problem in known}
    closed = [
        problem
        for problem, spec in _problems(subject, tests)
        if spec[0] in "tu" and (spec[0] == "u" or (problem.source, problem.target, problem.port) not in seen)
    ]
    closed += _translated(subject, tests)
    changed = stale(subject, tests)
    warnings = [text for text in (changed, unanswered_pings(subject, tests)) if text]
    return TrafficResults(
        closed=tuple(closed),
        cut=tuple(_cut(subject, tests)),
        unknown=tuple(_without_results(subject, tests)),
        in_use=tuple(_ports_in_use(subject, tests)),
        warning="; ".join(warnings),
        untested=bool(changed),
        passed=_passed(subject, tests),
    )


def failed_in_test(facts: Mapping[str, Facts], source: str, target: str, key: tuple[str, int]) -> bool:
    """Return True if the path test found the TCP path from `source` to host and port `key` of `target` closed."""
    results = facts[source].path_test if source in facts else None
    target_results = facts[target].path_test if target in facts else None
    if results is None or target_results is None or target_results.echo_problem:
        return False
    return any(
        failure.host == key[0] and failure.spec == f"t{key[1]}" and failure.result is not PathResult.UNTESTED
        for failure in results.failures
    )


def ip_in_ip_passes(subject: ClusterSubject) -> Findings:
    """NETCFG-IPIP: IP protocol 4 must pass between all nodes.

    Without the path test, the outcome is a warning. If a node cannot run the test, a person must confirm the rule.
    """
    tests = path_tests(subject)
    if not tests or stale(subject, tests, kinds="i"):
        return (Finding(Outcome.WARN, _("IP-in-IP between the nodes was not tested"), remedy=untested_remedy()),)
    closed = [problem for problem, spec in _problems(subject, tests) if spec == _IPIP]
    findings = {
        node: Finding(Outcome.FAIL, describe_problems(problems), node=node)
        for node, problems in by_node_at_fault(subject, closed).items()
    }
    not_tested = dict(_without_results(subject, tests))
    not_permitted = _("the test of IP-in-IP requires root")
    for node, results in tests.items():
        failures = (f for f in results.failures if f.spec == _IPIP and f.result is PathResult.UNTESTED)
        if results.ports.get(_IPIP, EchoState.OPEN) is not EchoState.OPEN or any(failures):
            not_tested.setdefault(node, not_permitted)
    if findings or not not_tested:
        opened = sum(results.opened.get("i", 0) for results in tests.values())
        passed = _("IP-in-IP packets pass on all {count} paths between the nodes").format(count=opened)
        return tuple(findings.values()) or (Finding(Outcome.PASS, passed),)
    return (Finding(Outcome.MANUAL, "; ".join(f"{node}: {reason}" for node, reason in not_tested.items())),)


def path_tests(subject: ClusterSubject) -> dict[str, PathTest]:
    """Return the results of the path test by node address, for the nodes of the plan that have results."""
    return {
        node.address: facts.path_test
        for node in subject.plan.nodes
        if (facts := subject.facts.get(node.address)) is not None and facts.path_test is not None
    }


def _problems(subject: ClusterSubject, tests: Mapping[str, PathTest]) -> Iterator[tuple[PathProblem, str]]:
    """Yield each required path that is closed, with its spec.

    A path to a node that stopped responding proves nothing."""
    needed = required(subject)
    for source, results in tests.items():
        for failure in results.failures:
            target = subject.topology.owners.get(failure.host)
            if (
                target is None
                or target == source
                or failure.spec not in needed[target]
                or failure.result is PathResult.UNTESTED
                or target not in tests
                or tests[target].echo_problem
            ):
                continue
            yield _problem(source, target, failure), failure.spec


def _problem(source: str, target: str, failure: PathFailure) -> PathProblem:
    text = pgettext("connection", _RESULTS[failure.spec[0]][failure.result])
    own = failure.result is PathResult.FORBIDDEN
    return PathProblem(source, target, text=text, port=_port(failure.spec), source_at_fault=own)


def _port(spec: str) -> int:
    return 0 if spec == _IPIP else int(spec[1:])


def _cut(subject: ClusterSubject, tests: Mapping[str, PathTest]) -> Iterator[PathProblem]:
    """Yield the paths on which UDP packets as large as the MTU do not pass, unless ping shows the same."""
    text = _("UDP packets of {size} bytes are dropped")
    for source, results in tests.items():
        pings = subject.facts[source].pings
        shown = {ping.host for ping in pings.listed if ping.unfragmented is False} if pings else set()
        for failure in results.failures:
            target = subject.topology.owners.get(failure.host)
            if failure.spec[0] != "l" or failure.host in shown or target is None or target not in tests:
                continue
            if not tests[target].echo_problem:
                yield PathProblem(source, target, text=text.format(size=failure.spec[1:]))


def _translated(subject: ClusterSubject, tests: Mapping[str, PathTest]) -> Iterator[PathProblem]:
    """Yield the paths on which the target sees a source address that the source node does not have.

    A plan address that is not on its node is another finding (NET-IP-VALID)."""
    for targets in subject.topology.nodes:
        results, facts = tests.get(targets.node), subject.facts.get(targets.node)
        if results is None or facts is None or facts.interfaces is None:
            continue
        own = {_plain(interface.address) for interface in facts.interfaces} | {_plain(a) for a in targets.addresses}
        for seen, hosts in results.sources.items():
            if _plain(seen) in own:
                continue
            text = _("the target sees the source address {seen}, which is not an address of the source (source NAT)")
            for target in dict.fromkeys(filter(None, map(subject.topology.owners.get, hosts))):
                if target in tests and target != targets.node:
                    yield PathProblem(targets.node, target, text=text.format(seen=seen), source_at_fault=True)


def _plain(address: str) -> str:
    return address.lower().removeprefix("::ffff:")


def _without_results(subject: ClusterSubject, tests: Mapping[str, PathTest]) -> Iterator[tuple[str, str]]:
    needed = required(subject)
    denied = _("acp-tui was not permitted to open the test ports {ports}")
    for node, results in tests.items():
        refused = [s for s in needed[node] if s[0] in "tu" and results.ports.get(s) is EchoState.DENIED]
        for reason in dict.fromkeys(filter(None, (results.echo_problem, results.problem))):
            yield node, reason
        if refused:
            yield node, denied.format(ports=format_test_ports(refused))
        if any(f.result is PathResult.UNTESTED and f.spec[0] in "tu" for f in results.failures):
            yield node, _("the path test ended before this node had tested all paths")


def _ports_in_use(subject: ClusterSubject, tests: Mapping[str, PathTest]) -> Iterator[tuple[str, str]]:
    """Yield (node, text) for each node on which a required UDP port was not tested because it is in use.

    TCP connects show the TCP ports. Ports of the NodePort range represent each other.
    """
    all_needed = required(subject)
    text = _("in use on the node, therefore not tested: {ports}")
    for node, results in tests.items():
        needed = all_needed[node]
        busy = {spec for spec in needed if results.ports.get(spec) is EchoState.BUSY}
        if not busy:
            continue
        shown = [spec for spec in needed if spec in busy and spec[0] == "u" and not in_node_range(spec)]
        for kind in "tu":
            of_range = [spec for spec in needed if spec[0] == kind and in_node_range(spec)]
            shown += of_range if set(of_range) <= busy else []
        if shown:
            yield node, text.format(ports=format_test_ports(shown))


def _passed(subject: ClusterSubject, tests: Mapping[str, PathTest]) -> str:
    count = {kind: sum(results.opened.get(kind, 0) for results in tests.values()) for kind in "tul"}
    specs = dict.fromkeys(spec for targets in subject.topology.nodes for spec in targets.test_ports)
    text = _(
        "the path test passed: {tcp} TCP paths, {udp} UDP paths (ports {ports}), and packets of full size on {large} "
        "paths; no source address is translated"
    )
    ports = ", ".join(spec[1:] for spec in specs if spec[0] == "u")
    passed = text.format(tcp=count["t"], udp=count["u"], ports=ports, large=count["l"])
    lost, sent, source, host = max(
        (missing, sent, source, host)
        for source, host, sent, missing in (
            ("", "", 0, 0),
            *((node, host, *pair) for node, results in tests.items() for host, pair in results.lost.items()),
        )
    )
    if not lost:
        return passed
    loss = ngettext(
        "{passed}; {lost} of {sent} packets was lost from {source} to {host}",
        "{passed}; {lost} of {sent} packets were lost from {source} to {host}",
        lost,
    )
    return loss.format(passed=passed, lost=lost, sent=sent, source=source, host=host)
