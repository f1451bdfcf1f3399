"""Texts of the Install step: phases, advice, failure, verification and remaining steps."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from acp_tui.checks.labels import OUTCOMES, outcome_label
from acp_tui.core.i18n import _, ngettext, pgettext
from acp_tui.install.next_step import NextStep, next_step
from acp_tui.install.observe.failure import failure
from acp_tui.install.observe.phase_labels import PHASES, SHOWN_AS, phase_label
from acp_tui.install.run.state import Phase, RunState
from acp_tui.install.verify.checklist import checklist
from acp_tui.plan.model import Plan
from screens.formatting.glyphs import glyphs, outcome_mark

if TYPE_CHECKING:
    from acp_tui.install.verify.run import Finish

_WORST_FIRST = list(OUTCOMES)


def phases(state: RunState | None) -> Text:
    """Return a line with all phases and a mark at the current one. A second line names the installer's own step."""
    g = glyphs()
    text = Text(no_wrap=True, overflow="ellipsis")
    names = list(PHASES)
    reached = state.failed_in or state.phase if state else Phase.STARTING
    reached = SHOWN_AS.get(reached, reached)
    current = names.index(reached) if reached in names else -1
    if state is not None and state.phase is Phase.SUCCESS:
        current = len(names)
    for index, name in enumerate(names):
        done = index < current
        mark = g.passed if done else g.here if index == current else " "
        text.append(f"{mark} {phase_label(name)}", "green" if done else "bold" if index == current else "dim")
        text.append("  ")
    if state is not None and state.step:
        text.append("\n" + pgettext("status", "installer step {step}").format(step=state.step))
    return text


def advice(run: RunState | None, finish: "Finish | None", *, verifying: bool, stall: str) -> Text:
    """Return the state of the install and the keys to press. `stall`: the likely cause of a stalled install, or ""."""
    if run is None:
        message = _(
            "Press s to start the install. It continues even if this terminal closes. To follow it, run: acp-tui attach"
        )
        return Text(message, "bold")
    g = glyphs()
    match run.phase:
        case Phase.SUCCESS:
            return success_lines(run, finish, verifying=verifying)
        case Phase.FAILED:
            return failed_lines(run)
        case Phase.UNKNOWN | Phase.CANCELLED:
            files = _("Files of the install: {folder}").format(folder=run.spec.run_dir)
            return Text(f"{g.failed} {run.message}\n{files}", "bold red")
    match next_step(run):
        case NextStep.RESUME:
            return Text(
                "? " + _("The install process ended unexpectedly. Press s to resume the install."), "bold yellow"
            )
        case NextStep.CHOOSE_VERSIONS | NextStep.ANSWER_RECEIVED | NextStep.ANSWER_CHANGES | NextStep.ANSWER_LISTENER:
            return Text(
                f"? {run.message}\n" + pgettext("status", "Press s to decide how the install continues."), "bold yellow"
            )
    if stall:
        return Text(
            f"! {phase_label(run.phase)}: {stall}\n" + _("Press t to diagnose the install again."), "bold yellow"
        )
    message = run.message or _(
        "The install is running. It continues even if you quit. To follow it, run: acp-tui attach"
    )
    return Text(f"{g.running} {phase_label(run.phase)}\n{message}")


def success_lines(state: RunState, finish: "Finish | None", *, verifying: bool) -> Text:
    """Return three lines: the URL of the platform, the result of the verification, and the keys."""
    g = glyphs()
    text = Text(f"{g.passed} " + _("The platform is installed: {url}").format(url=state.platform_url), "bold green")
    text.append("\n")
    if verifying:
        text.append(f"{g.running} " + _("acp-tui is verifying nodes, charts, Pods, Web UI and registry."), "not bold")
    elif finish is not None:
        text.append_text(summary_line(finish))
        due = any(one.requirement == "INS-CLEANUP" and one.remedy for one in finish.report.verdicts)
        keys = [_("f: details, remaining steps"), _("v: verify again"), *([_("c: clean up")] if due else [])]
        text.append("\n" + "   ".join(keys), "not bold default")
    return text


def summary_line(finish: "Finish") -> Text:
    """Return the result of the verification on one line. A failed verification shows the number of blockers."""
    g = glyphs()
    if finish.healthy and not finish.console:
        message = _("The cluster passed the checks, but the Web UI does not respond.")
        return Text(f"! {message}", "bold yellow")
    if finish.healthy:
        return Text(f"{g.passed} " + _("Nodes, charts, Pods, Web UI and registry passed the checks."), "bold green")
    count = sum(verdict.blocks for verdict in finish.report.verdicts)
    message = ngettext("The verification found {count} blocker.", "The verification found {count} blockers.", count)
    return Text(f"{g.failed} " + message.format(count=count), "bold red")


def failed_lines(state: RunState) -> Text:
    """Return three lines about a failed install: the error message, the likely cause, and the keys."""
    found = failure(state)
    text = Text(f"{glyphs().failed} {state.message.splitlines()[0] if state.message else ''}\n", "bold red")
    text.append(pgettext("status", "Likely cause: {cause}").format(cause=found.cause) + "\n", "not bold default")
    text.append(_("f: details, last log lines   s: resume"), "not bold default")
    text.no_wrap, text.overflow = True, "ellipsis"
    return text


def failure_text(state: RunState) -> Text:
    """Return all details of a failed install, and the commands for the next steps."""
    found = failure(state)
    text = Text(f"{state.message}\n\n", "bold")
    text.append(
        pgettext("status", "The install failed in the phase: {phase}").format(phase=phase_label(found.phase)) + "\n"
    )
    text.append(pgettext("status", "Likely cause: {cause}").format(cause=found.cause) + "\n\n")
    text.append(pgettext("status", "Last lines of the log:") + "\n", "bold")
    text.append("".join(f"{line}\n" for line in found.lines) + "\n")
    text.append(_("For a support archive without secrets, run: acp-tui support FILE.tar.gz") + "\n")
    text.append(_("Files of the install: {folder}").format(folder=state.spec.run_dir) + "\n\n")
    text.append(
        _("To remove the installer, run this command on the installer node: {command}").format(
            command=state.spec.removal
        )
    )
    return text


def warning_lines(warnings: Sequence[str]) -> Text:
    """Return a line for each warning about the packages."""
    return Text.assemble(("\n".join(f"! {warning}" for warning in warnings), "bold red"))


def result_text(finish: "Finish | None", plan: Plan, warnings: Sequence[str] = ()) -> Text:
    """Return the findings of the verification, failed ones first, and the remaining steps.

    `warnings`: lines about packages that are not verified; see `trust_warnings`."""
    text = warning_lines(warnings)
    text.append("\n\n" if warnings else "")
    if finish is None:
        text.append(_("The cluster has not been verified yet.") + "\n\n")
    else:
        for verdict in sorted(finish.report.verdicts, key=lambda one: _WORST_FIRST.index(one.outcome)):
            node = f" {verdict.node}" if verdict.node else ""
            text.append(*outcome_mark(verdict.outcome))
            text.append(f" {verdict.requirement}{node}: {outcome_label(verdict.outcome)}\n", "bold")
            text.append(f"{verdict.observed}\n")
            if verdict.remedy:
                text.append(pgettext("status", "Fix: {fix}").format(fix=verdict.remedy.strip()) + "\n", "italic")
        for one in finish.report.nodes:
            if one.detail:
                text.append(f"{one.address}: {one.detail}\n")
        text.append("\n")
    text.append(pgettext("heading", "Remaining steps") + "\n", "bold")
    for step in checklist(plan):
        text.append(f"[ ] {step.title}: ", "bold")
        text.append(f"{step.text}\n")
    return text
