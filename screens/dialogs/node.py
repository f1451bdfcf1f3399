"""All answers of one node, with what is forced and by which rule."""

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Label, Static

from acp_tui.core.i18n import N_, _
from acp_tui.plan.model import Node, Plan
from screens.formatting.placement import may_choose, placed
from screens.session.session import Session
from screens.widgets.form import Field, Form
from screens.widgets.panel import Panel


class NodeDialog(ModalScreen[None]):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", show=False),
        Binding("ctrl+r", "reveal", show=False),
    ]

    def __init__(self, session: Session, index: int) -> None:
        super().__init__()
        self._session = session
        self._index = index

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Label(_("Node {address}").format(address=self._node.address), classes="dialog-title", markup=False)
            yield Form(self._session, self._fields())
            yield Panel(id="placed")
            yield Static("", id="dialog-problem")
            yield Static(Text(_("^R reveal   Esc done")), classes="dialog-keys")

    def on_mount(self) -> None:
        self.query_one(Form).focus_first()
        self._show_placed()

    def on_form_answered(self, event: Form.Answered) -> None:
        self.query_one(Form).refresh_fields()
        self._show_placed()
        self.query_one("#dialog-problem", Static).update(
            Text(self._session.refused.get(event.field.path, ""), "bold red")
        )

    def action_reveal(self) -> None:
        self.query_one(Form).action_reveal()

    def action_leave(self) -> None:
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
            Field(f"{at}.address", N_("Address"), "10.20.0.11"),
            Field(f"{at}.ipv6", N_("IPv6 address"), "fd00:20::11", _dual),
            Field(f"{at}.role", N_("Role")),
            Field(f"{at}.installer", N_("Installer node"), shown=self._is_control_plane),
            Field(f"{at}.platform_exclusive", N_("Exclusive"), shown=self._may_be_exclusive),
            Field(f"{at}.deployable", N_("Applications"), shown=self._may_choose),
            Field(f"{at}.nic", N_("Interface"), "eth0"),
            Field(f"{at}.ssh.username", N_("Own SSH user"), "admin"),
            Field(f"{at}.ssh.port", N_("Own SSH port"), "2222"),
            Field(f"{at}.ssh.password", N_("Own SSH password")),
            Field(f"{at}.ssh.key_file", N_("Own SSH key file")),
            Field(f"{at}.ssh.key_passphrase", N_("Own passphrase")),
        )

    def _is_control_plane(self, plan: Plan) -> bool:
        return plan.nodes[self._index].role == "control-plane"

    def _may_be_exclusive(self, plan: Plan) -> bool:
        """It needs isolation (XR-EXCL-NEEDS-ISOLATION); without it only what is there already can be taken back."""
        return plan.isolation or plan.nodes[self._index].platform_exclusive is not None

    def _may_choose(self, plan: Plan) -> bool:
        return may_choose(plan, plan.nodes[self._index])


def _dual(plan: Plan) -> bool:
    return plan.network.ip_family == "dual"
