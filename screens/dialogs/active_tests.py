"""The dialog to choose active tests. It shows how the test under the cursor affects the nodes."""

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Label, Static

from acp_tui.core.i18n import _, pgettext
from acp_tui.plan.model import Plan
from acp_tui.preflight.active_tests import DESCRIPTIONS, ActiveTest, applicable_tests, describe_effect
from screens.widgets.row_list import Row, Rows


class ActiveTestsDialog(ModalScreen[tuple[ActiveTest, ...] | None]):
    """The dialog returns the chosen tests. It returns None if the operator cancels."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", show=False),
        Binding("space", "mark", show=False),
    ]

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self._plan = plan
        self._offered = applicable_tests(plan)
        self._chosen: set[ActiveTest] = set()

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Label(pgettext("dialog", "Active tests"), classes="dialog-title", markup=False)
            yield Rows(id="options")
            yield Static("", id="effect", classes="dialog-text")
            yield Static(Text(_("Space: choose   Enter: continue   Esc: cancel")), classes="dialog-keys")

    def on_mount(self) -> None:
        rows = self.query_one(Rows)
        rows.styles.height = len(self._offered)
        self.query_one("#effect").styles.height = 5
        self._show()
        self._show_effect()
        self.set_focus(rows)

    def on_rows_highlighted(self, event: Rows.Highlighted) -> None:
        self._show_effect()

    def on_rows_chosen(self, event: Rows.Chosen) -> None:
        """Close the dialog and return the chosen tests. If no test is chosen, return the test under the cursor."""
        chosen = self._chosen or {ActiveTest(event.key)}
        self.dismiss(tuple(one for one in self._offered if one in chosen))

    def action_mark(self) -> None:
        self._chosen ^= {ActiveTest(self.query_one(Rows).key)}
        self._show()

    def action_cancel(self) -> None:
        self.dismiss(None)

    def _show(self) -> None:
        marks = {True: "[x]", False: "[ ]"}
        rows = [
            Row(one.value, Text(f" {marks[one in self._chosen]} {_(DESCRIPTIONS[one].name)}")) for one in self._offered
        ]
        self.query_one(Rows).show(rows)

    def _show_effect(self) -> None:
        key = self.query_one(Rows).key
        self.query_one("#effect", Static).update(Text(describe_effect(self._plan, ActiveTest(key)) if key else ""))
