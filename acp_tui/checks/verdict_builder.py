"""From a finding to the verdict of the report: the row's words, the severity's limits, the operator's waivers.

Used for rules of the plan and of the nodes alike, so that both speak the same way.
"""

import shlex
from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from acp_tui.checks.catalog import Requirement
from acp_tui.checks.finding import Finding
from acp_tui.checks.verdict import Outcome, Severity, Verdict
from acp_tui.core.i18n import _
from acp_tui.plan.model import Waiver

_SETTLED = (Outcome.PASS, Outcome.NOT_APPLICABLE)


def build_verdict(
    requirement: Requirement, finding: Finding, node: str | None = None, os_id: str | None = None
) -> Verdict:
    """The verdict on `finding`. `node`: whom it is about, where the finding does not say; `os_id` picks the remedy.

    A rule that is advice, or only to be known, warns where another would fail."""
    outcome = finding.outcome
    if outcome is Outcome.FAIL and requirement.severity in (Severity.ADVICE, Severity.INFO):
        outcome = Outcome.WARN
    return Verdict(
        requirement=requirement.id,
        node=finding.node or node,
        severity=requirement.severity,
        outcome=outcome,
        observed=finding.observed or (_("does not apply here") if outcome is Outcome.NOT_APPLICABLE else ""),
        expected=finding.expected or _(requirement.expected) or _(requirement.title),
        remedy=_remedy(requirement, finding, outcome, os_id),
        paths=finding.paths,
        names=finding.names,
    )


def _remedy(requirement: Requirement, finding: Finding, outcome: Outcome, os_id: str | None) -> str:
    if outcome in _SETTLED:
        return ""
    if outcome is Outcome.UNKNOWN and not finding.remedy and requirement.how:
        return _("Look for yourself: {how}").format(how=_(requirement.how))
    text = finding.remedy or requirement.remedy_text(os_id)
    if not finding.names:  # a line about them would be about nothing
        text = "\n".join(line for line in text.splitlines() if "{names}" not in line)
    return text.replace("{names}", " ".join(map(shlex.quote, finding.names)))


def waive(verdict: Verdict, waivers: Iterable[Waiver], today: date) -> Verdict:
    """`verdict` with the reason of the waiver that covers it."""
    waiver = waiver_for(verdict, waivers, today)
    return replace(verdict, waived=waiver.reason) if waiver is not None else verdict


def waiver_for(verdict: Verdict, waivers: Iterable[Waiver], today: date) -> Waiver | None:
    """The waiver that covers `verdict`. What is met needs none; one that has run out covers nothing."""
    if verdict.outcome in _SETTLED:
        return None
    covering = (w for w in waivers if w.requirement == verdict.requirement and w.node in ("*", verdict.node))
    return next((waiver for waiver in covering if holds(waiver, today)), None)


def holds(waiver: Waiver, today: date) -> bool:
    """Whether the waiver is still in force. One that is not dated readably is not."""
    if waiver.until is None:
        return True
    try:
        return today <= date.fromisoformat(waiver.until)
    except ValueError:
        return False
