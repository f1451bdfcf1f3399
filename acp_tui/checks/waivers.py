"""Waivers that put nothing aside: told as a warning, because their author believes that something is settled.

Such a waiver never lets anything through: the rule it was meant for is judged as if it were not there.
"""

from collections.abc import Collection, Iterator
from datetime import date

from acp_tui.checks.catalog import catalogue
from acp_tui.checks.verdict import Outcome, Severity, Verdict
from acp_tui.checks.verdict_builder import holds
from acp_tui.core.i18n import _
from acp_tui.plan.model import Plan, Waiver

RULE = "PRE-ALL"
"""The rule that waivers are answers to (see `Plan.waivers`)."""


def idle_waivers(plan: Plan, today: date) -> tuple[Verdict, ...]:
    """One warning for each waiver that has run out or that names no rule, or no node, of this plan."""
    known = {node.address for node in plan.nodes}
    rules = catalogue(plan.effective_release)
    return tuple(
        Verdict(
            RULE,
            None,
            Severity.ADVICE,
            Outcome.WARN,
            _("the waiver of {rule} for {node} has no effect: {why}").format(
                rule=waiver.requirement, node=_("all nodes") if waiver.node == "*" else waiver.node, why=why
            ),
            _("waivers of rules and nodes that are there, in force today"),
            _("Correct the waiver, or take it out of the plan."),
            paths=(f"waivers[{index}]",),
        )
        for index, waiver in enumerate(plan.waivers)
        for why in _reasons(waiver, rules.keys(), known, today)
    )


def _reasons(waiver: Waiver, rules: Collection[str], nodes: Collection[str], today: date) -> Iterator[str]:
    """Why it has no effect: the first reason is enough."""
    if waiver.requirement not in rules:
        yield _("there is no such requirement")
    elif waiver.node != "*" and waiver.node not in nodes:
        yield _("the plan has no such node")
    elif not holds(waiver, today):
        yield _("its last day was {date}, or that is no date (YYYY-MM-DD)").format(date=waiver.until)
