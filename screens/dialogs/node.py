"""The dialog that edits the plan keys of one node. It names the rule that decides if applications run on the node."""

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Label, Static

from acp_tui.core.i18n import NC_, _, pgettext
from acp_tui.plan.model import Plan
from acp_tui.plan.sections.node import Node
from screens.formatting.placement import may_choose, placed
from screens.session.wizard_session import Session
from screens.widgets.form import Field, Form
from screens.widgets.panel import Panel


class NodeDialog(ModalScreen[None]):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", show=False),
        Binding("ctrl+r", "reveal", show=False),
    ]

    def __init__(self, session: Session, index: int) -> None:
        super().__init__()
        self._session = session
        self._index = index

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Label(
                pgettext("title", "Node {address}").format(address=self._node.address),
                classes="dialog-title",
                markup=False,
            )
            yield Form(self._session, self._fields())
            yield Panel(id="placed")
            yield Static("", id="dialog-problem")
            yield Static(Text(_("^R: reveal   Esc: close")), classes="dialog-keys")

    def on_mount(self) -> None:
        self.query_one(Form).focus_first()
        self._show_placed()

    def on_form_answered(self, event: Form.Answered) -> None:
        self.query_one(Form).refresh_fields()
        self._show_placed()
        self.query_one("#dialog-problem", Static).update(
            Text(self._session.field_errors.get(event.field.path, ""), "bold red")
        )

    def action_reveal(self) -> None:
        self.query_one(Form).action_reveal()

    def action_close(self) -> None:
        self.query_one(Form).settle()
        self.dismiss(None)

    @property
    def _node(self) -> Node:
        return self._session.plan.nodes[self._index]

    def _show_placed(self) -> None:
        preset = self._node.address in self._session.draft.preset
        self.query_one("#placed", Panel).show(Text(placed(self._session.plan, self._node, preset=preset)))

    def _fields(self) -> tuple[Field, ...]:
        at = f"nodes[{self._index}]"
        return (
            Field(f"{at}.address", NC_("field", "Address"), "10.20.0.11"),
            Field(f"{at}.ipv6", NC_("field", "IPv6 address"), "fd00:20::11", _dual),
            Field(f"{at}.role", NC_("field", "Role")),
            Field(f"{at}.installer", NC_("field", "Installer node"), shown=self._is_control_plane),
            Field(f"{at}.platform_exclusive", NC_("field", "Exclusive"), shown=self._may_be_exclusive),
            Field(f"{at}.deployable", NC_("field", "Applications"), shown=self._may_choose),
            Field(f"{at}.nic", NC_("field", "Interface"), "eth0"),
            Field(f"{at}.ssh.username", NC_("field", "Own SSH user"), "admin"),
            Field(f"{at}.ssh.port", NC_("field", "Own SSH port"), "2222"),
            Field(f"{at}.ssh.password", NC_("field", "Own SSH password")),
            Field(f"{at}.ssh.key_file", NC_("field", "Own SSH key file")),
            Field(f"{at}.ssh.key_passphrase", NC_("field", "Own passphrase")),
        )

    def _is_control_plane(self, plan: Plan) -> bool:
        return plan.nodes[self._index].role == "control-plane"

    def _may_be_exclusive(self, plan: Plan) -> bool:
        """Return True if isolation is on (XR-EXCL-NEEDS-ISOLATION), or if the field has a value that can be removed."""
        return plan.isolation or plan.nodes[self._index].platform_exclusive is not None

    def _may_choose(self, plan: Plan) -> bool:
        return may_choose(plan, plan.nodes[self._index])


def _dual(plan: Plan) -> bool:
    return plan.network.ip_family == "dual"
