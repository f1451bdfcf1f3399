"""Mending nodes from the preflight: what would be changed on each, step by step, and a yes for every node of its own.

Nothing is chosen that an undo could not bring back; of what removes for good, what would go is shown first.
"""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum, auto
from typing import ClassVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Static

from acp_tui.core.i18n import _, ngettext
from acp_tui.nodes.state import NodeState
from acp_tui.plan.model import Node
from acp_tui.preflight.fixes.apply import Job, NodeFixed, SecondLogin, StepDone, fix, new_folder, preview_removals
from acp_tui.preflight.fixes.init_script import find_init
from acp_tui.preflight.fixes.script import BACKUPS, script
from acp_tui.preflight.fixes.select import INIT, AvailableFixes, FixResult, available_fixes, fix_results, selected
from acp_tui.preflight.fixes.step import FixStep, InitScript
from acp_tui.preflight.run import target
from screens.dialogs.prompts import Ask, Confirm, Read
from screens.formatting.fix import about, bottom_line, question
from screens.formatting.glyphs import glyphs, outcome_mark
from screens.session.session import Changed, Session
from screens.widgets.panel import Panel
from screens.widgets.row_list import Row, Rows


class _Phase(Enum):
    IDLE = auto()
    ASKED = auto()
    CHANGING = auto()
    CHECKING = auto()


@dataclass
class _Work:
    """What the operator decided for one node, and what has come of it."""

    phase: _Phase = _Phase.IDLE
    picked: frozenset[str] | None = None
    """Requirements of the chosen steps; None: what is chosen without being asked."""
    hostname: str | None = None
    steps: tuple[FixStep, ...] = ()
    """Carried out the last time."""
    said: dict[str, StepDone] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)


class FixScreen(Screen[None]):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "leave", show=False),
        Binding("space", "pick", show=False),
        Binding("y", "change", show=False),
        Binding("n", "name", show=False),
    ]

    def __init__(self, session: Session, node: str | None = None) -> None:
        """`node`: whose steps the cursor is put on at first."""
        super().__init__()
        self.session = session
        self._first = node
        self._init: InitScript | None = None
        self._works: dict[str, _Work] = {}
        self._offers: Mapping[str, AvailableFixes] = {}

    def compose(self) -> ComposeResult:
        yield Static(Text.assemble((" acp-tui ", "bold reverse"), " " + _("Mending the nodes")), id="header")
        yield Panel(id="fix-title")
        yield Rows(id="steps", empty=_("There is nothing that could be changed on the nodes from here."))
        yield Panel(id="fix-detail")
        yield Static(bottom_line(), id="keys")

    async def on_mount(self) -> None:
        self._show()
        rows = self.query_one(Rows)
        if self._first is not None:
            rows.move_to(self._first)
        rows.focus()
        try:
            self._init = await asyncio.to_thread(find_init, self.session.package.target(self.session.plan))
        except OSError:
            return  # not unpacked: then it is not offered
        self._show()

    def session_changed(self, topic: Changed) -> None:
        """Something of the session is different."""
        if not self.is_mounted or topic is not Changed.VERDICTS:
            return
        for address, mine in self._works.items():
            seen = self.session.nodes.seen.get(address)
            if mine.phase is _Phase.CHECKING and seen is not None and seen.state is not NodeState.CHECKING:
                mine.phase = _Phase.IDLE
        self._show()

    def on_rows_highlighted(self, event: Rows.Highlighted) -> None:
        self._show_detail()

    def on_rows_chosen(self, event: Rows.Chosen) -> None:
        """The whole of a step, or the script of a node."""
        address, step = self._under_cursor()
        if step is not None:
            text = self._told_of(address, step)
            if step.requirement == INIT and self._init is not None:
                text.append("\n" + self._init.content.decode(errors="replace"))
            self.app.push_screen(Read(step.requirement, text))
        elif address and (steps := self._picked(address)):
            self.app.push_screen(Read(address, Text(script(steps, f"{BACKUPS}/preview"))))

    def action_pick(self) -> None:
        address, step = self._under_cursor()
        if step is not None and self._work(address).phase is _Phase.IDLE:
            picked = frozenset(one.requirement for one in self._picked(address))
            self._work(address).picked = picked ^ {step.requirement}
            self._show()

    @work
    async def action_name(self) -> None:
        """Say which host name the node under the cursor shall have."""
        address, _step = self._under_cursor()
        if address:
            question = _("Host name of {node}: lower-case letters, digits, hyphens and dots.").format(node=address)
            name = await self.app.push_screen_wait(Ask(_("Host name"), question, self._work(address).hostname or ""))
            if name is not None:
                self._work(address).hostname = name.strip() or None
                self._show()

    @work
    async def action_change(self) -> None:
        """Change the node under the cursor, once the operator has said yes to just this."""
        address, _step = self._under_cursor()
        node = next((node for node in self.session.plan.nodes if node.address == address), None)
        steps = self._picked(address) if address else ()
        if node is None or not steps or self._work(address).phase is not _Phase.IDLE:
            return
        mine = self._work(address)
        mine.phase = _Phase.ASKED
        job = self._job(node, steps)
        asked = question(job, await preview_removals(job))
        if not await self.app.push_screen_wait(Confirm(_("Change {node}?").format(node=address), asked)):
            mine.phase = _Phase.IDLE
            return
        mine.phase, mine.steps, mine.said, mine.told = _Phase.CHANGING, steps, {}, []
        self._show()
        async for event in fix((job,)):
            match event:
                case StepDone():
                    mine.said[event.requirement] = event
                case SecondLogin():
                    mine.told.append(event.detail)
                case NodeFixed():
                    undo = _("to take it back, on the node: {command}").format(command=job.undo)
                    mine.told += [text for text in (event.detail, undo if event.started else "") if text]
            self._show()
        mine.phase, mine.picked = _Phase.CHECKING, None
        self.session.nodes.probe(node)
        self._show()

    def action_leave(self) -> None:
        """Not while a node is being changed: its end would go unseen."""
        if not any(mine.phase is _Phase.CHANGING for mine in self._works.values()):
            self.dismiss(None)

    def _job(self, node: Node, steps: tuple[FixStep, ...]) -> Job:
        return Job(
            target(self.session.plan, node, self.session.dial, plan_dir=self.session.package.base),
            self.session.draft.host_keys.get(node.address),
            steps,
            new_folder(datetime.now(UTC)),
            self._init if any(step.requirement == INIT for step in steps) else None,
        )

    def _work(self, address: str) -> _Work:
        return self._works.setdefault(address, _Work())

    def _steps(self, address: str) -> tuple[FixStep, ...]:
        """What was carried out, then what else could be."""
        made = self._work(address).steps
        known = {step.requirement for step in made}
        return (*made, *(step for step in self._offers[address].steps if step.requirement not in known))

    def _picked(self, address: str) -> tuple[FixStep, ...]:
        return selected(self._offers[address].steps, self._work(address).picked)

    def _under_cursor(self) -> tuple[str, FixStep | None]:
        """Node and step of the row under the cursor; "" and None where there is none."""
        address, _space, requirement = self.query_one(Rows).key.partition(" ")
        if address not in self._offers:
            return "", None
        return address, next((s for s in self._steps(address) if s.requirement == requirement), None)

    def _show(self) -> None:
        session = self.session
        self._offers = {
            node.address: available_fixes(
                session.plan,
                node,
                session.nodes.facts[node.address],
                session.verdicts,
                hostname=self._work(node.address).hostname,
                init=self._init,
            )
            for node in session.plan.nodes
            if node.address in session.nodes.facts
        }
        self.query_one(Rows).show(list(self._rows()))
        waiting = len(session.plan.nodes) - len(self._offers)
        told = _("Each node is changed only after a yes of its own; files are copied first.")
        if waiting:
            unseen = ngettext("{count} node was not looked at", "{count} nodes were not looked at", waiting)
            told += "  " + unseen.format(count=waiting)
        self.query_one("#fix-title", Panel).show(Text(told, "dim"))
        self._show_detail()

    def _rows(self) -> Iterator[Row]:
        for address, offered in self._offers.items():
            steps, picked = self._steps(address), self._picked(address)
            name = self.session.nodes.facts[address].hostname or ""
            head = Text.assemble((f" {address:<16}", "bold"), f"{name:<20} ", self._state(address, len(picked)))
            yield Row(address, head)
            outcomes = self._results(address)
            for step in steps:
                mark, style = "[x]" if step in picked else "[ ]", ""
                if (result := outcomes.get(step.requirement)) is not None and step not in picked:
                    mark, style = f" {outcome_mark(result.outcome)[0]} ", outcome_mark(result.outcome)[1]
                gone = f" {glyphs().warned} " + _("removes for good") if step.destructive else ""
                line = Text.assemble(
                    "   ", (mark, style), f" {step.requirement:<20} ", step.title, (gone, "bold yellow")
                )
                yield Row(f"{address} {step.requirement}", line)
            for rest in offered.manual:
                line = Text(f"     - {rest.requirement:<20} ", "dim").append(
                    _("by hand: {why}").format(why=rest.reason)
                )
                yield Row(f"{address} {rest.requirement}", line)

    def _state(self, address: str, picked: int) -> tuple[str, str]:
        match self._work(address).phase:
            case _Phase.CHANGING:
                return _("is being changed"), "cyan"
            case _Phase.CHECKING:
                return _("is looked at again"), "cyan"
            case _:
                chosen_steps = ngettext("{count} step chosen", "{count} steps chosen", picked).format(count=picked)
                return (chosen_steps, "bold") if picked else (_("nothing chosen"), "dim")

    def _results(self, address: str) -> dict[str, FixResult]:
        """What became of the steps carried out, once the node was looked at again."""
        mine = self._work(address)
        if not mine.steps or mine.phase in (_Phase.CHANGING, _Phase.CHECKING):
            return {}
        return {result.requirement: result for result in fix_results(address, mine.steps, self.session.verdicts)}

    def _show_detail(self) -> None:
        address, step = self._under_cursor()
        text = Text()
        if step is not None:
            text = self._told_of(address, step)
        elif address:
            text = Text("\n".join(self._work(address).told))
            for requirement in self._offers[address].pending:
                text.append(f"\n{requirement}: " + _("waits for a reboot, which is left to you"))
        self.query_one("#fix-detail", Panel).show(text)

    def _told_of(self, address: str, step: FixStep) -> Text:
        said = self._work(address).said.get(step.requirement)
        return about(step, said, self._results(address).get(step.requirement))
