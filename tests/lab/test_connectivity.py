"""Connectivity between nodes with real network faults: each fault is reported once, on the node that causes it."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pydantic import JsonValue

from tests.lab.kit.check_run import as_planned, check, check_nodes, of_cluster, plan, started
from tests.lab.kit.nodes import Lab, LabNode, changed
from tests.lab.kit.profiles import Fault, NodeProfile

pytestmark = pytest.mark.lab

FILTERED = {"X-FIREWALL": "fail", "SEC-FIREWALL": "fail"}
"""A closed path, and the rule of the packet filter that closes it."""

SLOW_LINK = Path(__file__).parent / "kit/slow_link.py"


def test_missing_route_fails_on_the_node_that_lacks_it(lab: Lab, nodes: list[LabNode], tmp_path: Path) -> None:
    one, two, three = nodes
    endpoint = lab.address(0)
    quiet: dict[str, dict[str, str]] = {node.address: {} for node in nodes}

    healthy = check_nodes(tmp_path, nodes, endpoint)
    assert (healthy.outcomes, of_cluster(healthy)) == (quiet, {"X-FIREWALL": "warn"})  # UDP was not tested

    for kind in ("blackhole", "prohibit", "unreachable"):
        with changed(two, f"ip route add {kind} {three.address}", f"ip route del {kind} {three.address}"):
            checked = check_nodes(tmp_path, nodes, endpoint)
        assert checked.outcomes == {**quiet, two.address: {"X-FIREWALL": "fail"}}, kind
        assert f"{two.address} → {three.address}: 22, 443, 2379" in checked.observed(two.address, "X-FIREWALL")

    both = f"blackhole {one.address}", f"blackhole {two.address}"
    with changed(
        three,
        "; ".join(f"ip route add {route}" for route in both),
        "; ".join(f"ip route del {route}" for route in both),
    ):
        checked = check_nodes(tmp_path, nodes, endpoint)
    assert checked.outcomes == {**quiet, three.address: {"X-FIREWALL": "fail"}}


def test_small_mtu_is_a_warning(lab: Lab, nodes: list[LabNode], tmp_path: Path) -> None:
    one, two, _three = nodes
    if not one.sh("type -P ping || true").strip():
        pytest.skip("needs ping")
    with changed(two, "ip link set eth0 mtu 1400", "ip link set eth0 mtu 1500"):
        checked = check_nodes(tmp_path, nodes, lab.address(0))
    assert checked.outcomes[two.address] == {"X-FIREWALL": "warn"}
    assert "1500 bytes" in checked.observed(two.address, "X-FIREWALL")


@contextmanager
def slow_link(lab: Lab, number: int, milliseconds: int, lost: int) -> Iterator[None]:
    """Give the link of this node a round-trip time of `milliseconds`, and drop `lost` of a hundred frames."""
    script = (sys.executable, str(SLOW_LINK), f"node{number}", str(milliseconds), str(lost))
    command = ("nsenter", "--target", str(lab.hub), "--net", *script)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield
        process.communicate()


def test_latency_and_packet_loss_are_reported(lab: Lab, nodes: list[LabNode], tmp_path: Path) -> None:
    one, two, three = nodes
    if not one.sh("type -P ping || true").strip() or not Path("/dev/net/tun").exists():
        pytest.skip("needs ping and a tap")
    with slow_link(lab, 2, 60, 0):
        far = check_nodes(tmp_path, nodes, lab.address(0))
    assert (far.outcomes[two.address], "X-FIREWALL" in far.outcomes[three.address]) == (
        {"NETCFG-LAT-INTRA": "fail"},
        False,
    )
    observed = far.observed(two.address, "NETCFG-LAT-INTRA")
    median = re.search(rf"{one.address} → {two.address}: ([0-9.]+) ms \(median of all pings\)", observed)
    assert median is not None, observed
    assert float(median[1]) >= 60
    with slow_link(lab, 2, 0, 20):
        lossy = check_nodes(tmp_path, nodes, lab.address(0))
    assert "packets were lost" in lossy.observed(two.address, "NETCFG-LAT-INTRA")


_TABLE = "nft add table inet f; nft add chain inet f i '{ type filter hook input priority 0; }'; "


@pytest.fixture
def five(lab: Lab) -> list[LabNode]:
    nodes = lab.start(*[NodeProfile()] * 5)
    try:
        nodes[0].sh("nft list ruleset")
    except subprocess.CalledProcessError:
        pytest.skip("needs nft")
    return nodes


def test_port_closed_in_one_direction_fails_on_the_target(lab: Lab, five: list[LabNode], tmp_path: Path) -> None:
    """The third node drops connections from the second on two ports; all other paths are open."""
    _one, two, three, *_rest = five
    three.sh(_TABLE + f"nft add rule inet f i ip saddr {two.address} tcp dport '{{ 2379, 2380 }}' drop")
    checked = check_nodes(tmp_path, five, lab.address(0))
    assert checked.outcomes == {n.address: {} for n in five} | {three.address: FILTERED}
    assert checked.observed(three.address, "X-FIREWALL") == f"{two.address} → {three.address}: 2379, 2380 timed out"


def test_harmless_filters_are_not_reported(lab: Lab, five: list[LabNode], tmp_path: Path) -> None:
    """No echo replies, filters for other sources and ports, a service that resets: the paths between nodes are open."""
    one, two, three, four, five_ = five
    one.sh(_TABLE + "nft add rule inet f i icmp type echo-request drop")
    two.sh(_TABLE + "nft add rule inet f i icmp type echo-request reject with icmp type admin-prohibited")
    three.sh(_TABLE + "nft add rule inet f i ip saddr 203.0.113.0/24 drop")
    four.sh(_TABLE + "nft add rule inet f i tcp dport 2379 reject with tcp reset")
    five_.sh(_TABLE + "nft add rule inet f i tcp dport 9 drop")
    checked = check_nodes(tmp_path, five, lab.address(0))
    filters = {one: "warn", two: "warn", four: "fail"}  # the rules of the hosts are read too
    assert checked.outcomes == {n.address: {"SEC-FIREWALL": filters[n]} if n in filters else {} for n in five}


def test_rejecting_filter_is_found_by_temporary_listeners(lab: Lab, five: list[LabNode], tmp_path: Path) -> None:
    """Before the install a refused connection means an open path. Only a listener shows that a filter rejects it."""
    two = five[1]
    two.sh(_TABLE + "nft add rule inet f i tcp dport 10250 reject")
    checked = check(tmp_path, plan(as_planned(five), lab.address(0)), "--also", "paths")
    assert checked.outcomes == {n.address: {} for n in five} | {two.address: FILTERED}
    assert of_cluster(checked) == {}  # the endpoint was not tested
    assert "10250 rejected (TCP reset or ICMP message)" in checked.observed(two.address, "X-FIREWALL")


def test_host_prohibited_is_a_firewall_and_not_an_unreachable_node(
    lab: Lab, five: list[LabNode], tmp_path: Path
) -> None:
    """By default, iptables on CentOS rejects with "host prohibited", although the node is reachable."""
    two = five[1]
    two.sh(_TABLE + "nft add rule inet f i tcp dport 6443 reject with icmp type host-prohibited")
    checked = check_nodes(tmp_path, five, lab.address(0))
    assert checked.outcomes == {n.address: {} for n in five} | {two.address: FILTERED}


def test_node_that_drops_its_own_outgoing_connections_fails(lab: Lab, five: list[LabNode], tmp_path: Path) -> None:
    two, others = five[1], [n.address for n in five if n is not five[1]]
    chain = "nft add table inet f; nft add chain inet f o '{ type filter hook output priority 0; }'; "
    two.sh(chain + f"nft add rule inet f o ip daddr '{{ {', '.join(others)} }}' tcp dport != 22 drop")
    checked = check_nodes(tmp_path, five, lab.address(0))
    assert checked.outcomes == {n.address: {} for n in five} | {two.address: FILTERED}


def test_temporary_listeners_end_when_acp_tui_is_killed(lab: Lab, nodes: list[LabNode], tmp_path: Path) -> None:
    def listening() -> bool:
        return any(":6443 " in node.sh("ss -lnt") for node in nodes)

    with started(tmp_path, plan(as_planned(nodes), lab.address(0)), "--also", "load-balancer") as process:
        deadline = time.monotonic() + 30
        while not listening():
            assert time.monotonic() < deadline
        process.kill()
    deadline = time.monotonic() + 10
    while listening():
        assert time.monotonic() < deadline


def test_node_lost_during_the_paths_test_is_not_reported_as_a_firewall(
    lab: Lab, nodes: list[LabNode], tmp_path: Path
) -> None:
    with started(tmp_path, plan(as_planned(nodes), lab.address(0)), "--also", "paths") as process:
        deadline = time.monotonic() + 30
        while ":6443 " not in nodes[2].sh("ss -lnt"):  # the path test has started there
            assert time.monotonic() < deadline
        nodes[2].sh("ip link set eth0 down")
        report = json.loads(process.communicate()[0])
    verdicts = [v for v in report["verdicts"] if v["requirement"] == "X-FIREWALL" and v["verdict"] in ("fail", "warn")]
    assert verdicts == []


def test_unreachable_node_is_not_reported_as_a_firewall(lab: Lab, nodes: list[LabNode], tmp_path: Path) -> None:
    dead: dict[str, JsonValue] = {"address": lab.address(25), "role": "worker"}
    checked = check(tmp_path, plan([*as_planned(nodes), dead], lab.address(0)))
    assert {address: state for address, state in checked.states.items() if state != "checked"} == {
        lab.address(25): "unreachable"
    }
    assert {node.address: checked.outcomes[node.address] for node in nodes} == {node.address: {} for node in nodes}
    assert checked.outcomes[lab.address(25)]["X-FIREWALL"] == "unknown"


def test_clones_and_duplicate_entries_fail(lab: Lab, tmp_path: Path) -> None:
    copied = Fault("a cloned disk", "echo 0123456789abcdef0123456789abcdef >/etc/machine-id")
    one, two, three = lab.start(NodeProfile(), NodeProfile(faults=(copied,)), NodeProfile(faults=(copied,)))
    second = lab.address(20)
    with changed(one, f"ip addr add {second}/27 dev eth0", f"ip addr del {second}/27 dev eth0"):
        duplicate: dict[str, JsonValue] = {"address": second, "role": "worker"}
        checked = check(tmp_path, plan([*as_planned([one, two, three]), duplicate], lab.address(0)))
    assert checked.outcomes[one.address].keys() <= {"X-HOSTNAME-UNIQUE", "X-FIREWALL"}
    assert checked.observed(second, "XR-NODE-UNIQUE") == f"this node is the same machine as {one.address}"
    for node, other in ((two, three), (three, two)):
        assert checked.outcomes[node.address] == {"XR-NODE-UNIQUE": "fail"}
        assert checked.observed(node.address, "XR-NODE-UNIQUE") == (
            f"the machine-id 0123456789abcdef0123456789abcdef is also used on {other.address}"
        )


def test_bandwidth_test_names_the_slow_link_and_leaves_no_listeners(lab: Lab, tmp_path: Path) -> None:
    nodes = lab.start(*[NodeProfile()] * 4)
    one, two, three, bare = nodes
    one.sh(
        "setsid python3 -m http.server 6443 </dev/null >/dev/null 2>&1 & "
        "until ss -lnt | grep -q 6443; do sleep 0.1; done"
    )
    slow = "tc qdisc add dev eth0 root tbf rate 90mbit burst 32k latency 50ms"
    try:
        two.sh(slow)
    except subprocess.CalledProcessError:
        pytest.skip("this kernel has no tbf")
    bare.sh("rm -f $(type -aP python3 python2 python)")
    answers = plan(as_planned(nodes), lab.address(0))
    checked = check(tmp_path, answers, "--also", "bandwidth", "--only", "NETCFG-BW-INTRA")
    assert checked.outcomes == {
        one.address: {"NETCFG-BW-INTRA": "unknown"},
        two.address: {"NETCFG-BW-INTRA": "fail"},
        three.address: {"NETCFG-BW-INTRA": "unknown"},
        bare.address: {},
    }
    assert f"{two.address} → {one.address}: " in checked.observed(two.address, "NETCFG-BW-INTRA")
    assert "the measured bandwidth is" in checked.observed(two.address, "NETCFG-BW-INTRA")
    assert f"→ {bare.address}: python is not installed on the receiving node" in checked.observed(
        one.address, "NETCFG-BW-INTRA"
    )
    for node in nodes:
        ports = node.sh("ss -lntH")
        assert ":6443" in ports if node is one else ":22" in ports
        assert not any(f":{port} " in ports for port in (2379, 2380, 10250, 11443, 6641, 6642))


def drop_at_random(node: LabNode, percent: int) -> None:
    """Let the node drop this share of the packets that it receives, except those of SSH logins from the host."""
    node.sh(
        _TABLE + "nft add rule inet f i iif lo accept; nft add rule inet f i tcp dport 22 accept; "
        f"nft add rule inet f i numgen random mod 100 '<' {percent} drop"
    )


def test_lost_packets_are_no_firewall(lab: Lab, five: list[LabNode], tmp_path: Path) -> None:
    """Three of ten packets to every node are lost: a warning with figures, and no closed port."""
    three = five[:3]
    for node in three:
        drop_at_random(node, 30)
    checked = check_nodes(tmp_path, three, lab.address(0))
    reported = {outcome for node in three for outcome in checked.outcomes[node.address].items()}
    # A rule that drops packets at random can block or not.
    assert reported == {("NETCFG-LAT-INTRA", "warn"), ("SEC-FIREWALL", "warn")}
    observed = " ".join(
        checked.observed(n.address, "NETCFG-LAT-INTRA")
        for n in three
        if "NETCFG-LAT-INTRA" in checked.outcomes[n.address]
    )
    shares = [int(lost) / int(sent) for lost, sent in re.findall(r"([0-9]+) of ([0-9]+) packets were lost", observed)]
    assert len(shares) >= 2
    assert all(0.1 < share < 0.9 for share in shares), "every second packet or its reply is lost"


def test_a_closed_port_is_found_on_a_lossy_line(lab: Lab, five: list[LabNode], tmp_path: Path) -> None:
    three = five[:3]
    three[1].sh(_TABLE + "nft add rule inet f i tcp dport 10250 drop")
    three[1].sh("nft add rule inet f i tcp dport != 22 numgen random mod 100 '<' 20 drop")
    checked = check_nodes(tmp_path, three, lab.address(0))
    assert checked.outcomes[three[1].address]["X-FIREWALL"] == "fail"
    observed = checked.observed(three[1].address, "X-FIREWALL")
    assert sorted(set(re.findall(r": ([0-9, ]+) timed out", observed))) == ["10250"]


def test_a_reset_of_the_ssh_port_is_a_firewall(lab: Lab, five: list[LabNode], tmp_path: Path) -> None:
    one, two, three = five[:3]
    two.sh(_TABLE + f"nft add rule inet f i ip saddr {three.address} tcp dport 22 reject with tcp reset")
    checked = check_nodes(tmp_path, [one, two, three], lab.address(0))
    assert checked.outcomes == {
        one.address: {},
        two.address: FILTERED,
        three.address: {},
    }
    assert checked.observed(two.address, "X-FIREWALL") == f"{three.address} → {two.address}: 22 refused"


def test_limits_of_the_latency_by_release(lab: Lab, nodes: list[LabNode], tmp_path: Path) -> None:
    """5 ms are too long for release 4.0 only, 12 ms for all releases."""
    two = nodes[1]
    if not two.sh("type -P ping || true").strip() or not Path("/dev/net/tun").exists():
        pytest.skip("needs ping and a tap")
    for milliseconds, release, expected in ((5, "4.0", "fail"), (12, "4.1", "fail")):
        with slow_link(lab, 2, milliseconds, 0):
            checked = check_nodes(tmp_path, nodes, lab.address(0), release=release)
        assert checked.outcomes[two.address].get("NETCFG-LAT-INTRA") == expected, (milliseconds, release)
