"""The connectivity between the nodes as a matrix: closed ports, round trip and bandwidth from each node to each other.

Pure: made from the same facts as the verdicts, for the wizard, the commands and the HTML page.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from acp_tui.checks.cluster.connectivity import answered, round_trips
from acp_tui.checks.topology import addresses, peer_ports
from acp_tui.core.i18n import _, pgettext
from acp_tui.nodes.facts import Facts, TcpPath, TcpResult
from acp_tui.plan.model import Node, Plan


class LinkState(StrEnum):
    """The state of the link from one node to another."""

    SELF = "self"
    OPEN = "open"
    PARTLY = "partly closed"
    CLOSED = "closed"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Cell:
    """One link of the matrix."""

    target: str
    """Plan address of the other node."""
    state: LinkState
    closed: tuple[int, ...] = ()
    """Required TCP ports that are closed, ascending."""
    seconds: float | None = None
    """Round trip; 0.0 is less than a millisecond, None unknown."""
    cut: bool = False
    """Packets of the full size of the link do not pass without fragmentation."""
    bits: float | None = None
    """Measured bits per second; None: not measured."""

    @property
    def text(self) -> str:
        """A few characters: `ok <1 ms`, `2379 2380`, `closed`, `?`."""
        if self.state is LinkState.SELF:
            return "-"
        if self.state is LinkState.UNKNOWN:
            return "?"
        if self.state is LinkState.CLOSED:
            return pgettext("link", "closed")
        ports = " ".join(map(str, self.closed[:3])) + (" +" if len(self.closed) > 3 else "")
        time = "" if self.seconds is None else _("{time} ms").format(time=_rounded(self.seconds))
        cut = pgettext("packets", "cut") if self.cut else ""
        return " ".join(part for part in (ports or pgettext("link", "ok"), time, self._speed, cut) if part)

    @property
    def _speed(self) -> str:
        if self.bits is None:
            return ""
        return f"{self.bits / 1e9:.2g}G" if self.bits >= 1e9 else f"{self.bits / 1e6:.0f}M"


@dataclass(frozen=True)
class Row:
    """The links from one node."""

    source: str
    cells: tuple[Cell, ...]
    """One for each node in the order of the plan, including the node itself."""


def matrix(plan: Plan, facts: Mapping[str, Facts]) -> tuple[Row, ...]:
    """Return one row for each node in the order of the plan; () if the plan has fewer than two nodes."""
    if len(plan.nodes) < 2:
        return ()
    return tuple(_row(plan, source, facts) for source in plan.nodes)


def _row(plan: Plan, source: Node, all_facts: Mapping[str, Facts]) -> Row:
    facts = all_facts.get(source.address)
    paths = {
        (path.host, path.port): path for path in (facts and facts.paths) or () if path.reach is not TcpResult.UNTOLD
    }
    times = {host: seconds for host, (seconds, _how) in round_trips(facts).items()} if facts else {}
    return Row(source.address, tuple(_cell(plan, source, target, all_facts, paths, times) for target in plan.nodes))


def _cell(
    plan: Plan,
    source: Node,
    target: Node,
    all_facts: Mapping[str, Facts],
    paths: Mapping[tuple[str, int], TcpPath],
    times: Mapping[str, float],
) -> Cell:
    if source.address == target.address:
        return Cell(target.address, LinkState.SELF)
    needed = [(a, p) for a in addresses(plan, target) for p in peer_ports(plan, target, (plan.network.cni,))]
    facts = all_facts.get(source.address)
    if facts is None or any(key not in paths for key in needed):
        return Cell(target.address, LinkState.UNKNOWN)
    ssh = plan.login(target).port
    # Where something listens (sshd, or a temporary listener), a refused connection means that the path is closed.
    closed = {
        key[1]
        for key in needed
        if not paths[key].open
        or (key[1] == ssh and paths[key].reach is TcpResult.REFUSED)
        or answered(all_facts, source.address, target.address, key) is False
    }
    all_closed = len(closed) == len({port for _address, port in needed})
    state = LinkState.OPEN if not closed else LinkState.CLOSED if all_closed else LinkState.PARTLY
    cut = any(ping.whole is False for ping in facts.pings or () if ping.host in addresses(plan, target))
    measured = (facts.bandwidths or {}).get(target.address)
    return Cell(
        target=target.address,
        state=state,
        closed=tuple(sorted(closed)),
        seconds=times.get(target.address),
        cut=cut,
        bits=measured.bits if measured else None,
    )


def _rounded(seconds: float) -> str:
    return f"{seconds * 1000:.2g}" if seconds else "<1"
