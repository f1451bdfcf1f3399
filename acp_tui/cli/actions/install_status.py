"""The attach and status commands: show or abort the last install of this host."""

import asyncio
from argparse import Namespace
from datetime import datetime, timedelta
from pathlib import Path

from acp_tui.cli.actions.remote_status import attach_remote, newer_remote_install, show_remote_status
from acp_tui.cli.context import CommandFailed, confirm, print_err, print_json, print_out
from acp_tui.core.errors import ExitStatus
from acp_tui.core.i18n import _, pgettext
from acp_tui.core.state_dir import state_home
from acp_tui.install.install_session import InstallSession
from acp_tui.install.next_step import NextStep, next_step
from acp_tui.install.observe.failure import failure
from acp_tui.install.observe.phase_labels import phase_label
from acp_tui.install.observe.run_warnings import run_warnings
from acp_tui.install.observe.timing import VENDOR, idle_time, typical_duration
from acp_tui.install.run.directory import damaged_run, last_run, newest_run
from acp_tui.install.run.spawn_runner import RunError
from acp_tui.install.run.start_resume_abort import maybe_running_text
from acp_tui.install.run.state import FINAL, Phase, RunNotFound, RunState, status
from acp_tui.install.verify.diagnosis import diagnose_run
from acp_tui.install.verify.run import now
from acp_tui.plan.file import PlanErrors, ReferencesRefused
from acp_tui.preflight.bundle import BundleCorrupt


def attach(options: Namespace) -> int:
    """Follow the running or last install, or abort it."""
    if (remote := newer_remote_install(_last_start())) is not None:
        return attach_remote(remote, abort=options.give_up)
    run_dir = _last_run()
    if options.give_up:
        return _abort(run_dir)
    ended = asyncio.run(follow_run(run_dir))
    _show_finish_hint(status(run_dir))
    return ended


def _abort(run_dir: Path) -> int:
    """Ask for two confirmations, abort the run, and print its state. Return the exit status."""
    try:
        state = status(run_dir)
        if state.phase in FINAL:
            message = _("No install is running. The state of the last install is: {state}")
            raise CommandFailed(message.format(state=_summary(state)), ExitStatus.CHECK_FAILED)
        print_err(_summary(state))
        no_terminal = _("The install was not aborted: the confirmation requires a terminal.")
        confirmed = confirm(_("Abort the install? Installed components stay on the nodes."), no_terminal) and confirm(
            _("Abort the install now? You must clean the nodes before you install again."), ""
        )
        if not confirmed:
            return ExitStatus.CHECK_FAILED
        state = asyncio.run(InstallSession.abort(run_dir))
    except (RunNotFound, RunError) as failed:
        raise CommandFailed(str(failed)) from failed
    print_out(_summary(state))
    return ExitStatus.DONE


def show_status(options: Namespace) -> int:
    """Print the state of the running or last install."""
    if (remote := newer_remote_install(_last_start())) is not None:
        return show_remote_status(remote, options)
    try:
        state = status(_last_run())
    except RunNotFound as error:
        raise CommandFailed(str(error)) from error
    if options.json:
        print_json(state_json(state))
    else:
        print_out(_details(state))
        _show_finish_hint(state)
        if not state.at_rest:
            print_out(_times(state))
        print_out(_("Files of the install: {folder}").format(folder=state.spec.run_dir))
    if options.look and not state.at_rest:
        asyncio.run(_show_diagnosis(state))
    return _exit_status(state)


def state_json(state: RunState) -> dict[str, object]:
    """Return the document that `status --json` prints. It has no secrets."""
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
        "warnings": list(run_warnings(state)),
    }


async def follow_run(run_dir: Path) -> int:
    """Print the log lines of a run until it ends or waits for an answer. Return the exit status.

    If the run stalls, print the likely cause once."""
    state: RunState | None = None
    warned = False
    try:
        async for update in InstallSession.follow(run_dir):
            if state is None and not update.state.at_rest:
                print_err(_times(update.state))
            state = update.state
            for line in update.lines:
                print_err(f"{line.source}: {line.text}" if line.source != "acp-tui" else line.text)
            if update.stalled and not warned:
                warned = True
                print_err(_times(state))
                await _show_diagnosis(state)
    except RunNotFound as error:
        raise CommandFailed(str(error)) from error
    assert state is not None
    print_out(_details(state))
    return _exit_status(state)


def _times(state: RunState) -> str:
    """Return the elapsed time, the typical duration and the time without progress."""
    parts = [pgettext("status", "elapsed: {minutes} min").format(minutes=_minutes(now() - state.started))]
    if (typical := typical_duration(state.spec.run_dir)) is not None:
        parts.append(pgettext("status", "usual: {minutes} min").format(minutes=_minutes(typical)))
    else:
        usual = _("usual: {least} to {most} min for three nodes, as the vendor states")
        parts.append(usual.format(least=VENDOR[0], most=VENDOR[1]))
    if (idle := idle_time(state, now())) >= timedelta(minutes=1):
        parts.append(_("no progress for {minutes} min").format(minutes=_minutes(idle)))
    return ", ".join(parts)


def _minutes(time: timedelta) -> int:
    return int(time.total_seconds() // 60)


async def _show_diagnosis(state: RunState) -> None:
    """Print the likely cause of a stalled install.

    To query the nodes, acp-tui uses the login in the bundle of the run.
    """
    try:
        result = await diagnose_run(state)
    except (BundleCorrupt, PlanErrors, ReferencesRefused, OSError) as error:
        print_err(str(error))
        return
    if result is None:
        print_err(_("The run has no bundle, so its nodes cannot be queried."))
        return
    for line in result.observations:
        print_err(f"  {line}")
    print_err(pgettext("status", "Likely cause: {place}").format(place=result.likely_cause))


def _last_start() -> datetime | None:
    """Return the start time of the last run on this host. None if this host has no run."""
    run_dir = last_run(state_home())
    return status(run_dir).started if run_dir is not None else None


def _last_run() -> Path:
    """Return the folder of the last run. Raises: `CommandFailed` if no run exists, or if it cannot be read."""
    damaged, run_dir, newest = damaged_run(state_home()), last_run(state_home()), newest_run(state_home())
    if run_dir is None and damaged is not None and newest is not None:
        raise CommandFailed(maybe_running_text(damaged, newest))
    if run_dir is None:
        raise CommandFailed(_("This user has not started an install on this host."))
    if damaged is not None:
        print_err(
            _(
                "The state of the newest install cannot be read: {reason}. This command uses an earlier install "
                "instead."
            ).format(reason=damaged)
        )
    return run_dir


def _details(state: RunState) -> str:
    """Return the summary of a run with the warnings about its packages.

    If the run failed, add the likely cause, the last log lines and the next steps."""
    summary = "\n".join((_summary(state), *run_warnings(state)))
    if state.phase is not Phase.FAILED:
        return summary
    found = failure(state)
    return "\n".join(
        [
            summary,
            pgettext("status", "Failed in: {phase}").format(phase=phase_label(found.phase)),
            pgettext("status", "Likely cause: {cause}").format(cause=found.cause),
            pgettext("status", "Last log lines:"),
            *(f"    {line}" for line in found.lines),
            _("To create a support archive without secrets: acp-tui support FILE.tar.gz"),
            _("To start again: acp-tui install PLAN. This command first lists the leftovers of the failed install."),
        ]
    )


def _summary(state: RunState) -> str:
    """Return the text about a run: phase, installer step, message and next command."""
    if state.phase is Phase.SUCCESS:
        return _("The install succeeded. The platform is at {url}").format(url=state.platform_url)
    phase = _("interrupted because the install process was killed") if state.interrupted else phase_label(state.phase)
    if state.step:
        phase = pgettext("status", "{phase}, installer step {step}").format(phase=phase, step=state.step)
    summary = f"{phase}: {state.message}" if state.message else phase
    command = _next_command(state)
    return f"{summary}\n{command}" if command else summary


def _next_command(state: RunState) -> str:
    """Return the command that continues a run that waits for the operator; "" if it does not wait."""
    match next_step(state):
        case NextStep.CHOOSE_VERSIONS:
            return _(
                "Set kubernetes.version and kubernetes.container_runtime in the plan. Then run: acp-tui install PLAN"
            )
        case NextStep.ANSWER_CHANGES:
            return _(
                "Fix the nodes, then run acp-tui install PLAN. It rechecks the nodes and continues. To continue "
                "without "
                "a fix, add --despite-changes."
            )
        case NextStep.ANSWER_LISTENER:
            return _(
                "End that program, then run acp-tui install PLAN. It searches for the API again. If that program is "
                "the installer, add --accept-listener. acp-tui then sends the configuration to it."
            )
        case NextStep.ANSWER_RECEIVED:
            return _(
                "If the installer received the configuration, run acp-tui install PLAN --reached yes. acp-tui then "
                "follows the install. Otherwise, run acp-tui install PLAN --reached no. acp-tui then sends the "
                "configuration again."
            )
    return _("To resume: acp-tui install PLAN") if state.interrupted else ""


def _show_finish_hint(state: RunState) -> None:
    if state.phase is Phase.SUCCESS:
        print_out(_("Next, run acp-tui finish PLAN. It verifies the cluster and lists the remaining steps."))


def _exit_status(state: RunState) -> int:
    if state.phase in (
        Phase.FAILED,
        Phase.CANCELLED,
        Phase.NEEDS_VERSION,
        Phase.CHANGED,
        Phase.FOREIGN_LISTENER,
    ):
        return ExitStatus.CHECK_FAILED
    if state.interrupted or state.phase in (Phase.UNKNOWN, Phase.POST_UNKNOWN):
        return ExitStatus.COULD_NOT_RUN
    return ExitStatus.DONE
