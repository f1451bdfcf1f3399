"""Nodes: the common login, the list of nodes, each checked live from the moment it is added."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Input, Label, Static

from acp_tui.answers import AnswerRefused, build
from acp_tui.facts import Facts
from acp_tui.plan import Node, Plan
from acp_tui.report.words import role_word, state_word
from acp_tui.texts import N_, _
from acp_tui.verdict import NodeState
from screens.dialogs import Confirm
from screens.glyphs import glyphs, state_mark
from screens.session import Session, Topic
from screens.step import Step
from screens.widgets.form import Field, Form
from screens.widgets.line import Line
from screens.widgets.rows import Row, Rows

LOGIN = (
    Field("ssh.username", N_("SSH user"), "root"),
    Field("ssh.password", N_("SSH password")),
    Field("ssh.key_file", N_("or SSH key file"), "/root/.ssh/id_ed25519"),
    Field("ssh.key_passphrase", N_("Key passphrase"), shown=lambda plan: plan.ssh.key_file is not None),
    Field("ssh.port", N_("SSH port"), "22"),
)


@dataclass(frozen=True)
class Typed:
    """A node as typed on one line: `[control-plane|worker] [user@]address[:port]`."""

    address: str
    role: str | None
    username: str | None
    port: str | None


def parse_line(text: str) -> Typed | None:
    """What a line says; None when it is not of the form."""
    match = re.fullmatch(
        r"(?:(?P<role>control-plane|cp|master|worker|wk|node)\s+)?(?:(?P<user>[^\s@]+)@)?"
        r"(?P<address>\[[0-9a-fA-F:.]+\]|[^\s:]+|[0-9a-fA-F:]+)(?::(?P<port>\d+))?",
        text.strip(),
    )
    if match is None:
        return None
    roles = {"cp": "control-plane", "master": "control-plane", "control-plane": "control-plane"}
    role = match["role"]
    address = match["address"].strip("[]")
    return Typed(address, roles.get(role, "worker") if role else None, match["user"], match["port"])


class NodesStep(Step):
    NAME = "nodes"
    SHORT = N_("Nodes")
    TITLE_TEXT = N_("Nodes: a login, then one address after the other")
    SECTIONS = ("nodes", "ssh")
    KEYS = (("Enter", N_("edit")), ("d", N_("delete")), ("r", N_("check again")), ("^R", N_("reveal")))

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d,delete", "delete", show=False),
        Binding("r", "recheck", show=False),
        Binding("h", "host_key", show=False),
    ]

    _refusal = ("", "")
    """What stood on the line for new nodes when it was refused, and why."""

    def fields(self) -> Sequence[Field]:
        return LOGIN

    def body(self) -> Iterable[Widget]:
        yield Form(self.session, self.fields(), id="form")
        example = _("add: 10.20.0.11, worker 10.20.0.21, admin@10.20.0.12:2222")
        yield Line(self.session.draft.adding, placeholder=example, takes=self._add, id="add")
        yield Rows(id="nodes", empty=_("No nodes yet: type an address above and press Enter."))

    def opened(self) -> None:
        if self.session.draft.adding:
            self.set_focus(self.query_one("#add"))
        elif self.session.plan.nodes:
            self.set_focus(self.query_one("#nodes"))

    def show_body(self, topic: Topic) -> None:
        self._show_nodes()

    def committed(self, field: Field) -> None:
        self.session.probe_where_needed()

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
            self.session.note(adding=event.input.value)
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
        nodes = self.session.plan.nodes
        for part in filter(str.strip, typed.split(",")):
            refusal, nodes = _added(nodes, part)
            if refusal:
                self._refuse(typed, refusal)
                return False
        if nodes != self.session.plan.nodes:
            self.session.set_nodes(nodes)
        return True

    def on_rows_highlighted(self, event: Rows.Highlighted) -> None:
        node = self._node(event.key)
        if node is not None:
            self.tell(self._detail(node))

    @work
    async def on_rows_chosen(self, event: Rows.Chosen) -> None:
        index = next((i for i, node in enumerate(self.session.plan.nodes) if node.address == event.key), None)
        if index is not None:
            await self.app.push_screen_wait(NodeDialog(self.session, index))
            self.session.probe_where_needed()
            self._show_nodes()

    @work
    async def action_delete(self) -> None:
        address = self.query_one("#nodes", Rows).key
        if not address:
            return
        if await self.app.push_screen_wait(Confirm(_("Delete node"), address)):
            self.session.set_nodes(tuple(node for node in self.session.plan.nodes if node.address != address))

    def action_recheck(self) -> None:
        for node in self.session.plan.nodes:
            self.session.probe(node)

    @work
    async def action_host_key(self) -> None:
        """Accept a changed host key, on the operator's word."""
        node = self._node(self.query_one("#nodes", Rows).key)
        seen = self.session.seen.get(node.address) if node else None
        if node is None or seen is None or seen.state is not NodeState.HOST_KEY_CHANGED:
            return
        question = _("{detail}\nTrust the new key? Only if this node was really installed anew.").format(
            detail=seen.detail
        )
        if await self.app.push_screen_wait(Confirm(_("Host key of {address}").format(address=node.address), question)):
            self.session.forget_host_key(node.address)
            self.session.probe(node)

    def _node(self, address: str) -> Node | None:
        return next((node for node in self.session.plan.nodes if node.address == address), None)

    def _show_nodes(self) -> None:
        rows = [Row(node.address, node_line(self.session, node)) for node in self.session.plan.nodes]
        listing = self.query_one("#nodes", Rows)
        listing.show(rows)
        if listing.has_focus and (node := self._node(listing.key)):
            self.tell(self._detail(node))

    def _detail(self, node: Node) -> Text:
        seen = self.session.seen.get(node.address)
        if seen is None:
            return Text(
                _("{address}: not checked yet; a password or a key file is missing.").format(address=node.address)
            )
        lines = [Text(facts_line(seen.facts)) if seen.facts else Text("")]
        if seen.detail:
            lines.insert(0, Text(seen.detail, "red"))
        if seen.state is NodeState.HOST_KEY_CHANGED:
            lines.append(Text(_("h: look at the change and trust the new key")))
        elif seen.facts and seen.facts.host_key:
            lines.append(Text(_("Host key {fingerprint}").format(fingerprint=seen.facts.host_key), "dim"))
        return Text("\n").join(lines)


def node_line(session: Session, node: Node) -> Text:
    """Address, role, state, host name, found problems of one node."""
    text = Text(no_wrap=True, overflow="ellipsis")
    seen = session.seen.get(node.address)
    if seen is None:
        mark, style, word = "-", "dim", _("waits for a login")
    else:
        mark, style = state_mark(seen.state)
        word = state_word(seen.state) + (f" ({seen.stage})" if seen.state is NodeState.CHECKING and seen.stage else "")
    text.append(f" {mark} ", style)
    text.append(f"{node.address:<16}")
    installer = session.plan.installer_node
    role = role_word(node.role) + ("*" if installer is not None and installer.address == node.address else "")
    text.append(f"{role:<15}")
    text.append(word.ljust(18) if seen is None or seen.state is not NodeState.CHECKED else "")
    if seen is not None and seen.facts is not None and seen.facts.hostname:
        text.append(seen.facts.hostname[:18].ljust(18))
    blocking = session.judgement.to_mend.get(node.address, 0)
    if seen is not None and seen.state is NodeState.CHECKED:
        text.append(
            _("{count} to mend").format(count=blocking) if blocking else _("good"), "bold red" if blocking else "green"
        )
    return text


def facts_line(facts: Facts) -> str:
    """The node in one line: system, kernel, size."""
    memory = f"{facts.memory / 1e9:.0f} GB" if facts.memory else None
    cpus = _("{count} CPUs").format(count=facts.cpu_count) if facts.cpu_count else None
    return ", ".join(part for part in (facts.os_name, facts.kernel, facts.arch, cpus, memory) if part)


def _added(nodes: tuple[Node, ...], line: str) -> tuple[str, tuple[Node, ...]]:
    """The nodes with one more. Returns why not, or ""."""
    typed = parse_line(line)
    if typed is None:
        return _("'{line}' is not of the form: worker admin@10.20.0.11:22").format(line=line), nodes
    if any(node.address == typed.address for node in nodes):
        return _("{address} is there already").format(address=typed.address), nodes
    control_planes = sum(node.role == "control-plane" for node in nodes)
    role = typed.role or ("control-plane" if control_planes < 3 else "worker")
    own = {key: value for key, value in (("username", typed.username), ("port", typed.port)) if value}
    try:
        plan = build({"nodes": [{"address": typed.address, "role": role, "ssh": own}]})
    except AnswerRefused as refused:
        return refused.wrongs[0].message, nodes
    return "", (*nodes, plan.nodes[0])


class NodeDialog(ModalScreen[None]):
    """All of one node."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", show=False),
        Binding("ctrl+r", "reveal", show=False),
    ]

    def __init__(self, session: Session, index: int) -> None:
        super().__init__()
        self._session = session
        self._index = index

    def compose(self) -> ComposeResult:
        node = self._session.plan.nodes[self._index]
        at = f"nodes[{self._index}]"
        with Vertical(classes="dialog"):
            yield Label(_("Node {address}").format(address=node.address), classes="dialog-title", markup=False)
            yield Form(
                self._session,
                (
                    Field(f"{at}.address", N_("Address"), "10.20.0.11"),
                    Field(f"{at}.ipv6", N_("IPv6 address"), "fd00:20::11", _dual),
                    Field(f"{at}.role", N_("Role")),
                    Field(f"{at}.installer", N_("Installer node")),
                    Field(f"{at}.nic", N_("Interface"), "eth0"),
                    Field(f"{at}.ssh.username", N_("Own SSH user"), "admin"),
                    Field(f"{at}.ssh.port", N_("Own SSH port"), "2222"),
                    Field(f"{at}.ssh.password", N_("Own SSH password")),
                    Field(f"{at}.ssh.key_file", N_("Own SSH key file")),
                    Field(f"{at}.ssh.key_passphrase", N_("Own passphrase")),
                ),
            )
            yield Static("", id="dialog-problem")
            yield Static(Text(_("^R reveal   Esc done")), classes="dialog-keys")

    def on_mount(self) -> None:
        self.query_one(Form).focus_first()

    def on_form_answered(self, event: Form.Answered) -> None:
        self.query_one(Form).refresh_fields()
        self.query_one("#dialog-problem", Static).update(
            Text(self._session.refused.get(event.field.path, ""), "bold red")
        )

    def action_reveal(self) -> None:
        self.query_one(Form).action_reveal()

    def action_leave(self) -> None:
        self.query_one(Form).settle()
        self.dismiss(None)


def _dual(plan: Plan) -> bool:
    return plan.network.ip_family == "dual"
