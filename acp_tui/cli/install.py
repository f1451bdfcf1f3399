"""Commands of the install: install, attach, status."""

import asyncio
import sys
from argparse import Namespace
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from acp_tui.cli.bundle import tell_changes
from acp_tui.cli.check import run_preflight, show_report
from acp_tui.cli.context import CommandFailed, OpenedPlan, confirm, open_plan, print_err, print_out, show_json
from acp_tui.cli.finish import exit_status, keep_report, look_at_it, reach_of, tell
from acp_tui.cli.package import unpack_packages
from acp_tui.cli.remote_install import install_remotely, is_remote_install
from acp_tui.cli.remote_status import attach_there, newer_trail, show_status_there
from acp_tui.core.errors import ExitStatus
from acp_tui.core.i18n import _
from acp_tui.core.state_dir import state_home
from acp_tui.install.config.render import RenderError, differences, render
from acp_tui.install.observe.failure import failure, previous_failure
from acp_tui.install.observe.follow import follow
from acp_tui.install.observe.labels import phase_label
from acp_tui.install.observe.timing import VENDOR, idle_time, is_stalled, typical_duration
from acp_tui.install.run.control import cancel, resume
from acp_tui.install.run.directory import damaged_run, last_run, newest_run
from acp_tui.install.run.spawn import RunError
from acp_tui.install.run.state import FINAL, Phase, RunNotFound, RunState, status
from acp_tui.install.start import StartError, launch
from acp_tui.install.verify.collect import NodeAccess
from acp_tui.install.verify.leftovers import find_leftovers, lines
from acp_tui.install.verify.run import SETTLING, now
from acp_tui.install.verify.triage import triage
from acp_tui.package.service import PackageWork
from acp_tui.plan.file import PlanErrors
from acp_tui.preflight.bundle import BundleCorrupt, open_bundle


def install(options: Namespace) -> int:
    """Preflight, unpack, bundle, setup.sh, configuration posted, progress followed, the cluster verified."""
    source = open_plan(options.plan, options.passphrase_file)
    run = _unfinished()
    if run is not None:
        return _go_on(run, source, options)
    # Several runs of the event loop: a single one would keep Ctrl-C from the question between them.
    if not _may_begin(source, again=options.again):
        return ExitStatus.NO
    return asyncio.run(_install(source, options))


def _may_begin(source: OpenedPlan, *, again: bool) -> bool:
    """Tell what a failed run has left, and whether a new one may begin in spite of it."""
    before = last_run(state_home())
    state = status(before) if before is not None else None
    if state is None or not previous_failure(state):
        return True
    left = asyncio.run(find_leftovers(reach_of(source), state))
    for line in lines(left):
        print_err(line)
    if left.blocks_new_install:
        return False
    return again or confirm(_("Start a new install?"), _("--again starts a new install all the same."))


async def _install(source: OpenedPlan, options: Namespace) -> int:
    _same_document(source)
    if is_remote_install(source.plan):
        return await install_remotely(source, await asyncio.to_thread(source.pinned), _flags(options))
    work = PackageWork(source.base)
    await unpack_packages(source.plan, work)
    report = await run_preflight(source, work=work)
    tell_changes(source, report)
    if not report.ready:
        show_report(report)
        return ExitStatus.NO
    keys = await asyncio.to_thread(source.pinned)
    try:
        run = await launch(source.plan, report, keys, state_home(), base=source.base)
    except (StartError, RunError) as failed:
        raise CommandFailed(str(failed)) from failed
    print_err(_("The install runs on its own now; acp-tui attach follows it from any terminal."))
    return await _to_the_end(run, source)


def _flags(options: Namespace) -> list[str]:
    """What was said beside the plan, for the same command on another machine."""
    told = ["--again"] if options.again else []
    told += ["--despite-changes"] if options.despite_changes else []
    return [*told, "--reached", options.reached] if options.reached else told


def _same_document(source: OpenedPlan) -> None:
    """A bundle is installed as it was reviewed: files that its plan names may have changed since. `CommandFailed`."""
    if source.bundle is None or source.bundle.document is None:
        return
    try:
        now = render(source.plan, source.base)
    except RenderError as error:
        raise CommandFailed("\n".join(f"{one.path}: {one.why}" for one in error.missing), ExitStatus.NO) from error
    if different := differences(source.bundle.document.get_secret_value(), now):
        words = _("The configuration would no longer be the one of the bundle, in {places}. Make the bundle anew.")
        raise CommandFailed(words.format(places=", ".join(different)), ExitStatus.NO)


def _unfinished() -> Path | None:
    """The last run, if it is not at its end."""
    run = last_run(state_home())
    return run if run is not None and status(run).phase not in FINAL else None


def _go_on(run: Path, source: OpenedPlan, options: Namespace) -> int:
    """Go on with a run that was interrupted or asks for what is now said; follow one that is going on."""
    print_err(_("An install is not finished: {folder}").format(folder=run))
    wanted = source.plan.kubernetes
    try:
        state = status(run)
        if state.interrupted:
            state = resume(run)
        if state.phase is Phase.NEEDS_VERSION and (wanted.version or wanted.container_runtime):
            resume(run, kubernetes=wanted.version, runtime=wanted.container_runtime)
        elif state.phase is Phase.POST_UNKNOWN:
            print_err(state.message)
            if (posted := _reached(options.reached)) is None:
                return ExitStatus.IMPOSSIBLE
            resume(run, posted=posted)
        elif state.phase is Phase.CHANGED:
            resume(run, despite=options.despite_changes)
    except RunError as refused:
        raise CommandFailed(str(refused), ExitStatus.NO) from refused
    return asyncio.run(_to_the_end(run, source))


def _reached(said: str | None) -> bool | None:
    """Whether the configuration has reached the installer, as the operator says; None: not said."""
    if said is not None:
        return said == "yes"
    without = _("--reached yes follows the install, --reached no sends the configuration again.")
    if confirm(_("Has the configuration reached the installer? A yes follows the install."), without):
        return True
    return False if sys.stdin.isatty() and confirm(_("Send the configuration again?"), without) else None


async def _to_the_end(run: Path, source: OpenedPlan) -> int:
    """Follow the run; success counts once the cluster itself has been looked at."""
    ended = await _follow(run)
    if status(run).phase is not Phase.SUCCESS:
        return ended
    print_err(_("Looking at the installed cluster, for up to {minutes} min.").format(minutes=SETTLING.seconds // 60))
    reach = replace(reach_of(source), pinned=await asyncio.to_thread(source.pinned))
    found = await look_at_it(reach, SETTLING)
    tell(found, reach)
    await asyncio.to_thread(keep_report, found, reach, source.base)
    return exit_status(found)


def attach(options: Namespace) -> int:
    """Follow the running or last install."""
    if (trail := newer_trail(_begun_here())) is not None:
        return attach_there(trail, give_up=options.give_up)
    run = _last()
    if options.give_up:
        return _give_up(run)
    ended = asyncio.run(_follow(run))
    _point_to_finish(status(run))
    return ended


def _give_up(run: Path) -> int:
    """End the run, asked twice; says what is left behind."""
    try:
        state = status(run)
        if state.phase in FINAL:
            raise CommandFailed(_("No install is going on: {state}").format(state=_stands(state)), ExitStatus.NO)
        print_err(_stands(state))
        print_err(_("What is already installed on the nodes stays there."))
        sure = confirm(_("Give up this install?"), _("Giving up is asked about on a terminal.")) and confirm(
            _("Really give up? A new start then needs cleaned nodes."), ""
        )
        if not sure:
            return ExitStatus.NO
        state = cancel(run)
    except (RunNotFound, RunError) as failed:
        raise CommandFailed(str(failed)) from failed
    print_out(_stands(state))
    return ExitStatus.DONE


def _point_to_finish(state: RunState) -> None:
    if state.phase is Phase.SUCCESS:
        print_out(_("Whether the cluster is well, and what is left to do: acp-tui finish PLAN"))


def show_status(options: Namespace) -> int:
    """The running or last install, once."""
    if (trail := newer_trail(_begun_here())) is not None:
        return show_status_there(trail, options)
    try:
        state = status(_last())
    except RunNotFound as error:
        raise CommandFailed(str(error)) from error
    if options.json:
        show_json(state_json(state))
    else:
        print_out(_told(state))
        _point_to_finish(state)
        if not state.at_rest:
            print_out(_moving(state))
        print_out(_("All that was written: {folder}").format(folder=state.spec.run_dir))
    if options.look and not state.at_rest:
        asyncio.run(_say_where(state))
    return _exit(state)


def state_json(state: RunState) -> dict[str, object]:
    """What `status --json` prints; nothing secret is in it."""
    return {
        "run": str(state.spec.run_dir),
        "phase": state.phase.value,
        "interrupted": state.interrupted,
        "started": state.started.isoformat(timespec="seconds"),
        "updated": state.updated.isoformat(timespec="seconds"),
        "message": state.message,
        "step": state.step,
        "failed_answers": state.failed_answers,
        "kubernetes": state.kubernetes,
        "container_runtime": state.runtime,
        "offered": {"kubernetes": list(state.offered_kubernetes), "container_runtime": list(state.offered_runtimes)},
        "setup_exit": state.setup_exit,
        "post_status": state.post_status,
        "platform": state.platform_url if state.phase is Phase.SUCCESS else None,
        "command": list(state.spec.command),
    }


async def _follow(run: Path) -> int:
    """Follow the run; where it does not move, look once where it hangs."""
    state: RunState | None = None
    alarmed = False
    try:
        async for update in follow(run):
            if state is None and not update.state.at_rest:
                print_err(_moving(update.state))
            state = update.state
            for line in update.lines:
                print_err(f"{line.source}: {line.text}" if line.source != "acp-tui" else line.text)
            if not alarmed and await asyncio.to_thread(is_stalled, state, now()):
                alarmed = True
                print_err(_moving(state))
                await _say_where(state)
    except RunNotFound as error:
        raise CommandFailed(str(error)) from error
    assert state is not None
    print_out(_told(state))
    return _exit(state)


def _moving(state: RunState) -> str:
    """How long it has taken, how long it usually takes, and for how long nothing has moved."""
    parts = [_("for {minutes} min").format(minutes=_minutes(now() - state.started))]
    if (known := typical_duration(state.spec.run_dir)) is not None:
        parts.append(_("usually {minutes} min in all").format(minutes=_minutes(known)))
    else:
        parts.append(_("{least} to {most} min in all by the vendor's word, for three nodes").format(
            least=VENDOR[0], most=VENDOR[1]))  # fmt: skip
    if (still := idle_time(state, now())) >= timedelta(minutes=1):
        parts.append(_("nothing has moved for {minutes} min").format(minutes=_minutes(still)))
    return ", ".join(parts)


def _minutes(time: timedelta) -> int:
    return int(time.total_seconds() // 60)


async def _say_where(state: RunState) -> None:
    """Where an install that does not move probably hangs. The ways to the nodes are in the run's own bundle."""
    try:
        bundle = open_bundle(state.spec.bundle) if state.spec.bundle else None
    except (BundleCorrupt, PlanErrors, OSError) as error:
        print_err(str(error))
        return
    if bundle is None:
        print_err(_("The run has no bundle, so its nodes cannot be asked."))
        return
    found = await triage(NodeAccess(bundle.plan, bundle.known_hosts, bundle.directory))
    for line in found.seen:
        print_err(f"  {line}")
    print_err(_("It probably hangs here: {place}").format(place=found.likely))


def _begun_here() -> datetime | None:
    """When the last run of this machine began; None: there was none."""
    run = last_run(state_home())
    return status(run).started if run is not None else None


def _last() -> Path:
    damaged, run = damaged_run(state_home()), last_run(state_home())
    if run is None and damaged is not None:
        words = _("{what}, so it may still be going on. Once you know that it is not, move {folder} away.")
        raise CommandFailed(words.format(what=damaged, folder=newest_run(state_home())))
    if run is None:
        raise CommandFailed(_("No install has been started by this user on this host."))
    if damaged is not None:
        print_err(_("The newest run is not the one shown: {why}").format(why=damaged))
    return run


def _told(state: RunState) -> str:
    """How it stands; of a failure also the likely cause, the last words and what to collect."""
    told = _stands(state)
    if state.phase is not Phase.FAILED:
        return told
    found = failure(state)
    last = "".join(f"\n    {line}" for line in found.lines)
    return "\n".join(
        [
            told,
            _("Failed in: {phase}").format(phase=phase_label(found.phase)),
            _("Likely: {cause}").format(cause=found.cause),
            _("Last lines:") + last,
            _("For whoever helps, without secrets: acp-tui support FILE.tar.gz"),
            _("To start again: acp-tui install PLAN, which first tells what this run has left on the nodes."),
        ]
    )


def _stands(state: RunState) -> str:
    if state.phase is Phase.SUCCESS:
        return _("Installed. The platform is at {url}").format(url=state.platform_url)
    said = _("interrupted: the installing process is gone") if state.interrupted else phase_label(state.phase)
    way = _way_on(state)
    step = " " + _("installer's step {step}").format(step=state.step) if state.step else ""
    return f"{said}{step}" + (f": {state.message}" if state.message else "") + (f"\n{way}" if way else "")


def _way_on(state: RunState) -> str:
    """How a run is gone on with that waits for somebody; "": nothing waits."""
    if state.phase is Phase.NEEDS_VERSION:
        return _("Put what you choose into the plan (kubernetes) and give acp-tui install PLAN again.")
    if state.phase is Phase.CHANGED:
        return _(
            "acp-tui install PLAN looks again and goes on where it is mended; --despite-changes goes on in any case."
        )
    if state.phase is Phase.POST_UNKNOWN:
        return _("acp-tui install PLAN --reached yes follows the install, --reached no sends the configuration again.")
    return _("acp-tui install PLAN goes on from where it stopped.") if state.interrupted else ""


def _exit(state: RunState) -> int:
    if state.phase in (Phase.FAILED, Phase.CANCELLED, Phase.NEEDS_VERSION, Phase.CHANGED):
        return ExitStatus.NO
    if state.interrupted or state.phase in (Phase.UNKNOWN, Phase.POST_UNKNOWN):
        return ExitStatus.IMPOSSIBLE
    return ExitStatus.DONE
