"""What the fix screen says of a step, before and after, and what it asks before a node is changed."""

from collections.abc import Mapping

from rich.text import Text

from acp_tui.checks.labels import outcome_label
from acp_tui.core.i18n import _, ngettext
from acp_tui.preflight.fixes.apply import Job, StepDone
from acp_tui.preflight.fixes.select import FixResult
from acp_tui.preflight.fixes.step import FixStep

_LINES, _WIDTH = 4, 60  # of what a step would remove


def about(step: FixStep, said: StepDone | None, result: FixResult | None) -> Text:
    """What a step does, what it has said, and how its requirement stands since."""
    text = Text(f"{', '.join(step.requirements)}\n", "bold")
    now = ": ".join(part for part in (outcome_label(result.outcome), result.observed) if part) if result else ""
    parts = (
        (_("now"), now),
        (_("failed"), said.output if said is not None and said.status else ""),
        (_("note"), step.note),
        (_("reboot"), _("in effect only after one, which is left to you") if step.reboot_needed else ""),
        (_("runs"), step.commands),
        (_("copied first"), " ".join(step.files)),
        (_("undo"), step.undo or (_("none: what it removes is gone") if step.destructive else "")),
        (_("said"), said.output if said is not None and not said.status else ""),
    )
    for name, value in parts:
        if value:
            text.append(f"{name}: ", "dim")
            text.append(value.strip() + "\n")
    return text


def bottom_line() -> Text:
    """The keys of the screen."""
    text = Text(no_wrap=True, overflow="ellipsis")
    keys = (
        ("Space", _("choose")),
        ("Enter", _("whole/script")),
        ("n", _("host name")),
        ("y", _("change this node")),
        ("Esc", _("back")),
    )
    for key, word in keys:
        text.append(f" {key}", "bold reverse")
        text.append(f" {word} ")
    return text


def question(job: Job, gone: Mapping[str, str]) -> str:
    """What a yes would do to the node. `gone`: requirement → what its step would remove."""
    lines = [", ".join(step.requirement for step in job.steps)]
    lines += [f"{requirement}: " + _("would go: {what}").format(what=_cut(what)) for requirement, what in gone.items()]
    lines.append(_("Copies and undo.sh: {folder}").format(folder=job.folder))
    lines.append(_("Then this node is looked at again."))
    return "\n\n".join(lines)


def _cut(text: str) -> str:
    """As much of `text` as leaves the answer keys on the screen."""
    lines = text.splitlines()
    shown = [line[:_WIDTH] for line in lines[:_LINES]]
    if len(lines) > _LINES:
        more = len(lines) - _LINES
        shown.append(ngettext("and {count} line more", "and {count} lines more", more).format(count=more))
    return "\n".join(shown)
