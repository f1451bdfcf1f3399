"""One pass over one node: connect, ask everything in one stream, tell what is learned as it comes.

However the pass ends, its last event is a `NodeFinished` that keeps all that was seen, and the connection is closed.
"""

import asyncio
import secrets
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass, field, replace

from acp_tui.core.concurrency import merge_events
from acp_tui.core.i18n import _
from acp_tui.core.text import sanitize
from acp_tui.nodes.collectors import CLOCK, SNIPPETS, Parsed, facts_from, read_clock
from acp_tui.nodes.events import FactsUpdated, LocalFactsDone, NodeEvent, NodeFinished, NodeStage
from acp_tui.nodes.facts import Clock, Facts
from acp_tui.nodes.script import LAUNCH, LAUNCH_PLAIN, MAX_OUTPUT, Collector, CollectorOutput, Reader, build
from acp_tui.nodes.ssh.connection import DEADLINES, ConnectError, Connection, ConnectionLost, Deadlines, Target, connect
from acp_tui.nodes.ssh.errors import no_bash, unfinished
from acp_tui.nodes.state import NodeState

_TERMINAL_WANTED = "must have a tty"  # sudo's words under `requiretty`
_CLOCK_DOUBT = 1.0  # seconds of uncertainty from which a clock is asked a second time
_A_MOMENT = 0.1  # seconds that a node may look around before it is said to have told all of itself


async def collect_facts(
    target: Target,
    pinned: str | None,
    *,
    deadlines: Deadlines = DEADLINES,
    snippets: tuple[Collector, ...] = SNIPPETS,
) -> AsyncGenerator[NodeEvent, None]:
    """Learn what `snippets` ask of a node. `pinned`: its known host key, `type base64`; None: first contact.

    Yields stages, then facts a few times, a NodeSeen where the node has to wait for others, and at the very end one
    NodeDone, in every case."""

    async def collect(emit: Callable[[NodeEvent], None]) -> None:
        emit(await _Pass(target, pinned, deadlines, snippets, emit).go())

    async with aclosing(merge_events([collect])) as events:
        async for event in events:
            yield event


@dataclass
class _Pass:
    target: Target
    pinned: str | None
    deadlines: Deadlines
    snippets: tuple[Collector, ...]
    tell: Callable[[NodeEvent], None]
    readings: list[CollectorOutput] = field(default_factory=list)
    without_terminal: list[CollectorOutput] = field(default_factory=list)
    """What was answered before a terminal had to be used."""
    parsed: dict[CollectorOutput, Parsed] = field(default_factory=dict)
    clock: Clock | None = None
    connection: Connection | None = None
    moment: asyncio.TimerHandle | None = None
    """Runs from when the node has told all of itself."""
    deadline: asyncio.Timeout | None = None
    """Of the script; near until the node runs it."""
    begun: bool = False
    """Whether the node runs the script."""

    async def go(self) -> NodeFinished:
        address = self.target.address
        try:
            self.connection = await connect(self.target, self.pinned, self.reached, self.deadlines)
        except ConnectError as error:
            return NodeFinished(address, error.state, self.facts(error.detail), error.detail, error.host_key)
        try:
            return await self.ask()
        except TimeoutError:
            patience = self.deadlines.script if self.begun else self.first_word
            return self.done(NodeState.TIMEOUT, unfinished(patience, begun=self.begun))
        except ConnectError as error:
            return self.done(error.state, error.detail)
        except ConnectionLost as error:
            return self.done(NodeState.LOST, str(error))
        finally:
            if self.moment is not None:
                self.moment.cancel()
            await self.connection.close()

    @property
    def first_word(self) -> float:
        """Seconds until the node has to run the script."""
        return min(self.deadlines.word, self.deadlines.script)

    async def ask(self) -> NodeFinished:
        async with asyncio.timeout(self.first_word) as self.deadline:
            complaint = await self.stream(self.snippets, LAUNCH)
        if not self.readings:
            return self.done(NodeState.AUTH_FAILED, no_bash(complaint))
        if len(self.readings) < len(self.snippets):
            return self.done(NodeState.LOST, _("the node stopped answering halfway"))
        if _TERMINAL_WANTED in (self.facts(None).sudo_message or ""):
            await self.ask_on_terminal()
        if self.clock is not None and self.clock.uncertainty > _CLOCK_DOUBT:
            with suppress(ConnectError, ConnectionLost, TimeoutError):  # the first answer stays good, only less exact
                async with asyncio.timeout(self.deadlines.session):
                    await self.stream((CLOCK,), LAUNCH_PLAIN)
        return self.done(*self.verdict(self.facts("")))

    async def ask_on_terminal(self) -> None:
        """sudo that wants a terminal gets one, and all is asked once more, as root."""
        self.readings, self.without_terminal = [], self.readings
        with suppress(ConnectError, ConnectionLost, TimeoutError):  # what needs no root is known already
            async with asyncio.timeout(self.deadlines.script):
                await self.stream(self.snippets, LAUNCH, terminal=True)

    async def stream(self, snippets: tuple[Collector, ...], command: str, *, terminal: bool = False) -> str:
        """Ask `snippets` over one channel, telling what is learned; gives back the last words of the command."""
        if self.connection is None:
            raise ConnectionLost
        marker = secrets.token_hex(12)
        reader = Reader(marker)
        names = {snippet.name for snippet in snippets}
        self.reached("shell")
        program = build(snippets, marker)
        answer = self.connection.run(command, program, self.reached, self.deadlines.session, terminal=terminal)
        printed, left = b"", MAX_OUTPUT * (len(snippets) + 1)  # who says more says nothing that was asked
        own = {snippet.name for snippet in snippets if not snippet.early}
        async with aclosing(answer):
            async for chunk in answer:
                printed, left = (printed + chunk)[-1000:], left - len(chunk)
                if not self.begun and marker.encode() in printed + chunk:
                    self.go_on()
                news = [reading for reading in reader.feed(chunk) if reading.name in names]
                for reading in news:
                    names.discard(reading.name)
                    if reading.name == CLOCK.name:
                        self.read_clock(reading)
                if news and snippets is self.snippets:
                    self.readings += news
                    self.tell(FactsUpdated(self.target.address, self.facts(None)))
                if not names or left < 0:
                    break
                if own and own.isdisjoint(names) and self.moment is None:
                    self.moment = asyncio.get_running_loop().call_later(_A_MOMENT, self.seen)
        return self.connection.complaint or " ".join(sanitize(printed.decode(errors="replace")).split())

    def go_on(self) -> None:
        """From now on the node may take its time."""
        self.begun = True
        if self.deadline is not None and (until := self.deadline.when()) is not None:
            self.deadline.reschedule(until + self.deadlines.script - self.first_word)

    def read_clock(self, reading: CollectorOutput) -> None:
        if self.connection is None:
            return
        try:
            clock = read_clock(reading, self.connection.asked_at, time.time())
        except ValueError:
            return
        if self.clock is None or clock.uncertainty < self.clock.uncertainty:
            self.clock = clock

    def facts(self, unanswered: str | None) -> Facts:
        readings = [*self.readings, *self.without_terminal]
        facts = facts_from(self.target.address, readings, unanswered, self.snippets, self.parsed)
        if self.without_terminal and facts.sudo:
            facts = replace(facts, sudo_terminal=True)
        gaps = dict(facts.gaps)
        if self.clock is None and unanswered is not None:
            gaps["clock"] = unanswered or _("the node told no time")
        if self.connection is None:
            return replace(facts, gaps=gaps)
        return replace(facts, gaps=gaps, clock=self.clock, host_key=self.connection.fingerprint)

    def reached(self, stage: str) -> None:
        self.tell(NodeStage(self.target.address, stage))

    def done(self, state: NodeState, detail: str) -> NodeFinished:
        key = self.connection.host_key if self.connection else None
        return NodeFinished(self.target.address, state, self.facts(detail), detail, key)

    def seen(self) -> None:
        """Nobody waits for this node any longer, though it waits for others."""
        facts = self.facts(_("still being looked at"))
        if _TERMINAL_WANTED not in (facts.sudo_message or ""):  # else all is asked once more
            state, detail = self.verdict(facts)
            self.tell(LocalFactsDone(self.target.address, state, facts, detail))

    def verdict(self, facts: Facts) -> tuple[NodeState, str]:
        if facts.sudo is False:
            said = (facts.sudo_message or "").split("\n")[-1]
            words = _("{user} is not root, and does not become it by sudo without a password: {said}")
            if _TERMINAL_WANTED in said:
                words = _("{user} is not root and sudo wants a terminal (requiretty): {said}")
            return NodeState.NO_SUDO, words.format(user=self.target.username, said=said)
        if facts.uid and facts.sudo is None:
            return NodeState.TIMEOUT, facts.gap("sudo")
        return NodeState.CHECKED, ""
