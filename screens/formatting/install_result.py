"""An install as the wizard tells it: how far it is, why it failed, what was found at its end, what is left to do."""

from typing import TYPE_CHECKING

from rich.text import Text

from acp_tui.checks.labels import OUTCOMES, outcome_label
from acp_tui.core.i18n import _, ngettext
from acp_tui.install.observe.failure import failure
from acp_tui.install.observe.labels import PHASES, SHOWN_AS, phase_label
from acp_tui.install.run.state import Phase, RunState
from acp_tui.install.verify.checklist import checklist
from acp_tui.plan.model import Plan
from screens.formatting.glyphs import glyphs, outcome_mark

if TYPE_CHECKING:
    from acp_tui.install.verify.run import Finish

_WORST = list(OUTCOMES)


def phases(state: RunState | None) -> Text:
    """The phases, with what is done and where it stands; below them the installer's own step."""
    g = glyphs()
    text = Text(no_wrap=True, overflow="ellipsis")
    names = list(PHASES)
    reached = state.failed_in or state.phase if state else Phase.STARTING
    reached = SHOWN_AS.get(reached, reached)
    here = names.index(reached) if reached in names else -1
    if state is not None and state.phase is Phase.SUCCESS:
        here = len(names)
    for index, name in enumerate(names):
        done = index < here
        mark = g.passed if done else g.here if index == here else " "
        text.append(f"{mark} {phase_label(name)}", "green" if done else "bold" if index == here else "dim")
        text.append("  ")
    if state is not None and state.step:
        text.append("\n" + _("installer's step {step}").format(step=state.step))
    return text


def success_lines(state: RunState, found: "Finish | None", looking: str) -> Text:
    """That it is installed, what the last look at the cluster found, and the keys; `looking`: what is done now."""
    g = glyphs()
    text = Text(f"{g.passed} " + _("Installed. The platform is at {url}").format(url=state.platform_url), "bold green")
    text.append("\n")
    if looking:
        text.append(f"{g.running} {looking}", "not bold")
    elif found is not None:
        text.append_text(summary_line(found))
        due = any(one.requirement == "INS-CLEANUP" and one.remedy for one in found.report.verdicts)
        keys = [_("f all of it, and what is left"), _("v look again"), *([_("c clean up")] if due else [])]
        text.append("\n" + "   ".join(keys), "not bold default")
    return text


def summary_line(found: "Finish") -> Text:
    """One line: verified, or how much speaks against it."""
    g = glyphs()
    if found.healthy and not found.console:
        told = _("Verified: nodes, charts, Pods and registry. The console does not answer (f says why).")
        return Text(f"! {told}", "bold yellow")
    if found.healthy:
        return Text(f"{g.passed} " + _("Verified: nodes, charts, Pods, console and registry."), "bold green")
    count = sum(verdict.blocks for verdict in found.report.verdicts)
    told = ngettext("Not verified: {count} finding blocks.", "Not verified: {count} findings block.", count)
    return Text(f"{g.failed} " + told.format(count=count), "bold red")


def failed_lines(state: RunState) -> Text:
    """What failed, why probably, and where to go from here; three lines."""
    found = failure(state)
    text = Text(f"{glyphs().failed} {state.message.splitlines()[0] if state.message else ''}\n", "bold red")
    text.append(_("Likely: {cause}").format(cause=found.cause) + "\n", "not bold default")
    text.append(_("f the last lines and what to collect   s tries again from there"), "not bold default")
    text.no_wrap, text.overflow = True, "ellipsis"
    return text


def failed_whole(state: RunState) -> Text:
    """All that is known of a failure, and what to do about it."""
    found = failure(state)
    text = Text(f"{state.message}\n\n", "bold")
    text.append(_("Failed in: {phase}").format(phase=phase_label(found.phase)) + "\n")
    text.append(_("Likely: {cause}").format(cause=found.cause) + "\n\n")
    text.append(_("Last lines:") + "\n", "bold")
    text.append("".join(f"{line}\n" for line in found.lines) + "\n")
    text.append(_("For whoever helps, without secrets: acp-tui support FILE.tar.gz") + "\n")
    text.append(_("All that was written: {folder}").format(folder=state.spec.run_dir) + "\n\n")
    text.append(_("Is the installer to be removed: {command}").format(command=state.spec.removal))
    return text


def whole(found: "Finish | None", plan: Plan) -> Text:
    """Findings, worst first, then the things to do by hand."""
    text = Text()
    if found is None:
        text.append(_("The cluster has not been looked at yet.") + "\n\n")
    else:
        for verdict in sorted(found.report.verdicts, key=lambda one: _WORST.index(one.outcome)):
            about = f" {verdict.node}" if verdict.node else ""
            text.append(*outcome_mark(verdict.outcome))
            text.append(f" {verdict.requirement}{about}: {outcome_label(verdict.outcome)}\n", "bold")
            text.append(f"{verdict.observed}\n")
            if verdict.remedy:
                text.append(f"{_('To mend it')}: {verdict.remedy.strip()}\n", "italic")
        for node in found.report.nodes:
            if node.detail:
                text.append(f"{node.address}: {node.detail}\n")
        text.append("\n")
    text.append(_("To do by hand") + "\n", "bold")
    for todo in checklist(plan):
        text.append(f"[ ] {todo.title}: ", "bold")
        text.append(f"{todo.text}\n")
    return text
