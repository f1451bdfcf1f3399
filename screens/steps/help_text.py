"""What ^O tells: everything on a step that is not met, and the requirement behind what is under the cursor."""

from rich.text import Text

from acp_tui.checks.catalog import catalogue
from acp_tui.core.i18n import _
from acp_tui.preflight.report.explain import explain_requirement
from screens.formatting.glyphs import outcome_mark
from screens.steps.base import WizardStep


def explanation(step: WizardStep) -> Text:
    """Empty where there is nothing to tell."""
    text = Text()
    for verdict in step.unmet():
        text.append(f"{outcome_mark(verdict.outcome)[0]} {verdict.requirement}\n", "bold")
        told = ((_("found"), verdict.observed), (_("wanted"), verdict.expected), (_("mend"), verdict.remedy))
        for name, words in told:
            if words:
                text.append(f"{name}: ", "dim")
                text.append(words.strip() + "\n")
        text.append("\n")
    row = catalogue(step.session.plan.effective_release).get(step.rule_under_cursor() or "")
    if row is not None:
        text.append(_(row.title) + "\n\n", "bold")
        for name, words in explain_requirement(row):
            text.append(f"{name}\n", "dim")
            text.append(f"{words}\n\n")
    return text
