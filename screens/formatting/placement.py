"""The placement text of a node: whether applications run there, and the requirement that decides it."""

from acp_tui.checks.catalog import catalogue
from acp_tui.checks.plan.placement import deciding_rule
from acp_tui.core.i18n import _, pgettext
from acp_tui.plan.model import Node, Plan

CHOICE = "XR-NOEXCL-CP"
"""The rule that lets the operator choose."""


def may_choose(plan: Plan, node: Node) -> bool:
    """Whether the answer has an effect: it is free, or contradicts a rule and must be corrected."""
    contradicts = node.deployable is not None and node.deployable != plan.deployable(node)
    return deciding_rule(plan, node) == CHOICE or contradicts


def placed(plan: Plan, node: Node, *, preset: bool) -> str:
    """Return the placement in one sentence. `preset`: the answer is a derived default."""
    rule, on = deciding_rule(plan, node), plan.deployable(node)
    if rule != CHOICE:
        message = (
            pgettext("placement", "applications always, {rule}: {title}")
            if on
            else pgettext("placement", "applications never, {rule}: {title}")
        )
        return message.format(rule=rule, title=_(catalogue(plan.effective_release)[rule].title))
    if preset and on:
        return _("applications yes, derived: the plan has no worker")
    chosen = _("applications yes, chosen") if on else _("applications no, chosen")
    return _("applications no, default") if node.deployable is None else chosen
