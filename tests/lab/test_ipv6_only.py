"""Plans with IPv6 only, on nodes without any IPv4 address except that of the loopback interface."""

from pathlib import Path

import pytest

from tests.lab.kit.check_run import Checked, as_planned, check, plan
from tests.lab.kit.nodes import Lab
from tests.lab.kit.profiles import Fault, NodeProfile

pytestmark = pytest.mark.lab

_ADDRESSES = (
    "ip -4 addr flush dev eth0; ip -6 addr add fd00:51:100::{n}/64 dev eth0 nodad; "
    "ip -6 route add default via fd00:51:100::99; echo fd00:51:100::99 acp.lab >>/etc/hosts; "
    "sed -i 's/^nameserver.*/nameserver fd00:51:100::99/' /etc/resolv.conf"
)


def _check(lab: Lab, tmp_path: Path, *faults: str) -> Checked:
    """Check three control plane nodes. Each fault is shell text for one node."""
    setups = (f"{_ADDRESSES.format(n=n)}; {fault}" for n, fault in enumerate(faults, 1))
    nodes = lab.start(*(NodeProfile(faults=(Fault("IPv6", setup),)) for setup in setups))
    lab.outside("ip -6 addr add fd00:51:100::99/64 dev {leg} nodad")
    rows = [{**row, "address": f"fd00:51:100::{n}"} for n, row in enumerate(as_planned(nodes), 1)]
    return check(tmp_path, plan(rows, "acp.lab", network={"ip_family": "ipv6"}))


def test_healthy_nodes_have_no_findings(lab: Lab, tmp_path: Path) -> None:
    checked = _check(lab, tmp_path, ":", ":", ":")
    assert set(checked.states.values()) == {"checked"}
    assert [outcomes for outcomes in checked.outcomes.values() if outcomes] == []


def test_faults_of_the_network_are_found(lab: Lab, tmp_path: Path) -> None:
    checked = _check(
        lab,
        tmp_path,
        "ip -6 route del default",
        "ip link add cni0 type veth peer name cnip1; ip link set cnip1 up; "
        "ip -6 addr add fd00:10:16::5/64 dev cni0 nodad; ip link set cni0 up",
        "nft add table ip6 x; nft add chain ip6 x in '{ type filter hook input priority 0; }'; "
        "nft add rule ip6 x in tcp dport 6443 drop",
    )
    one, two, three = (f"fd00:51:100::{n}" for n in (1, 2, 3))
    assert checked.outcomes[one]["NET-ROUTE-DEFAULT"] == "fail"
    assert checked.outcomes[two]["XR-CIDR-HOST"] in ("warn", "fail")
    assert checked.outcomes[three]["X-FIREWALL"] == "fail"
