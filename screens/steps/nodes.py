"""The Nodes step: the common SSH login and the list of nodes. acp-tui checks each node as soon as it is added."""

from collections.abc import Iterable, Sequence
from typing import ClassVar

from rich.text import Text
from textual import work
from textual.binding import Binding, BindingType
from textual.events import DescendantFocus, Paste
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input

from acp_tui.core.i18n import NC_, _, pgettext
from acp_tui.core.local_host import LocalAddress
from acp_tui.plan.node_import.merge import merge_hosts
from acp_tui.plan.node_import.passwords import has_secret
from acp_tui.plan.node_import.text_lines import read_lines
from acp_tui.plan.sections.node import Node
from acp_tui.preflight.report.sizing import shortage
from screens.dialogs.node import NodeDialog
from screens.dialogs.prompts import Confirm, Pick
from screens.dialogs.sizing import SizingDialog, session_sizing
from screens.formatting.glyphs import glyphs
from screens.formatting.node_line import node_detail, node_line
from screens.session.node_suggestions import import_nodes, node_suggestions, suggested_values
from screens.session.wizard_session import Changed
from screens.steps.host_keys import HostKeyStep
from screens.widgets.form import Field, Form
from screens.widgets.line_input import Line
from screens.widgets.panel import Panel
from screens.widgets.row_list import Row, Rows

LOGIN = (
    Field("ssh.username", NC_("field", "SSH user"), "root"),
    Field("ssh.password", NC_("field", "SSH password")),
    Field("ssh.key_file", NC_("field", "or SSH key file"), "/root/.ssh/id_ed25519"),
    Field("ssh.key_passphrase", NC_("field", "Key passphrase"), shown=lambda plan: plan.ssh.key_file is not None),
    Field("ssh.port", NC_("field", "SSH port"), "22"),
)


_SIDE_COLUMNS = 19
"""Number of columns that the step list and the margins use."""


class _AddLine(Line):
    """The input line for new nodes. Pasted text with several lines or with `=` opens the import dialog."""

    class ListPasted(Message):
        """Message: the operator pasted a list of nodes."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def _on_paste(self, event: Paste) -> None:
        if len(event.text.strip().splitlines()) > 1 or "=" in event.text:
            event.stop()
            event.prevent_default()
            self.post_message(self.ListPasted(event.text))
        else:
            super()._on_paste(event)


class NodesStep(HostKeyStep):
    NAME = "nodes"
    SHORT = NC_("step", "Nodes")
    TITLE_TEXT = NC_("title", "Nodes: SSH login and addresses")
    SECTIONS = ("nodes", "ssh", "workload")
    KEYS = (
        ("Enter", NC_("key", "edit")),
        ("d", NC_("key", "delete")),
        ("r", NC_("key", "recheck")),
        ("J/K", NC_("key", "move")),
        ("^R", NC_("key", "reveal")),
    )

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+l", "list", show=False, priority=True),
        Binding("ctrl+f", "found", show=False, priority=True),
        Binding("ctrl+t", "sizes", show=False, priority=True),
        Binding("J", "move(1)", show=False),
        Binding("K", "move(-1)", show=False),
        Binding("d,delete", "delete", show=False),
        Binding("r", "recheck", show=False),
    ]

    _line_error = ("", "")
    """The text of an invalid input line for new nodes, and the reason why it is invalid."""
    _typing = False
    """True if the operator has typed in the field of the login that has the cursor."""
    _own: tuple[LocalAddress, ...] = ()
    """Addresses of this host."""

    def fields(self) -> Sequence[Field]:
        return LOGIN

    def body(self) -> Iterable[Widget]:
        yield Form(self.session, self.fields(), id="form")
        example = _("add: 10.20.0.11, worker 10.20.0.21, admin@10.20.0.12:2222")
        yield _AddLine(self.session.draft.pending_node_line, placeholder=example, takes=self._add_nodes, id="add")
        yield Panel(id="offers")
        yield Rows(id="nodes", empty=_("The plan has no nodes. Type an address and press Enter."))

    def opened(self) -> None:
        self._own = tuple(self.wizard.own_addresses())
        self._show_suggestions()
        path = self.initial_path or ""
        if path.startswith("ssh"):
            return  # the field of the login already has the cursor
        if path.startswith("workload"):
            self.action_sizes()
        if self.session.draft.pending_node_line:
            self.set_focus(self.query_one("#add"))
        elif self.session.plan.nodes:
            self.set_focus(self.query_one("#nodes"))

    def show_body(self, topic: Changed) -> None:
        self._show_nodes()
        self._show_suggestions()

    def committed(self, field: Field) -> None:
        self.session.nodes.check_changed()

    async def may_continue(self) -> bool:
        """Add the nodes of the input line. If the line is invalid, put the cursor into it and return False."""
        line = self.query_one("#add", Line)
        if self._add_nodes(line.value):
            line.value = ""
            return await super().may_continue()
        self.set_focus(line)
        return False

    def on_input_changed(self, event: Input.Changed) -> None:
        if event.input.id != "add":
            self._typing = event.input.has_focus
        else:
            # An event can be older than the error of the line, if many keys arrive together.
            # A line with a password is not stored in the draft.
            self.session.update_draft(pending_node_line="" if has_secret(event.input.value) else event.input.value)
            if event.input.value != self._line_error[0]:
                self._set_line_error("", "")
            self.ask_for_new_keys()

    def problems(self) -> Iterable[Text]:
        if self._line_error[1]:
            yield Text(f"{glyphs().failed} {self._line_error[1]}", "bold red")
        yield from super().problems()

    def _set_line_error(self, typed: str, reason: str) -> None:
        self._line_error = (typed, reason)
        self.show_problems()

    def _add_nodes(self, typed: str) -> bool:
        """Add all nodes of this line to the plan. If the line is invalid, show the reason and return False."""
        parsed = read_lines(typed)
        preview = merge_hosts(self.session.plan, parsed)
        duplicates = (*preview.already_in_plan, *preview.duplicates)
        if parsed.faults:
            self._set_line_error(typed, parsed.faults[0].text)
            return False
        if duplicates:
            message = _("{address} is already in the plan")
            self._set_line_error(typed, message.format(address=duplicates[0].address))
            return False
        import_nodes(self.session, preview)
        self.query_one(Form).reload()
        return True

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        self._typing = False
        self.ask_for_new_keys()
        if event.widget.id == "add":
            self._field = None
            example = _("Examples: `worker admin@10.20.0.21:22`, or a range: `10.20.0.11-13`")
            roles = _("Without a role, the first three nodes become control plane nodes.")
            self.show_detail(f"{example}\n{roles}")
            self.show_problems()

    def on_rows_highlighted(self, event: Rows.Highlighted) -> None:
        node = self._node(event.key)
        if node is not None:
            self.show_detail(self._detail(node))

    @work
    async def on_rows_chosen(self, event: Rows.Chosen) -> None:
        """Open the dialog of the chosen node."""
        index = next((i for i, node in enumerate(self.session.plan.nodes) if node.address == event.key), None)
        if index is not None:
            await self.app.push_screen_wait(NodeDialog(self.session, index))
            self.session.nodes.check_changed()
            self._show_nodes()

    @work
    async def on__add_line_list_pasted(self, event: _AddLine.ListPasted) -> None:
        self.session.pasted_list = event.text
        await self._import()

    @work
    async def action_list(self) -> None:
        """Open the dialog that imports a list of nodes."""
        await self._import()

    async def _import(self) -> None:
        from screens.dialogs.node_import import NodeImportDialog  # the import of its editor is slow

        await self.app.push_screen_wait(NodeImportDialog(self.session, self.wizard.plan_dir))
        for form in self.query(Form):
            form.reload()
        self._show_nodes()

    @work
    async def action_sizes(self) -> None:
        await self.app.push_screen_wait(SizingDialog(self.session))
        self._show_suggestions()

    @work
    async def action_found(self) -> None:
        """Let the operator choose a suggestion to fill in: this host as installer node, interfaces, IPv6 addresses."""
        suggestions = node_suggestions(self.session, self._own)
        if not suggestions:
            self.show_answer(_("acp-tui has no suggestions for the nodes yet."))
            return
        options = [(one.key, one.message) for one in suggestions]
        title = pgettext("dialog", "Fill in")
        picked = await self.app.push_screen_wait(Pick(title, options, suggested_values(self.session)))
        for one in suggestions:
            if one.key == picked:
                self.session.set_nodes(one.nodes)

    def action_move(self, by: int) -> None:
        """Move the node under the cursor by `by` places. The first control plane node runs the installer."""
        nodes = list(self.session.plan.nodes)
        here = next((i for i, node in enumerate(nodes) if node.address == self.query_one("#nodes", Rows).key), None)
        if here is not None and 0 <= here + by < len(nodes):
            nodes[here], nodes[here + by] = nodes[here + by], nodes[here]
            self.session.set_nodes(tuple(nodes))

    @work
    async def action_delete(self) -> None:
        address = self.query_one("#nodes", Rows).key
        if not address:
            return
        if await self.app.push_screen_wait(Confirm(pgettext("dialog", "Delete node"), address)):
            self.session.set_nodes(tuple(node for node in self.session.plan.nodes if node.address != address))

    def action_recheck(self) -> None:
        for node in self.session.plan.nodes:
            self.session.nodes.check(node)

    def may_ask(self) -> bool:
        """Return False while the operator types a new node or a value of the login."""
        return not (self._typing or any(line.value for line in self.query("#add").results(Line)))

    def node_under_cursor(self) -> str:
        return self.query_one("#nodes", Rows).key

    def _node(self, address: str) -> Node | None:
        return next((node for node in self.session.plan.nodes if node.address == address), None)

    def _show_nodes(self) -> None:
        rows = [Row(node.address, node_line(self.session, node)) for node in self.session.plan.nodes]
        # The list is missing if the wizard was closed while a dialog of this step was open.
        for listing in self.query("#nodes").results(Rows):
            listing.show(rows)
            if listing.has_focus and (node := self._node(listing.key)):
                self.show_detail(self._detail(node))

    def _show_suggestions(self) -> None:
        """Show the keys for the import dialog, for suggestions and for the sizing."""
        # For a plan without nodes, the sizing would only show the minimum.
        short = shortage(session_sizing(self.session)) if self.session.plan.nodes else ""
        keys = [
            ("^L", pgettext("key", "list")),
            ("^T", pgettext("node", "sizes: {short}").format(short=short) if short else pgettext("key", "sizes")),
        ]
        suggestions = node_suggestions(self.session, self._own)
        if suggestions:
            columns_left = self.app.size.width - _SIDE_COLUMNS - sum(len(key) + len(label) + 3 for key, label in keys)
            short = suggestions[0].short
            keys.insert(1, ("^F", short if len(short) + 5 <= columns_left else pgettext("key", "fill in")))
        text = Text(no_wrap=True, overflow="ellipsis")
        for key, label in keys:
            text.append(f" {key}", "bold reverse").append(f" {label} ")
        self.set_panel("#offers", text)

    def _detail(self, node: Node) -> Text:
        return node_detail(self.session.plan, node, self.session.nodes.statuses.get(node.address))
