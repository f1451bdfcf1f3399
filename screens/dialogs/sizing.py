"""How many machines of what size: the load that decides it can be said here, and the table follows at once."""

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Label, Static

from acp_tui.checks.sizing.calculator import Sizing, sizing
from acp_tui.core.i18n import N_, _
from acp_tui.plan.model import Plan
from acp_tui.preflight.report.node_summary import node_summary
from acp_tui.preflight.report.sizing import fit_lines, reason_lines, table_lines
from screens.dialogs.prompts import Read
from screens.session.session import Session
from screens.widgets.form import Field, Form


def session_sizing(session: Session) -> Sizing:
    """The plan's sizing, held against the nodes that have been seen."""
    return sizing(session.plan, {address: node_summary(facts) for address, facts in session.nodes.facts.items()})


class SizesDialog(ModalScreen[None]):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", show=False),
        Binding("pageup", "scroll(-8)", show=False, priority=True),
        Binding("pagedown", "scroll(8)", show=False, priority=True),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog tall wide"):
            yield Label(_("Sizes: how many machines, and how big"), classes="dialog-title", markup=False)
            yield Form(
                self._session,
                (
                    Field("scenario", N_("Scenario")),
                    Field("workload.pods", N_("Application Pods"), shown=_runs_applications),
                    Field("workload.clusters", N_("Workload clusters"), shown=_manages_clusters),
                ),
            )
            yield Static("", id="dialog-problem")
            with VerticalScroll(id="reading"):
                yield Static("", id="sizes")
            yield Static(Text(_("PgUp PgDn scroll   Esc close")), classes="dialog-keys")

    def on_mount(self) -> None:
        self.query_one(Form).focus_first()
        self._show()

    def on_form_answered(self, event: Form.Answered) -> None:
        self.query_one(Form).refresh_fields()
        why = self._session.refused.get(event.field.path, "")
        self.query_one("#dialog-problem", Static).update(Text(why, "bold red"))
        self._show()

    def action_scroll(self, by: int) -> None:
        self.query_one("#reading").scroll_relative(y=by, animate=False)

    def action_leave(self) -> None:
        self.query_one(Form).settle()
        self.dismiss(None)

    def _show(self) -> None:
        found = session_sizing(self._session)
        head, *table = table_lines(found)
        parts = (Text(head, "dim"), *map(Text, table), Text(""), *map(Text, fit_lines(found)), Text(""))
        text = Text("\n").join((*parts, *map(Text, reason_lines(found, Read.WIDE))))
        text.no_wrap, text.overflow = True, "ellipsis"
        self.query_one("#sizes", Static).update(text)


def _runs_applications(plan: Plan) -> bool:
    return plan.scenario != "multi-cluster"


def _manages_clusters(plan: Plan) -> bool:
    return plan.scenario == "multi-cluster"
