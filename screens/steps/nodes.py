"""Nodes: the common login, the list of nodes, each checked live from the moment it is added."""

from collections.abc import Iterable, Sequence
from typing import ClassVar

from rich.text import Text
from textual import work
from textual.binding import Binding, BindingType
from textual.events import DescendantFocus, Paste
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input

from acp_tui.checks.labels import role_label, state_label
from acp_tui.core.i18n import N_, _
from acp_tui.core.local_host import LocalAddress
from acp_tui.nodes.facts import Facts
from acp_tui.nodes.state import NodeState
from acp_tui.plan.model import Node
from acp_tui.plan.node_import.merge import merge_hosts
from acp_tui.plan.node_import.text_lines import has_secret, read_lines
from acp_tui.preflight.report.sizing import shortage
from screens.dialogs.node import NodeDialog
from screens.dialogs.prompts import Confirm, Pick
from screens.dialogs.sizing import SizesDialog, session_sizing
from screens.formatting.glyphs import glyphs, state_mark
from screens.session.node_suggestions import found_offers, found_text, take_into
from screens.session.session import Changed, Session
from screens.steps.base import WizardStep
from screens.widgets.form import Field, Form
from screens.widgets.line_input import Line
from screens.widgets.panel import Panel
from screens.widgets.row_list import Row, Rows

LOGIN = (
    Field("ssh.username", N_("SSH user"), "root"),
    Field("ssh.password", N_("SSH password")),
    Field("ssh.key_file", N_("or SSH key file"), "/root/.ssh/id_ed25519"),
    Field("ssh.key_passphrase", N_("Key passphrase"), shown=lambda plan: plan.ssh.key_file is not None),
    Field("ssh.port", N_("SSH port"), "22"),
)


_BESIDE = 19
"""Columns of the sidebar and the margins, beside the body."""


class _Adding(Line):
    """The line for new nodes. What is more than a line of plain words is looked at as a list first."""

    class Listed(Message):
        """A list was pasted."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def _on_paste(self, event: Paste) -> None:
        if len(event.text.strip().splitlines()) > 1 or "=" in event.text:
            event.stop()
            event.prevent_default()
            self.post_message(self.Listed(event.text))
        else:
            super()._on_paste(event)


class NodesStep(WizardStep):
    NAME = "nodes"
    SHORT = N_("Nodes")
    TITLE_TEXT = N_("Nodes: a login, then one address after the other")
    SECTIONS = ("nodes", "ssh", "workload")
    KEYS = (("Enter", N_("edit")), ("d", N_("delete")), ("r", N_("again")), ("J/K", N_("move")), ("^R", N_("reveal")))

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+l", "list", show=False, priority=True),
        Binding("ctrl+f", "found", show=False, priority=True),
        Binding("ctrl+t", "sizes", show=False, priority=True),
        Binding("J", "move(1)", show=False),
        Binding("K", "move(-1)", show=False),
        Binding("d,delete", "delete", show=False),
        Binding("r", "recheck", show=False),
        Binding("h", "host_key", show=False),
    ]

    _refusal = ("", "")
    """What stood on the line for new nodes when it was refused, and why."""
    _own: tuple[LocalAddress, ...] = ()
    """Addresses of this host."""

    def fields(self) -> Sequence[Field]:
        return LOGIN

    def body(self) -> Iterable[Widget]:
        yield Form(self.session, self.fields(), id="form")
        example = _("add: 10.20.0.11, worker 10.20.0.21, admin@10.20.0.12:2222")
        yield _Adding(self.session.draft.adding, placeholder=example, takes=self._add, id="add")
        yield Panel(id="offers")
        yield Rows(id="nodes", empty=_("No nodes yet: type an address above and press Enter."))

    def opened(self) -> None:
        self._own = tuple(self.wizard.own_addresses())
        self._show_offers()
        wanted = self.wanted_path or ""
        if wanted.startswith("ssh"):
            return  # its field has the cursor
        if wanted.startswith("workload"):
            self.action_sizes()
        if self.session.draft.adding:
            self.set_focus(self.query_one("#add"))
        elif self.session.plan.nodes:
            self.set_focus(self.query_one("#nodes"))

    def show_body(self, topic: Changed) -> None:
        self._show_nodes()
        self._show_offers()

    def committed(self, field: Field) -> None:
        self.session.nodes.probe_where_needed()

    async def may_go_on(self) -> bool:
        """What is typed for a new node and not yet entered is entered on the way out; what cannot be, is looked at."""
        line = self.query_one("#add", Line)
        if self._add(line.value):
            line.value = ""
            return True
        self.set_focus(line)
        return False

    def on_input_changed(self, event: Input.Changed) -> None:
        if event.input.id == "add":
            # What stands there now: in a burst of keys this tells of a moment before the line was refused.
            # A password does not belong there, and the draft keeps none.
            self.session.note(adding="" if has_secret(event.input.value) else event.input.value)
            if event.input.value != self._refusal[0]:
                self._refuse("", "")

    def _problem_lines(self) -> Iterable[Text]:
        if self._refusal[1]:
            yield Text(f"{glyphs().failed} {self._refusal[1]}", "bold red")
        yield from super()._problem_lines()

    def _refuse(self, typed: str, why: str) -> None:
        self._refusal = (typed, why)
        self._show_problems()

    def _add(self, typed: str) -> bool:
        """Add the nodes of this line, all or none. False: it cannot be, and the problems say why."""
        reading = read_lines(typed)
        taking = merge_hosts(self.session.plan, reading)
        known = (*taking.already_in_plan, *taking.duplicates)
        if reading.faults or known:
            there = _("{address} is there already")
            self._refuse(typed, reading.faults[0].text if reading.faults else there.format(address=known[0].address))
            return False
        take_into(self.session, taking)
        self.query_one(Form).reload()
        return True

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        if event.widget.id == "add":
            self._field = None
            help = _("As: worker admin@10.20.0.21:22; ranges: 10.20.0.11-13.")
            roles = _("No role: the first three are control planes, then workers.")
            self.tell(Text(f"{help}\n{roles}"))
            self._show_problems()

    def on_rows_highlighted(self, event: Rows.Highlighted) -> None:
        node = self._node(event.key)
        if node is not None:
            self.tell(self._detail(node))

    @work
    async def on_rows_chosen(self, event: Rows.Chosen) -> None:
        index = next((i for i, node in enumerate(self.session.plan.nodes) if node.address == event.key), None)
        if index is not None:
            await self.app.push_screen_wait(NodeDialog(self.session, index))
            self.session.nodes.probe_where_needed()
            self._show_nodes()

    @work
    async def on__adding_listed(self, event: _Adding.Listed) -> None:
        self.session.pasted = event.text
        await self._list()

    @work
    async def action_list(self) -> None:
        """Paste or import a list of nodes."""
        await self._list()

    async def _list(self) -> None:
        from screens.dialogs.node_import import ListDialog  # an editor, which takes long to import

        await self.app.push_screen_wait(ListDialog(self.session, self.wizard.base))
        for form in self.query(Form):
            form.reload()
        self._show_nodes()

    @work
    async def action_sizes(self) -> None:
        await self.app.push_screen_wait(SizesDialog(self.session))
        self._show_offers()

    @work
    async def action_found(self) -> None:
        """Take what is known without being asked: this host as installer node, interfaces and IPv6 addresses."""
        offers = found_offers(self.session, self._own)
        if not offers:
            self.tell(_("There is nothing to take: nothing that is missing here is known yet."))
            return
        options = [(offer.key, offer.words) for offer in offers]
        picked = await self.app.push_screen_wait(Pick(_("Found"), options, found_text(self.session)))
        for offer in offers:
            if offer.key == picked:
                self.session.set_nodes(offer.nodes)

    def action_move(self, by: int) -> None:
        """The node under the cursor a place further: the first control plane node is the installer's."""
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
        if await self.app.push_screen_wait(Confirm(_("Delete node"), address)):
            self.session.set_nodes(tuple(node for node in self.session.plan.nodes if node.address != address))

    def action_recheck(self) -> None:
        for node in self.session.plan.nodes:
            self.session.nodes.probe(node)

    @work
    async def action_host_key(self) -> None:
        """Accept a changed host key, on the operator's word."""
        node = self._node(self.query_one("#nodes", Rows).key)
        seen = self.session.nodes.seen.get(node.address) if node else None
        if node is None or seen is None or seen.state is not NodeState.HOST_KEY_CHANGED:
            return
        question = _("{detail}\nTrust the new key? Only if this node was really installed anew.").format(
            detail=seen.detail
        )
        if await self.app.push_screen_wait(Confirm(_("Host key of {address}").format(address=node.address), question)):
            self.session.forget_host_key(node.address)
            self.session.nodes.probe(node)

    def _node(self, address: str) -> Node | None:
        return next((node for node in self.session.plan.nodes if node.address == address), None)

    def _show_nodes(self) -> None:
        rows = [Row(node.address, node_line(self.session, node)) for node in self.session.plan.nodes]
        # No list at all: the wizard was left under a dialog of this step, which ends only now.
        for listing in self.query("#nodes").results(Rows):
            listing.show(rows)
            if listing.has_focus and (node := self._node(listing.key)):
                self.tell(self._detail(node))

    def _show_offers(self) -> None:
        """What there is beyond typing addresses, with what it would bring."""
        # Without a node everything is missing, and that goes without saying.
        short = shortage(session_sizing(self.session)) if self.session.plan.nodes else ""
        keys = [("^L", _("list")), ("^T", _("sizes: {short}").format(short=short) if short else _("sizes"))]
        found = found_offers(self.session, self._own)
        if found:
            left = self.app.size.width - _BESIDE - sum(len(key) + len(words) + 3 for key, words in keys)
            keys.insert(1, ("^F", found[0].short if len(found[0].short) + 5 <= left else _("found")))
        text = Text(no_wrap=True, overflow="ellipsis")
        for key, words in keys:
            text.append(f" {key}", "bold reverse").append(f" {words} ")
        self._set("#offers", text)

    def _detail(self, node: Node) -> Text:
        seen = self.session.nodes.seen.get(node.address)
        if seen is None:
            return Text(
                _("{address}: not checked yet; a password or a key file is missing.").format(address=node.address)
            )
        lines = [Text(facts_line(seen.facts)) if seen.facts else Text("")]
        if seen.detail:
            lines.insert(0, Text(seen.detail, "red"))
        if seen.notice:
            lines.insert(0, Text(f"{state_label(seen.state)}, {seen.notice}"))
        if seen.state is NodeState.HOST_KEY_CHANGED:
            lines.append(Text(_("h: look at the change and trust the new key")))
        elif seen.facts and seen.facts.host_key:
            lines.append(Text(_("Host key {fingerprint}").format(fingerprint=seen.facts.host_key), "dim"))
        return Text("\n").join(lines)


def node_line(session: Session, node: Node) -> Text:
    """Address, role, state, host name, found problems of one node."""
    text = Text(no_wrap=True, overflow="ellipsis")
    seen = session.nodes.seen.get(node.address)
    if seen is None:
        mark, style, word = "-", "dim", _("waits for a login")
    else:
        mark, style = state_mark(seen.state)
        word = state_label(seen.state) + (f" ({seen.stage})" if seen.state is NodeState.CHECKING and seen.stage else "")
    text.append(f" {mark} ", style)
    text.append(f"{node.address:<16}")
    installer = session.plan.installer_node
    role = role_label(node.role) + ("*" if installer is not None and installer.address == node.address else "")
    text.append(f"{role:<15}")
    text.append(word.ljust(18) if seen is None or seen.state is not NodeState.CHECKED else "")
    if seen is not None and seen.facts is not None and seen.facts.hostname:
        text.append(seen.facts.hostname[:18].ljust(18))
    blocking = session.judgement.to_mend.get(node.address, 0)
    if seen is not None and seen.state is NodeState.CHECKED:
        text.append(
            _("{count} to mend").format(count=blocking) if blocking else _("good"), "bold red" if blocking else "green"
        )
    elif seen is not None and seen.notice:
        text.append(seen.notice)
    return text


def facts_line(facts: Facts) -> str:
    """The node in one line: system, kernel, size."""
    memory = f"{facts.memory / 1e9:.0f} GB" if facts.memory else None
    cpus = _("{count} CPUs").format(count=facts.cpu_count) if facts.cpu_count else None
    return ", ".join(part for part in (facts.os_name, facts.kernel, facts.arch, cpus, memory) if part)
