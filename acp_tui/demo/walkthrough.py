"""The whole line walked unattended on the practice cluster, with the engine that the wizard and the commands use.

It looks for the faults that were planted, mends them by the hints alone, and says it is done only when it is.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import asyncssh

from acp_tui.checks.plan.evaluate import evaluate_plan
from acp_tui.checks.verdict import Outcome, Verdict
from acp_tui.core.errors import ExitStatus
from acp_tui.core.i18n import _, ngettext
from acp_tui.demo.cluster import Practice, practice
from acp_tui.demo.fake_installer import Behaviour
from acp_tui.demo.machine_profile import cluster
from acp_tui.install.config.render import RenderError, render
from acp_tui.install.observe.follow import follow
from acp_tui.install.run.spawn import RunError
from acp_tui.install.run.state import Phase, RunNotFound, RunState
from acp_tui.install.start import StartError, launch
from acp_tui.install.verify import completion_report as completion
from acp_tui.install.verify.checklist import checklist
from acp_tui.install.verify.collect import NodeAccess
from acp_tui.install.verify.run import verify
from acp_tui.nodes.events import NodeFinished
from acp_tui.package.install_dir import UnpackFailed
from acp_tui.package.service import PackageBlocked, PackageWork
from acp_tui.package.tar_members import PackageRefused
from acp_tui.preflight.report.model import Report
from acp_tui.preflight.run import PreflightDone, preflight

_QUICK = Behaviour(seconds=4.0, setup_seconds=0.5)
_LABEL = "PRACTICE  "


class _Stopped(Exception):
    """The walk cannot go on; the text says why."""


@dataclass(frozen=True)
class _Walk:
    """One walk: the practice it is on, the packages seen, and where its lines go."""

    practice: Practice
    work: PackageWork
    out: Callable[[str], None]

    def step(self, text: str) -> None:
        self.out(_LABEL + text)

    def detail(self, text: str) -> None:
        for line in text.splitlines():
            self.out(f"{_LABEL}    {line}")


async def walk(out: Callable[[str], None]) -> int:
    """Walk the line and tell each step; 0 only when the platform's address was reached by exactly one configuration
    sent, else 1. Raises `PracticeUnavailable`."""
    try:
        async with practice(seconds=0.6, behaviour=_QUICK) as current:
            line = _Walk(current, current.package_work(), out)
            line.step(_("Simulated nodes and a package signed with a throw-away key. Nothing real is installed."))
            await _walk(line)
    except _Stopped as stopped:
        out(_LABEL + _("STOPPED: {why}").format(why=stopped))
        return ExitStatus.NO
    out(_LABEL + _("The end was reached; the practice cluster is stopped and removed."))
    return ExitStatus.DONE


async def _walk(line: _Walk) -> None:
    plan = line.practice.plan
    await _unpack(line)
    _go_on(evaluate_plan(plan), _("the plan breaks its rules"))
    line.step(_("Plan: {count} nodes, no rule is broken").format(count=len(plan.nodes)))
    for waiver in plan.waivers:
        line.detail(_("waived: {rule}: {reason}").format(rule=waiver.requirement, reason=waiver.reason))
    report, host_keys = await _preflight(line, {})
    found = _planted(line, report)
    await _mend(line, found)
    report, host_keys = await _preflight(line, host_keys)
    if not report.ready:
        _go_on(report.verdicts, _("the nodes are not ready"))
        raise _Stopped(_("not every node could be looked at"))
    line.step(_("Preflight: ready"))
    await _install(line, report, host_keys)


async def _unpack(line: _Walk) -> None:
    plan, work = line.practice.plan, line.work
    for verdict in await work.verify(plan):
        if verdict.node is None:  # what needs the nodes is judged with them
            line.detail(f"{verdict.outcome.value:<8} {verdict.requirement:<14} {verdict.observed}")
    try:
        await work.unpack(plan)
    except (PackageBlocked, PackageRefused, UnpackFailed) as error:
        raise _Stopped(str(error)) from error
    line.step(_("Package: signature verified, unpacked to {folder}").format(folder=work.target(plan)))


async def _preflight(line: _Walk, pinned: Mapping[str, str]) -> tuple[Report, Mapping[str, str]]:
    """The report, package rules included, and the host keys seen."""
    plan = line.practice.plan
    report: Report | None = None
    host_keys: dict[str, str] = {}
    async for event in preflight(plan, known_hosts=pinned, address_map=line.practice.dial):
        if isinstance(event, NodeFinished):
            if event.host_key:
                host_keys[event.address] = event.host_key
            line.detail(f"{event.address}  {event.state.value}  {event.facts.hostname or ''}  {event.detail}".rstrip())
        elif isinstance(event, PreflightDone):
            report = event.report
    if report is None:
        raise _Stopped(_("the preflight gave no report"))
    package = await line.work.verdicts(plan)
    return replace(report, verdicts=(*package, *report.verdicts), finished=datetime.now(UTC)), host_keys


def _planted(line: _Walk, report: Report) -> tuple[Verdict, ...]:
    """What blocks; each planted fault must be among it, and nothing else."""
    blocking = tuple(verdict for verdict in report.verdicts if verdict.blocks)
    line.step(
        ngettext("Preflight: {count} finding blocks", "Preflight: {count} findings block", len(blocking)).format(
            count=len(blocking)
        )
    )
    for verdict in blocking:
        line.detail(f"{verdict.node or '-':<12} {verdict.requirement:<20} {verdict.observed}")
    known = cluster()
    planted = {(known.faults[name].requirement, node.address) for node in known.machines for name in node.faults}
    missed = planted - {(verdict.requirement, verdict.node) for verdict in blocking}
    if missed:
        names = ", ".join(f"{rule} {node}" for rule, node in sorted(missed))
        raise _Stopped(_("planted, but not found: {names}").format(names=names))
    return blocking


async def _mend(line: _Walk, blocking: tuple[Verdict, ...]) -> None:
    """Run the hints on the nodes, as they stand."""
    for verdict in blocking:
        if verdict.node is None or verdict.outcome is not Outcome.FAIL:
            raise _Stopped(f"{verdict.requirement}: {verdict.observed}")
        line.step(_("Mending {node}: {rule}").format(node=verdict.node, rule=verdict.requirement))
        line.detail(line.practice.filled(verdict.node, verdict.remedy))
        try:
            said = await line.practice.mend(verdict.node, verdict.remedy)
        except (OSError, asyncssh.Error) as error:
            raise _Stopped(f"{verdict.node}: {error}") from error
        line.detail(said)


async def _install(line: _Walk, report: Report, host_keys: Mapping[str, str]) -> None:
    current = line.practice
    try:
        document = render(current.plan, current.folder)
        line.step(_("Configuration rendered: {count} bytes").format(count=len(document.encode())))
        run_dir = await launch(
            current.plan,
            report,
            host_keys,
            current.state_home,
            base=current.folder,
            pace=current.pace,
            bases=(),
            installer_log=current.installer_log,
            guarded=False,
        )
    except (RenderError, StartError, RunError) as error:
        raise _Stopped(str(error)) from error
    bundle = current.state_home / "bundles" / run_dir.name
    line.step(_("Bundle: {files}").format(files=", ".join(sorted(file.name for file in bundle.iterdir()))))
    state: RunState | None = None
    try:
        async with asyncio.timeout(current.pace.overall):
            async for update in follow(run_dir):
                if state is None or update.state.phase is not state.phase:
                    line.step(_("Install: {phase}").format(phase=update.state.phase.value))
                state = update.state
                for said in update.lines:
                    line.detail(f"{said.source}: {said.text}")
    except (RunNotFound, TimeoutError) as error:
        raise _Stopped(_("the install was lost: {why}").format(why=error)) from error
    if state is None or state.phase is not Phase.SUCCESS:
        raise _Stopped(state.message if state else _("the install did not begin"))
    if (sent := current.posts().count) != 1:
        raise _Stopped(_("the configuration was sent {count} times, not once").format(count=sent))
    line.step(_("Installed. The platform would be at {url}").format(url=state.platform_url))
    await _verify(line, host_keys, state)


async def _verify(line: _Walk, host_keys: Mapping[str, str], run: RunState) -> None:
    """Look at the cluster as `finish` does; it counts as installed only when nothing of it blocks."""
    plan = line.practice.plan
    found = await verify(NodeAccess(plan, host_keys, line.practice.folder, line.practice.dial), run.updated)
    for verdict in found.report.verdicts:
        line.detail(f"{verdict.outcome.value:<8} {verdict.requirement:<18} {verdict.observed}")
    _go_on(found.report.verdicts, _("the installed cluster is not well"))
    line.step(_("Verified: nothing of the installed cluster blocks"))
    for todo in checklist(plan):
        line.detail(_("to do by hand: {what}").format(what=todo.title))
    try:
        written = completion.write(run.spec.run_dir, completion.completion(plan, found, run))
    except OSError as error:
        raise _Stopped(str(error)) from error
    line.step(_("Completion report: {files}").format(files=", ".join(file.name for file in written)))


def _go_on(verdicts: tuple[Verdict, ...], why: str) -> None:
    """Stop where something blocks."""
    blocking = [verdict for verdict in verdicts if verdict.blocks]
    if blocking:
        rules = "; ".join(f"{v.requirement} {v.node or ''}: {v.observed}" for v in blocking)
        raise _Stopped(f"{why}: {rules}")
