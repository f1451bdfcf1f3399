"""Faults and decoys that lie close together are told apart, on every system, some at a time on each node."""

from pathlib import Path

import pytest

from tests.lab.kit.check_run import Checked, as_planned, check, plan
from tests.lab.kit.near_misses import IN_4_2, profiles
from tests.lab.kit.nodes import Lab, LabNode
from tests.lab.kit.profiles import NodeProfile

pytestmark = pytest.mark.lab


_OF_THE_MACHINE = "NETCFG-LAT-INTRA"
"""How long dozens of nodes on one busy machine wait for each other is the machine's; other tests plant faults there."""


def assert_told_apart(checked: Checked, nodes: list[LabNode]) -> None:
    """Each node has what was planted there and nothing else."""
    assert set(checked.states.values()) == {"checked"}
    for node in nodes:
        about = [fault.name for fault in node.profile.faults]
        found = {name: what for name, what in checked.found[node.address].items() if name != _OF_THE_MACHINE}
        assert (about, found) == (about, node.profile.expects)


@pytest.mark.parametrize("half", [0, 1])
def test_near_misses(lab: Lab, tmp_path: Path, half: int) -> None:
    nodes = lab.start(*profiles()[half::2])
    assert_told_apart(check(tmp_path, plan(as_planned(nodes, len(nodes)), lab.address(0))), nodes)


def test_a_later_release_judges_otherwise(lab: Lab, tmp_path: Path) -> None:
    nodes = lab.start(*(NodeProfile(base, (fault,)) for base, fault in IN_4_2))
    assert_told_apart(check(tmp_path, plan(as_planned(nodes, len(nodes)), lab.address(0), release="4.2")), nodes)
