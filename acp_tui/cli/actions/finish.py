"""The finish command: verify the installed cluster, list the remaining steps, and clean up after a confirmation."""

import asyncio
from argparse import Namespace
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from acp_tui.checks.labels import outcome_label, state_label
from acp_tui.checks.verdict import Outcome
from acp_tui.cli.context import (
    CommandFailed,
    OpenedPlan,
    confirm,
    open_plan,
    print_err,
    print_json,
    print_out,
)
from acp_tui.cli.findings import print_findings
from acp_tui.cli.host_keys import confirm_host_keys
from acp_tui.core.errors import ExitStatus
from acp_tui.core.i18n import _, pgettext
from acp_tui.core.state_dir import state_home
from acp_tui.install.install_session import InstallSession, is_remote_install
from acp_tui.install.observe.run_warnings import run_warnings
from acp_tui.install.run.start_resume_abort import platform_url
from acp_tui.install.run.state import RunNotFound, removal
from acp_tui.install.verify.checklist import checklist
from acp_tui.install.verify.cleanup import CleanUpFailed, cleanup_blocker, installer_present
from acp_tui.install.verify.run import Finish


def finish(options: Namespace) -> int:
    """Verify the cluster once, or until it is healthy. Print the result. With --clean-up, remove the installer."""
    source = open_plan(options.plan, options.passphrase_file, allow_references=options.allow_references)
    if not source.plan.control_planes:
        raise CommandFailed(
            _("The plan has no control plane node. Add a node with the role control-plane."), ExitStatus.CHECK_FAILED
        )
    if not source.plan.platform_address:
        raise CommandFailed(
            _("The plan has no platform address. Set address.platform or address.cluster_endpoint."),
            ExitStatus.CHECK_FAILED,
        )
    source = confirm_host_keys(source, accept_new=options.accept_new, changes=options.clean_up)
    session = install_session(source)
    result = asyncio.run(verify_cluster(session, timedelta(minutes=options.wait or 0)))
    if options.clean_up and may_clean_up(session, result, lambda: options.yes or _confirmed(result)):
        try:
            print_err(asyncio.run(session.clean_up()))
        except CleanUpFailed as failed:
            raise CommandFailed(str(failed)) from failed
        result = asyncio.run(verify_cluster(session, timedelta()))
    source.record_seen(result.host_keys)
    if options.json:
        print_json(result.report.to_json())
    else:
        print_result(session, result)
    asyncio.run(save_completion_report(session, result))
    return exit_status(result)


def install_session(source: OpenedPlan) -> InstallSession:
    """Return the `InstallSession` that installs or verifies the opened plan `source`."""
    remote = is_remote_install(source.plan)
    return InstallSession(source.plan, source.known_hosts, state_home(), source.plan_dir, remote=remote)


async def verify_cluster(session: InstallSession, within: timedelta) -> Finish:
    """Verify the cluster repeatedly until it is healthy or the time `within` has passed. Return the last result.

    Changes of the findings are printed to standard error."""
    shown = ""
    result: Finish | None = None
    async for result in session.verify(session.installed_run(), within):
        line = "; ".join(
            f"{v.requirement} {outcome_label(v.outcome)}: {' '.join(v.observed.split())[:100]}"
            for v in result.report.verdicts
            if v.outcome not in (Outcome.PASS, Outcome.NOT_APPLICABLE)
        )
        if within and line and line != shown:
            print_err(line)
        shown = line
    assert result is not None
    return result


def _run_active(session: InstallSession) -> bool:
    with suppress(RunNotFound):
        return session.unfinished_run() is not None
    return False


def may_clean_up(session: InstallSession, result: Finish, confirmed: Callable[[], bool]) -> bool:
    """Return True if nothing prevents the removal of the installer container, and the operator confirms it."""
    blocker = cleanup_blocker(result, run_active=_run_active(session))
    if blocker:
        print_err(_("The installer was not removed: {reason}").format(reason=blocker))
        return False
    return confirmed()


def _confirmed(result: Finish) -> bool:
    command = removal(result.report.release)
    no_terminal = _(
        "The installer was not removed: the confirmation requires a terminal. "
        "To remove it without a confirmation, add --yes. That runs this command on the installer node: {command}"
    )
    question = _("Remove the installer? This command runs on the installer node: {command}")
    return confirm(question.format(command=command), no_terminal.format(command=command))


def print_result(session: InstallSession, result: Finish) -> None:
    """Print the findings, the remaining steps, and whether the cluster is verified."""
    for node in result.report.nodes:
        if node.detail:
            print_out(f"{node.address}: {state_label(node.state)}: {node.detail}")
    print_findings(result.report)
    for warning in run_warnings(session.installed_run()):
        print_out(warning)
    print_out(pgettext("heading", "Remaining steps:"))
    for step in checklist(session.plan):
        print_out(f"  [ ] {step.title}: {step.text}")
    if installer_present(result) and not cleanup_blocker(result, run_active=_run_active(session)):
        message = _(
            "The installer still exists. To remove it, run acp-tui finish PLAN --clean-up. That runs this command on "
            "the installer node: {command}"
        )
        print_out(message.format(command=removal(result.report.release)))
    url = platform_url(session.plan)
    if result.healthy and not result.console:
        message = _("The cluster is installed and verified. Its Web UI does not respond to this host yet: {url}")
        print_out(message.format(url=url))
    elif result.healthy:
        print_out(_("The cluster is installed and verified. The platform is at {url}").format(url=url))
    else:
        print_out(pgettext("heading", "The cluster did not pass the checks. Fix the findings above."))


async def save_completion_report(session: InstallSession, result: Finish) -> None:
    """Write the completion report to the bundle of the run; without a bundle, write it next to the plan.

    Write nothing if no value of the cluster could be read."""
    if result.nothing_observed:
        return
    run = session.installed_run()
    folder: Path = run.spec.bundle if run is not None and run.spec.bundle is not None else session.plan_dir
    try:
        _document, page = await session.write_report(folder, result, run)
    except OSError as error:
        message = _("Cannot write the completion report to {folder}: {reason}")
        print_err(message.format(folder=folder, reason=error.strerror))
    else:
        print_err(pgettext("heading", "Completion report: {path}").format(path=page))


def exit_status(result: Finish) -> int:
    """Return the exit status of a command for the result of a verification."""
    if result.nothing_observed:
        return ExitStatus.COULD_NOT_RUN
    return ExitStatus.DONE if result.report.ready else ExitStatus.CHECK_FAILED
