"""The screen that fixes nodes. It lists the fix steps of each node and asks for confirmation for each node.

Steps that remove files or packages are not chosen by default. The confirmation lists what such a step removes.
"""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import ClassVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Static

from acp_tui.core.clock import now
from acp_tui.core.i18n import NC_, _, ngettext, npgettext, pgettext
from acp_tui.nodes.state import NodeState
from acp_tui.plan.secret_mask import secret_mask
from acp_tui.plan.sections.node import Node
from acp_tui.preflight.fixes.apply import fix, preview_removals
from acp_tui.preflight.fixes.init_script import find_init
from acp_tui.preflight.fixes.job import Job, NodeFixed, SecondLogin, StepDone, new_folder
from acp_tui.preflight.fixes.script import BACKUPS, script
from acp_tui.preflight.fixes.select import INIT, AvailableFixes, FixResult, available_fixes, fix_results, selected
from acp_tui.preflight.fixes.step import FixStep, InitScript
from acp_tui.preflight.run import target
from screens.dialogs.host_keys import hosts_not_confirmed, require_confirmed_hosts
from screens.dialogs.prompts import Ask, Confirm, Read
from screens.formatting.fix import question, step_detail
from screens.formatting.glyphs import glyphs, outcome_mark
from screens.session.wizard_session import Changed, Session
from screens.widgets.key_bar import Key, KeyBar
from screens.widgets.panel import Panel
from screens.widgets.row_list import Row, Rows

_KEYS: tuple[Key, ...] = (
    ("Space", NC_("key", "choose")),
    ("Enter", NC_("key", "details")),
    ("n", NC_("key", "host name")),
    ("y", NC_("key", "fix this node")),
    ("Esc", NC_("key", "back")),
)


class _Phase(Enum):
    IDLE = auto()
    CONFIRMING = auto()
    CHANGING = auto()
    CHECKING = auto()


@dataclass
class _NodeFix:
    """The chosen fix steps of one node, and their results."""

    phase: _Phase = _Phase.IDLE
    chosen: frozenset[str] | None = None
    """IDs of the requirements that the chosen steps fix. None if the operator has not changed the default choice."""
    hostname: str | None = None
    steps: tuple[FixStep, ...] = ()
    """The steps of the last fix that ran on the node."""
    done: dict[str, StepDone] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)


class FixScreen(Screen[None]):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "close", show=False),
        Binding("space", "choose", show=False),
        Binding("y", "apply", show=False),
        Binding("n", "name", show=False),
    ]

    def __init__(self, session: Session, node: str | None = None) -> None:
        """`node` is the address of the node on which the cursor starts. None for the first row."""
        super().__init__()
        self.session = session
        self._first = node
        self._init: InitScript | None = None
        self._node_fixes: dict[str, _NodeFix] = {}
        self._available: Mapping[str, AvailableFixes] = {}

    def compose(self) -> ComposeResult:
        yield Static(Text.assemble((" acp-tui ", "bold reverse"), " " + _("Fix the nodes")), id="header")
        yield Panel(id="fix-title")
        yield Rows(id="steps", empty=_("No automatic fixes are available."))
        yield Panel(id="fix-detail")
        yield KeyBar(_KEYS)

    async def on_mount(self) -> None:
        self._show()
        rows = self.query_one(Rows)
        if self._first is not None:
            rows.move_to(self._first)
        rows.focus()
        try:
            self._init = await asyncio.to_thread(find_init, self.session.package.target(self.session.plan))
        except OSError:
            return  # the package is not unpacked, so init.sh is not available
        self._show()

    def session_changed(self, topic: Changed) -> None:
        """Update the screen when the verdicts change."""
        if not self.is_mounted or topic is not Changed.VERDICTS:
            return
        for address, current in self._node_fixes.items():
            status = self.session.nodes.statuses.get(address)
            if current.phase is _Phase.CHECKING and status is not None and status.state is not NodeState.CHECKING:
                current.phase = _Phase.IDLE
        self._show()

    def on_rows_highlighted(self, event: Rows.Highlighted) -> None:
        self._show_detail()

    def on_rows_chosen(self, event: Rows.Chosen) -> None:
        """Open a dialog for the row under the cursor: the details of a fix step, or the fix script of a node."""
        address, step = self._under_cursor()
        if step is not None:
            text = self._step_text(address, step)
            if step.requirement == INIT and self._init is not None:
                text.append("\n" + self._init.content.decode(errors="replace"))
            self.app.push_screen(Read(step.requirement, text))
        elif address and (steps := self._chosen(address)):
            self.app.push_screen(Read(address, Text(script(steps, f"{BACKUPS}/preview"))))

    def action_choose(self) -> None:
        address, step = self._under_cursor()
        if step is not None and self._node_fix(address).phase is _Phase.IDLE:
            picked = frozenset(one.requirement for one in self._chosen(address))
            self._node_fix(address).chosen = picked ^ {step.requirement}
            self._show()

    @work
    async def action_name(self) -> None:
        """Ask for the new host name of the node under the cursor."""
        address, _step = self._under_cursor()
        if address:
            question = _(
                "Enter the new host name of {node}. Use only lower-case letters, digits, hyphens and dots."
            ).format(node=address)
            name = await self.app.push_screen_wait(
                Ask(pgettext("dialog", "Host name"), question, self._node_fix(address).hostname or "")
            )
            if name is not None:
                self._node_fix(address).hostname = name.strip() or None
                self._show()

    @work
    async def action_apply(self) -> None:
        """After a confirmation, apply the chosen fix steps to the node under the cursor."""
        address, _step = self._under_cursor()
        node = next((node for node in self.session.plan.nodes if node.address == address), None)
        steps = self._chosen(address) if address else ()
        if node is None or not steps or self._node_fix(address).phase is not _Phase.IDLE:
            return
        current = self._node_fix(address)
        current.phase = _Phase.CONFIRMING
        if not await require_confirmed_hosts(self.app, self.session):
            current.phase = _Phase.IDLE
            current.messages = [hosts_not_confirmed()]
            self._show()
            return
        job = self._job(node, steps)
        changes = question(job, await preview_removals(job))
        if not await self.app.push_screen_wait(
            Confirm(pgettext("question", "Change {node}?").format(node=address), changes)
        ):
            current.phase = _Phase.IDLE
            return
        current.phase, current.steps, current.done, current.messages = _Phase.CHANGING, steps, {}, []
        self._show()
        async for event in fix((job,)):
            match event:
                case StepDone():
                    current.done[event.requirement] = event
                case SecondLogin():
                    current.messages.append(event.detail)
                case NodeFixed():
                    undo = _("To undo the changes, run this command on the node: {command}").format(command=job.undo)
                    current.messages += [text for text in (event.detail, undo if event.started else "") if text]
            self._show()
        current.phase, current.chosen = _Phase.CHECKING, None
        self.session.nodes.check(node)
        self._show()

    def action_close(self) -> None:
        """Close the screen, unless a fix is running on a node. Closing would lose the result of that fix."""
        if not any(current.phase is _Phase.CHANGING for current in self._node_fixes.values()):
            self.dismiss(None)

    def _job(self, node: Node, steps: tuple[FixStep, ...]) -> Job:
        return Job(
            target(self.session.plan, node, self.session.address_map, plan_dir=self.session.package.base),
            self.session.nodes.known_hosts.get(node.address),
            steps,
            new_folder(now()),
            secret_mask(self.session.plan),
            self._init if any(step.requirement == INIT for step in steps) else None,
        )

    def _node_fix(self, address: str) -> _NodeFix:
        return self._node_fixes.setdefault(address, _NodeFix())

    def _steps(self, address: str) -> tuple[FixStep, ...]:
        """Return the fix steps of a node: the steps of the last fix, then the other available steps."""
        made = self._node_fix(address).steps
        known = {step.requirement for step in made}
        return (*made, *(step for step in self._available[address].steps if step.requirement not in known))

    def _chosen(self, address: str) -> tuple[FixStep, ...]:
        return selected(self._available[address].steps, self._node_fix(address).chosen)

    def _under_cursor(self) -> tuple[str, FixStep | None]:
        """Return the node address (or "") and the fix step (or None) of the row under the cursor."""
        address, _space, requirement = self.query_one(Rows).key.partition(" ")
        if address not in self._available:
            return "", None
        return address, next((s for s in self._steps(address) if s.requirement == requirement), None)

    def _show(self) -> None:
        session = self.session
        self._available = {
            node.address: available_fixes(
                session.plan,
                node,
                session.nodes.facts[node.address],
                session.verdicts,
                hostname=self._node_fix(node.address).hostname,
                init=self._init,
            )
            for node in session.plan.nodes
            if node.address in session.nodes.facts
        }
        self.query_one(Rows).show(list(self._rows()))
        waiting = len(session.plan.nodes) - len(self._available)
        title = Text(_("Press y to fix a node. acp-tui backs up files first."), "dim")
        if waiting:
            message = ngettext("{count} node not checked yet", "{count} nodes not checked yet", waiting)
            title.append("  " + message.format(count=waiting))
        self.query_one("#fix-title", Panel).show(title)
        self._show_detail()

    def _rows(self) -> Iterator[Row]:
        for address, offered in self._available.items():
            steps, picked = self._steps(address), self._chosen(address)
            name = secret_mask(self.session.plan)(self.session.nodes.facts[address].hostname or "")
            head = Text.assemble((f" {address:<16}", "bold"), f"{name:<20} ", self._state(address, len(picked)))
            yield Row(address, head)
            outcomes = self._results(address)
            for step in steps:
                mark, style = "[x]" if step in picked else "[ ]", ""
                if (result := outcomes.get(step.requirement)) is not None and step not in picked:
                    mark, style = f" {outcome_mark(result.outcome)[0]} ", outcome_mark(result.outcome)[1]
                gone = f" {glyphs().warned} " + pgettext("fix", "not reversible") if step.destructive else ""
                line = Text.assemble(
                    "   ", (mark, style), f" {step.requirement:<20} ", step.title, (gone, "bold yellow")
                )
                yield Row(f"{address} {step.requirement}", line)
            for rest in offered.manual:
                line = Text(f"     - {rest.requirement:<20} ", "dim").append(
                    pgettext("fix", "fix manually: {reason}").format(reason=rest.reason)
                )
                yield Row(f"{address} {rest.requirement}", line)

    def _state(self, address: str, picked: int) -> tuple[str, str]:
        match self._node_fix(address).phase:
            case _Phase.CHANGING:
                return _("changing the node"), "cyan"
            case _Phase.CHECKING:
                return pgettext("fix", "checking again"), "cyan"
            case _:
                chosen_steps = npgettext("fix", "{count} step chosen", "{count} steps chosen", picked).format(
                    count=picked
                )
                return (chosen_steps, "bold") if picked else (pgettext("fix", "no step chosen"), "dim")

    def _results(self, address: str) -> dict[str, FixResult]:
        """Return the results of the last fix by requirement ID. Empty until the recheck of the node ends."""
        current = self._node_fix(address)
        if not current.steps or current.phase in (_Phase.CHANGING, _Phase.CHECKING):
            return {}
        return {result.requirement: result for result in fix_results(address, current.steps, self.session.verdicts)}

    def _show_detail(self) -> None:
        address, step = self._under_cursor()
        text = Text()
        if step is not None:
            text = self._step_text(address, step)
        elif address:
            text = Text("\n".join(self._node_fix(address).messages))
            for requirement in self._available[address].pending:
                message = _("The fix of {rule} takes effect after a reboot. Reboot the node yourself.")
                text.append("\n" + message.format(rule=requirement))
        self.query_one("#fix-detail", Panel).show(text)

    def _step_text(self, address: str, step: FixStep) -> Text:
        done = self._node_fix(address).done.get(step.requirement)
        return step_detail(step, done, self._results(address).get(step.requirement))
