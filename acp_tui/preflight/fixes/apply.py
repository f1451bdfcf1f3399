"""Carrying steps out on nodes, all at once: one script a node, then a second login where sshd was changed.

Events come as they happen. However a node's pass ends, its last event is a `NodeFixed`; undo.sh there takes it back.
"""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime

from acp_tui.core.concurrency import Work, merge_events
from acp_tui.core.i18n import _
from acp_tui.nodes.events import NodeStage
from acp_tui.nodes.script import LAUNCH, Collector, CollectorOutput, Reader, build
from acp_tui.nodes.ssh.connection import DEADLINES, ConnectError, Connection, ConnectionLost, Deadlines, Target, connect
from acp_tui.preflight.fixes.script import BACKUPS, GUARD, NOTHING_CHANGED, SECOND_LOGIN, script
from acp_tui.preflight.fixes.step import FixStep, InitScript

_SECOND_LOGIN_WITHIN = GUARD * 3 / 4  # seconds; the rest is for taking it back before the node does so itself
_TRIES_AFTER_RELOAD = 5
_INIT_WITHIN = 3600.0
_PACKAGES_WITHIN = 900.0
_LOOK_WITHIN = 60


@dataclass(frozen=True)
class Job:
    """What to do on one node, and how to get in. `folder`: where copies go there, below `script.BACKUPS`."""

    target: Target
    pinned: str | None
    steps: tuple[FixStep, ...]
    folder: str
    init: InitScript | None = None
    """Needed where PRE-INIT is one of the steps."""

    @property
    def undo(self) -> str:
        """The command that takes it back, for a person on the node."""
        return f"bash {self.folder}/undo.sh"


@dataclass(frozen=True)
class StepDone:
    """A step's commands have ended: exit status, and the end of what they said (cleaned of control characters)."""

    address: str
    requirement: str
    status: int
    output: str


@dataclass(frozen=True)
class SecondLogin:
    """Whether the changed settings of sshd were kept, and what happened."""

    address: str
    kept: bool
    detail: str


@dataclass(frozen=True)
class NodeFixed:
    """The pass over a node is over. `detail`: what broke it off, "" when nothing did. `begun`: something may have been
    changed."""

    address: str
    detail: str
    begun: bool


FixEvent = NodeStage | StepDone | SecondLogin | NodeFixed


def new_folder(now: datetime) -> str:
    """A folder for the copies of one fix."""
    return f"{BACKUPS}/{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"


async def fix(jobs: Sequence[Job], deadlines: Deadlines = DEADLINES) -> AsyncGenerator[FixEvent, None]:
    """Carry out `jobs`, one a node, all at once. The caller has the operator's consent for each of them.

    Closing the generator cuts the connections; what a node has begun by then it brings to its end by itself."""

    def pass_over(job: Job) -> Work[FixEvent]:
        async def follow(emit: Callable[[FixEvent], None]) -> None:
            emit(await _Pass(job, deadlines, emit).go())

        return follow

    async with aclosing(merge_events(map(pass_over, jobs))) as events:
        async for event in events:
            yield event


async def look(job: Job, deadlines: Deadlines = DEADLINES) -> Mapping[str, str]:
    """What would go with the destructive steps of `job`, by requirement. Only reads; failures are told in the text."""
    steps = [step for step in job.steps if step.look is not None]
    snippets = tuple(Collector(step.name, (), step.look or "", lambda reading: {}, _LOOK_WITHIN) for step in steps)
    if not steps:
        return {}
    marker = secrets.token_hex(12)
    shown: dict[str, str] = {}
    why = _("the node did not say")
    try:
        connection = await connect(job.target, job.pinned, _unheard, deadlines)
        try:
            async with asyncio.timeout(len(steps) * _LOOK_WITHIN + deadlines.session):
                async for reading in _readings(connection, build(snippets, marker), marker, deadlines):
                    shown[reading.name] = reading.text.strip()
        finally:
            await connection.close()
    except ConnectError as error:
        why = error.detail
    except (ConnectionLost, TimeoutError) as error:
        why = str(error) or why
    return {
        step.requirement: shown.get(step.name) or _("what would go is not known: {why}").format(why=why)
        for step in steps
    }


@dataclass
class _Pass:
    job: Job
    deadlines: Deadlines
    tell: Callable[[FixEvent], None]
    begun: bool = False

    async def go(self) -> NodeFixed:
        address = self.job.target.address
        try:
            connection = await connect(self.job.target, self.job.pinned, self.reached, self.deadlines)
        except ConnectError as error:
            return NodeFixed(address, error.detail, False)
        detail = ""
        try:
            async with asyncio.timeout(self.patience):
                detail = await self.carry_out(connection)
        except ConnectError as error:
            detail = error.detail
        except ConnectionLost as error:
            detail = _("{why}; what was begun there goes on to its end").format(why=error)
        except TimeoutError:
            detail = _("not done within {seconds:g} s").format(seconds=self.patience)
        finally:
            await connection.close()
        return NodeFixed(address, detail, self.begun)

    @property
    def patience(self) -> float:
        own = _INIT_WITHIN if self.job.init else 0
        return own + _PACKAGES_WITHIN + _SECOND_LOGIN_WITHIN

    async def carry_out(self, connection: Connection) -> str:
        """What went wrong beside the steps; "" when nothing did."""
        job = self.job
        if job.init is not None:
            await _put(connection, job.init.content, f"{job.folder}/init.sh", self.deadlines)
        requirements = {step.name: step.requirement for step in job.steps}
        marker = secrets.token_hex(12)
        program = script(job.steps, job.folder, marker)
        login: CollectorOutput | None = None
        self.begun = True
        async for reading in _readings(connection, program, marker, self.deadlines):
            if reading.name == SECOND_LOGIN:
                login = reading
            elif requirement := requirements.pop(reading.name, ""):
                self.tell(StepDone(job.target.address, requirement, reading.status, reading.text.strip()))
        if requirements:
            said = connection.stderr or _("it stopped halfway")
            return _("the node did not run all of it: {said}").format(said=said)
        if login is not None and login.status != NOTHING_CHANGED:
            self.tell(await self.second_login(connection, login))
        return ""

    async def second_login(self, first: Connection, reading: CollectorOutput) -> SecondLogin:
        address = self.job.target.address
        if reading.status != 0:
            words = _("sshd does not take the new settings, they were put back: {said}")
            return SecondLogin(address, False, words.format(said=" ".join(reading.text.split())))
        try:
            async with asyncio.timeout(_SECOND_LOGIN_WITHIN):
                second = await self.connect_again(first.host_key)
                try:
                    said = await self.decide(second, "keep")
                finally:
                    await second.close()
        except ConnectError as error:
            why = error.detail
        except (ConnectionLost, TimeoutError) as error:
            why = str(error) or _("it took too long")
        else:
            if said == "kept":
                return SecondLogin(address, True, _("a second login works, the new settings of sshd are kept"))
            why = _("it came too late")
        try:
            restored = await self.decide(first, "back") == "restored"
        except (ConnectError, ConnectionLost):
            restored = False
        words = _("a second login failed ({why}); sshd's settings were put back")
        if not restored:
            words = _("a second login failed ({why}); the node puts sshd's settings back within {seconds} s by itself")
        return SecondLogin(address, False, words.format(why=why, seconds=GUARD))

    async def connect_again(self, host_key: str) -> Connection:
        """Log in once more. For a moment after the reload sshd does not listen: that alone is no failure."""
        for _attempt in range(_TRIES_AFTER_RELOAD):
            try:
                return await connect(self.job.target, host_key, _unheard, self.deadlines)
            except ConnectError as error:
                if error.stage != "tcp":
                    raise
            await asyncio.sleep(1)
        return await connect(self.job.target, host_key, _unheard, self.deadlines)

    async def decide(self, connection: Connection, word: str) -> str:
        """Tell the node's guard to `keep` sshd's settings or to take them `back`; what it did: `kept`, `restored`."""
        marker = secrets.token_hex(12)
        program = (
            f"cd {self.job.folder} || exit\n: >{word}\nleft=20\n"
            'until [ -e kept ] || [ -e restored ] || [ "$left" -eq 0 ]; do sleep 0.5; left=$((left - 1)); done\n'
            f'printf "%s\\n" "{marker} decided"\n[ ! -e kept ] || printf kept\n[ ! -e restored ] || printf restored\n'
            f'printf "\\n%s\\n" "{marker} decided 0"\n'
        )
        answers = [r.text.strip() async for r in _readings(connection, program, marker, self.deadlines)]
        return answers[0] if answers else ""

    def reached(self, stage: str) -> None:
        self.tell(NodeStage(self.job.target.address, stage))


async def _readings(
    connection: Connection, program: str, marker: str, deadlines: Deadlines
) -> AsyncGenerator[CollectorOutput, None]:
    """What a program run as root says between its marks, until it ends."""
    reader = Reader(marker)
    async with aclosing(connection.run(LAUNCH, program, _unheard, deadlines.session)) as answer:
        async for chunk in answer:
            for reading in reader.feed(chunk):
                yield reading


async def _put(connection: Connection, content: bytes, path: str, deadlines: Deadlines) -> None:
    """Write a file on the node as root. Whether it arrived whole is for the script to see, by its sum."""
    folder = path.rpartition("/")[0]
    command = (
        'sh -c \'root=; [ "$(id -u)" -eq 0 ] || root="sudo -n"; '
        f"umask 077; $root mkdir -p {folder} && exec $root tee {path} >/dev/null'"
    )
    async with aclosing(connection.run(command, content, _unheard, deadlines.session)) as answer:
        async for _chunk in answer:
            pass


def _unheard(stage: str) -> None:
    """Stages of a connection that nobody waits for."""
