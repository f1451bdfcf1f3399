"""Texts of the screen that fixes nodes: the details of a fix step, and the question before the fix."""

from collections.abc import Mapping

from rich.text import Text

from acp_tui.checks.labels import outcome_label
from acp_tui.core.i18n import _, ngettext, pgettext
from acp_tui.preflight.fixes.job import Job, StepDone
from acp_tui.preflight.fixes.select import FixResult
from acp_tui.preflight.fixes.step import FixStep

_LINES, _WIDTH = 4, 60  # limits of the list of files or packages that a step removes


def step_detail(step: FixStep, done: StepDone | None, result: FixResult | None) -> Text:
    """Return commands, backup and output of a fix step, and the result of the recheck after the step."""
    text = Text(f"{', '.join(step.requirements)}\n", "bold")
    now = ": ".join(part for part in (outcome_label(result.outcome), result.observed) if part) if result else ""
    parts = (
        (pgettext("fix", "now"), now),
        (pgettext("fix", "failed"), done.output if done is not None and done.status else ""),
        (pgettext("fix", "note"), step.note),
        (
            pgettext("fix", "reboot"),
            _("The fix takes effect after a reboot. Reboot the node yourself.") if step.reboot_needed else "",
        ),
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
    """Return the text that asks to confirm a fix. `removed`: files or packages to remove, by requirement ID."""
    lines = [", ".join(step.requirement for step in job.steps)]
    removes = pgettext("fix", "The fix of {rule} removes: {list}")
    lines += [removes.format(rule=requirement, list=_cut(text)) for requirement, text in removed.items()]
    lines.append(
        _("acp-tui puts the backups and undo.sh into this folder on the node: {folder}").format(folder=job.folder)
    )
    lines.append(_("After the fix, acp-tui checks this node again."))
    return "\n\n".join(lines)


def _cut(text: str) -> str:
    """Return the first lines of `text` and the number of lines that are not shown, so that the dialog stays small."""
    lines = text.splitlines()
    shown = [line[:_WIDTH] for line in lines[:_LINES]]
    if len(lines) > _LINES:
        more = len(lines) - _LINES
        shown.append(
            ngettext("{count} more line is not shown", "{count} more lines are not shown", more).format(count=more)
        )
    return "\n".join(shown)
