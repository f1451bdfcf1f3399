"""Collect the facts of one node. Connect, run all collectors in one script, and emit facts when they arrive.

The last event is always a `NodeFinished` with all collected facts. When the events end, the connection is closed.
"""

import asyncio
import secrets
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass, field, replace

from acp_tui.core.concurrency import merge_events
from acp_tui.core.i18n import _
from acp_tui.core.text import one_line
from acp_tui.nodes.collectors import CLOCK, COLLECTORS, Parsed, facts_from, read_clock
from acp_tui.nodes.events import FactsUpdated, LocalFactsDone, NodeEvent, NodeFinished, NodeStage
from acp_tui.nodes.fact_types import Clock
from acp_tui.nodes.facts import Facts
from acp_tui.nodes.script import LAUNCH, LAUNCH_PLAIN, MAX_OUTPUT, Collector, CollectorOutput, Reader, build
from acp_tui.nodes.ssh.connect import connect
from acp_tui.nodes.ssh.connection import Connection
from acp_tui.nodes.ssh.deadlines import DEADLINES, Deadlines
from acp_tui.nodes.ssh.errors import ConnectError, ConnectionLost, no_bash, script_timed_out
from acp_tui.nodes.ssh.target import Target
from acp_tui.nodes.state import NodeState
from acp_tui.plan.known_hosts import KnownHost

_TTY_REQUIRED = "must have a tty"  # part of sudo's message under `requiretty`
_CLOCK_UNCERTAIN = 1.0  # seconds of uncertainty from which the clock is read a second time
_CONNECTIVITY_GRACE = 0.1  # seconds for the connectivity tests before LocalFactsDone is emitted


async def collect_facts(
    target: Target,
    known_host: KnownHost | None,
    *,
    deadlines: Deadlines = DEADLINES,
    collectors: tuple[Collector, ...] = COLLECTORS,
) -> AsyncGenerator[NodeEvent, None]:
    """Run `collectors` on a node, and yield the events of the collection.

    `known_host`: the host keys that are accepted; None for the first connection. `NodeStage` and `FactsUpdated` occur
    several times. `LocalFactsDone` occurs once, if the connectivity tests take longer than the other collectors. The
    last event is always a `NodeFinished`."""

    async def run(emit: Callable[[NodeEvent], None]) -> None:
        emit(await _Collection(target, known_host, deadlines, collectors, emit).run())

    async with aclosing(merge_events([run])) as events:
        async for event in events:
            yield event


@dataclass
class _Collection:
    target: Target
    known_host: KnownHost | None
    deadlines: Deadlines
    collectors: tuple[Collector, ...]
    emit: Callable[[NodeEvent], None]
    outputs: list[CollectorOutput] = field(default_factory=list)
    outputs_without_terminal: list[CollectorOutput] = field(default_factory=list)
    """The outputs of the first run, if sudo requires a terminal and all collectors run a second time; else empty."""
    parsed: dict[CollectorOutput, Parsed] = field(default_factory=dict)
    clock: Clock | None = None
    connection: Connection | None = None
    local_timer: asyncio.TimerHandle | None = None
    """The timer that emits `LocalFactsDone`. It starts when all local facts are collected."""
    deadline: asyncio.Timeout | None = None
    """The deadline of the script. It is short until the script starts."""
    started: bool = False
    """True if the node runs the script."""

    async def run(self) -> NodeFinished:
        address = self.target.address
        try:
            self.connection = await connect(self.target, self.known_host, self.emit_stage, self.deadlines)
        except ConnectError as error:
            return NodeFinished(address, error.state, self.facts(error.detail), error.detail, error.host_key)
        try:
            return await self.collect()
        except TimeoutError:
            seconds = self.deadlines.script if self.started else self.start_seconds
            return self.finish(NodeState.TIMEOUT, script_timed_out(seconds, started=self.started))
        except ConnectError as error:
            return self.finish(error.state, error.detail)
        except ConnectionLost as error:
            return self.finish(NodeState.LOST, str(error))
        finally:
            if self.local_timer is not None:
                self.local_timer.cancel()
            await self.connection.close()

    @property
    def start_seconds(self) -> float:
        """Return the seconds within which the script must start."""
        return min(self.deadlines.start, self.deadlines.script)

    async def collect(self) -> NodeFinished:
        async with asyncio.timeout(self.start_seconds) as self.deadline:
            last_message = await self.stream(self.collectors, LAUNCH)
        if not self.outputs:
            return self.finish(NodeState.AUTH_FAILED, no_bash(last_message))
        if len(self.outputs) < len(self.collectors):
            return self.finish(
                NodeState.LOST, _("the node stopped sending output before the collection of facts ended")
            )
        if _TTY_REQUIRED in (self.facts(None).sudo_message or ""):
            await self.collect_on_terminal()
        if self.clock is not None and self.clock.uncertainty > _CLOCK_UNCERTAIN:
            with suppress(ConnectError, ConnectionLost, TimeoutError):  # the first value stays valid, but is less exact
                async with asyncio.timeout(self.deadlines.session):
                    await self.stream((CLOCK,), LAUNCH_PLAIN)
        return self.finish(*self.outcome(self.facts("")))

    async def collect_on_terminal(self) -> None:
        """Run all collectors again as root on a terminal, because sudo on this node requires a terminal."""
        self.outputs, self.outputs_without_terminal = [], self.outputs
        with suppress(ConnectError, ConnectionLost, TimeoutError):  # facts that need no root are collected already
            async with asyncio.timeout(self.deadlines.script):
                await self.stream(self.collectors, LAUNCH, terminal=True)

    async def stream(self, collectors: tuple[Collector, ...], command: str, *, terminal: bool = False) -> str:
        """Run `collectors` over one SSH channel and emit their facts. `command` starts their script.

        Return the end of its standard error; without standard error, the end of its standard output."""
        if self.connection is None:
            raise ConnectionLost
        marker = secrets.token_hex(12)
        reader = Reader(marker)
        pending = {collector.name for collector in collectors}
        local = {collector.name for collector in collectors if not collector.early}
        self.emit_stage("shell")
        program = build(collectors, marker)
        chunks = self.connection.run(command, program, self.emit_stage, self.deadlines.session, terminal=terminal)
        tail, remaining_bytes = b"", MAX_OUTPUT * (len(collectors) + 1)  # upper bound; more output than this is noise
        async with aclosing(chunks):
            async for chunk in chunks:
                tail, remaining_bytes = (tail + chunk)[-1000:], remaining_bytes - len(chunk)
                if not self.started and marker.encode() in tail + chunk:
                    self.extend_deadline()
                new = [output for output in reader.feed(chunk) if output.name in pending]
                for output in new:
                    pending.discard(output.name)
                    if output.name == CLOCK.name:
                        self.read_clock(output)
                if new and collectors is self.collectors:
                    self.outputs += new
                    self.emit(FactsUpdated(self.target.address, self.facts(None)))
                if not pending or remaining_bytes < 0:
                    break
                if local and local.isdisjoint(pending) and self.local_timer is None:
                    loop = asyncio.get_running_loop()
                    self.local_timer = loop.call_later(_CONNECTIVITY_GRACE, self.emit_local_facts)
        return self.connection.stderr or one_line(tail.decode(errors="replace"))

    def extend_deadline(self) -> None:
        """Extend the deadline to the time limit of the complete script, because the script has started."""
        self.started = True
        if self.deadline is not None and (until := self.deadline.when()) is not None:
            self.deadline.reschedule(until + self.deadlines.script - self.start_seconds)

    def read_clock(self, output: CollectorOutput) -> None:
        if self.connection is None:
            return
        try:
            clock = read_clock(output, self.connection.sent_at, time.time())
        except ValueError:
            return
        if self.clock is None or clock.uncertainty < self.clock.uncertainty:
            self.clock = clock

    def facts(self, no_output: str | None) -> Facts:
        """Return the facts collected so far.

        `no_output`: the reason why facts are missing if their collectors sent no output. None means that more output is
        expected."""
        outputs = [*self.outputs, *self.outputs_without_terminal]
        facts = facts_from(self.target.address, outputs, no_output, self.collectors, self.parsed)
        if self.outputs_without_terminal and facts.sudo:
            facts = replace(facts, sudo_terminal=True)
        missing = dict(facts.missing)
        if self.clock is None and no_output is not None:
            missing["clock"] = no_output or _("the node did not return its current time")
        if self.connection is None:
            return replace(facts, missing=missing)
        return replace(facts, missing=missing, clock=self.clock, host_key=self.connection.fingerprint)

    def emit_stage(self, stage: str) -> None:
        self.emit(NodeStage(self.target.address, stage))

    def emit_local_facts(self) -> None:
        """Emit LocalFactsDone, so that the user does not wait for the connectivity tests of the node."""
        facts = self.facts(_("the connectivity tests are still in progress"))
        if _TTY_REQUIRED not in (facts.sudo_message or ""):  # else all collectors run again on a terminal
            state, detail = self.outcome(facts)
            self.emit(LocalFactsDone(self.target.address, state, facts, detail))

    def finish(self, state: NodeState, detail: str) -> NodeFinished:
        key = self.connection.host_key if self.connection else None
        outputs = (*self.outputs, *self.outputs_without_terminal)
        return NodeFinished(self.target.address, state, self.facts(detail), detail, key, outputs)

    def outcome(self, facts: Facts) -> tuple[NodeState, str]:
        """Return the state of the node, and the reason if the state is not `CHECKED`."""
        if facts.sudo is False:
            message = (facts.sudo_message or "").split("\n")[-1]
            text = _("the user {user} is not root and cannot use sudo without a password: {message}")
            if _TTY_REQUIRED in message:
                text = _("the user {user} is not root, and sudo requires a terminal (requiretty): {message}")
            return NodeState.NO_SUDO, text.format(user=self.target.username, message=message)
        if facts.uid and facts.sudo is None:
            return NodeState.TIMEOUT, facts.missing_reason("sudo")
        return NodeState.CHECKED, ""
