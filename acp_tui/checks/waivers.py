"""Apply waivers, and warn about waivers without effect.

A waiver has no effect if it has expired, or if its requirement or node does not exist. The requirement is then
evaluated without the waiver, and a warning informs the author of the waiver.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from datetime import date

from acp_tui.checks.verdict import Outcome, Severity, Verdict
from acp_tui.core.i18n import _, pgettext
from acp_tui.plan.model import Plan
from acp_tui.plan.sections.waiver import Waiver

RULE = "PRE-ALL"
"""The requirement ID of the warnings about waivers without effect. The plan key `waivers` has the same ID."""


_NEVER_WAIVED = (Outcome.PASS, Outcome.NOT_APPLICABLE)


def waive(verdict: Verdict, waivers: Iterable[Waiver], today: date) -> Verdict:
    """Return `verdict`. If a waiver covers it, the result contains the reason of the waiver."""
    waiver = waiver_for(verdict, waivers, today)
    return replace(verdict, waived=waiver.reason) if waiver is not None else verdict


def waiver_for(verdict: Verdict, waivers: Iterable[Waiver], today: date) -> Waiver | None:
    """Return the waiver that covers `verdict`; None if no valid waiver names it.

    A verdict that passed or is not applicable needs no waiver, so the result is None.
    """
    if verdict.outcome in _NEVER_WAIVED:
        return None
    covering = (w for w in waivers if w.requirement == verdict.requirement and w.node in ("*", verdict.node))
    return next((waiver for waiver in covering if in_force(waiver, today)), None)


def in_force(waiver: Waiver, today: date) -> bool:
    """Return True if the waiver has not expired. A date that cannot be read counts as expired."""
    if waiver.until is None:
        return True
    try:
        return today <= date.fromisoformat(waiver.until)
    except ValueError:
        return False


def idle_waivers(plan: Plan, today: date, requirements: Collection[str]) -> tuple[Verdict, ...]:
    """Return a warning for each waiver without effect. `requirements`: the IDs that exist in the release."""
    nodes = {node.address for node in plan.nodes}
    return tuple(
        Verdict(
            requirement=RULE,
            node=None,
            severity=Severity.ADVICE,
            outcome=Outcome.WARN,
            observed=_observed(waiver, reason),
            expected=_("each waiver must name an existing requirement and node, and must not have expired"),
            remedy=_("Correct the waiver, or remove it from the plan."),
            paths=(f"waivers[{index}]",),
        )
        for index, waiver in enumerate(plan.waivers)
        for reason in _reasons(waiver, requirements, nodes, today)
    )


def _observed(waiver: Waiver, reason: str) -> str:
    if waiver.node == "*":
        text = _("the waiver of {rule} for all nodes has no effect: {reason}")
        return text.format(rule=waiver.requirement, reason=reason)
    text = _("the waiver of {rule} for {node} has no effect: {reason}")
    return text.format(rule=waiver.requirement, node=waiver.node, reason=reason)


def _reasons(waiver: Waiver, requirements: Collection[str], nodes: Collection[str], today: date) -> Iterator[str]:
    """Yield the reason why the waiver has no effect; nothing if it has an effect."""
    if waiver.requirement not in requirements:
        yield pgettext("reason", "the release has no requirement with this ID")
    elif waiver.node != "*" and waiver.node not in nodes:
        yield _("the plan does not contain this node")
    elif not in_force(waiver, today):
        yield _("the end date {date} is in the past, or does not have the form YYYY-MM-DD").format(date=waiver.until)
