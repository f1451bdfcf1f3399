"""Apply fixes on several nodes at the same time.

Each node runs one script. If a fix changed sshd, a second login follows. The last event of every node is a `NodeFixed`.
The script `undo.sh` on the node undoes its fixes.
"""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

from acp_tui.core.concurrency import Work, merge_events
from acp_tui.core.i18n import _, pgettext
from acp_tui.nodes.events import NodeStage
from acp_tui.nodes.script import LAUNCH, Collector, CollectorOutput, Reader, build
from acp_tui.nodes.ssh.connect import connect
from acp_tui.nodes.ssh.connection import Connection
from acp_tui.nodes.ssh.deadlines import DEADLINES, Deadlines
from acp_tui.nodes.ssh.errors import ConnectError, ConnectionLost
from acp_tui.plan.known_hosts import KnownHost, confirmed
from acp_tui.plan.secret_mask import Mask
from acp_tui.preflight.fixes.job import FixEvent, Job, NodeFixed, SecondLogin, StepDone
from acp_tui.preflight.fixes.script import GUARD, NOTHING_CHANGED, SECOND_LOGIN, script

_SECOND_LOGIN_WITHIN = GUARD * 3 / 4  # seconds; the rest is for restoring the settings before the guard does so
_TRIES_AFTER_RELOAD = 5
_INIT_WITHIN = 3600.0  # seconds
_PACKAGES_WITHIN = 900.0  # seconds
_PREVIEW_WITHIN = 60  # seconds


async def fix(jobs: Sequence[Job], deadlines: Deadlines = DEADLINES) -> AsyncGenerator[FixEvent, None]:
    """Apply `jobs` on their nodes at the same time. The operator must have confirmed each of them before.

    If the caller closes the generator, the connections are closed. Steps that a node has already started continue to
    their end.
    """

    def task(job: Job) -> Work[FixEvent]:
        async def apply(emit: Callable[[FixEvent], None]) -> None:
            def emit_masked(event: FixEvent) -> None:
                emit(_masked(event, job.mask))

            emit_masked(await _NodeFix(job, deadlines, emit_masked).run())

        return apply

    async with aclosing(merge_events(map(task, jobs))) as events:
        async for event in events:
            yield event


def _masked(event: FixEvent, mask: Mask) -> FixEvent:
    match event:
        case StepDone():
            return replace(event, output=mask(event.output))
        case SecondLogin() | NodeFixed():
            return replace(event, detail=mask(event.detail))
        case NodeStage():
            return event


async def preview_removals(job: Job, deadlines: Deadlines = DEADLINES) -> Mapping[str, str]:
    """Return what the destructive steps of `job` would remove, by requirement ID.

    The function changes nothing on the node. If the list could not be read, the text is the error.
    """
    steps = [step for step in job.steps if step.preview is not None]
    if not steps:
        return {}
    collectors = tuple(
        Collector(step.name, (), step.preview or "", lambda output: {}, _PREVIEW_WITHIN) for step in steps
    )
    marker = secrets.token_hex(12)
    listed: dict[str, str] = {}
    reason = _("the node returned no list of what the fix would remove")
    try:
        connection = await connect(job.target, job.known_host, _ignore_stage, deadlines)
        try:
            async with asyncio.timeout(len(steps) * _PREVIEW_WITHIN + deadlines.session):
                async for output in _outputs(connection, build(collectors, marker), marker, deadlines):
                    listed[output.name] = output.text.strip()
        finally:
            await connection.close()
    except ConnectError as error:
        reason = error.detail
    except (ConnectionLost, TimeoutError) as error:
        reason = str(error) or reason
    unknown = _("acp-tui could not list what the fix would remove: {reason}").format(reason=reason)
    return {step.requirement: job.mask(listed.get(step.name) or unknown) for step in steps}


@dataclass
class _NodeFix:
    """The fix of one node: connect, run the script, confirm the settings of sshd with a second login."""

    job: Job
    deadlines: Deadlines
    emit: Callable[[FixEvent], None]
    started: bool = False

    async def run(self) -> NodeFixed:
        address = self.job.target.address
        try:
            connection = await connect(
                self.job.target, self.job.known_host, self.emit_stage, self.deadlines, changes=True
            )
        except ConnectError as error:
            return NodeFixed(address, error.detail, False)
        detail = ""
        try:
            async with asyncio.timeout(self.time_limit):
                detail = await self.run_steps(connection)
        except ConnectError as error:
            detail = error.detail
        except ConnectionLost as error:
            detail = _("{reason}; the node still completes the steps that it has started").format(reason=error)
        except TimeoutError:
            detail = _("the fix did not finish within {seconds:g} s").format(seconds=self.time_limit)
        finally:
            await connection.close()
        return NodeFixed(address, detail, self.started)

    @property
    def time_limit(self) -> float:
        """The maximum time in seconds for all steps of the node."""
        init = _INIT_WITHIN if self.job.init else 0
        return init + _PACKAGES_WITHIN + _SECOND_LOGIN_WITHIN

    async def run_steps(self, connection: Connection) -> str:
        """Run the script on the node. Return the error that occurred outside the steps; "" without such an error."""
        job = self.job
        if job.init is not None:
            await _put(connection, job.init.content, f"{job.folder}/init.sh", self.deadlines)
        requirements = {step.name: step.requirement for step in job.steps}
        marker = secrets.token_hex(12)
        program = script(job.steps, job.folder, marker)
        login: CollectorOutput | None = None
        self.started = True
        async for output in _outputs(connection, program, marker, self.deadlines):
            if output.name == SECOND_LOGIN:
                login = output
            elif requirement := requirements.pop(output.name, ""):
                self.emit(StepDone(job.target.address, requirement, output.status, output.text.strip()))
        if requirements:
            reason = connection.stderr or _("the script ended before its last step")
            return _("the node did not run all steps: {reason}").format(reason=reason)
        if login is not None and login.status != NOTHING_CHANGED:
            self.emit(await self.second_login(connection, login))
        return ""

    async def second_login(self, first: Connection, reload: CollectorOutput) -> SecondLogin:
        """Keep the new settings of sshd if a second login succeeds; otherwise restore the old settings."""
        address = self.job.target.address
        if reload.status != 0:
            text = _("sshd rejected the new settings; the old ones were restored: {output}")
            return SecondLogin(address, False, text.format(output=" ".join(reload.text.split())))
        try:
            async with asyncio.timeout(_SECOND_LOGIN_WITHIN):
                second = await self.connect_again(confirmed(first.host_key))
                try:
                    decision = await self.settle_guard(second, "keep")
                finally:
                    await second.close()
        except ConnectError as error:
            reason = error.detail
        except (ConnectionLost, TimeoutError) as error:
            reason = str(error) or pgettext("state", "timed out")
        else:
            if decision == "kept":
                return SecondLogin(address, True, _("the second login succeeded; the new settings of sshd are kept"))
            reason = _("the second login came too late: the timer on the node had already restored the old settings")
        try:
            restored = await self.settle_guard(first, "back") == "restored"
        except (ConnectError, ConnectionLost):
            restored = False
        text = _("the second login failed ({reason}); the settings of sshd were restored")
        if not restored:
            text = _("the second login failed ({reason}); the node restores the settings of sshd within {seconds} s")
        return SecondLogin(address, False, text.format(reason=reason, seconds=GUARD))

    async def connect_again(self, known: KnownHost) -> Connection:
        """Log in a second time.

        After a reload, sshd does not accept connections for a moment, so a refused connection is tried again.
        """
        for _attempt in range(_TRIES_AFTER_RELOAD):
            try:
                return await connect(self.job.target, known, _ignore_stage, self.deadlines)
            except ConnectError as error:
                if error.stage != "tcp":
                    raise
            await asyncio.sleep(1)
        return await connect(self.job.target, known, _ignore_stage, self.deadlines)

    async def settle_guard(self, connection: Connection, command: str) -> str:
        """Make the guard on the node keep the new settings of sshd, or restore the old ones.

        The guard is a timer that restores the old settings unless a second login succeeds. `command`: `keep` or `back`.
        Returns `kept` or `restored`; "" if the guard did not reply.
        """
        marker = secrets.token_hex(12)
        program = (
            f"cd {self.job.folder} || exit\n: >{command}\nleft=20\n"
            'until [ -e kept ] || [ -e restored ] || [ "$left" -eq 0 ]; do sleep 0.5; left=$((left - 1)); done\n'
            f'printf "%s\\n" "{marker} decided"\n[ ! -e kept ] || printf kept\n[ ! -e restored ] || printf restored\n'
            f'printf "\\n%s\\n" "{marker} decided 0"\n'
        )
        outputs = [output.text.strip() async for output in _outputs(connection, program, marker, self.deadlines)]
        return outputs[0] if outputs else ""

    def emit_stage(self, stage: str) -> None:
        self.emit(NodeStage(self.job.target.address, stage))


async def _outputs(
    connection: Connection, program: str, marker: str, deadlines: Deadlines
) -> AsyncGenerator[CollectorOutput, None]:
    """Run a program as root until it ends. Yield each part of its output between two marks.

    A mark is a line that contains `marker` and the name of a step.
    """
    reader = Reader(marker)
    async with aclosing(connection.run(LAUNCH, program, _ignore_stage, deadlines.session)) as chunks:
        async for chunk in chunks:
            for output in reader.feed(chunk):
                yield output


async def _put(connection: Connection, content: bytes, path: str, deadlines: Deadlines) -> None:
    """Write `content` to the file `path` on the node, as root.

    A truncated file does no harm, because the fix script verifies the checksum of the file before it runs it.
    """
    folder = path.rpartition("/")[0]
    command = (
        'sh -c \'root=; [ "$(id -u)" -eq 0 ] || root="sudo -n"; '
        f"umask 077; $root mkdir -p {folder} && exec $root tee {path} >/dev/null'"
    )
    async with aclosing(connection.run(command, content, _ignore_stage, deadlines.session)) as chunks:
        async for _chunk in chunks:
            pass


def _ignore_stage(stage: str) -> None:
    """Ignore the progress of a connection, because the operator does not wait for it."""
