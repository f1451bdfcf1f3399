"""Texts of the fix screen: a step before and after it ran, and the question before a node is changed."""

from collections.abc import Mapping

from rich.text import Text

from acp_tui.checks.labels import outcome_label
from acp_tui.core.i18n import _, ngettext, pgettext
from acp_tui.preflight.fixes.apply import Job, StepDone
from acp_tui.preflight.fixes.select import FixResult
from acp_tui.preflight.fixes.step import FixStep

_LINES, _WIDTH = 4, 60  # of the list that a step would remove


def step_detail(step: FixStep, done: StepDone | None, result: FixResult | None) -> Text:
    """Return commands and backup of a step, its output, and the state of its requirement since."""
    text = Text(f"{', '.join(step.requirements)}\n", "bold")
    now = ": ".join(part for part in (outcome_label(result.outcome), result.observed) if part) if result else ""
    parts = (
        (pgettext("fix", "now"), now),
        (pgettext("fix", "failed"), done.output if done is not None and done.status else ""),
        (pgettext("fix", "note"), step.note),
        (pgettext("fix", "reboot"), _("effective after a reboot (you do this)") if step.reboot_needed else ""),
        (pgettext("fix", "commands"), step.commands),
        (pgettext("fix", "backup of"), " ".join(step.files)),
        (pgettext("fix", "undo"), step.undo or (pgettext("fix", "not reversible") if step.destructive else "")),
        (pgettext("fix", "output"), done.output if done is not None and not done.status else ""),
    )
    for name, value in parts:
        if value:
            text.append(f"{name}: ", "dim")
            text.append(value.strip() + "\n")
    return text


def question(job: Job, removed: Mapping[str, str]) -> str:
    """Return the changes of a node, for its confirmation. `removed`: requirement → list that its step would remove."""
    lines = [", ".join(step.requirement for step in job.steps)]
    removes = pgettext("fix", "{rule} removes: {list}")
    lines += [removes.format(rule=requirement, list=_cut(text)) for requirement, text in removed.items()]
    lines.append(_("Backups and undo.sh: {folder}").format(folder=job.folder))
    lines.append(_("Then acp-tui checks this node again."))
    return "\n\n".join(lines)


def _cut(text: str) -> str:
    """Return the first lines of `text`, so that the keys stay on the screen."""
    lines = text.splitlines()
    shown = [line[:_WIDTH] for line in lines[:_LINES]]
    if len(lines) > _LINES:
        more = len(lines) - _LINES
        shown.append(ngettext("and {count} line more", "and {count} lines more", more).format(count=more))
    return "\n".join(shown)
