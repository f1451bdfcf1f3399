"""The placement text of a node. It says whether applications run on the node, and which requirement decides it."""

from acp_tui.checks.catalog import catalogue
from acp_tui.checks.plan.placement import deciding_rule
from acp_tui.core.i18n import _, pgettext
from acp_tui.plan.model import Node, Plan

CHOICE = "XR-NOEXCL-CP"
"""The requirement under which the operator chooses whether applications run on a control plane node."""


def may_choose(plan: Plan, node: Node) -> bool:
    """Return True if the operator may choose the placement, or must correct a value that contradicts a rule."""
    contradicts = node.deployable is not None and node.deployable != plan.deployable(node)
    return deciding_rule(plan, node) == CHOICE or contradicts


def placed(plan: Plan, node: Node, *, preset: bool) -> str:
    """Return the placement in one sentence. `preset` is True if the value is a derived default."""
    rule, on = deciding_rule(plan, node), plan.deployable(node)
    if rule != CHOICE:
        message = (
            pgettext("placement", "applications always run. {rule}: {title}")
            if on
            else pgettext("placement", "applications never run. {rule}: {title}")
        )
        return message.format(rule=rule, title=_(catalogue(plan.effective_release)[rule].title))
    if preset and on:
        return _("applications run, because the plan has no worker (derived)")
    chosen = _("applications run (chosen)") if on else _("applications do not run (chosen)")
    return _("applications do not run (default)") if node.deployable is None else chosen
