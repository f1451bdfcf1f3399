"""The sizing dialog. The operator enters the expected load, and the dialog shows the number and size of machines."""

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Label, Static

from acp_tui.checks.sizing.calculator import Sizing, sizing
from acp_tui.core.i18n import NC_, _
from acp_tui.plan.model import Plan
from acp_tui.plan.secret_mask import secret_mask
from acp_tui.preflight.report.node_summary import node_summary
from acp_tui.preflight.report.sizing import fit_lines, reason_lines, table_lines
from screens.dialogs.prompts import Read
from screens.session.wizard_session import Session
from screens.widgets.form import Field, Form


def session_sizing(session: Session) -> Sizing:
    """Return the number and size of machines that the plan requires, compared with the checked nodes."""
    mask = secret_mask(session.plan)
    return sizing(session.plan, {address: node_summary(facts, mask) for address, facts in session.nodes.facts.items()})


class SizingDialog(ModalScreen[None]):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", show=False),
        Binding("pageup", "scroll(-8)", show=False, priority=True),
        Binding("pagedown", "scroll(8)", show=False, priority=True),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog tall wide"):
            yield Label(_("Sizing: required number and size of machines"), classes="dialog-title", markup=False)
            yield Form(
                self._session,
                (
                    Field("scenario", NC_("field", "Scenario")),
                    Field("workload.pods", NC_("field", "Application Pods"), shown=_runs_applications),
                    Field("workload.cpu", NC_("field", "Application cores"), shown=_sized_by_applications),
                    Field("workload.memory", NC_("field", "Application GB"), shown=_sized_by_applications),
                    Field("workload.clusters", NC_("field", "Workload clusters"), shown=_manages_clusters),
                ),
            )
            yield Static("", id="dialog-problem")
            with VerticalScroll(id="reading"):
                yield Static("", id="sizes")
            yield Static(Text(_("PgUp/PgDn: scroll   Esc: close")), classes="dialog-keys")

    def on_mount(self) -> None:
        self.query_one(Form).focus_first()
        self._show()

    def on_form_answered(self, event: Form.Answered) -> None:
        self.query_one(Form).refresh_fields()
        reason = self._session.field_errors.get(event.field.path, "")
        self.query_one("#dialog-problem", Static).update(Text(reason, "bold red"))
        self._show()

    def action_scroll(self, by: int) -> None:
        self.query_one("#reading").scroll_relative(y=by, animate=False)

    def action_close(self) -> None:
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


def _sized_by_applications(plan: Plan) -> bool:
    """A single node has a fixed size, which includes the few applications of a trial."""
    return plan.scenario != "single-node"


def _manages_clusters(plan: Plan) -> bool:
    return plan.scenario == "multi-cluster"
