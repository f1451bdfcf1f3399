"""Remove the installer container after a verified install, if the operator confirms the removal."""

from acp_tui.checks.verdict import Outcome
from acp_tui.core.errors import AcpError
from acp_tui.core.i18n import _
from acp_tui.install.run.state import container_tool
from acp_tui.install.verify.collect import NodeAccess, query_node
from acp_tui.install.verify.queries import installed_from, installer_collectors, removal_collector
from acp_tui.install.verify.run import Finish
from acp_tui.nodes.state import NodeState


class CleanUpFailed(AcpError):
    """The installer container was not removed. The message has the reason."""


def installer_present(finish: Finish) -> bool:
    """Return True if the installer container still exists."""
    return bool(finish.installed.left_over)


def cleanup_blocker(finish: Finish, *, run_active: bool) -> str:
    """Return the reason why the installer container must not be removed now; "" if it can be removed.

    `run_active`: True if an install run of this host has not ended."""
    containers = finish.installed.left_over
    if containers is None:
        reason = finish.installed.missing.get("left_over", "")
        return _("acp-tui could not check if the installer container exists: {reason}").format(reason=reason)
    if not containers:
        return _("the installer container does not exist")
    if run_active:
        return _("an install that this host started has not ended. To check it: acp-tui status")
    [verdict] = [v for v in finish.report.verdicts if v.requirement == "INS-CLEANUP"]
    if verdict.outcome is Outcome.NOT_APPLICABLE:
        return verdict.observed
    if finish.installed.console is not None and finish.installed.console.value != "success":
        return verdict.observed
    if not finish.healthy:
        return _("the cluster did not pass the checks. First fix the findings of this verification")
    return ""


async def clean_up(access: NodeAccess) -> str:
    """Remove the installer container, check that it no longer exists, and return a message.

    Call this function only if `cleanup_blocker` returned "" and the operator confirmed. Raises: `CleanUpFailed`."""
    plan = access.plan
    release, node = plan.effective_release, plan.installer_node
    if node is None:
        raise CleanUpFailed(_("The plan has no control plane node. Add a node with the role control-plane."))
    output = await query_node(access, node, (removal_collector(release), *installer_collectors(release)), changes=True)
    if output.state is not NodeState.CHECKED:
        raise CleanUpFailed(output.detail)
    # A second query: collectors of the first one may have run before the removal.
    after = await query_node(access, node, installer_collectors(release))
    containers = installed_from(after.readings, after.detail).left_over
    if containers is None or containers:
        removed = output.readings.get("removed")
        error = removed.text.rpartition("error\t")[2].strip() if removed and removed.status else ""
        message = _("{tool} did not remove the installer container: {reason}")
        raise CleanUpFailed(
            message.format(tool=container_tool(release), reason=error or _("the installer container still exists"))
        )
    return _("The installer container was removed from {node}.").format(node=node.address)
