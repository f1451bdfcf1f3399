"""Derived defaults: when the wizard sets them and when it withdraws them."""

import pytest

from acp_tui.plan.derived_defaults import ENDPOINT, apply_derived_defaults, derive_deployable, derived_paths
from acp_tui.plan.model import Plan
from acp_tui.plan.sections.address import Address
from acp_tui.plan.sections.node import Node

CP = Node(address="10.0.0.1")
WORKER = Node(address="10.0.0.9", role="worker")
NO_DERIVED: frozenset[str] = frozenset()


def test_control_plane_without_workers_is_deployable() -> None:
    plan, derived = derive_deployable(Plan(nodes=(CP,)), NO_DERIVED)
    assert plan.nodes[0].deployable is True
    assert derived == {"10.0.0.1"}


def test_new_worker_withdraws_deployable() -> None:
    plan, derived = derive_deployable(Plan(nodes=(CP,)), NO_DERIVED)
    plan, derived = derive_deployable(plan.model_copy(update={"nodes": (*plan.nodes, WORKER)}), derived)
    assert plan.nodes[0].deployable is None
    assert derived == NO_DERIVED


@pytest.mark.parametrize("choice", [True, False])
def test_choice_of_the_operator_is_not_changed(choice: bool) -> None:
    node = CP.model_copy(update={"deployable": choice})
    for nodes in ((node,), (node, WORKER)):
        plan, derived = derive_deployable(Plan(nodes=nodes), NO_DERIVED)
        assert plan.nodes[0].deployable is choice
        assert derived == NO_DERIVED


def test_multi_cluster_has_no_derived_deployable() -> None:
    plan, _derived = derive_deployable(Plan(scenario="multi-cluster", nodes=(CP,)), NO_DERIVED)
    assert plan.nodes[0].deployable is None


def test_isolated_control_plane_is_not_deployable() -> None:
    plan, derived = derive_deployable(Plan(nodes=(CP,)), NO_DERIVED)
    isolated, derived = derive_deployable(plan.model_copy(update={"isolation": True}), derived)
    assert (isolated.nodes[0].deployable, derived) == (None, NO_DERIVED)
    assert derive_deployable(isolated, NO_DERIVED) == (isolated, NO_DERIVED)


def single(*nodes: Node, endpoint: str = "") -> Plan:
    return Plan(scenario="single-node", nodes=nodes, address=Address(cluster_endpoint=endpoint))


def test_endpoint_of_a_single_node_is_its_address() -> None:
    plan, derived = apply_derived_defaults(single(CP), NO_DERIVED)
    assert plan.address.cluster_endpoint == "10.0.0.1"
    assert derived_paths(plan, derived) == {ENDPOINT, "nodes[0].deployable"}


def test_endpoint_follows_the_node_and_is_withdrawn_with_its_cause() -> None:
    plan, derived = apply_derived_defaults(single(CP), NO_DERIVED)
    other = CP.model_copy(update={"address": "10.0.0.2", "deployable": None})
    plan, derived = apply_derived_defaults(plan.model_copy(update={"nodes": (other,)}), derived)
    assert plan.address.cluster_endpoint == "10.0.0.2"
    for changes in ({"scenario": "single-cluster"}, {"nodes": (*plan.nodes, WORKER)}, {"nodes": ()}):
        changed, remaining = apply_derived_defaults(plan.model_copy(update=changes), derived)
        assert changed.address.cluster_endpoint == ""
        assert ENDPOINT not in remaining


def test_endpoint_of_the_operator_is_not_changed() -> None:
    plan, derived = apply_derived_defaults(single(CP, endpoint="acp.example.com"), NO_DERIVED)
    assert plan.address.cluster_endpoint == "acp.example.com"
    assert ENDPOINT not in derived
