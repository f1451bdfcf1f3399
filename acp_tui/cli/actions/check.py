"""Run the preflight for a command and print its report."""

import asyncio
from argparse import Namespace
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from acp_tui.checks.catalog import catalogue, with_judges
from acp_tui.checks.labels import state_label
from acp_tui.checks.verdict import Verdict
from acp_tui.cli.context import (
    CommandFailed,
    OpenedPlan,
    file_failed,
    open_plan,
    print_err,
    print_json,
    print_out,
)
from acp_tui.cli.findings import print_report
from acp_tui.cli.host_keys import confirm_host_keys, not_confirmed
from acp_tui.core.clock import now
from acp_tui.core.errors import ExitStatus
from acp_tui.core.files import write_atomically
from acp_tui.core.i18n import _, pgettext
from acp_tui.core.state_dir import state_home
from acp_tui.nodes.events import LocalFactsDone, NodeFinished
from acp_tui.nodes.state import NodeState
from acp_tui.package.checks import SIGNATURE_RULES
from acp_tui.package.service import PackageWork
from acp_tui.plan.model import Plan
from acp_tui.preflight.active_tests import ActiveTest, describe_effect
from acp_tui.preflight.read_local_files import read_local_files
from acp_tui.preflight.record.document import record_of
from acp_tui.preflight.report.diff import Changes, changes
from acp_tui.preflight.report.diff_text import change_lines
from acp_tui.preflight.report.history import last_report_path, load_last_report, save_last_report
from acp_tui.preflight.report.html.page import report_html
from acp_tui.preflight.report.model import Report
from acp_tui.preflight.run import PreflightDone, PreflightEvent, preflight


def check(options: Namespace) -> int:
    """Check the nodes, the cluster and the plan. Print the report and the changes since the last one."""
    source = open_plan(options.plan, options.passphrase_file, allow_references=options.allow_references)
    if not source.plan.nodes:
        raise CommandFailed(_("The plan has no nodes. Add them to the plan."), ExitStatus.CHECK_FAILED)
    require_known(source.plan, options.node or (), options.only or ())
    source = confirm_host_keys(source, accept_new=options.accept_new, nodes=options.node, changes=bool(options.also))
    records: list[str] = []
    report = asyncio.run(
        run_preflight(
            source,
            options.node,
            options.only,
            also=[ActiveTest(name) for name in options.also or ()],
            record=records.append if options.record else None,
        )
    )
    since = _compared(source, report, partial=bool(options.node or options.only))
    if options.json:
        print_json(report.to_json())
    else:
        print_report(report, source.plan, with_followers=options.all)
        if since is not None:
            print_out(
                _("Changes since the last report ({time}):").format(time=f"{since.since.astimezone():%Y-%m-%d %H:%M}")
            )
            for line in change_lines(since):
                print_out("    " + " ".join(line.split()))
    for content in records:
        _write_record(Path(options.record), content)
    if options.html:
        write_html(Path(options.html), report_html(report, source.plan, since))
    if all(node.state in (NodeState.UNREACHABLE, NodeState.TIMEOUT) for node in report.nodes):
        return ExitStatus.COULD_NOT_RUN
    return ExitStatus.DONE if report.unblocked else ExitStatus.CHECK_FAILED


def require_known(plan: Plan, nodes: Iterable[str], requirements: Iterable[str]) -> None:
    """Check that the plan has all of `nodes`, and that its release has all of `requirements`. Raises: CommandFailed."""
    if unknown := set(nodes) - {node.address for node in plan.nodes}:
        message = _("These nodes are not in the plan: {nodes}. Use addresses of the plan.")
        raise CommandFailed(message.format(nodes=", ".join(sorted(unknown))), ExitStatus.USAGE)
    if unknown := {name.upper() for name in requirements} - catalogue(plan.effective_release).keys():
        message = _("Unknown requirement: {names}. To list all requirements, run acp-tui explain.")
        raise CommandFailed(message.format(names=", ".join(sorted(unknown))), ExitStatus.USAGE)


async def run_preflight(
    source: OpenedPlan,
    nodes: list[str] | None = None,
    only: list[str] | None = None,
    work: PackageWork | None = None,
    also: Sequence[ActiveTest] = (),
    record: Callable[[str], None] | None = None,
) -> Report:
    """Run the preflight, print its progress to standard error, and return the report.

    Without `nodes` and `only`, the report is complete: it includes the package checks.
    `nodes`, `only`: the selected addresses and requirement IDs; None selects all. `also`: active tests.
    `work`: keeps the results of packages that were verified before, so that they are not read again. `record`: gets
    the record of the nodes' answers as text; None for no record."""
    for one in also:
        print_err(describe_effect(source.plan, one))
    output = PreflightOutput(source)
    local_files = await asyncio.to_thread(read_local_files, source.plan, source.plan_dir)
    events = preflight(
        source.plan,
        known_hosts=source.known_hosts,
        plan_dir=source.plan_dir,
        only_nodes=frozenset(nodes) if nodes else None,
        only=frozenset(name.upper() for name in only) if only else None,
        local_files=local_files,
        clock=now,
        active_tests=also,
    )
    async for event in events:
        await output.show(event)
    report = output.report
    assert report is not None
    if record is not None:
        record(record_of(source.plan, output.nodes, report, also=also, certificate=local_files.certificate))
    package = await _package_verdicts(source.plan, nodes, only, work or PackageWork(source.plan_dir))
    return report.with_package(package, now(), selection=bool(nodes or only))


async def _package_verdicts(
    plan: Plan, nodes: list[str] | None, only: list[str] | None, work: PackageWork
) -> tuple[Verdict, ...]:
    """Return the selected verdicts on the packages. A selection of nodes alone leaves them out.

    The signatures are verified only if a selected requirement needs it, because that can take minutes."""
    if not only:
        return () if nodes else await work.verify(plan)
    rules = catalogue(plan.effective_release)
    selected = with_judges(rules, {name.upper() for name in only})
    if not any(rules[name].scope == "package" for name in selected):
        return ()
    found = await (work.verify(plan) if selected & SIGNATURE_RULES else work.verdicts(plan))
    return tuple(verdict for verdict in found if verdict.requirement in selected)


class PreflightOutput:
    """Prints the events of a preflight to standard error, and records the host keys of new nodes."""

    def __init__(self, source: OpenedPlan) -> None:
        self.report: Report | None = None
        """The result; None until the preflight has ended."""
        self.nodes: Mapping[str, NodeFinished] = {}
        """The last event of each node; empty until the preflight has ended."""
        self._source = source
        self._keys: dict[str, str] = {}

    async def show(self, event: PreflightEvent) -> None:
        match event:
            case LocalFactsDone():
                print_err(
                    _("{address}: the local facts have been collected. The connectivity test runs now.").format(
                        address=event.address
                    )
                )
            case NodeFinished():
                print_err(node_state_line(event))
                if event.accepted_host_key:
                    self._keys[event.address] = event.accepted_host_key
            case PreflightDone():
                self.report = event.report
                self.nodes = event.nodes
                if waiting := self._passwords_withheld(event.report):
                    print_err(not_confirmed(waiting))
                await asyncio.to_thread(self._source.record_seen, self._keys)

    def _passwords_withheld(self, report: Report) -> list[str]:
        """Return the nodes that rejected the key, and did not get the password because of a new host key.

        No question was asked for them, because a login with a key needs no confirmed host key."""
        logins = {node.address: self._source.plan.login(node) for node in self._source.plan.nodes}
        unknown = (node.address for node in report.nodes if node.state is NodeState.HOST_KEY_UNKNOWN)
        return [address for address in unknown if logins[address].key_file]


def _compared(source: OpenedPlan, report: Report, *, partial: bool) -> Changes | None:
    """Return the changes of `report` since the last complete report of its plan.

    If `report` is complete, save it as the new last report.
    """
    report_path = last_report_path(state_home(), source.file)
    before = load_last_report(report_path)
    if not partial:
        try:
            save_last_report(report_path, report)
        except OSError as error:
            print_err(
                _("Cannot save the report: {reason}. The next check cannot show the changes since this one.").format(
                    reason=error.strerror
                )
            )
    return changes(before, report, partial=partial) if before is not None else None


def _write_record(path: Path, content: str) -> None:
    """Write the record with mode 0600: it has no secrets, but it describes the nodes. Raises: CommandFailed."""
    try:
        write_atomically(path, content)
    except OSError as error:
        raise file_failed(path, error) from error
    text = _(
        "The record was written to {path}. Secrets are masked and addresses are replaced; host names, user names and "
        "paths are not. Read it before you give it to others."
    )
    print_err(text.format(path=path))


def write_html(path: Path, page: str) -> None:
    """Write the HTML page with mode 0644: it has no secrets, so other users can read it. Raises: CommandFailed."""
    try:
        write_atomically(path, page, mode=0o644)
    except OSError as error:
        raise file_failed(path, error) from error
    print_err(pgettext("file", "The HTML report was written to {path}").format(path=path))


def node_state_line(event: NodeFinished) -> str:
    """Return a line with the state of a node at the end of its checks, and the reason if it could not be checked."""
    detail = f" ({event.detail})" if event.detail else ""
    return f"{event.address}: {state_label(event.state)}{detail}"
