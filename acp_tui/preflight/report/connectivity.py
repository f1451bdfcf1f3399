"""The connectivity table: closed ports, latency and bandwidth from each node to each other node.

The functions are pure, and use the same facts as the verdicts. The wizard and the HTML page show the table.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from acp_tui.checks.cluster.connectivity import untested_keys
from acp_tui.checks.cluster.network_performance import healthy_times, slow_connects
from acp_tui.checks.cluster.path_tests import failed_in_test
from acp_tui.checks.topology import NodeTargets, Topology
from acp_tui.core.i18n import pgettext
from acp_tui.core.units import GIGA, MEGA
from acp_tui.nodes.fact_types import TcpResult
from acp_tui.nodes.facts import Facts
from acp_tui.nodes.path_summary import PathSummary, Spread


class LinkState(StrEnum):
    """The state of the connectivity from one node to one other node."""

    SELF = "self"
    OPEN = "open"
    PARTLY = "partly closed"
    CLOSED = "closed"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Cell:
    target: str
    """The address of the other node in the plan."""
    state: LinkState
    closed: tuple[int, ...] = ()
    """The TCP ports that are required and not open, in ascending order."""
    seconds: float | None = None
    """The round trip time in seconds if it is notable; None if it is unknown, or in the spread of the row."""
    cut: bool = False
    """True if packets of the link's full size do not pass, or pass only in fragments."""
    bits: float | None = None
    """The measured bandwidth to the other node in bits per second; None if it was not measured."""

    @property
    def text(self) -> str:
        """The state in a few characters: `ok <1 ms`, `2379 2380`, `closed`, `?`."""
        if self.state is LinkState.SELF:
            return "-"
        if self.state is LinkState.UNKNOWN:
            return "?"
        if self.state is LinkState.CLOSED:
            return pgettext("connectivity", "closed")
        shown = " ".join(map(str, self.closed[:3])) + (" +" if len(self.closed) > 3 else "")
        time = "" if self.seconds is None else pgettext("connectivity", "{time} ms").format(time=_rounded(self.seconds))
        speed = (
            "" if self.bits is None else f"{self.bits / GIGA:.2g}G" if self.bits >= GIGA else f"{self.bits / MEGA:.0f}M"
        )
        return " ".join(
            part
            for part in (
                shown or pgettext("connectivity", "ok"),
                time,
                speed,
                pgettext("connectivity", "cut") if self.cut else "",
            )
            if part
        )


@dataclass(frozen=True)
class Row:
    source: str
    cells: tuple[Cell, ...]
    """One cell per node, in the order of the plan; one of them is for `source` itself."""
    times: Spread | None = None
    """The spread of the round trip times to all nodes whose cell has no time; None if it is unknown."""


def matrix(topology: Topology, facts: Mapping[str, Facts]) -> tuple[Row, ...]:
    """Return one row per node, in the order of the plan; () if the plan has only one node."""
    if len(topology.nodes) < 2:
        return ()
    healthy = {target.node: Cell(target.node, LinkState.OPEN) for target in topology.nodes}
    return tuple(_row(source.node, topology, facts, healthy) for source in topology.nodes)


def _row(source: str, topology: Topology, all_facts: Mapping[str, Facts], healthy: Mapping[str, Cell]) -> Row:
    """Return the row of a node. All rows share the cells `healthy` of the targets without a problem."""
    cells, facts = {source: Cell(source, LinkState.SELF)}, all_facts.get(source)
    if facts is None or facts.paths is None:
        unknown = {target.node: Cell(target.node, LinkState.UNKNOWN) for target in topology.nodes}
        return Row(source, tuple((unknown | cells).values()))
    notable = _notable(topology, facts, facts.paths)
    for target in topology.nodes:
        if target.node in notable and target.node != source:
            cells[target.node] = _cell(source, target, all_facts, facts, facts.paths)
    return Row(source, tuple([cells.get(node) or cell for node, cell in healthy.items()]), healthy_times(facts))


def _notable(topology: Topology, facts: Facts, paths: PathSummary) -> set[str]:
    """Return the plan addresses of the nodes about which the facts say more than that all is healthy."""
    hosts = {path.host for path in paths.listed} | {host for host, _port in untested_keys(topology, paths.peers)}
    hosts |= {ping.host for ping in facts.pings.listed} if facts.pings else set()
    failures = facts.path_test.failures if facts.path_test else ()
    hosts |= {failure.host for failure in failures} | set(slow_connects(facts))
    owned = {topology.owners[host] for host in hosts if host in topology.owners}
    return owned | set(facts.bandwidths or ())


def _cell(source: str, target: NodeTargets, all_facts: Mapping[str, Facts], facts: Facts, tested: PathSummary) -> Cell:
    paths = {(address, port): tested.path(address, port) for address in target.addresses for port in target.ports}
    known = {key: path for key, path in paths.items() if path is not None and path.result is not TcpResult.UNKNOWN}
    if len(known) < len(paths):
        return Cell(target.node, LinkState.UNKNOWN)
    # With a listener on the port (sshd or a temporary one), a refused connection means that the path is closed.
    closed = {
        key[1]
        for key, path in known.items()
        if not path.open
        or (key[1] == target.ssh_port and path.result is TcpResult.REFUSED)
        or failed_in_test(all_facts, source, target.node, key)
    }
    link_state = (
        LinkState.OPEN
        if not closed
        else LinkState.CLOSED
        if len(closed) == len({key[1] for key in paths})
        else LinkState.PARTLY
    )
    pings = [ping for ping in (facts.pings.listed if facts.pings else ()) if ping.host in target.addresses]
    cut = any(ping.unfragmented is False for ping in pings)
    measured = (facts.bandwidths or {}).get(target.node)
    times = [slow_connects(facts)[address] for address in target.addresses if address in slow_connects(facts)]
    times += [ping.times.median for ping in pings if ping.times is not None]
    seconds = max(times, default=None)
    return Cell(target.node, link_state, tuple(sorted(closed)), seconds, cut, measured.bits if measured else None)


def _rounded(seconds: float) -> str:
    return f"{seconds * 1000:.2g}" if seconds else "<1"
