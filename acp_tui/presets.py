"""Answers that the wizard gives by itself and takes back when their reason is gone. The operator's own word stands."""

from acp_tui.plan import Plan


def applications_preset(plan: Plan, preset: frozenset[str]) -> tuple[Plan, frozenset[str]]:
    """Open the control plane nodes for applications while there is no worker to take them (OQ-SC-APPS).

    `preset`: addresses of nodes that this function has opened. Returns the plan and those addresses as they are now.
    """
    wanted = not plan.workers and plan.scenario != "multi-cluster"
    addresses = {node.address for node in plan.control_planes}
    exclusive = {node.address for node in plan.control_planes if plan.exclusive(node)}  # XR-EXCL-CP: forced off
    opened = {node.address for node in plan.control_planes if node.deployable is None} - exclusive if wanted else set()
    closed = preset & (exclusive if wanted else addresses)
    if not opened and not closed:
        return plan, preset & addresses
    values = {**dict.fromkeys(opened, True), **dict.fromkeys(closed, None)}
    nodes = tuple(
        node.model_copy(update={"deployable": values[node.address]}) if node.address in values else node
        for node in plan.nodes
    )
    return plan.model_copy(update={"nodes": nodes}), frozenset((preset & addresses | opened) - closed)
