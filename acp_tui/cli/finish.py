"""The end of an install as a command: finish. It looks; with consent it removes a left-over installer."""

import asyncio
from argparse import Namespace
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from acp_tui.checks.verdict import Outcome
from acp_tui.cli.check import show_findings
from acp_tui.cli.context import (
    CommandFailed,
    OpenedPlan,
    confirm,
    open_plan,
    print_err,
    print_out,
    say_first_contact,
    show_json,
)
from acp_tui.core.errors import ExitStatus
from acp_tui.core.i18n import _
from acp_tui.core.state_dir import state_home
from acp_tui.install.run.control import platform_url
from acp_tui.install.run.directory import last_run
from acp_tui.install.run.state import FINAL, Phase, RunNotFound, RunState, removal, status
from acp_tui.install.verify import completion_report as completion
from acp_tui.install.verify.checklist import checklist
from acp_tui.install.verify.cleanup import CleanUpFailed, clean_up, cleanup_blocker, waiting
from acp_tui.install.verify.collect import NodeAccess
from acp_tui.install.verify.run import Finish, poll_until_settled


def finish(options: Namespace) -> int:
    """Look once, or until all is well; tell it; clean up where that was asked for."""
    source = open_plan(options.plan, options.passphrase_file)
    if not source.plan.control_planes:
        raise CommandFailed(_("The plan has no control plane node."), ExitStatus.NO)
    reach = reach_of(source)
    found = asyncio.run(look_at_it(reach, timedelta(minutes=options.wait or 0)))
    if options.clean_up and consents(found, reach, lambda: options.yes or _agreed(found)):
        try:
            print_err(asyncio.run(clean_up(reach)))
        except CleanUpFailed as failed:
            raise CommandFailed(str(failed)) from failed
        found = asyncio.run(look_at_it(reach, timedelta()))
    for address, key in found.host_keys.items():
        if address not in source.host_keys:
            say_first_contact(address, key)
    source.pin(found.host_keys)
    if options.json:
        show_json(found.report.to_json())
    else:
        tell(found, reach)
    keep_report(found, reach, source.base)
    return exit_status(found)


def reach_of(source: OpenedPlan) -> NodeAccess:
    return NodeAccess(source.plan, source.host_keys, source.base)


async def look_at_it(reach: NodeAccess, within: timedelta) -> Finish:
    """The last of the looks; what changes meanwhile is told on standard error."""
    told = ""
    found: Finish | None = None
    async for found in poll_until_settled(reach, within, installed_at=installed_at(reach)):
        line = "; ".join(
            f"{v.requirement} {v.outcome.value}: {' '.join(v.observed.split())[:100]}"
            for v in found.report.verdicts
            if v.outcome not in (Outcome.PASS, Outcome.NOT_APPLICABLE)
        )
        if within and line and line != told:
            print_err(line)
        told = line
    assert found is not None
    return found


def installed_at(reach: NodeAccess) -> datetime | None:
    """When the install of this plan succeeded, where this host knows of it."""
    run = run_of(reach)
    return run.updated if run is not None and run.phase is Phase.SUCCESS else None


def run_of(reach: NodeAccess) -> RunState | None:
    """The last install run of this host, if it was for this plan's platform."""
    with suppress(RunNotFound):
        folder = last_run(state_home())
        state = status(folder) if folder else None
        if state is not None and state.platform_url == platform_url(reach.plan):
            return state
    return None


def _unfinished() -> bool:
    with suppress(RunNotFound):
        folder = last_run(state_home())
        return folder is not None and status(folder).phase not in FINAL
    return False


def consents(found: Finish, reach: NodeAccess, agreed: Callable[[], bool]) -> bool:
    """Whether the installer's container may go: nothing speaks against it, and the operator agrees."""
    refused = cleanup_blocker(found, running=_unfinished())
    if refused:
        print_err(_("Not cleaned up: {why}").format(why=refused))
        return False
    return agreed()


def _agreed(found: Finish) -> bool:
    command = removal(found.report.release)
    without = _("Not cleaned up: without a terminal --yes has to say so. It would run: {command}")
    return confirm(_("Run on the installer's node: {command}").format(command=command), without.format(command=command))


def tell(found: Finish, reach: NodeAccess) -> None:
    """Findings, what is to be done by hand, and the answer."""
    for node in found.report.nodes:
        if node.detail:
            print_out(f"{node.address}: {node.state.value}: {node.detail}")
    show_findings(found.report)
    print_out(_("To do by hand:"))
    for todo in checklist(reach.plan):
        print_out(f"  [ ] {todo.title}: {todo.text}")
    if waiting(found) and not cleanup_blocker(found, running=_unfinished()):
        print_out(_("The installer is still there: acp-tui finish PLAN --clean-up runs {command}").format(
            command=removal(found.report.release)))  # fmt: skip
    url = platform_url(reach.plan)
    if found.healthy and not found.console:
        words = _("Installed, and the cluster is verified; its console does not answer yet, or not from here: {url}")
        print_out(words.format(url=url))
    elif found.healthy:
        print_out(_("Installed and verified. The platform is at {url}").format(url=url))
    else:
        print_out(_("Not verified."))


def keep_report(found: Finish, reach: NodeAccess, base: Path) -> None:
    """Write the completion report beside the bundle of the run, else beside the plan; none of what nobody saw."""
    if found.unseen:
        return
    run = run_of(reach)
    folder = run.spec.bundle if run is not None and run.spec.bundle is not None else base
    try:
        _document, page = completion.write(folder, completion.completion(reach.plan, found, run))
    except OSError as error:
        print_err(
            _("The completion report could not be written to {folder}: {why}").format(folder=folder, why=error.strerror)
        )
    else:
        print_err(_("Completion report: {path}").format(path=page))


def exit_status(found: Finish) -> int:
    if found.unseen:
        return ExitStatus.IMPOSSIBLE
    return ExitStatus.DONE if found.report.ready else ExitStatus.NO
