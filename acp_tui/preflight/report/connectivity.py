"""The connectivity table: closed ports, latency and bandwidth from each node to each other node.

The functions are pure, and use the same facts as the verdicts. The wizard and the HTML page show the table.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from acp_tui.checks.cluster.network_performance import round_trips
from acp_tui.checks.cluster.path_tests import failed_in_test
from acp_tui.checks.topology import NodeTargets, Topology
from acp_tui.core.i18n import pgettext
from acp_tui.core.units import GIGA, MEGA
from acp_tui.nodes.fact_types import TcpPath, TcpResult
from acp_tui.nodes.facts import Facts


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
    """The round trip time in seconds; 0.0 if it is below a millisecond, None if it is unknown."""
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


def matrix(topology: Topology, facts: Mapping[str, Facts]) -> tuple[Row, ...]:
    """Return one row per node, in the order of the plan; () if the plan has only one node."""
    if len(topology.nodes) < 2:
        return ()
    return tuple(_row(source.node, topology.nodes, facts) for source in topology.nodes)


def _row(source: str, targets: tuple[NodeTargets, ...], all_facts: Mapping[str, Facts]) -> Row:
    facts = all_facts.get(source)
    tcp_paths = {
        (path.host, path.port): path for path in (facts and facts.paths) or () if path.result is not TcpResult.UNKNOWN
    }
    times = {host: seconds for host, (seconds, _how) in round_trips(facts).items()} if facts else {}
    return Row(source, tuple(_cell(source, target, all_facts, tcp_paths, times) for target in targets))


def _cell(
    source: str,
    target: NodeTargets,
    all_facts: Mapping[str, Facts],
    tcp_paths: Mapping[tuple[str, int], TcpPath],
    times: Mapping[str, float],
) -> Cell:
    if source == target.node:
        return Cell(target.node, LinkState.SELF)
    needed = [(address, port) for address in target.addresses for port in target.ports]
    facts = all_facts.get(source)
    if facts is None or any(key not in tcp_paths for key in needed):
        return Cell(target.node, LinkState.UNKNOWN)
    # With a listener on the port (sshd or a temporary one), a refused connection means that the path is closed.
    closed = {
        k[1]
        for k in needed
        if not tcp_paths[k].open
        or (k[1] == target.ssh_port and tcp_paths[k].result is TcpResult.REFUSED)
        or failed_in_test(all_facts, source, target.node, k)
    }
    link_state = (
        LinkState.OPEN
        if not closed
        else LinkState.CLOSED
        if len(closed) == len({k[1] for k in needed})
        else LinkState.PARTLY
    )
    cut = any(ping.unfragmented is False for ping in facts.pings or () if ping.host in target.addresses)
    measured = (facts.bandwidths or {}).get(target.node)
    seconds = times.get(target.node)
    return Cell(target.node, link_state, tuple(sorted(closed)), seconds, cut, measured.bits if measured else None)


def _rounded(seconds: float) -> str:
    return f"{seconds * 1000:.2g}" if seconds else "<1"
