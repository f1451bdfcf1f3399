"""A remedy run exactly as the report words it, on a real node, mends what it is for."""

from pathlib import Path

import lab_faults as f
import pytest
from lab_check import QUIET, as_planned, check, plan
from lab_nodes import Lab
from lab_profile import NodeProfile

pytestmark = pytest.mark.lab

UBUNTU = (
    f.NO_IPVS_SH,
    f.NO_GENEVE,
    f.FSTAB_SWAP,
    f.UFW,
    f.FEW_TASKS,
    f.LOCALHOST_ELSEWHERE,
    f.MANY_SEARCH_DOMAINS,
    f.KUBELET_UNIT,
    f.DOCKER_FOLDER,
    f.POD_LOGS,
    f.TMP_NOEXEC,
    f.LEFTOVER_BINARY,
)
RED_HAT = (f.NO_CONNTRACK4, f.FIREWALLD, f.USE_PAM, f.TIME_ZONE, f.KUBELET_PKI, f.CONTAINERD_FOLDER)


def test_every_remedy_that_is_a_command_mends_its_fault(lab: Lab, tmp_path: Path) -> None:
    nodes = lab.start(NodeProfile("ubuntu-22.04", UBUNTU), NodeProfile("centos-7.9", RED_HAT), NodeProfile())
    answers = plan(as_planned(nodes), lab.address(0))
    before = check(tmp_path, answers)
    assert [before.found[node.address] for node in nodes] == [node.profile.expects for node in nodes]
    for node in nodes:
        for verdict in before.verdicts:
            if verdict["node"] == node.address and verdict["verdict"] not in QUIET:
                node.sh(f"{verdict['remedy']}\ntrue")
    assert check(tmp_path, answers).found == {node.address: {} for node in nodes}
