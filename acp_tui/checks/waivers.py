"""Warn about waivers without effect: expired, or for a requirement or node that does not exist.

Each gives a warning, because its author relies on it. The requirement is evaluated as if the waiver were absent.
"""

from collections.abc import Collection, Iterator
from datetime import date

from acp_tui.checks.catalog import catalogue
from acp_tui.checks.verdict import Outcome, Severity, Verdict
from acp_tui.checks.verdict_builder import in_force
from acp_tui.core.i18n import _, pgettext
from acp_tui.plan.model import Plan, Waiver

RULE = "PRE-ALL"
"""The requirement that these warnings belong to (see `Plan.waivers`)."""


def idle_waivers(plan: Plan, today: date, requirements: Collection[str] | None = None) -> tuple[Verdict, ...]:
    """Return a warning for each waiver without effect. `requirements`: known IDs; None: those of the plan's release."""
    nodes = {node.address for node in plan.nodes}
    known = catalogue(plan.effective_release).keys() if requirements is None else requirements
    return tuple(
        Verdict(
            requirement=RULE,
            node=None,
            severity=Severity.ADVICE,
            outcome=Outcome.WARN,
            observed=_observed(waiver, reason),
            expected=_("waivers for existing requirements and nodes, not expired"),
            remedy=_("Correct the waiver, or remove it from the plan."),
            paths=(f"waivers[{index}]",),
        )
        for index, waiver in enumerate(plan.waivers)
        for reason in _reasons(waiver, known, nodes, today)
    )


def _observed(waiver: Waiver, reason: str) -> str:
    if waiver.node == "*":
        text = _("the waiver of {rule} for all nodes has no effect: {reason}")
        return text.format(rule=waiver.requirement, reason=reason)
    text = _("the waiver of {rule} for {node} has no effect: {reason}")
    return text.format(rule=waiver.requirement, node=waiver.node, reason=reason)


def _reasons(waiver: Waiver, requirements: Collection[str], nodes: Collection[str], today: date) -> Iterator[str]:
    """Yield why the waiver has no effect, at most one reason."""
    if waiver.requirement not in requirements:
        yield pgettext("reason", "unknown requirement")
    elif waiver.node != "*" and waiver.node not in nodes:
        yield _("the plan does not contain this node")
    elif not in_force(waiver, today):
        yield _("{date} is in the past, or is not a date (YYYY-MM-DD)").format(date=waiver.until)
