"""The sidebar: the step list with the state of each step, and the number of verdicts by outcome."""

from collections.abc import Sequence
from typing import ClassVar, Protocol

from rich.text import Text

from acp_tui.checks.verdict import Outcome
from acp_tui.core.i18n import pgettext
from acp_tui.nodes.state import NodeState
from screens.formatting.glyphs import glyphs, outcome_mark
from screens.session.wizard_session import Session
from screens.widgets.panel import Panel

_TALLIED = (Outcome.PASS, Outcome.FAIL, Outcome.PENDING_REBOOT, Outcome.WARN, Outcome.UNKNOWN, Outcome.MANUAL)


class Place(Protocol):
    """What the step list must know about a step."""

    NAME: ClassVar[str]
    SHORT: ClassVar[str]

    @classmethod
    def has_problems(cls, session: Session) -> bool: ...


class Sidebar(Panel):
    """The step list and the verdict counts, at the left of every step."""

    def __init__(self, session: Session, current: str, places: Sequence[type[Place]]) -> None:
        super().__init__(id="sidebar")
        self._session = session
        self._current = current
        self._places = places

    def update_state(self) -> None:
        """Show the current state of the steps, the nodes and the verdicts."""
        self.show(Text("\n").join([*self._steps(), Text(""), *self._tally()]))

    def on_mount(self) -> None:
        self.update_state()

    def _steps(self) -> list[Text]:
        g = glyphs()
        lines = []
        for number, step in enumerate(self._places, 1):
            here = self._current == step.NAME
            problems = step.has_problems(self._session)
            visited = step.NAME in self._session.draft.visited
            mark = g.here if here else (g.warned if problems else g.passed) if visited else " "
            style = "reverse" if here else "yellow" if visited and problems else "" if visited else "dim"
            lines.append(Text(f"{number:>2} {mark} {pgettext('step', step.SHORT)}".ljust(16), style))
        return lines

    def _tally(self) -> list[Text]:
        view, nodes = self._session.verdict_view, self._session.nodes
        checked = sum(status.state is NodeState.CHECKED for address, status in nodes.statuses.items() if address)
        checked_nodes = pgettext("preflight", "Nodes {checked}/{all}").format(
            checked=checked, all=len(self._session.plan.nodes)
        )
        lines = [Text(f" {checked_nodes}" + (f" {glyphs().running}" if nodes.checking else ""))]
        row = Text()
        shown = [outcome for outcome in _TALLIED if view.counts.get(outcome)]
        for index, outcome in enumerate(shown):
            mark, style = outcome_mark(outcome)
            row.append(f" {mark}{view.counts[outcome]:<5}", style)
            if index % 2:
                lines.append(row)
                row = Text()
        if row:
            lines.append(row)
        if view.waived:
            lines.append(Text(" " + pgettext("sidebar", "waived {count}").format(count=view.waived), "dim"))
        return lines
