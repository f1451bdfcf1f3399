"""A finding as the preflight shows it: on one line of the list, and whole with everything that is known of it."""

from rich.text import Text

from acp_tui.checks.catalog import catalogue
from acp_tui.checks.labels import outcome_label, severity_label
from acp_tui.checks.verdict import Outcome, Verdict
from acp_tui.core.i18n import _
from acp_tui.preflight.report.explain import how_observed
from screens.formatting.glyphs import outcome_mark


def one_line(verdict: Verdict) -> Text:
    """Mark, node, rule and what was found, cut at the edge."""
    mark, style = outcome_mark(verdict.outcome) if verdict.waived is None else ("W", "cyan")
    text = Text(no_wrap=True, overflow="ellipsis")
    text.append(f" {mark} ", style)
    text.append(f"{(verdict.node or '-'):<15} ")
    text.append(f"{verdict.requirement:<20} ", "bold" if verdict.blocks else "")
    text.append(" ".join(verdict.observed.split()))
    return text


def whole(verdict: Verdict, release: str) -> Text:
    """What was found and wanted, the commands that mend it, and why the rule of this release is there."""
    row = catalogue(release).get(verdict.requirement)
    text = Text()
    if row is not None:
        text.append(_(row.title) + "\n", "bold")
    outcome = f"{outcome_label(verdict.outcome)} ({severity_label(verdict.severity)})\n"
    text.append(outcome, outcome_mark(verdict.outcome)[1])
    parts = [
        (_("found"), verdict.observed),
        (_("wanted"), verdict.expected),
        (_("mend"), verdict.remedy if verdict.outcome is not Outcome.PASS else ""),
        (_("waived"), verdict.waived or ""),
        (_("why"), _(row.why) if row is not None else ""),
        (_("how"), how_observed(row) if row is not None else ""),
    ]
    for name, value in parts:
        if value:
            lines = value.strip()
            text.append(f"{name}: " if "\n" not in lines else f"{name}:\n", "dim")
            text.append(lines + "\n")
    return text
