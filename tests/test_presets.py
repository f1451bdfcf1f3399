"""What the wizard presets, and when it takes it back."""

import pytest

from acp_tui.plan import Node, Plan
from acp_tui.presets import applications_preset

CP = Node(address="10.0.0.1")
WORKER = Node(address="10.0.0.9", role="worker")
NOBODY: frozenset[str] = frozenset()


def test_without_workers_control_planes_are_opened_for_applications() -> None:
    plan, preset = applications_preset(Plan(nodes=(CP,)), NOBODY)
    assert plan.nodes[0].deployable is True
    assert preset == {"10.0.0.1"}


def test_a_worker_takes_the_preset_back() -> None:
    plan, preset = applications_preset(Plan(nodes=(CP,)), NOBODY)
    plan, preset = applications_preset(plan.model_copy(update={"nodes": (*plan.nodes, WORKER)}), preset)
    assert plan.nodes[0].deployable is None
    assert preset == NOBODY


@pytest.mark.parametrize("choice", [True, False])
def test_the_operators_word_stands(choice: bool) -> None:
    said = CP.model_copy(update={"deployable": choice})
    for nodes in ((said,), (said, WORKER)):
        plan, preset = applications_preset(Plan(nodes=nodes), NOBODY)
        assert plan.nodes[0].deployable is choice
        assert preset == NOBODY


def test_a_management_cluster_presets_nothing() -> None:
    plan, _preset = applications_preset(Plan(scenario="multi-cluster", nodes=(CP,)), NOBODY)
    assert plan.nodes[0].deployable is None


def test_an_exclusive_control_plane_is_not_opened_for_applications() -> None:
    plan, preset = applications_preset(Plan(nodes=(CP,)), NOBODY)
    isolated, preset = applications_preset(plan.model_copy(update={"isolation": True}), preset)
    assert (isolated.nodes[0].deployable, preset) == (None, NOBODY)
    assert applications_preset(isolated, NOBODY) == (isolated, NOBODY)
