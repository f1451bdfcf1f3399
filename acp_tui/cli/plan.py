"""Commands on the plan alone: validate, render, schema, explain."""

from argparse import Namespace
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path

from acp_tui.checks.catalog import Requirement, catalogue
from acp_tui.checks.plan.evaluate import evaluate_plan
from acp_tui.checks.sizing.calculator import Sizing, sizing
from acp_tui.checks.verdict import Outcome, Severity, Verdict
from acp_tui.checks.verdict_builder import waive
from acp_tui.checks.waivers import idle_waivers
from acp_tui.cli.context import CommandFailed, open_plan, plan_path, print_err, print_out, show_json
from acp_tui.core.errors import ExitStatus
from acp_tui.core.i18n import _
from acp_tui.core.state_dir import state_home
from acp_tui.install.config.render import RenderError, render, unverified
from acp_tui.package.checks import name_verdicts
from acp_tui.plan.file import PlanReading, Problem, read_plan, schema
from acp_tui.plan.model import RELEASES, Plan
from acp_tui.preflight.bundle import is_bundle
from acp_tui.preflight.local_files import read_local_files
from acp_tui.preflight.report.explain import expected_text, explain_requirement, how_observed, later_releases
from acp_tui.preflight.report.history import last_report_path, load_last_report
from acp_tui.preflight.report.model import Report
from acp_tui.preflight.report.sizing import fit_lines, reason_lines, table_lines

_COLUMNS = 100
"""Width of a text that is not asked how wide it may be."""


def validate(options: Namespace) -> int:
    """Every rule that needs no node; all errors at once."""
    started = datetime.now(UTC)
    place = plan_path(options.plan)
    try:
        if is_bundle(Path(options.plan)):
            reading = PlanReading(open_plan(options.plan, options.passphrase_file).plan)
        else:
            reading = read_plan(place)
    except OSError as error:
        raise CommandFailed(_("{path}: {why}").format(path=place, why=error.strerror or error)) from error
    plan = reading.plan or Plan()
    verdicts = _rules(plan, place.parent, reading.problems) if reading.plan else ()
    refused = tuple(_refusal(problem) for problem in reading.problems)
    report = Report(plan.effective_release, started, datetime.now(UTC), (), (*refused, *verdicts))
    sizes = _sizes(plan, place) if options.sizes and reading.plan else None
    if options.json:
        told = {"sizing": asdict(sizes)} if sizes else {}
        show_json({**report.to_json(), "problems": [str(problem) for problem in reading.problems], **told})
    else:
        for problem in reading.problems:
            print_out(str(problem))
        _show_verdicts(verdicts)
        if sizes:
            for lines in (table_lines(sizes), reason_lines(sizes, _COLUMNS), fit_lines(sizes)):
                print_out("\n".join((*lines, "")))
        print_out(_("The plan is good.") if report.ready else _("The plan is not good yet."))
    return ExitStatus.DONE if report.ready else ExitStatus.NO


def _sizes(plan: Plan, place: Path) -> Sizing:
    """How many machines of what size, held against the nodes as the last `check` of this plan has seen them."""
    last = load_last_report(last_report_path(state_home(), place))
    return sizing(plan, {node.address: node.machine for node in last.nodes} if last else {})


def _rules(plan: Plan, base: Path, problems: Sequence[Problem]) -> tuple[Verdict, ...]:
    """The rules' verdicts, without those that rest on a value which the plan file got wrong."""
    wrong = tuple(problem.path.partition("[")[0] for problem in problems)
    today = date.today()
    judged = (*name_verdicts(plan, base, today), *evaluate_plan(plan, read_local_files(plan, base)))
    kept = [v for v in judged if not any(path.startswith(wrong) for path in v.paths)] if wrong else judged
    return (*idle_waivers(plan, today), *(waive(verdict, plan.waivers, today) for verdict in kept))


def _refusal(problem: Problem) -> Verdict:
    return Verdict(
        problem.rule or "PLAN", None, Severity.MUST, Outcome.FAIL, str(problem), "", "", None, (problem.path,)
    )


def _show_verdicts(verdicts: Sequence[Verdict]) -> None:
    for verdict in verdicts:
        if verdict.blocks or verdict.outcome is Outcome.WARN:
            where = f" ({', '.join(verdict.paths)})" if verdict.paths else ""
            waived = " " + _("waived: {reason}").format(reason=verdict.waived) if verdict.waived is not None else ""
            print_out(f"{verdict.outcome.value:<7} {verdict.requirement}{where}: {verdict.observed}{waived}")
            for name, text in ((_("wanted"), verdict.expected), (_("mend"), verdict.remedy)):
                if text:
                    print_out(f"        {name}: " + text.strip().replace("\n", "\n          "))


def render_document(options: Namespace) -> int:
    """The installer's configuration document, secrets included, on standard output."""
    source = open_plan(options.plan, options.passphrase_file)
    try:
        text = render(source.plan, source.base)
    except RenderError as error:
        raise CommandFailed("\n".join(f"{one.path}: {one.reason}" for one in error.missing), ExitStatus.NO) from error
    if source.plan.kubernetes.version is None:
        print_err(_("kubernetes.version is left to the running installer: cluster.version is empty here."))
    for note in unverified(source.plan):
        print_err(_("unverified: {note}").format(note=note))
    print_out(text.rstrip("\n"))
    return ExitStatus.DONE


def print_schema(options: Namespace) -> int:
    show_json(schema())
    return ExitStatus.DONE


def explain(options: Namespace) -> int:
    """A requirement: what, why, how it is observed, how to mend it; without an ID, the list of all."""
    release = options.release or RELEASES[0]
    rows = catalogue(release)
    if options.id is None:
        if options.json:
            show_json([_row(row, release) for row in rows.values()])
        else:
            for row in rows.values():
                print_out(f"{row.id:<22} {row.severity.value:<7} {_(row.title)}")
        return ExitStatus.DONE
    found = rows.get(options.id.upper())
    if found is None:
        raise CommandFailed(_("{id}: there is no such requirement; acp-tui explain lists them").format(id=options.id))
    if options.json:
        show_json(_row(found, release))
        return ExitStatus.DONE
    print_out(f"{found.id} ({_('release')} {release})\n{_(found.title)}")
    for name, text in (*explain_requirement(found), *later_releases(found.id, release)):
        print_out(f"\n{name}:\n  " + text.replace("\n", "\n  "))
    return ExitStatus.DONE


def _row(row: Requirement, release: str) -> dict[str, object]:
    return {
        "id": row.id,
        "release": release,
        "severity": row.severity.value,
        "title": _(row.title),
        "expected": expected_text(row),
        "why": _(row.why),
        "remedy": row.remedy_text(),
        "remedies": {system: row.remedy_text(system) for system in row.os_commands},
        "how": how_observed(row),
    }
