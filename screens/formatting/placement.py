"""Whether applications run on a node, said with the rule that decides it and whether it leaves a choice."""

from acp_tui.checks.catalog import catalogue
from acp_tui.checks.plan.placement import deciding_rule
from acp_tui.core.i18n import _
from acp_tui.plan.model import Node, Plan

CHOICE = "XR-NOEXCL-CP"
"""The one rule that leaves it to the operator."""


def may_choose(plan: Plan, node: Node) -> bool:
    """Whether the answer means anything: it is free, or it contradicts what is forced and wants mending."""
    contradicts = node.deployable is not None and node.deployable != plan.deployable(node)
    return deciding_rule(plan, node) == CHOICE or contradicts


def placed(plan: Plan, node: Node, *, preset: bool) -> str:
    """In one sentence. `preset`: the wizard itself has answered it."""
    rule, on = deciding_rule(plan, node), plan.deployable(node)
    if rule != CHOICE:
        told = _("applications forced on, {rule}: {why}") if on else _("applications forced off, {rule}: {why}")
        return told.format(rule=rule, why=_(catalogue(plan.effective_release)[rule].title))
    if preset and on:
        return _("applications on, preset: there is no worker to take them")
    chosen = _("applications on, as chosen") if on else _("no applications, as chosen")
    return _("no applications, the default") if node.deployable is None else chosen
