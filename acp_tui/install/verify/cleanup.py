"""Removing what is left of the installer: only when success is confirmed, never under a running install, on consent."""

from acp_tui.checks.verdict import Outcome
from acp_tui.core.i18n import _
from acp_tui.install.run.state import container_tool
from acp_tui.install.verify.collect import NodeAccess, query_node
from acp_tui.install.verify.queries import installed_from, installer_collectors, removal_collector
from acp_tui.install.verify.run import Finish
from acp_tui.nodes.state import NodeState


class CleanUpFailed(Exception):
    """The container was not removed; the text says why."""


def waiting(finish: Finish) -> bool:
    """Whether the installer's container is still there."""
    return bool(finish.installed.left_over)


def cleanup_blocker(finish: Finish, *, running: bool) -> str:
    """Why the installer's container must not be removed now; "" where it may be.

    `running`: an install run of this host is not at its end."""
    left = finish.installed.left_over
    if left is None:
        why = finish.installed.missing.get("left_over", "")
        return _("whether the installer is still there is not known: {why}").format(why=why)
    if not left:
        return _("the installer's container is not there; nothing is removed")
    if running:
        return _("an install is not at its end (acp-tui status)")
    [verdict] = [v for v in finish.report.verdicts if v.requirement == "INS-CLEANUP"]
    if verdict.outcome is Outcome.NOT_APPLICABLE:
        return verdict.observed
    if finish.installed.console is not None and finish.installed.console.value != "success":
        return verdict.observed
    if not finish.healthy:
        return _("the cluster is not verified; see the findings above")
    return ""


async def clean_up(access: NodeAccess) -> str:
    """Remove the container and look whether it is gone. The caller has consent, and `cleanup_blocker` said "".

    What was done, in words. Raises `CleanUpFailed`."""
    plan = access.plan
    release, node = plan.effective_release, plan.installer_node
    if node is None:
        raise CleanUpFailed(_("the plan has no control plane node"))
    said = await query_node(access, node, (removal_collector(release), *installer_collectors(release)))
    if said.state is not NodeState.CHECKED:
        raise CleanUpFailed(said.detail)
    # What was asked early, was begun before the removal: it is looked at again afterwards.
    after = await query_node(access, node, installer_collectors(release))
    left = installed_from(after.readings, after.detail).left_over
    removed = said.readings.get("removed")
    if left is None or left:
        why = removed.text.rpartition("error\t")[2].strip() if removed and removed.status else _("it is still there")
        raise CleanUpFailed(_("{tool} did not remove it: {why}").format(tool=container_tool(release), why=why))
    return _("The installer's container is gone from {node}.").format(node=node.address)
