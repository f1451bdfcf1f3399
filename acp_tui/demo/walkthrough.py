"""An unattended install on the practice cluster, with the engine of the wizard and the commands.

It finds the simulated faults, applies the proposed fixes unchanged, installs, and verifies the result.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

import asyncssh

from acp_tui.checks.labels import outcome_label, state_label
from acp_tui.checks.plan.evaluate_plan import evaluate_plan
from acp_tui.checks.verdict import Outcome, Verdict
from acp_tui.core.errors import ExitStatus
from acp_tui.core.i18n import _, ngettext, npgettext, pgettext
from acp_tui.demo.cluster import Practice, practice
from acp_tui.demo.installer_behaviour import Behaviour
from acp_tui.demo.machine_profile import cluster
from acp_tui.install.config.render import RenderError, render
from acp_tui.install.install_session import InstallSession, PackageReady
from acp_tui.install.observe.phase_labels import phase_label
from acp_tui.install.run.spawn_runner import RunError
from acp_tui.install.run.state import Phase, RunNotFound, RunState
from acp_tui.install.start import StartError
from acp_tui.install.verify.checklist import checklist
from acp_tui.nodes.events import NodeFinished
from acp_tui.package.archive_safety import PackageRefused
from acp_tui.package.blockers import PackageBlocked
from acp_tui.package.install_dir import UnpackFailed
from acp_tui.plan.known_hosts import confirmed, fingerprint
from acp_tui.preflight.host_keys import read_host_keys
from acp_tui.preflight.report.model import Report
from acp_tui.preflight.run import PreflightDone

_QUICK = Behaviour(seconds=4.0, setup_seconds=0.5)
_LABEL = "PRACTICE  "


class _Stopped(Exception):
    """The walkthrough cannot continue. The message has the reason."""


@dataclass(frozen=True)
class _Walkthrough:
    """The practice cluster, the install session, and the function `out` that prints a line."""

    practice: Practice
    session: InstallSession
    out: Callable[[str], None]

    def step(self, text: str) -> None:
        self.out(_LABEL + text)

    def detail(self, text: str) -> None:
        for line in text.splitlines():
            self.out(f"{_LABEL}    {line}")


async def walk(out: Callable[[str], None]) -> int:
    """Run the walkthrough, print each step, and return the exit status.

    The status is 0 if the cluster is installed and verified, and the configuration was sent exactly once; else 1.
    Raises: `PracticeUnavailable`."""
    try:
        async with practice(seconds=0.6, behaviour=_QUICK) as current:
            session = InstallSession(
                current.plan,
                {},
                current.state_home,
                current.folder,
                package=current.package_work(),
                address_map=current.address_map,
                settings=current.run_settings,
            )
            walkthrough = _Walkthrough(current, session, out)
            walkthrough.step(
                _("The nodes are simulated, and the package is signed with a temporary key. Nothing real is installed.")
            )
            await _walk(walkthrough)
    except _Stopped as stopped:
        out(_LABEL + pgettext("practice", "STOPPED: {reason}").format(reason=stopped))
        return ExitStatus.CHECK_FAILED
    out(_LABEL + _("The practice run is finished. The practice cluster is stopped and removed."))
    return ExitStatus.DONE


async def _walk(walkthrough: _Walkthrough) -> None:
    session = walkthrough.session
    assert session.package is not None
    for verdict in await session.package.verify(session.plan):
        if verdict.node is None:  # those of a node need its facts; the preflight has them
            walkthrough.detail(f"{outcome_label(verdict.outcome):<15} {verdict.requirement:<14} {verdict.observed}")
    walkthrough = await _confirm_host_keys(walkthrough)
    report = await _check(walkthrough)
    await _fix(walkthrough, _planted(walkthrough, report))
    report = await _check(walkthrough)
    if not report.ready:
        _require_no_blocker(report.verdicts, _("the practice nodes still have blockers after the fixes"))
        raise _Stopped(
            _("acp-tui could not check some of the practice nodes. The lines above show the state of each node")
        )
    walkthrough.step(pgettext("practice", "Preflight: ready"))
    await _verify(walkthrough, await _install(walkthrough, report))


async def _confirm_host_keys(walkthrough: _Walkthrough) -> _Walkthrough:
    """Read the host keys of the practice nodes, print them, and return the walkthrough in which they are confirmed."""
    session = walkthrough.session
    found = await read_host_keys(session.plan, [n.address for n in session.plan.nodes], session.address_map)
    keys = {address: key for address, key in found.items() if isinstance(key, str)}
    walkthrough.step(_("The host keys of the practice nodes are confirmed"))
    for address, key in keys.items():
        walkthrough.detail(f"{address}  {fingerprint(key)}")
    known_hosts = {address: confirmed(key) for address, key in keys.items()}
    return replace(walkthrough, session=replace(session, known_hosts=known_hosts))


async def _check(walkthrough: _Walkthrough) -> Report:
    """Check package, plan and nodes. Return the report."""
    report: Report | None = None
    try:
        async for event in walkthrough.session.check():
            match event:
                case PackageReady(folder, new=True):
                    walkthrough.step(
                        _("The signature of the package is verified, and the package is unpacked in {folder}").format(
                            folder=folder
                        )
                    )
                    _check_plan(walkthrough)
                case NodeFinished():
                    name = event.facts.hostname or ""
                    walkthrough.detail(f"{event.address}  {state_label(event.state)}  {name}  {event.detail}".rstrip())
                case PreflightDone():
                    report = event.report
    except (PackageBlocked, PackageRefused, UnpackFailed) as error:
        raise _Stopped(str(error)) from error
    if report is None:
        raise _Stopped(_("the preflight ended without a report. Run acp-tui demo --auto again"))
    return report


def _check_plan(walkthrough: _Walkthrough) -> None:
    plan = walkthrough.session.plan
    _require_no_blocker(evaluate_plan(plan), _("the plan of the practice cluster is not valid"))
    walkthrough.step(
        ngettext(
            "The plan has {count} node and no blockers", "The plan has {count} nodes and no blockers", len(plan.nodes)
        ).format(count=len(plan.nodes))
    )
    for waiver in plan.waivers:
        walkthrough.detail(
            pgettext("practice", "waived: {rule}: {reason}").format(rule=waiver.requirement, reason=waiver.reason)
        )


def _planted(walkthrough: _Walkthrough, report: Report) -> tuple[Verdict, ...]:
    """Return the blockers of the preflight. Stop the walkthrough if the preflight did not find a simulated fault."""
    blocking = tuple(verdict for verdict in report.verdicts if verdict.blocks)
    count = report.findings.blockers
    text = npgettext("practice", "Preflight: {count} blocker", "Preflight: {count} blockers", count)
    walkthrough.step(text.format(count=count))
    for verdict in blocking:
        walkthrough.detail(f"{verdict.node or '-':<12} {verdict.requirement:<20} {verdict.observed}")
    profiles = cluster()
    planted = {(profiles.faults[name].requirement, node.address) for node in profiles.machines for name in node.faults}
    missed = planted - {(verdict.requirement, verdict.node) for verdict in blocking}
    if missed:
        names = ", ".join(f"{rule} {node}" for rule, node in sorted(missed))
        raise _Stopped(_("the preflight did not find these simulated faults: {names}").format(names=names))
    return blocking


async def _fix(walkthrough: _Walkthrough, blocking: tuple[Verdict, ...]) -> None:
    """Run each proposed fix on its node, exactly as the finding proposes it."""
    for verdict in blocking:
        if verdict.node is None or verdict.outcome is not Outcome.FAIL:
            raise _Stopped(f"{verdict.requirement}: {verdict.observed}")
        walkthrough.step(
            pgettext("practice", "Fix on {node}: {rule}").format(node=verdict.node, rule=verdict.requirement)
        )
        walkthrough.detail(walkthrough.practice.filled(verdict.node, verdict.remedy))
        try:
            output = await walkthrough.practice.apply_fix(verdict.node, verdict.remedy)
        except (OSError, asyncssh.Error) as error:
            raise _Stopped(f"{verdict.node}: {error}") from error
        walkthrough.detail(output)


async def _install(walkthrough: _Walkthrough, report: Report) -> RunState:
    """Start the install and follow it to its end. Return its final state."""
    session, current = walkthrough.session, walkthrough.practice
    try:
        document = render(session.plan, session.plan_dir)
        walkthrough.step(_("acp-tui rendered the configuration ({count} bytes)").format(count=len(document.encode())))
        run_dir = await session.start(report)
    except (RenderError, StartError, RunError) as error:
        raise _Stopped(str(error)) from error
    bundle = session.home / "bundles" / run_dir.name
    walkthrough.step(
        pgettext("practice", "Bundle: {files}").format(files=", ".join(sorted(file.name for file in bundle.iterdir())))
    )
    state: RunState | None = None
    try:
        async with asyncio.timeout(session.settings.pace.overall):
            async for update in session.follow(run_dir):
                if state is None or update.state.phase is not state.phase:
                    walkthrough.step(
                        pgettext("practice", "Install: {phase}").format(phase=phase_label(update.state.phase))
                    )
                state = update.state
                for line in update.lines:
                    walkthrough.detail(f"{line.source}: {line.text}")
    except (RunNotFound, TimeoutError) as error:
        raise _Stopped(_("acp-tui could not follow the install: {reason}").format(reason=error)) from error
    if state is None or state.phase is not Phase.SUCCESS:
        raise _Stopped(state.message if state else _("the install did not start"))
    if (sent := current.posts().count) != 1:
        message = ngettext(
            "the configuration was sent {count} time, but it must be sent exactly once",
            "the configuration was sent {count} times, but it must be sent exactly once",
            sent,
        )
        raise _Stopped(message.format(count=sent))
    walkthrough.step(
        _("The practice install succeeded. A real platform would be at {url}").format(url=state.platform_url)
    )
    return state


async def _verify(walkthrough: _Walkthrough, run: RunState) -> None:
    """Verify the cluster as `acp-tui finish` does, and write the completion report."""
    session = walkthrough.session
    [finish] = [finish async for finish in session.verify(run, timedelta())]
    for verdict in finish.report.verdicts:
        walkthrough.detail(f"{outcome_label(verdict.outcome):<15} {verdict.requirement:<18} {verdict.observed}")
    _require_no_blocker(finish.report.verdicts, _("the installed cluster is not healthy"))
    walkthrough.step(_("The installed cluster is verified: it has no blockers"))
    for step in checklist(session.plan):
        walkthrough.detail(pgettext("practice", "remaining step: {title}").format(title=step.title))
    try:
        written = await session.write_report(run.spec.run_dir, finish, run)
    except OSError as error:
        raise _Stopped(str(error)) from error
    walkthrough.step(
        pgettext("practice", "Completion report: {files}").format(files=", ".join(file.name for file in written))
    )


def _require_no_blocker(verdicts: tuple[Verdict, ...], reason: str) -> None:
    blocking = [verdict for verdict in verdicts if verdict.blocks]
    if blocking:
        rules = "; ".join(f"{v.requirement} {v.node or ''}: {v.observed}" for v in blocking)
        raise _Stopped(f"{reason}: {rules}")
