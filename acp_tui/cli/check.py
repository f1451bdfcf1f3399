"""The preflight as a command: check."""

import asyncio
from argparse import Namespace
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from pathlib import Path

from acp_tui.checks.catalog import catalogue
from acp_tui.checks.labels import state_label
from acp_tui.checks.verdict import Outcome
from acp_tui.cli.context import CommandFailed, OpenedPlan, open_plan, print_err, print_out, say_first_contact, show_json
from acp_tui.core.errors import ExitStatus
from acp_tui.core.files import write_atomically
from acp_tui.core.i18n import _, ngettext
from acp_tui.core.state_dir import state_home
from acp_tui.nodes.events import LocalFactsDone, NodeFinished
from acp_tui.nodes.state import NodeState
from acp_tui.package.service import PackageWork
from acp_tui.preflight.active_tests import ActiveTest, what_it_does
from acp_tui.preflight.local_files import read_local_files
from acp_tui.preflight.report.diff import Changes, changes
from acp_tui.preflight.report.diff_text import change_lines
from acp_tui.preflight.report.history import last_report_path, load_last_report, save_last_report
from acp_tui.preflight.report.html.page import report_html
from acp_tui.preflight.report.model import Report, summary
from acp_tui.preflight.report.readiness import answer
from acp_tui.preflight.run import PreflightDone, PreflightEvent, preflight

_SHOWN = (Outcome.FAIL, Outcome.PENDING_REBOOT, Outcome.UNKNOWN, Outcome.MANUAL, Outcome.WARN)


def check(options: Namespace) -> int:
    """All node and cluster checks, and the rules of the plan."""
    source = open_plan(options.plan, options.passphrase_file)
    if not source.plan.nodes:
        raise CommandFailed(_("The plan has no nodes."), ExitStatus.NO)
    unknown = set(options.node or ()) - {node.address for node in source.plan.nodes}
    if unknown:
        raise CommandFailed(_("not in the plan: {nodes}").format(nodes=", ".join(sorted(unknown))), ExitStatus.USAGE)
    rules = catalogue(source.plan.effective_release)
    if unknown := {name.upper() for name in options.only or ()} - rules.keys():
        raise CommandFailed(
            _("there is no such requirement: {names}").format(names=", ".join(sorted(unknown))), ExitStatus.USAGE
        )
    report = asyncio.run(
        run_preflight(source, options.node, options.only, also=[ActiveTest(name) for name in options.also or ()])
    )
    partial = bool(options.node or options.only)
    since = _compared(source, report, partial=partial)
    if options.json:
        show_json(report.to_json())
    else:
        show_report(report, partial=partial)
        if since is not None:
            print_out(_("Since the last run ({moment}):").format(moment=f"{since.since.astimezone():%Y-%m-%d %H:%M}"))
            for line in change_lines(since):
                print_out("    " + " ".join(line.split()))
    if options.html:
        _write_page(Path(options.html), report_html(report, source.plan, since))
    if all(node.state in (NodeState.UNREACHABLE, NodeState.TIMEOUT) for node in report.nodes):
        return ExitStatus.IMPOSSIBLE
    return ExitStatus.DONE if report.ready else ExitStatus.NO


async def run_preflight(
    source: OpenedPlan,
    nodes: list[str] | None = None,
    only: list[str] | None = None,
    work: PackageWork | None = None,
    also: Sequence[ActiveTest] = (),
) -> Report:
    """Probe and judge, with what happens on the nodes told on standard error. Package rules are part of it.

    `work`: who has looked at the packages before; what was verified then is not read again."""
    for one in also:
        print_err(what_it_does(source.plan, one))
    output = PreflightOutput(source)
    events = preflight(
        source.plan,
        pinned=source.host_keys,
        base=source.base,
        only_nodes=frozenset(nodes) if nodes else None,
        only=frozenset(name.upper() for name in only) if only else None,
        beside=await asyncio.to_thread(read_local_files, source.plan, source.base),
        clock=lambda: datetime.now(UTC),
        also=also,
    )
    async for event in events:
        await output.show(event)
    report = output.report
    assert report is not None
    if nodes or only or source.plan.package.core is None:
        return report
    package = await (work or PackageWork(source.base)).verify(source.plan)
    return Report(report.release, report.started, datetime.now(UTC), report.nodes, (*package, *report.verdicts))


class PreflightOutput:
    """Prints the events of a preflight to standard error, and saves the host keys of first contacts."""

    def __init__(self, source: OpenedPlan) -> None:
        self.report: Report | None = None
        """None until the preflight has ended."""
        self._source = source
        self._keys: dict[str, str] = {}

    async def show(self, event: PreflightEvent) -> None:
        match event:
            case LocalFactsDone():
                print_err(_("{address}: has told all of itself, and looks around").format(address=event.address))
            case NodeFinished():
                print_err(f"{event.address}: {event.state.value}" + (f" ({event.detail})" if event.detail else ""))
                if event.host_key:
                    self._keys[event.address] = event.host_key
                    if event.address not in self._source.host_keys:
                        say_first_contact(event.address, event.host_key)
            case PreflightDone():
                self.report = event.report
                await asyncio.to_thread(self._source.pin, self._keys)


def _compared(source: OpenedPlan, report: Report, *, partial: bool) -> Changes | None:
    """What has changed since the last whole run of this plan, which `report` takes the place of if it is whole too."""
    place = last_report_path(state_home(), source.file)
    before = load_last_report(place)
    if not partial:
        try:
            save_last_report(place, report)
        except OSError as error:
            print_err(_("The report could not be kept for the next comparison: {why}").format(why=error.strerror))
    return changes(before, report, partial=partial) if before is not None else None


def _write_page(path: Path, page: str) -> None:
    """The page may be passed on, so whoever may read the folder may read it. Raises `CommandFailed`."""
    try:
        write_atomically(path, page, mode=0o644)
    except OSError as error:
        raise CommandFailed(_("{path}: {why}").format(path=path, why=error.strerror or error)) from error
    print_err(_("Written to {path}").format(path=path))


_UNSEEN = (NodeState.UNREACHABLE, NodeState.AUTH_FAILED, NodeState.HOST_KEY_CHANGED)
"""Of such a node nothing is known, so that its unknown rules say nothing more than that."""


def show_report(report: Report, *, partial: bool = False) -> None:
    """Findings, tally and answer. `partial`: only some nodes or rules were asked for."""
    unseen = {node.address: node for node in report.nodes if node.state in _UNSEEN}
    for node in unseen.values():
        count = sum(v.node == node.address and v.outcome is Outcome.UNKNOWN for v in report.verdicts)
        said = ngettext(
            "{address}: {state}, so {count} rule could not be looked at",
            "{address}: {state}, so {count} rules could not be looked at",
            count,
        ).format(address=node.address, state=state_label(node.state), count=count)
        print_out(f"{said}: {node.detail}" if node.detail else said)
    show_findings(report, frozenset(unseen))
    if partial and report.ready:
        print_out(_("Nothing of what was asked for blocks the install; the rest was not looked at."))
    else:
        print_out(answer(report) + ".")


def show_findings(report: Report, unseen: Collection[str] = ()) -> None:
    """Every finding that asks for something, then the tally. What is unknown of the `unseen` nodes is left out."""
    for verdict in report.verdicts:
        if verdict.outcome not in _SHOWN or (verdict.node in unseen and verdict.outcome is Outcome.UNKNOWN):
            continue
        waived = "  " + _("waived: {reason}").format(reason=verdict.waived) if verdict.waived is not None else ""
        print_out(f"{verdict.outcome.value:<14} {verdict.node or '-':<16} {verdict.requirement}{waived}")
        for name, text in (
            (_("found"), verdict.observed),
            (_("wanted"), verdict.expected),
            (_("mend"), verdict.remedy),
        ):
            if text:
                print_out(f"    {name}: " + text.strip().replace("\n", "\n      "))
    counts = ", ".join(f"{name} {count}" for name, count in summary(report.verdicts).items() if count)
    print_out(f"{_('Release')} {report.release}: {counts}")
