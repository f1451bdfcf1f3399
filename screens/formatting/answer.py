"""Texts about the answers of the operator."""

from collections.abc import Mapping

from acp_tui.core.i18n import _
from acp_tui.plan.model import Plan, field_at


def answer_help(path: str) -> str:
    """Return the translated description of a plan key; "" if the key has none."""
    description = field_at(path).description
    return _(description) if description else ""


def implied_values(plan: Plan) -> Mapping[str, str]:
    """For empty plan keys, return the values that acp-tui takes from other plan keys or from the installer."""
    newest = _("the newest version that the installer offers")
    return {
        "release": plan.effective_release,
        "address.platform": plan.platform_address,
        "registry.address": plan.registry_address if plan.registry.mode == "platform" else "",
        "kubernetes.version": newest,
        "kubernetes.container_runtime": newest,
    }
