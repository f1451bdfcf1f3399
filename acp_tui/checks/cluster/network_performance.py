"""Check the round trip times between nodes, and the speed of the links between them."""

from collections.abc import Mapping

from acp_tui.checks.cluster.missing_facts import fact_of_nodes
from acp_tui.checks.cluster.path_problems import (
    MOST_SHOWN,
    PathProblem,
    by_node_at_fault,
    describe_problems,
    one_finding_per_node,
)
from acp_tui.checks.finding import ClusterSubject, Finding, Findings
from acp_tui.checks.subnets import interface_of
from acp_tui.checks.verdict import Outcome
from acp_tui.core.i18n import _, ngettext, pgettext
from acp_tui.core.units import GIGA, MEGA
from acp_tui.nodes.facts import Facts


def latency(subject: ClusterSubject) -> Findings:
    """NETCFG-LAT-INTRA, OQ-LATENCY: the round trip time between two nodes must be below a limit.

    Two parameters of the requirement are limits in milliseconds: `milliseconds` for this release, `later` for later
    releases. A closed path has no round trip time; X-FIREWALL reports closed paths.
    """
    limit = subject.check.number("milliseconds")
    tested, missing = fact_of_nodes(subject, "paths", lambda f: f.paths)
    slow: list[PathProblem] = []
    times: list[float] = []
    untested: dict[str, list[str]] = {}
    for source, paths in tested.items():
        known, hosts = round_trips(subject.facts[source]), {path.host for path in paths}
        for target in (node.address for node in subject.plan.nodes if node.address != source):
            if target in known:
                seconds, method = known[target]
                times.append(seconds)
                if seconds * 1000 > limit:
                    text = f"{seconds * 1000:.3g} ms ({method})"
                    slow.append(PathProblem(source, target, text=text, seconds=seconds))
            elif target not in hosts:
                untested.setdefault(source, []).append(target)
    findings = one_finding_per_node(
        *(
            (Outcome.FAIL, node, _too_slow(subject, problems))
            for node, problems in by_node_at_fault(subject, slow).items()
        ),
        *((Outcome.UNKNOWN, finding.node, finding.observed) for finding in missing),
        *((Outcome.UNKNOWN, node, _untested(others)) for node, others in untested.items()),
        *(
            (Outcome.WARN, node, describe_problems(problems))
            for node, problems in by_node_at_fault(subject, _lost(subject, tested)).items()
        ),
    )
    if findings:
        return findings
    if not times:
        return (Finding(Outcome.UNKNOWN, _("no ping and no TCP connection between two nodes got a reply")),)
    slowest = _milliseconds(max(times))
    return (Finding(Outcome.PASS, _("the longest round trip time between two nodes is {time}").format(time=slowest)),)


def _too_slow(subject: ClusterSubject, problems: list[PathProblem]) -> str:
    limit, later = subject.check.number("milliseconds"), subject.check.number("later")
    pairs = describe_problems(problems)
    if limit >= later or any(problem.seconds * 1000 > later for problem in problems):
        return pairs
    text = _(
        "the round trip time is above {limit:g} ms: {pairs}. Later releases allow {later:g} ms; if you accept "
        "this higher limit, waive the finding"
    )
    return text.format(pairs=pairs, limit=limit, later=later)


def _untested(nodes: list[str]) -> str:
    return _("connections to {nodes} have not been tested since the nodes or ports in the plan changed").format(
        nodes=", ".join(nodes)
    )


def _lost(subject: ClusterSubject, sources: Mapping[str, object]) -> list[PathProblem]:
    problems = []
    for source in sources:
        for ping in subject.facts[source].pings or ():
            if 0 < ping.received < ping.sent and (target := subject.topology.owners.get(ping.host)) is not None:
                lost = ping.sent - ping.received
                text = ngettext("{count} of {sent} packets was lost", "{count} of {sent} packets were lost", lost)
                problems.append(PathProblem(source, target, text=text.format(count=lost, sent=ping.sent)))
    return problems


def round_trips(facts: Facts) -> Mapping[str, tuple[float, str]]:
    """Return the round trip time in seconds, and the method of its measurement, for each tested address.

    The time is the average of all pings. If ping gave no result, it is the time of the fastest TCP connection.
    """
    connects: dict[str, float] = {}
    for path in facts.paths or ():
        if path.open and path.seconds is not None:
            connects[path.host] = min(path.seconds, connects.get(path.host, path.seconds))
    pings = {ping.host: ping.average for ping in facts.pings or () if ping.average is not None}
    by_connect, by_ping = _("time of the fastest TCP connection"), _("average of all pings")
    return {
        **{host: (seconds, by_connect) for host, seconds in connects.items()},
        **{host: (seconds, by_ping) for host, seconds in pings.items()},
    }


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.2g} ms" if seconds else pgettext("unit", "under 1 ms")


def link_speed(subject: ClusterSubject) -> Findings:
    """NETCFG-BW-INTRA: the bandwidth between nodes must be high enough.

    If the active bandwidth test ran, the check uses its results. Otherwise, it uses the link speed that the driver of a
    device in a physical machine reports. Software chooses the number that a virtual interface reports, so a person must
    confirm the requirement there. Parameters of the requirement: `megabits` is the required link speed and `better` the
    recommended one, both in Mbit/s; `payload` is the share of the link speed that a transfer can reach.
    """
    if any(facts.bandwidths for facts in subject.facts.values()):
        return _measured(subject)
    slow: list[Finding] = []
    known: list[str] = []
    unknown: list[str] = []
    virtual: list[str] = []
    for node in subject.plan.nodes:
        facts = subject.facts.get(node.address)
        link = interface_of(node.address, facts.interfaces or ()) if facts else None
        speed = (facts.link_speeds or {}).get(link.nic) if facts and link else None
        if link is None or speed is None:
            unknown.append(node.address)
            continue
        shown = pgettext("observed value", "{nic}: {speed} Mbit/s").format(nic=link.nic, speed=speed)
        if facts is None or facts.virtual is not False or link.nic not in (facts.link_devices or ()):
            virtual.append(f"{node.address} {shown}")
            continue
        known.append(f"{node.address} {shown}")
        if speed < subject.check.number("megabits"):
            slow.append(Finding(Outcome.FAIL, shown, node=node.address))
    observed = []
    if unknown:
        observed.append(
            _("the network driver does not report the link speed on {nodes}").format(nodes=", ".join(unknown))
        )
    if virtual:
        text = _("the speed of a virtual interface is not measured: {links}")
        observed.append(text.format(links="; ".join(virtual[:MOST_SHOWN])))
    if observed:
        slow.append(Finding(Outcome.MANUAL, "; ".join(observed)))
    if slow:
        return tuple(slow)
    return (Finding(Outcome.PASS, "; ".join(known[:MOST_SHOWN])),)


def _measured(subject: ClusterSubject) -> Findings:
    """Return findings that compare the measured bandwidths with the required link speed.

    A transfer is slower than its link, so the required speed is multiplied by `payload`.
    """
    least = subject.check.number("megabits") * MEGA * subject.check.number("payload")
    slow: list[PathProblem] = []
    failures: dict[str, dict[str, str]] = {}
    figures: list[float] = []
    nodes = {node.address for node in subject.plan.nodes}
    measured = set[str]()
    for source, facts in subject.facts.items():
        for target, bandwidth in (facts.bandwidths or {}).items():
            if not {source, target} <= nodes:
                continue
            measured |= {source, target}
            if bandwidth.bits is None:
                failures.setdefault(source, {})[target] = bandwidth.reason
                continue
            figures.append(bandwidth.bits)
            if bandwidth.bits < least:
                slow.append(
                    PathProblem(
                        source,
                        target,
                        text=pgettext("observed value", "the measured bandwidth is {speed}").format(
                            speed=format_bits(bandwidth.bits)
                        ),
                    )
                )
    findings = {
        node: Finding(
            Outcome.UNKNOWN, "; ".join(f"{node} → {to}: {reason}" for to, reason in reasons.items()), node=node
        )
        for node, reasons in failures.items()
    }
    for node in sorted(nodes - measured):
        findings[node] = Finding(
            Outcome.UNKNOWN,
            _("the bandwidth of this node has not been measured since the nodes in the plan changed"),
            node=node,
        )
    for node, problems in by_node_at_fault(subject, slow).items():
        findings[node] = Finding(Outcome.FAIL, describe_problems(problems), node=node)
    if findings:
        return tuple(findings.values())
    observed = _("the lowest measured bandwidth between two nodes is {speed}; {better} is recommended").format(
        speed=format_bits(min(figures)), better=format_bits(subject.check.number("better") * MEGA)
    )
    return (Finding(Outcome.PASS, observed),)


def format_bits(bits: float) -> str:
    """Return a bandwidth, given in bits per second, as text in Gbit/s or Mbit/s."""
    if bits >= GIGA:
        return pgettext("unit", "{number:.3g} Gbit/s").format(number=bits / GIGA)
    return pgettext("unit", "{number:.3g} Mbit/s").format(number=bits / MEGA)
