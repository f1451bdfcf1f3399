"""The explanation that ^O opens: all open findings of a step, and the requirement under the cursor."""

from rich.text import Text

from acp_tui.checks.catalog import catalogue
from acp_tui.core.i18n import _, pgettext
from acp_tui.preflight.report.explain import explain_requirement
from screens.formatting.finding import title_of
from screens.formatting.glyphs import outcome_mark
from screens.steps.base import WizardStep


def explanation(step: WizardStep) -> Text:
    """Return the explanation for a step. Empty if the step has no open finding and no requirement under the cursor."""
    text = Text()
    release = step.session.plan.effective_release
    for verdict in step.open_findings():
        mark = outcome_mark(verdict.outcome)[0]
        text.append(f"{mark} {title_of(verdict, release)} ({verdict.requirement})\n", "bold")
        parts = (
            (pgettext("detail", "observed"), verdict.observed),
            (pgettext("detail", "expected"), verdict.expected),
            (pgettext("detail", "fix"), verdict.remedy),
        )
        for name, value in parts:
            if value:
                text.append(f"{name}: ", "dim")
                text.append(value.strip() + "\n")
        text.append("\n")
    row = catalogue(release).get(step.rule_under_cursor() or "")
    if row is not None:
        text.append(_(row.title) + "\n\n", "bold")
        for name, value in explain_requirement(row):
            text.append(f"{name}\n", "dim")
            text.append(f"{value}\n\n")
    return text
