"""CIDR ranges of the plan against the networks of real nodes: overlaps are reported with a free range."""

from pathlib import Path

import pytest

from tests.lab.kit.check_run import as_planned, check, plan
from tests.lab.kit.nodes import Lab
from tests.lab.kit.profiles import Fault, NodeProfile

pytestmark = pytest.mark.lab

ROUTE = Fault("a route into the Pods' range", "ip route add 10.3.7.0/24 dev eth0", {"XR-CIDR-HOST": "warn"})
SERVER = Fault(
    "a name server among the Services",
    "echo 'nameserver 10.4.0.10' >>/etc/resolv.conf",
    {"XR-CIDR-HOST": "fail"},
)
OUTSIDE = Fault("a route and a second address outside the ranges", "ip route add 10.5.0.0/16 dev eth0; "
               "ip addr add 10.2.255.255/16 dev eth0; ip route add 0.0.0.0/1 dev eth0")  # fmt: skip


def test_networks_of_nodes_in_a_range_are_reported_with_a_free_range(lab: Lab, tmp_path: Path) -> None:
    nodes = lab.start(
        *(NodeProfile("ubuntu-22.04", faults) for faults in ((ROUTE,), (SERVER,), (OUTSIDE,))),
    )
    checked = check(tmp_path, plan(as_planned(nodes), lab.address(0)), "--only", "XR-CIDR-HOST")
    assert set(checked.states.values()) == {"checked"}
    assert [checked.outcomes[node.address] for node in nodes] == [node.profile.expects for node in nodes]
    remedies = {verdict["node"]: verdict["remedy"] or "" for verdict in checked.verdicts}
    assert "10.1.0.0/16 (network.cluster_cidr.ipv4)" in remedies[nodes[0].address]
    assert "10.6.0.0/16 (network.service_cidr.ipv4)" in remedies[nodes[1].address]
