"""Check the round trip times between nodes, and the speed of the links between them."""

from collections.abc import Mapping
from dataclasses import replace

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
from acp_tui.nodes.fact_types import Ping, RoundTrips
from acp_tui.nodes.facts import Facts
from acp_tui.nodes.path_summary import Peers, Spread

_LOW = 0.5
"""The share of the limit up to which the shortest round trip time counts as low."""


def latency(subject: ClusterSubject) -> Findings:
    """NETCFG-LAT-INTRA, OQ-LATENCY: the median of the round trip times between two nodes must be below a limit.

    Two parameters of the requirement are limits in milliseconds: `milliseconds` for this release, `later` for later
    releases. If the median or the mean is above the limit, but the shortest time is low, the line is not too long: the
    times vary, and the outcome is a warning. So is the outcome if packets were lost. A closed path has no round trip
    time; X-FIREWALL reports closed paths.
    """
    limit = subject.check.number("milliseconds") / 1000
    tested, missing = fact_of_nodes(subject, "paths", lambda f: f.paths)
    slow: list[PathProblem] = []
    warnings: list[PathProblem] = []
    longest: list[float] = []
    untested: dict[str, str] = {}
    known: dict[int, str] = {}
    for source, paths in tested.items():
        facts = subject.facts[source]
        if id(paths.peers) not in known:
            known[id(paths.peers)] = ", ".join(_untested_nodes(subject, paths.peers))
        if known[id(paths.peers)]:
            untested[source] = _untested(known[id(paths.peers)])
        elif (healthy := healthy_times(facts)) is not None and healthy.high > limit:
            untested[source] = _("the round trip times have not been measured since the release in the plan changed")
        longest += [healthy.high] if (healthy := healthy_times(facts)) is not None else []
        for host, seconds in slow_connects(facts).items():
            longest.append(seconds)
            if seconds > limit and (target := subject.topology.owners.get(host)) is not None:
                text = _("{time} ms (time of the fastest TCP connection)").format(time=f"{seconds * 1000:.3g}")
                slow.append(PathProblem(source, target, text=text, seconds=seconds))
        for ping in facts.pings.listed if facts.pings else ():
            if (target := subject.topology.owners.get(ping.host)) is None or target == source:
                continue
            if ping.times is not None:
                longest.append(ping.times.median)
                _judge(PathProblem(source, target, text=""), ping.times, limit, slow, warnings)
            if ping.received < ping.sent and ping.received:
                warnings.append(PathProblem(source, target, text=_lost(ping)))
    findings = one_finding_per_node(
        *(
            (Outcome.FAIL, node, _too_slow(subject, problems))
            for node, problems in by_node_at_fault(subject, slow).items()
        ),
        *((Outcome.UNKNOWN, finding.node, finding.observed) for finding in missing),
        *((Outcome.UNKNOWN, node, text) for node, text in untested.items()),
        *(
            (Outcome.WARN, node, describe_problems(problems))
            for node, problems in by_node_at_fault(subject, warnings).items()
        ),
    )
    if findings:
        return findings
    if not longest:
        return (Finding(Outcome.UNKNOWN, _("no ping and no TCP connection between two nodes got a reply")),)
    slowest = _milliseconds(max(longest))
    return (Finding(Outcome.PASS, _("the longest round trip time between two nodes is {time}").format(time=slowest)),)


def _judge(
    path: PathProblem, times: RoundTrips, limit: float, slow: list[PathProblem], warnings: list[PathProblem]
) -> None:
    """Add the path to `slow` or `warnings` if its round trip times are above `limit`, in seconds."""
    median, low = f"{times.median * 1000:.3g}", f"{times.low * 1000:.3g}"
    if times.median > limit and times.low > limit * _LOW:
        text = _("{time} ms (median of all pings)").format(time=median)
        slow.append(replace(path, text=text, seconds=times.median))
    elif max(times.median, times.mean) > limit:
        text = _("the round trip time varies: {low}-{high} ms, median {median} ms, mean {mean} ms").format(
            low=low, high=f"{times.high * 1000:.3g}", median=median, mean=f"{times.mean * 1000:.3g}"
        )
        warnings.append(replace(path, text=text))


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


def _untested_nodes(subject: ClusterSubject, peers: Peers | None) -> tuple[str, ...]:
    known = peers.by_address if peers else {}
    return tuple(node.address for node in subject.plan.nodes if node.address not in known)


def _untested(nodes: str) -> str:
    return _("connections to {nodes} have not been tested since the nodes or ports in the plan changed").format(
        nodes=nodes
    )


def _lost(ping: Ping) -> str:
    lost = ping.sent - ping.received
    return ngettext("{count} of {sent} packets was lost", "{count} of {sent} packets were lost", lost).format(
        count=lost, sent=ping.sent
    )


def tested_limit(facts: Facts) -> float:
    """Return the round trip time in seconds up to which the node counted a path as healthy."""
    if facts.pings is not None:
        return facts.pings.limit
    return facts.paths.peers.limit if facts.paths and facts.paths.peers else 0


def healthy_times(facts: Facts) -> Spread | None:
    """Return the spread of the round trip times to all addresses that are not listed; None if all are listed.

    If ping gave no result, the times are those of the fastest TCP connection to each address."""
    if facts.pings is not None and facts.pings.times is not None:
        return facts.pings.times
    times = facts.paths.times if facts.paths else None
    limit = tested_limit(facts)
    return (
        times if times is None or times.high <= limit else times._replace(high=limit, median=min(times.median, limit))
    )


def slow_connects(facts: Facts) -> Mapping[str, float]:
    """Return each address whose fastest TCP connection was slow, and that sent no reply to a ping → time in seconds."""
    slow = (facts.paths.slow if facts.paths else None) or {}
    if facts.pings is None:
        return slow
    silent = {ping.host for ping in facts.pings.listed if not ping.received}
    return {host: seconds for host, seconds in slow.items() if host in silent}


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
