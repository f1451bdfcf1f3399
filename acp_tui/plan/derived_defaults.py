"""Answers that the wizard gives by itself and takes back when their reason is gone. The operator's own word stands.

What is preset is kept as a set: the address of a node that was opened for applications, the path of any other answer.
"""

from acp_tui.plan.field_types import is_ip
from acp_tui.plan.model import Plan

ENDPOINT = "address.cluster_endpoint"


def presets(plan: Plan, preset: frozenset[str]) -> tuple[Plan, frozenset[str]]:
    """The plan with everything that the other answers call for, and what of it is preset now."""
    paths = frozenset(one for one in preset if not is_ip(one))
    plan, opened = applications_preset(plan, preset - paths)
    plan, paths = endpoint_preset(plan, paths)
    return plan, opened | paths


def preset_paths(plan: Plan, preset: frozenset[str]) -> frozenset[str]:
    """The dotted paths of what is preset."""
    opened = (f"nodes[{index}].deployable" for index, node in enumerate(plan.nodes) if node.address in preset)
    return frozenset(opened) | {one for one in preset if not is_ip(one)}


def endpoint_preset(plan: Plan, preset: frozenset[str]) -> tuple[Plan, frozenset[str]]:
    """A single node is its own cluster endpoint: there is no VIP to lead to it (VIP-SN-NODEIP).

    `preset`: paths; the endpoint's own is among them while it is this function's."""
    own = ENDPOINT in preset
    alone = plan.scenario == "single-node" and len(plan.nodes) == 1 and bool(plan.control_planes)
    if alone and (own or not plan.address.cluster_endpoint):
        return _with_endpoint(plan, plan.nodes[0].address), preset | {ENDPOINT}
    if own:
        return _with_endpoint(plan, ""), preset - {ENDPOINT}
    return plan, preset


def _with_endpoint(plan: Plan, endpoint: str) -> Plan:
    return plan.model_copy(update={"address": plan.address.model_copy(update={"cluster_endpoint": endpoint})})


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
