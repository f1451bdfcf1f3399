"""Faults and decoys that lie close together are told apart, on every system, some at a time on each node."""

from pathlib import Path

import pytest
from lab_check import as_planned, check, plan
from lab_near_misses import IN_4_2, profiles
from lab_nodes import Lab
from lab_profile import NodeProfile

pytestmark = pytest.mark.lab


@pytest.mark.parametrize("half", [0, 1])
def test_near_misses(lab: Lab, tmp_path: Path, half: int) -> None:
    nodes = lab.start(*profiles()[half::2])
    checked = check(tmp_path, plan(as_planned(nodes, len(nodes)), lab.address(0)))
    assert set(checked.states.values()) == {"checked"}
    for node in nodes:
        about = [fault.name for fault in node.profile.faults]
        assert (about, checked.found[node.address]) == (about, node.profile.expects)


def test_a_later_release_judges_otherwise(lab: Lab, tmp_path: Path) -> None:
    nodes = lab.start(*(NodeProfile(base, (fault,)) for base, fault in IN_4_2))
    checked = check(tmp_path, plan(as_planned(nodes, len(nodes)), lab.address(0), release="4.2"))
    for node in nodes:
        about = [fault.name for fault in node.profile.faults]
        assert (about, checked.found[node.address]) == (about, node.profile.expects)
