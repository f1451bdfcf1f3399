"""The text that says whether applications run on a node, and which requirement decides this."""

from acp_tui.checks.catalog import catalogue
from acp_tui.checks.plan.placement import deciding_rule
from acp_tui.core.i18n import _, pgettext
from acp_tui.plan.model import Plan
from acp_tui.plan.sections.node import Node

CHOICE = "XR-NOEXCL-CP"
"""The requirement that lets the operator choose whether applications run on a control plane node."""


def may_choose(plan: Plan, node: Node) -> bool:
    """Return True if the operator may choose the placement, or must correct a value that contradicts a rule."""
    contradicts = node.deployable is not None and node.deployable != plan.deployable(node)
    return deciding_rule(plan, node) == CHOICE or contradicts


def placed(plan: Plan, node: Node, *, preset: bool) -> str:
    """Return the placement in one sentence. `preset` is True if `node.deployable` is a derived default."""
    rule, on = deciding_rule(plan, node), plan.deployable(node)
    if rule != CHOICE:
        message = (
            pgettext("placement", "{rule} requires applications: {title}")
            if on
            else pgettext("placement", "{rule} forbids applications: {title}")
        )
        return message.format(rule=rule, title=_(catalogue(plan.effective_release)[rule].title))
    if preset and on:
        return _("applications on the node: yes (default, because the plan has no worker)")
    chosen = _("applications on the node: yes (your choice)") if on else _("applications on the node: no (your choice)")
    return _("applications on the node: no (default)") if node.deployable is None else chosen
