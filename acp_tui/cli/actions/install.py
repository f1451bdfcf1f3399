"""The install command: check, start, follow and verify an install, or resume one."""

import asyncio
import sys
from argparse import Namespace

from acp_tui.cli.actions.bundle import print_changes
from acp_tui.cli.actions.check import PreflightOutput
from acp_tui.cli.actions.finish import (
    exit_status,
    install_session,
    print_result,
    save_completion_report,
    verify_cluster,
)
from acp_tui.cli.actions.install_status import follow_run
from acp_tui.cli.actions.package import print_progress, print_unpacked, unpacking
from acp_tui.cli.actions.remote_install import install_remotely
from acp_tui.cli.context import CommandFailed, OpenedPlan, confirm, open_plan, print_err
from acp_tui.cli.findings import print_report
from acp_tui.cli.host_keys import confirm_host_keys
from acp_tui.core.errors import ExitStatus
from acp_tui.core.i18n import _
from acp_tui.install.config.differences import differences
from acp_tui.install.config.render import RenderError, render
from acp_tui.install.install_session import SETTLE_TIME, Answers, InstallSession, PackageReady
from acp_tui.install.leftovers import lines
from acp_tui.install.next_step import NextStep, next_step
from acp_tui.install.run.spawn_runner import RunError
from acp_tui.install.run.state import Phase, RunState, status
from acp_tui.install.start import StartError


def install(options: Namespace) -> int:
    """Install the plan. If the last install of this host has not ended, resume it instead."""
    source = open_plan(options.plan, options.passphrase_file, allow_references=options.allow_references)
    source = confirm_host_keys(source, accept_new=options.accept_new, changes=True)
    session = install_session(source)
    run = session.unfinished_run()
    if run is not None:
        return _resume(session, run, source, options)
    # Each part has its own event loop: Ctrl-C does not interrupt a question inside a running loop.
    if not _may_start(session, again=options.again):
        return ExitStatus.CHECK_FAILED
    return asyncio.run(_install(session, source, options))


def _may_start(session: InstallSession, *, again: bool) -> bool:
    """Print the leftovers of a failed run. Return whether a new run may start."""
    leftovers = asyncio.run(session.leftovers())
    if leftovers is None:
        return True
    for line in lines(leftovers):
        print_err(line)
    if leftovers.blocks_new_install:
        return False
    return again or confirm(
        _("Start a new install?"), _("The confirmation requires a terminal. To skip the confirmation, add --again.")
    )


async def _install(session: InstallSession, source: OpenedPlan, options: Namespace) -> int:
    _require_same_document(source)
    if session.remote:
        return await install_remotely(session, source, _flags(options))
    events = session.check(print_progress)
    package = await unpacking(anext(events))
    assert isinstance(package, PackageReady)
    print_unpacked(package.folder, package.warnings, new=package.new)
    output = PreflightOutput(source)
    async for event in events:
        if not isinstance(event, PackageReady):
            await output.show(event)
    report = output.report
    assert report is not None
    print_changes(source, report)
    if not report.ready:
        print_report(report, source.plan)
        return ExitStatus.CHECK_FAILED
    try:
        run_dir = await session.start(report)
    except (StartError, RunError) as failed:
        raise CommandFailed(str(failed)) from failed
    print_err(_("The install now runs in the background. To follow it: acp-tui attach"))
    return await _follow_and_verify(session, status(run_dir), source)


def _flags(options: Namespace) -> list[str]:
    """Return those options of this command that the command on the installer node needs, too."""
    flags = ["--again"] if options.again else []
    flags += ["--despite-changes"] if options.despite_changes else []
    flags += ["--accept-listener"] if options.accept_listener else []
    return [*flags, "--reached", options.reached] if options.reached else flags


def _require_same_document(source: OpenedPlan) -> None:
    """Check that the configuration made from the bundle is still the one that was reviewed.

    It differs if a file that the plan names, such as a certificate, was changed after the review. Raises
    `CommandFailed` if it differs."""
    if source.bundle is None or source.bundle.document is None:
        return
    try:
        now = render(source.plan, source.plan_dir)
    except RenderError as error:
        lines = [f"{missing.path}: {missing.reason}" for missing in error.missing]
        raise CommandFailed("\n".join(lines), ExitStatus.CHECK_FAILED) from error
    if different := differences(source.bundle.document.get_secret_value(), now):
        message = _(
            "The configuration has changed since the bundle was made. Changed keys: {places}. Create the bundle again."
        )
        raise CommandFailed(message.format(places=", ".join(different)), ExitStatus.CHECK_FAILED)


def _resume(session: InstallSession, run: RunState, source: OpenedPlan, options: Namespace) -> int:
    """Resume a run that was interrupted or needs an answer, then follow it."""
    print_err(_("An earlier install has not ended. Its folder: {folder}").format(folder=run.spec.run_dir))
    try:
        if next_step(run) is NextStep.RESUME:
            run = asyncio.run(session.resume(run))
        answers = _answers(run, source, options)
        if answers is not None:
            asyncio.run(session.resume(run, answers))
        elif next_step(run) is NextStep.ANSWER_RECEIVED:
            return ExitStatus.COULD_NOT_RUN
    except RunError as failed:
        raise CommandFailed(str(failed), ExitStatus.CHECK_FAILED) from failed
    return asyncio.run(_follow_and_verify(session, run, source))


def _answers(run: RunState, source: OpenedPlan, options: Namespace) -> Answers | None:
    """Return the operator's answers to a run that waits. None if no answer is needed, or none was given."""
    kubernetes = source.plan.kubernetes
    match next_step(run):
        case NextStep.CHOOSE_VERSIONS if kubernetes.version or kubernetes.container_runtime:
            return Answers(kubernetes=kubernetes.version, runtime=kubernetes.container_runtime)
        case NextStep.ANSWER_RECEIVED:
            print_err(run.message)
            received = _config_received(options.reached)
            return None if received is None else Answers(config_received=received)
        case NextStep.ANSWER_CHANGES:
            return Answers(ignore_node_changes=options.despite_changes)
        case NextStep.ANSWER_LISTENER:
            return Answers(accept_listener=options.accept_listener)
    return None


def _config_received(option: str | None) -> bool | None:
    """Return True if the operator states that the installer received the configuration, else False.

    The answer comes from the option `--reached` or from the terminal. None if the operator did not answer."""
    if option is not None:
        return option == "yes"
    no_terminal = _(
        "If the installer received the configuration, add --reached yes. acp-tui then follows the install. Otherwise, "
        "add --reached no. acp-tui then sends the configuration again."
    )
    if confirm(_("Did the installer receive the configuration? If yes, acp-tui follows the install."), no_terminal):
        return True
    return False if sys.stdin.isatty() and confirm(_("Send the configuration again?"), no_terminal) else None


async def _follow_and_verify(session: InstallSession, run: RunState, source: OpenedPlan) -> int:
    """Follow the run. After a success, verify the cluster. The verification then decides the exit status."""
    ended = await follow_run(run.spec.run_dir)
    if status(run.spec.run_dir).phase is not Phase.SUCCESS:
        return ended
    minutes = SETTLE_TIME.seconds // 60
    print_err(_("acp-tui now verifies the installed cluster. This takes up to {minutes} min.").format(minutes=minutes))
    result = await verify_cluster(session, SETTLE_TIME)
    print_result(session, result)
    await save_completion_report(session, result)
    return exit_status(result)
