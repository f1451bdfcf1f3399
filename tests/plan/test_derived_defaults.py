"""What the wizard presets, and when it takes it back."""

import pytest

from acp_tui.plan.derived_defaults import ENDPOINT, apply_derived_defaults, derive_deployable, derived_paths
from acp_tui.plan.model import Address, Node, Plan

CP = Node(address="10.0.0.1")
WORKER = Node(address="10.0.0.9", role="worker")
NOBODY: frozenset[str] = frozenset()


def test_without_workers_control_planes_are_opened_for_applications() -> None:
    plan, preset = derive_deployable(Plan(nodes=(CP,)), NOBODY)
    assert plan.nodes[0].deployable is True
    assert preset == {"10.0.0.1"}


def test_a_worker_takes_the_preset_back() -> None:
    plan, preset = derive_deployable(Plan(nodes=(CP,)), NOBODY)
    plan, preset = derive_deployable(plan.model_copy(update={"nodes": (*plan.nodes, WORKER)}), preset)
    assert plan.nodes[0].deployable is None
    assert preset == NOBODY


@pytest.mark.parametrize("choice", [True, False])
def test_the_operators_word_stands(choice: bool) -> None:
    said = CP.model_copy(update={"deployable": choice})
    for nodes in ((said,), (said, WORKER)):
        plan, preset = derive_deployable(Plan(nodes=nodes), NOBODY)
        assert plan.nodes[0].deployable is choice
        assert preset == NOBODY


def test_a_management_cluster_presets_nothing() -> None:
    plan, _preset = derive_deployable(Plan(scenario="multi-cluster", nodes=(CP,)), NOBODY)
    assert plan.nodes[0].deployable is None


def test_an_exclusive_control_plane_is_not_opened_for_applications() -> None:
    plan, preset = derive_deployable(Plan(nodes=(CP,)), NOBODY)
    isolated, preset = derive_deployable(plan.model_copy(update={"isolation": True}), preset)
    assert (isolated.nodes[0].deployable, preset) == (None, NOBODY)
    assert derive_deployable(isolated, NOBODY) == (isolated, NOBODY)


def single(*nodes: Node, endpoint: str = "") -> Plan:
    return Plan(scenario="single-node", nodes=nodes, address=Address(cluster_endpoint=endpoint))


def test_a_single_node_is_its_own_endpoint() -> None:
    plan, preset = apply_derived_defaults(single(CP), NOBODY)
    assert plan.address.cluster_endpoint == "10.0.0.1"
    assert derived_paths(plan, preset) == {ENDPOINT, "nodes[0].deployable"}


def test_the_endpoint_follows_the_node_and_goes_with_its_reason() -> None:
    plan, preset = apply_derived_defaults(single(CP), NOBODY)
    other = CP.model_copy(update={"address": "10.0.0.2", "deployable": None})
    plan, preset = apply_derived_defaults(plan.model_copy(update={"nodes": (other,)}), preset)
    assert plan.address.cluster_endpoint == "10.0.0.2"
    for changes in ({"scenario": "single-cluster"}, {"nodes": (*plan.nodes, WORKER)}, {"nodes": ()}):
        changed, left = apply_derived_defaults(plan.model_copy(update=changes), preset)
        assert changed.address.cluster_endpoint == ""
        assert ENDPOINT not in left


def test_an_endpoint_of_the_operators_own_stands() -> None:
    plan, preset = apply_derived_defaults(single(CP, endpoint="acp.example.com"), NOBODY)
    assert plan.address.cluster_endpoint == "acp.example.com"
    assert ENDPOINT not in preset
