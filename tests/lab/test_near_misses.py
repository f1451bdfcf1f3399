"""Faults, and healthy settings that resemble them, on every distribution; several on each node at a time."""

from pathlib import Path

import pytest

from tests.lab.kit.check_run import Checked, as_planned, check, plan
from tests.lab.kit.near_misses.placement import profiles
from tests.lab.kit.near_misses.release_4_2 import IN_4_2
from tests.lab.kit.nodes import Lab, LabNode
from tests.lab.kit.profiles import NodeProfile

pytestmark = pytest.mark.lab


def assert_only_planted_faults(checked: Checked, nodes: list[LabNode]) -> None:
    """Check that each node has the outcomes of its own faults and no others."""
    assert set(checked.states.values()) == {"checked"}
    for node in nodes:
        names = [fault.name for fault in node.profile.faults]
        assert (names, checked.outcomes[node.address]) == (names, node.profile.expects)


@pytest.mark.parametrize("half", [0, 1])
def test_faults_are_reported_and_similar_healthy_settings_are_not(lab: Lab, tmp_path: Path, half: int) -> None:
    nodes = lab.start(*profiles()[half::2])
    assert_only_planted_faults(check(tmp_path, plan(as_planned(nodes, len(nodes)), lab.address(0))), nodes)


def test_release_4_2_has_its_own_requirements(lab: Lab, tmp_path: Path) -> None:
    nodes = lab.start(*(NodeProfile(base, (fault,)) for base, fault in IN_4_2))
    assert_only_planted_faults(
        check(tmp_path, plan(as_planned(nodes, len(nodes)), lab.address(0), release="4.2")), nodes
    )
