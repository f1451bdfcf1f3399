"""Derived defaults: values that the wizard computes from other values of the plan.

When these other values change, the wizard computes a derived default again or removes it. The wizard never changes a
value that the operator entered. The set `derived` identifies the current derived defaults. For a derived `deployable`,
the set contains the address of the node. For any other derived default, it contains the plan key.
"""

from acp_tui.plan.field_types import is_ip
from acp_tui.plan.model import Plan

ENDPOINT = "address.cluster_endpoint"


def apply_derived_defaults(plan: Plan, derived: frozenset[str]) -> tuple[Plan, frozenset[str]]:
    """Compute the derived defaults again. Return the new plan and the new set `derived`."""
    paths = frozenset(entry for entry in derived if not is_ip(entry))
    plan, opened = derive_deployable(plan, derived - paths)
    plan, paths = derive_endpoint(plan, paths)
    return plan, opened | paths


def derived_paths(plan: Plan, derived: frozenset[str]) -> frozenset[str]:
    """Return the plan keys of the derived defaults."""
    opened = (f"nodes[{index}].deployable" for index, node in enumerate(plan.nodes) if node.address in derived)
    return frozenset(opened) | {entry for entry in derived if not is_ip(entry)}


def derive_endpoint(plan: Plan, derived: frozenset[str]) -> tuple[Plan, frozenset[str]]:
    """Use the address of the only node as the cluster endpoint, because a single node needs no VIP (VIP-SN-NODEIP).

    `derived` contains the plan key of the endpoint while the endpoint is a derived default."""
    own = ENDPOINT in derived
    alone = plan.scenario == "single-node" and len(plan.nodes) == 1 and bool(plan.control_planes)
    if alone and (own or not plan.address.cluster_endpoint):
        return _with_endpoint(plan, plan.nodes[0].address), derived | {ENDPOINT}
    if own:
        return _with_endpoint(plan, ""), derived - {ENDPOINT}
    return plan, derived


def _with_endpoint(plan: Plan, endpoint: str) -> Plan:
    return plan.model_copy(update={"address": plan.address.model_copy(update={"cluster_endpoint": endpoint})})


def derive_deployable(plan: Plan, derived: frozenset[str]) -> tuple[Plan, frozenset[str]]:
    """Allow applications on the control plane nodes while the plan has no worker (OQ-SC-APPS).

    `derived`: the addresses of the nodes on which an earlier call allowed applications. Return the new plan and the new
    set of addresses."""
    open_nodes = not plan.workers and plan.scenario != "multi-cluster"
    addresses = {node.address for node in plan.control_planes}
    exclusive = {
        node.address for node in plan.control_planes if plan.exclusive(node)
    }  # XR-EXCL-CP forbids applications on these nodes
    opened = (
        {node.address for node in plan.control_planes if node.deployable is None} - exclusive if open_nodes else set()
    )
    closed = derived & (exclusive if open_nodes else addresses)
    if not opened and not closed:
        return plan, derived & addresses
    values = {**dict.fromkeys(opened, True), **dict.fromkeys(closed, None)}
    nodes = tuple(
        node.model_copy(update={"deployable": values[node.address]}) if node.address in values else node
        for node in plan.nodes
    )
    return plan.model_copy(update={"nodes": nodes}), frozenset((derived & addresses | opened) - closed)
