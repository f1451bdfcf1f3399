"""The steps with their state and the tally of the preflight: always in sight, repainted only when something differs."""

from collections.abc import Sequence
from typing import ClassVar, Protocol

from rich.text import Text

from acp_tui.checks.verdict import Outcome
from acp_tui.core.i18n import _
from acp_tui.nodes.state import NodeState
from screens.formatting.glyphs import glyphs, outcome_mark
from screens.session.session import Session
from screens.widgets.panel import Panel

_TALLIED = (Outcome.PASS, Outcome.FAIL, Outcome.PENDING_REBOOT, Outcome.WARN, Outcome.UNKNOWN, Outcome.MANUAL)


class Place(Protocol):
    """What the sidebar knows of a step."""

    NAME: ClassVar[str]
    SHORT: ClassVar[str]

    @classmethod
    def has_problems(cls, session: Session) -> bool: ...


class Sidebar(Panel):
    """Left of every step."""

    def __init__(self, session: Session, current: str, places: Sequence[type[Place]]) -> None:
        super().__init__(id="sidebar")
        self._session = session
        self._current = current
        self._places = places

    def tell(self) -> None:
        """Show how things stand."""
        self.show(Text("\n").join([*self._steps(), Text(""), *self._tally()]))

    def on_mount(self) -> None:
        self.tell()

    def _steps(self) -> list[Text]:
        g = glyphs()
        lines = []
        for number, step in enumerate(self._places, 1):
            here = self._current == step.NAME
            problems = step.has_problems(self._session)
            visited = step.NAME in self._session.draft.visited
            mark = g.here if here else (g.warned if problems else g.passed) if visited else " "
            style = "reverse" if here else "yellow" if visited and problems else "" if visited else "dim"
            lines.append(Text(f"{number:>2} {mark} {_(step.SHORT)}".ljust(16), style))
        return lines

    def _tally(self) -> list[Text]:
        counts, waived = self._session.judgement.counts, self._session.judgement.waived
        nodes = self._session.plan.nodes
        checked = sum(seen.state is NodeState.CHECKED for address, seen in self._session.nodes.seen.items() if address)
        lines = [
            Text(
                " "
                + _("Nodes")
                + f" {checked}/{len(nodes)}"
                + (" " + glyphs().running if self._session.nodes.probing else "")
            )
        ]
        row = Text()
        shown = [outcome for outcome in _TALLIED if counts.get(outcome)]
        for index, outcome in enumerate(shown):
            mark, style = outcome_mark(outcome)
            row.append(f" {mark}{counts[outcome]:<5}", style)
            if index % 2:
                lines.append(row)
                row = Text()
        if row:
            lines.append(row)
        if waived:
            lines.append(Text(" " + _("waived {count}").format(count=waived), "dim"))
        return lines
