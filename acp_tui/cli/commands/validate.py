"""The command `validate`: check the plan without any node."""

from argparse import Namespace
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from acp_tui.cli.options import Subparsers, add_command, add_json, add_plan
from acp_tui.core.errors import ExitStatus
from acp_tui.core.i18n import _

if TYPE_CHECKING:
    from acp_tui.checks.sizing.calculator import Sizing
    from acp_tui.checks.verdict import Verdict
    from acp_tui.plan.file import Problem
    from acp_tui.plan.model import Plan

_COLUMNS = 100
"""Width of the sizing in characters. It does not depend on the terminal, because the output can go to a file."""


def register(commands: Subparsers) -> None:
    """Add this command and its options to the parser."""
    parser = add_command(commands, "validate", run, _("check the plan against every rule that needs no node"))
    add_plan(parser)
    parser.add_argument(
        "--sizes",
        action="store_true",
        help=_("also print the sizing: the required number and size of machines, with reasons"),
    )
    add_json(parser)


def run(options: Namespace) -> int:
    """Print all errors of the plan at once."""
    from dataclasses import asdict

    from acp_tui.cli.context import file_failed, open_plan, plan_path, print_err, print_json, print_out
    from acp_tui.cli.references import reference_policy
    from acp_tui.core.clock import now
    from acp_tui.plan.file import PlanReading, read_plan
    from acp_tui.plan.model import Plan
    from acp_tui.preflight.bundle import is_bundle
    from acp_tui.preflight.report.model import Report
    from acp_tui.preflight.report.sizing import fit_lines, reason_lines, table_lines

    started = now()
    plan_file = plan_path(options.plan)
    try:
        if is_bundle(Path(options.plan)):
            reading = PlanReading(
                open_plan(options.plan, options.passphrase_file, allow_references=options.allow_references).plan
            )
        else:
            policy = reference_policy(allow=options.allow_references)
            reading = read_plan(plan_file, references=policy)
            for warning in reading.warnings:
                print_err(warning)
    except OSError as error:
        raise file_failed(plan_file, error) from error
    plan = reading.plan or Plan()
    verdicts = _evaluate(plan, plan_file.parent, reading.problems) if reading.plan else ()
    invalid = tuple(_invalid(problem) for problem in reading.problems)
    report = Report(plan.effective_release, started, now(), (), (*invalid, *verdicts), left_out=True)
    sizes = _sizes(plan, plan_file) if options.sizes and reading.plan else None
    if options.json:
        more = {"sizing": asdict(sizes)} if sizes else {}
        print_json({**report.to_json(), "problems": [str(problem) for problem in reading.problems], **more})
    else:
        for problem in reading.problems:
            print_out(str(problem))
        _show_verdicts(verdicts)
        if sizes:
            for lines in (table_lines(sizes), reason_lines(sizes, _COLUMNS), fit_lines(sizes)):
                print_out("\n".join((*lines, "")))
        print_out(_("The plan is valid.") if report.unblocked else _("The plan is not valid. Fix the errors above."))
    return ExitStatus.DONE if report.unblocked else ExitStatus.CHECK_FAILED


def _sizes(plan: "Plan", plan_file: Path) -> "Sizing":
    """Return the sizing of the plan, compared with the nodes in the last report of the plan."""
    from acp_tui.checks.sizing.calculator import sizing
    from acp_tui.core.state_dir import state_home
    from acp_tui.preflight.report.history import last_report_path, load_last_report

    last = load_last_report(last_report_path(state_home(), plan_file))
    return sizing(plan, {node.address: node.machine for node in last.nodes} if last else {})


def _evaluate(plan: "Plan", plan_dir: Path, problems: Sequence["Problem"]) -> tuple["Verdict", ...]:
    """Return the verdicts of the plan's rules, without those that depend on an invalid value."""
    from acp_tui.checks.catalog import catalogue
    from acp_tui.checks.causes import without_lost_causes
    from acp_tui.checks.plan.evaluate_plan import evaluate_plan
    from acp_tui.checks.waivers import idle_waivers, waive
    from acp_tui.package.checks import key_verdicts, name_verdicts
    from acp_tui.preflight.read_local_files import read_local_files

    invalid = tuple(problem.path.partition("[")[0] for problem in problems)
    today = date.today()
    package = (*name_verdicts(plan, plan_dir, today), *key_verdicts(plan, today))
    verdicts = (*package, *evaluate_plan(plan, read_local_files(plan, plan_dir)))
    valid = [v for v in verdicts if not any(path.startswith(invalid) for path in v.paths)] if invalid else verdicts
    return (
        *idle_waivers(plan, today, catalogue(plan.effective_release).keys()),
        *without_lost_causes([waive(verdict, plan.waivers, today) for verdict in valid]),
    )


def _invalid(problem: "Problem") -> "Verdict":
    from acp_tui.checks.verdict import Outcome, Severity, Verdict

    rule = problem.rule or "PLAN"
    return Verdict(rule, None, Severity.MUST, Outcome.FAIL, str(problem), "", "", None, (problem.path,))


def _show_verdicts(verdicts: Sequence["Verdict"]) -> None:
    from acp_tui.checks.causes import by_cause
    from acp_tui.checks.labels import outcome_label
    from acp_tui.checks.verdict import Outcome
    from acp_tui.cli.context import print_out
    from acp_tui.cli.findings import print_parts, waived_suffix
    from acp_tui.cli.table import columns
    from acp_tui.preflight.report.followers import followers_text

    shown = [group for group in by_cause(verdicts) if group.blocks or group.verdict.outcome is Outcome.WARN]
    rows = []
    for verdict in (group.verdict for group in shown):
        paths = f" ({', '.join(verdict.paths)})" if verdict.paths else ""
        finding = f"{verdict.requirement}{paths}: {verdict.observed}{waived_suffix(verdict)}"
        rows.append((outcome_label(verdict.outcome), finding))
    for group, line in zip(shown, columns(rows), strict=True):
        print_out(line)
        print_parts(expected=group.verdict.expected, fix=group.verdict.remedy)
        if more := followers_text([group]):
            print_out("    " + more)
