"""Checks of what nodes see of each other: open paths, whole packets, round trips, links.

A broken path has two ends. The end that has most of the broken paths is called at fault, so that one closed node is one
finding and not one for each of its neighbours.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from acp_tui.checks.cluster.consistency import Findings, learned
from acp_tui.checks.finding import ClusterSubject, Finding
from acp_tui.checks.subnets import interface_of
from acp_tui.checks.topology import addresses, peer_ports
from acp_tui.checks.verdict import Outcome
from acp_tui.core.i18n import N_, _
from acp_tui.core.units import GIGA, MEGA
from acp_tui.nodes.facts import Facts, TcpPath, TcpResult

_AT_ONCE = 0.5  # seconds
_SHOWN = 6  # pairs of nodes in one finding

_REACH_WORDS: Mapping[TcpResult, str] = {
    TcpResult.CONNECTED: N_("connected"),
    TcpResult.REFUSED: N_("refused"),
    TcpResult.TIMEOUT: N_("no answer"),
    TcpResult.NO_ROUTE: N_("no route to host"),
    TcpResult.FORBIDDEN: N_("forbidden by the node's own routes or packet filter"),
    TcpResult.UNRESOLVED: N_("the name does not resolve"),
}


@dataclass(frozen=True)
class PathProblem:
    """Something wrong on the way from node to node, by plan addresses. `own`: the fault is surely the source's."""

    source: str
    target: str
    words: str
    port: int = 0
    own: bool = False


def paths_open(s: ClusterSubject) -> Findings:
    """X-FIREWALL: every TCP path between two nodes is open; packets of the link's full size pass (else a warning)."""
    tried, gaps = learned(s, "paths", lambda f: f.paths)
    closed, untold, count = closed_paths(s, tried)
    found = _by_node(
        *((Outcome.FAIL, node, _told(troubles)) for node, troubles in _at_fault(s, closed).items()),
        *((Outcome.UNKNOWN, gap.node, gap.observed) for gap in gaps),
        *((Outcome.UNKNOWN, node, _told(troubles)) for node, troubles in _by_source(untold).items()),
        *((Outcome.WARN, node, _told(troubles)) for node, troubles in _at_fault(s, _cut_packets(s)).items()),
    )
    if found:
        return found
    observed = _("{count} TCP paths between {nodes} nodes are open; UDP and tunnels are not tried")
    return (Finding(Outcome.PASS, observed.format(count=count, nodes=len(s.plan.nodes))),)


def _by_source(troubles: Iterable[PathProblem]) -> dict[str, list[PathProblem]]:
    found: dict[str, list[PathProblem]] = {}
    for one in troubles:
        found.setdefault(one.source, []).append(one)
    return found


def _by_node(*told: tuple[Outcome, str | None, str]) -> Findings:
    """One finding a node of all that is told of it, the worst first: what only warns hides nothing that blocks."""
    words: dict[str | None, dict[str, Outcome]] = {}
    for outcome, node, observed in told:
        words.setdefault(node, {}).setdefault(observed, outcome)
    return tuple(Finding(next(iter(w.values())), "; ".join(w), node=node) for node, w in words.items())


def _not_tried(nodes: Iterable[str]) -> str:
    return _("not tried since the nodes or ports have changed: {nodes}").format(nodes=", ".join(nodes))


def closed_paths(
    s: ClusterSubject, tried: Mapping[str, tuple[TcpPath, ...]]
) -> tuple[list[PathProblem], list[PathProblem], int]:
    """Paths that are not open; paths of which that is not known; how many are open."""
    closed: list[PathProblem] = []
    untold: list[PathProblem] = []
    count = 0
    unasked, reasons = _("not tried since the nodes or ports have changed"), dict[str, str]()
    ways_of = {source: {(path.host, path.port): path for path in paths} for source, paths in tried.items()}
    for target in s.plan.nodes:
        ports, ssh = peer_ports(s.plan, target, (s.plan.network.cni,)), s.plan.login(target).port
        keys = [(host, port) for host in addresses(s.plan, target) for port in ports]
        facts = s.facts.get(target.address)
        # One that let us in and was lost before it told what it reaches may have gone since.
        let_us_in = reached = facts is not None and facts.host_key is not None and target.address in tried
        ways: list[PathProblem] = []
        for source in (address for address in tried if address != target.address):
            seen = ways_of[source]
            rehearsed = s.facts[source].backends_reached is not None
            for key in keys:
                path = seen.get(key)
                if path is not None and rehearsed and answered(s.facts, source, target.address, key) is False:
                    ways.append(PathProblem(source, target.address, _("does not reach the listener there"), path.port))
                elif path is None or path.result is TcpResult.UNKNOWN:
                    if path is not None and path.detail not in reasons:
                        reasons[path.detail] = describe_result(path)
                    why = reasons[path.detail] if path is not None else unasked
                    untold.append(PathProblem(source, target.address, why, key[1]))
                elif not path.open or (path.result is TcpResult.REFUSED and path.port == ssh and let_us_in):
                    own = path.result is TcpResult.FORBIDDEN or _cannot_answer(
                        s, path, source, tried.get(target.address, ())
                    )
                    ways.append(PathProblem(source, target.address, describe_result(path), path.port, own))
                else:
                    count += 1
                    reached = True
        if reached:  # a node that nobody reaches at all is down, and says so as its state
            closed += ways
    return closed, untold, count


def describe_result(path: TcpPath) -> str:
    """What became of a connect."""
    if path.result is TcpResult.UNKNOWN:
        return _("could not be tried: {why}").format(why=path.detail)
    return _(_REACH_WORDS[path.result])


def answered(facts: Mapping[str, Facts], source: str, target: str, way: tuple[str, int]) -> bool | None:
    """Whether a temporary listener on `target` answered `source`; None where none stood, or nobody asked."""
    there, here = facts.get(target), facts[source].backends_reached
    if (
        there is None
        or there.listener_results is None
        or there.listener_results.get(way[1]) != ""
        or here is None
        or way not in here
    ):
        return None
    return target in here[way]


def _cannot_answer(s: ClusterSubject, path: TcpPath, source: str, back: tuple[TcpPath, ...]) -> bool:
    """Whether the source has no route there itself: it is told so at once, and the other's connects hear nothing.

    A packet filter at the other end would let its own connects out; a neighbour that is gone takes seconds to tell."""
    at_once = path.result is TcpResult.NO_ROUTE and path.seconds is not None and path.seconds < _AT_ONCE
    return at_once and any(p.result is TcpResult.TIMEOUT for p in back if _owner(s, p.host) == source)


def _cut_packets(s: ClusterSubject) -> list[PathProblem]:
    words = _("packets of {size} bytes do not pass whole")
    return [
        PathProblem(source, target, words.format(size=ping.size))
        for source, facts in s.facts.items()
        for ping in facts.pings or ()
        if ping.unfragmented is False and (target := _owner(s, ping.host)) is not None
    ]


def _owner(s: ClusterSubject, host: str) -> str | None:
    """The plan address of the node that has the address `host`."""
    return next((node.address for node in s.plan.nodes if host in addresses(s.plan, node)), None)


def _at_fault(s: ClusterSubject, troubles: Iterable[PathProblem]) -> dict[str, list[PathProblem]]:
    """The troubles by the node at fault: first who forbids itself, then whoever has trouble with most others.

    Where two are even, it is the one that is not reached, and the first node of the plan last of all."""
    told, order = list(troubles), [node.address for node in reversed(s.plan.nodes)]
    rest: dict[str, dict[int, PathProblem]] = {node: {} for node in order}
    for number, t in enumerate(told):
        rest[t.source][number] = rest[t.target][number] = t
    others = {n: {t.source if t.target == n else t.target for t in mine.values()} for n, mine in rest.items()}
    unreached = {n: sum(t.target == n for t in mine.values()) for n, mine in rest.items()}
    faults: dict[str, list[PathProblem]] = {}

    def take(node: str) -> None:
        faults[node] = list(rest[node].values())
        for number, t in rest[node].items():
            other = t.source if t.target == node else t.target
            del rest[other][number]
            others[other].discard(node)
            unreached[other] -= t.target == other
        rest[node], others[node], unreached[node] = {}, set(), 0

    for node in dict.fromkeys(t.source for t in told if t.own):
        take(node)
    while others[most := max(order, key=lambda n: (len(others[n]), unreached[n]))]:
        take(most)
    return {node: found for node, found in faults.items() if found}


def _told(troubles: Iterable[PathProblem]) -> str:
    """`A → B: 2379, 2380 no answer; ...`, a few pairs of nodes."""
    by_way: dict[tuple[str, str, str], list[int]] = {}
    for t in troubles:
        by_way.setdefault((t.source, t.target, t.words), []).append(t.port)
    told = [
        f"{source} → {target}: {', '.join(str(port) for port in ports if port)} {words}".replace(":  ", ": ")
        for (source, target, words), ports in by_way.items()
    ]
    more = len(told) - _SHOWN
    return "; ".join(told[:_SHOWN]) + (_("; and {count} more").format(count=more) if more > 0 else "")


def latency(s: ClusterSubject) -> Findings:
    """NETCFG-LAT-INTRA, OQ-LATENCY. Row: `milliseconds` is the release's limit, `later` the one of later releases.

    Where nothing passes at all there is no time to take: that is X-FIREWALL's finding."""
    limit, later = s.given.number("milliseconds"), s.given.number("later")
    tried, gaps = learned(s, "paths", lambda f: f.paths)
    slow: list[PathProblem] = []
    lost: list[PathProblem] = []
    times: list[float] = []
    untried: dict[str, list[str]] = {}
    for source, paths in tried.items():
        known, hosts = round_trips(s.facts[source]), {path.host for path in paths}
        for target in (node.address for node in s.plan.nodes if node.address != source):
            if target in known:
                seconds, how = known[target]
                times.append(seconds)
                if seconds * 1000 > limit:
                    slow.append(PathProblem(source, target, f"{seconds * 1000:.3g} ms ({how})"))
            elif target not in hosts:
                untried.setdefault(source, []).append(target)
        for ping in s.facts[source].pings or ():
            if 0 < ping.received < ping.sent and (owner := _owner(s, ping.host)) is not None:
                words = _("{count} of {sent} packets lost").format(count=ping.sent - ping.received, sent=ping.sent)
                lost.append(PathProblem(source, owner, words))
    note = _("above {limit:g} ms; later releases allow {later:g} ms, and where that is enough it can be waived")
    late: dict[str, str] = {}
    for node, troubles in _at_fault(s, slow).items():
        enough = limit < later and all(float(t.words.split()[0]) <= later for t in troubles)
        late[node] = _told(troubles) + ("; " + note.format(limit=limit, later=later) if enough else "")
    found = _by_node(
        *((Outcome.FAIL, node, observed) for node, observed in late.items()),
        *((Outcome.UNKNOWN, gap.node, gap.observed) for gap in gaps),
        *((Outcome.UNKNOWN, node, _not_tried(others)) for node, others in untried.items()),
        *((Outcome.WARN, node, _told(troubles)) for node, troubles in _at_fault(s, lost).items()),
    )
    if found:
        return found
    if not times:
        return (Finding(Outcome.UNKNOWN, _("no node has an answer of another")),)
    slowest = _milliseconds(max(times))
    return (Finding(Outcome.PASS, _("{time} at most, between any two nodes").format(time=slowest)),)


def round_trips(facts: Facts) -> Mapping[str, tuple[float, str]]:
    """Address → seconds there and back, and how they are known: the average of ping, else the quickest TCP answer of
    several."""
    connects: dict[str, float] = {}
    for path in facts.paths or ():
        if path.open and path.seconds is not None:
            connects[path.host] = min(path.seconds, connects.get(path.host, path.seconds))
    pings = {ping.host: ping.average for ping in facts.pings or () if ping.average is not None}
    by_connect, by_ping = _("quickest TCP connect"), _("average of ping")
    return {
        **{host: (seconds, by_connect) for host, seconds in connects.items()},
        **{host: (seconds, by_ping) for host, seconds in pings.items()},
    }


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.2g} ms" if seconds else _("under 1 ms")


def link_speed(s: ClusterSubject) -> Findings:
    """NETCFG-BW-INTRA: what was measured on request, else the speed that the driver of each node's link tells.

    Row: `megabits`; `better` is recommended; `payload` the share of a link's speed that data can have."""
    if any(facts.bandwidths for facts in s.facts.values()):
        return _measured(s)
    slow: list[Finding] = []
    told: list[str] = []
    silent: list[str] = []
    for node in s.plan.nodes:
        facts = s.facts.get(node.address)
        link = interface_of(node.address, facts.interfaces or ()) if facts else None
        speed = (facts.link_speeds or {}).get(link.nic) if facts and link else None
        if link is None or speed is None:
            silent.append(node.address)
            continue
        shown = _("{nic} has {speed} Mbit/s").format(nic=link.nic, speed=speed)
        told.append(f"{node.address} {shown}")
        if speed < s.given.number("megabits"):
            slow.append(Finding(Outcome.FAIL, shown, node=node.address))
    if slow:
        return tuple(slow)
    if silent:
        observed = _("the link of {nodes} does not tell its speed").format(nodes=", ".join(silent))
        return (Finding(Outcome.MANUAL, observed),)
    return (Finding(Outcome.PASS, "; ".join(told[:_SHOWN])),)


def _measured(s: ClusterSubject) -> Findings:
    """A transfer shows less than the link has, so only what it lacks beyond `payload` counts."""
    enough = s.given.number("megabits") * MEGA * s.given.number("payload")
    slow: list[PathProblem] = []
    missed: dict[str, dict[str, str]] = {}
    figures: list[float] = []
    nodes = {node.address for node in s.plan.nodes}
    measured = set[str]()
    for source, facts in s.facts.items():
        for target, one in (facts.bandwidths or {}).items():
            if not {source, target} <= nodes:
                continue
            measured |= {source, target}
            if one.bits is None:
                missed.setdefault(source, {})[target] = one.reason
            else:
                figures.append(one.bits)
                if one.bits < enough:
                    slow.append(PathProblem(source, target, _("{speed} measured").format(speed=bits_shown(one.bits))))
    found = {
        node: Finding(Outcome.UNKNOWN, "; ".join(f"{node} → {to}: {why}" for to, why in ways.items()), node=node)
        for node, ways in missed.items()
    }
    for node in sorted(nodes - measured):
        found[node] = Finding(Outcome.UNKNOWN, _("not measured since the nodes have changed"), node=node)
    for node, troubles in _at_fault(s, slow).items():
        found[node] = Finding(Outcome.FAIL, _told(troubles), node=node)
    if found:
        return tuple(found.values())
    observed = _("{speed} or more was measured between nodes; recommended is {better}").format(
        speed=bits_shown(min(figures)), better=bits_shown(s.given.number("better") * MEGA)
    )
    return (Finding(Outcome.PASS, observed),)


def bits_shown(bits: float) -> str:
    return (
        _("{number:.3g} Gbit/s").format(number=bits / GIGA)
        if bits >= GIGA
        else _("{number:.3g} Mbit/s").format(number=bits / MEGA)
    )


BETWEEN_CHECKS: Mapping[str, Callable[[ClusterSubject], Findings]] = {
    "latency": latency,
    "link_speed": link_speed,
    "paths_open": paths_open,
}
