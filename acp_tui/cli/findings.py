"""Print the findings of a report: one for each cause, and each rule once with all its nodes."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from acp_tui.checks.catalog import Requirement, catalogue
from acp_tui.checks.causes import CauseGroup
from acp_tui.checks.labels import outcome_label, state_label, verdict_title
from acp_tui.checks.verdict import Outcome, Verdict
from acp_tui.cli.context import print_out
from acp_tui.cli.table import columns
from acp_tui.core.i18n import _, ngettext, npgettext, pgettext
from acp_tui.plan.model import Plan
from acp_tui.preflight.report.followers import followers_text
from acp_tui.preflight.report.model import NodeRecord, Report, summary
from acp_tui.preflight.report.readiness import left_out, readiness

_SHOWN = (Outcome.FAIL, Outcome.PENDING_REBOOT, Outcome.UNKNOWN, Outcome.MANUAL, Outcome.WARN)


def print_report(report: Report, plan: Plan | None = None, *, with_followers: bool = False) -> None:
    """Print findings, counts and result, and what a partial check of `plan` left out."""
    for node in report.nodes:
        if node.address in report.findings.unchecked:
            _print_unchecked(node, report.findings.unchecked[node.address], with_followers=with_followers)
    print_findings(report, with_followers=with_followers)
    print_out(readiness(report) + ".")
    for line in left_out(report, plan):
        print_out(line)


def print_findings(report: Report, *, with_followers: bool = False) -> None:
    """Print each finding that needs an action, then the counts.

    `with_followers`: also print the results that follow from a finding, each with its cause.
    """
    found, rules = report.findings, catalogue(report.release)
    shown = [group for group in found.groups if group.verdict.outcome in _SHOWN or group.blocks]
    lines = list(_by_rule(shown))
    rows = [_row(groups, rules) for groups in lines]
    for groups, line in zip(lines, columns(rows), strict=True):
        print_out(line)
        _print_details(groups, line, rules)
        if with_followers:
            _print_verdicts(verdict for group in groups for verdict in group.followers)
    verdicts = [group.verdict for group in found.groups]
    counts = ", ".join(
        pgettext("tally", "{outcome}: {count}").format(outcome=outcome_label(Outcome(name)), count=count)
        for name, count in summary(verdicts).items()
        if count
    )
    print_out(
        pgettext("tally", "Results for release {release}: {counts}").format(release=report.release, counts=counts)
    )


def _print_unchecked(node: NodeRecord, group: CauseGroup | None, *, with_followers: bool) -> None:
    """Print one line for a node that could not be checked. `group`: the results that are unknown for this reason."""
    verdicts = (group.verdict, *group.followers) if group is not None else ()
    line = ngettext(
        "{address}: {state}; {count} requirement could not be checked",
        "{address}: {state}; {count} requirements could not be checked",
        count := sum(verdict.node == node.address for verdict in verdicts),
    ).format(address=node.address, state=state_label(node.state), count=count)
    print_out(f"{line}: {node.detail}" if node.detail else line)
    if with_followers:
        _print_verdicts(verdicts)


def _by_rule(groups: Iterable[CauseGroup]) -> Iterator[tuple[CauseGroup, ...]]:
    """Yield the findings of one rule that have the same outcome, fix and waiver on different nodes together."""
    same: dict[tuple[object, ...], list[CauseGroup]] = {}
    for group in groups:
        verdict = group.verdict
        apart = None if verdict.node is not None else id(verdict)  # findings without a node are about different things
        key = (verdict.requirement, verdict.outcome, verdict.expected, verdict.remedy, verdict.waived, apart)
        same.setdefault(key, []).append(group)
    yield from map(tuple, same.values())


def _row(groups: Sequence[CauseGroup], rules: Mapping[str, Requirement]) -> tuple[str, ...]:
    verdict, nodes = groups[0].verdict, _nodes(groups)
    where = nodes[0] if nodes else "-"
    if len(nodes) > 1:
        where = npgettext("finding", "{count} node", "{count} nodes", len(nodes)).format(count=len(nodes))
    row = rules.get(verdict.requirement)
    titles = {verdict_title(row, group.verdict) for group in groups} if row is not None else {""}
    title = titles.pop() if len(titles) == 1 or row is None else verdict_title(row, replace(verdict, names=()))
    return (outcome_label(verdict.outcome), where, verdict.requirement, title + waived_suffix(verdict))


def _nodes(groups: Iterable[CauseGroup]) -> list[str]:
    return list(dict.fromkeys(group.verdict.node for group in groups if group.verdict.node is not None))


def _print_details(groups: Sequence[CauseGroup], line: str, rules: Mapping[str, Requirement]) -> None:
    verdict, nodes = groups[0].verdict, _nodes(groups)
    title = _(rules[verdict.requirement].title) if verdict.requirement in rules else ""
    # Some checks expect the title of the requirement. The line already shows it.
    expected = "" if verdict.expected == title and title in line else verdict.expected
    observed: dict[str, list[str]] = {}
    for group in groups:
        observed.setdefault(group.verdict.observed, []).append(group.verdict.node or "")
    if len(nodes) > 1 and len(observed) == 1:
        _print_part(pgettext("finding", "nodes: {text}"), ", ".join(nodes))
    elif len(nodes) > 1:
        for value, where in observed.items():
            text = pgettext("finding", "observed on {nodes}: {text}")
            _print_part(text.replace("{nodes}", ", ".join(where)), value)
    print_parts(observed=verdict.observed if len(observed) == 1 else "", expected=expected, fix=verdict.remedy)
    if more := followers_text(groups):
        print_out("    " + more)


def _print_verdicts(verdicts: Iterable[Verdict]) -> None:
    """Print one line for each result that follows from a finding."""
    rows = [(outcome_label(v.outcome), v.node or "-", v.requirement, " ".join(v.observed.split())) for v in verdicts]
    for line in columns(rows):
        print_out("      " + line)


def print_parts(*, observed: str = "", expected: str = "", fix: str = "") -> None:
    """Print the observed value, the expected value and the fix of a finding. Leave out those that are empty."""
    _print_part(pgettext("finding", "observed: {text}"), observed)
    _print_part(pgettext("finding", "expected: {text}"), expected)
    _print_part(pgettext("finding", "fix: {text}"), fix)


def _print_part(message: str, text: str) -> None:
    if text:
        print_out("    " + message.replace("{text}", text.strip().replace("\n", "\n      ")))


def waived_suffix(verdict: Verdict) -> str:
    """Return the reason of the waiver as text for the end of a line; "" if the finding is not waived."""
    return (
        "" if verdict.waived is None else "  " + pgettext("finding", "waived: {reason}").format(reason=verdict.waived)
    )
