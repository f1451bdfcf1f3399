"""Text of a finding: on one line of a list, or with all its parts."""

from rich.text import Text

from acp_tui.checks.catalog import catalogue
from acp_tui.checks.causes import CauseGroup
from acp_tui.checks.labels import TITLE_COLUMNS, outcome_label, severity_label, verdict_title
from acp_tui.checks.verdict import Outcome, Verdict
from acp_tui.core.i18n import _, npgettext, pgettext
from acp_tui.preflight.report.explain import how_observed
from acp_tui.preflight.report.followers import followers_text
from screens.formatting.glyphs import outcome_mark


def title_of(verdict: Verdict, release: str) -> str:
    """Return the title of a verdict, or its requirement ID if the catalogue does not have the requirement."""
    row = catalogue(release).get(verdict.requirement)
    return verdict_title(row, verdict) if row is not None else verdict.requirement


def one_line(verdict: Verdict, release: str, followers: int = 0) -> Text:
    """Return mark, node, title, requirement and observed value on one line. The list cuts a long line.

    `followers`: the number of verdicts that follow from this one.
    """
    mark, style = outcome_mark(verdict.outcome) if verdict.waived is None else ("W", "cyan")
    text = Text(no_wrap=True, overflow="ellipsis")
    text.append(f" {mark} ", style)
    text.append(f"{(verdict.node or '-'):<15} ")
    text.append(f"{title_of(verdict, release):<{TITLE_COLUMNS}} ", "bold" if verdict.blocks else "")
    text.append(f"{verdict.requirement:<20} ", "dim")
    if followers:
        count = npgettext("list", "(+{count} result)", "(+{count} results)", followers)
        text.append(count.format(count=followers) + " ", "dim")
    text.append(" ".join(verdict.observed.split()))
    return text


def all_parts(verdict: Verdict, release: str, group: CauseGroup | None = None) -> Text:
    """Return title, outcome, values, fix and waiver of a verdict, and the reason for the requirement.

    `group`: the verdict with the verdicts that follow from it.
    """
    row = catalogue(release).get(verdict.requirement)
    text = Text()
    text.append(title_of(verdict, release) + "\n", "bold")
    outcome = f"{outcome_label(verdict.outcome)} ({severity_label(verdict.severity)})"
    text.append(outcome, outcome_mark(verdict.outcome)[1]).append(f"  {verdict.requirement}\n", "dim")
    if group is not None and group.followers:
        text.append(followers_text([group]) + "\n", "dim")
    cause = pgettext("detail", "{rule}; fix that finding first").format(rule=verdict.cause) if verdict.cause else ""
    parts = [
        (pgettext("detail", "follows from"), cause),
        (pgettext("detail", "observed"), verdict.observed),
        (pgettext("detail", "expected"), verdict.expected),
        (pgettext("detail", "fix"), verdict.remedy if verdict.outcome is not Outcome.PASS else ""),
        (pgettext("detail", "waived"), verdict.waived or ""),
        (pgettext("detail", "why"), _(row.why) if row is not None else ""),
        (pgettext("detail", "how"), how_observed(row) if row is not None else ""),
    ]
    for name, value in parts:
        if value:
            lines = value.strip()
            text.append(f"{name}: " if "\n" not in lines else f"{name}:\n", "dim")
            text.append(lines + "\n")
    if group is not None and group.followers:
        text.append(pgettext("detail", "follows from this finding") + ":\n", "dim")
        for follower in group.followers:
            text.append(f"  {outcome_mark(follower.outcome)[0]} {follower.requirement} {follower.node or '-'}: ")
            text.append(" ".join(follower.observed.split()) + "\n")
    return text
