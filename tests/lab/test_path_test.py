"""The path test on nodes with real packet filters: each blocked kind of traffic is found, healthy lines pass."""

import subprocess
import time
from pathlib import Path

import pytest
from pydantic import JsonValue

from tests.lab.kit.check_run import Checked, as_planned, check, plan, started
from tests.lab.kit.nodes import Lab, LabNode
from tests.lab.kit.profiles import NodeProfile

pytestmark = pytest.mark.lab

RULES = ("X-FIREWALL", "NETCFG-IPIP")
CALICO: dict[str, JsonValue] = {"network": {"cni": "calico"}}
INPUT = "nft add table inet f; nft add chain inet f i '{ type filter hook input priority 0; }'; nft add rule inet f i "
NO_INTERPRETERS = "rm -f $(type -aP python3 python2 python perl perl5.36.0 perl5.36-x86_64-linux-gnu) /usr/bin/perl*"


def run_test(folder: Path, nodes: list[LabNode], lab: Lab, *options: str, **more: JsonValue) -> Checked:
    only = [part for rule in RULES for part in ("--only", rule)]
    return check(folder, plan(as_planned(nodes), lab.address(0), **more), *(options or ("--also", "paths")), *only)


def results(checked: Checked) -> dict[tuple[str, str | None], str]:
    """(requirement, node) → outcome of the verdicts that apply."""
    return {
        (v["requirement"] or "", v["node"]): v["verdict"] or ""
        for v in checked.verdicts
        if v["verdict"] != "not-applicable"
    }


def text(checked: Checked, requirement: str = "X-FIREWALL") -> str:
    return "; ".join(v["observed"] or "" for v in checked.verdicts if v["requirement"] == requirement)


@pytest.fixture
def filtered(nodes: list[LabNode]) -> list[LabNode]:
    """Three nodes on which nft works."""
    try:
        nodes[0].sh("nft list ruleset")
    except subprocess.CalledProcessError:
        pytest.skip("needs nft")
    return nodes


def test_healthy_nodes_pass_with_any_program(lab: Lab, tmp_path: Path) -> None:
    """One node has only perl, one only /usr/libexec/platform-python, and one has port 53 in use on 127.0.0.53."""
    perl, platform, stub = lab.start(*[NodeProfile()] * 3)
    perl.sh("rm -f $(type -aP python3 python2 python)")
    platform.sh(
        "mkdir -p /usr/libexec; cp -L /usr/bin/python3 /usr/libexec/platform-python; "
        "rm -f $(type -aP python3 python2 python) /usr/bin/perl*"
    )
    stub.sh("setsid socat UDP4-LISTEN:53,bind=127.0.0.53 - </dev/null >/dev/null 2>&1 & ")
    nodes = [perl, platform, stub]
    untested = run_test(tmp_path, nodes, lab, "--also", "vrrp", **CALICO)
    assert results(untested) == {("X-FIREWALL", None): "warn", ("NETCFG-IPIP", None): "warn"}
    assert "the packet filters of the nodes block no traffic" in text(untested)
    assert "not tested for UDP ports 53, 4789, 8472, 51820, the NodePort range" in text(untested)
    assert any("--also paths" in (v["remedy"] or "") for v in untested.verdicts)
    checked = run_test(tmp_path, nodes, lab, **CALICO)
    assert results(checked) == {("X-FIREWALL", None): "pass", ("NETCFG-IPIP", None): "pass"}, checked.verdicts
    assert "the path test passed" in text(checked)


def test_node_without_a_program_is_unknown_with_the_way_out(lab: Lab, nodes: list[LabNode], tmp_path: Path) -> None:
    nodes[1].sh(NO_INTERPRETERS)
    checked = run_test(tmp_path, nodes, lab, **CALICO)
    assert results(checked) == {("X-FIREWALL", nodes[1].address): "unknown", ("NETCFG-IPIP", None): "manual"}
    assert "no program on the node can listen on UDP: install python3 or perl" in text(checked)


@pytest.mark.parametrize(
    ("rule", "shown", "more"),
    [
        ("udp dport 6081 drop", "6081 no answer over UDP", {}),
        ("udp dport 4789 drop", "4789 no answer over UDP", CALICO),
        ("udp dport 8472 drop", "8472 no answer over UDP", CALICO),
        ("udp dport 53 reject", "53 no answer over UDP", {}),
        ("meta l4proto { tcp, udp } th dport 30000-32767 drop", "30000, 31383, 32767 no connection", {}),
        ("tcp dport 30000-32767 reject with tcp reset", "rejected (TCP reset", {}),
        ("tcp dport 10250 reject with tcp reset", "10250 rejected (TCP reset", {}),
        ("meta l4proto udp udp length > 1000 drop", "UDP packets of 1500 bytes are dropped", {}),
    ],
)
def test_blocked_traffic_fails_on_the_node_that_blocks(
    lab: Lab, filtered: list[LabNode], tmp_path: Path, rule: str, shown: str, more: dict[str, JsonValue]
) -> None:
    two = filtered[1]
    two.sh(INPUT + f"'{rule}'")
    checked = run_test(tmp_path, filtered, lab, **more)
    found = {key: outcome for key, outcome in results(checked).items() if key[0] == "X-FIREWALL"}
    assert found == {("X-FIREWALL", two.address): "warn" if "1500 bytes" in shown else "fail"}
    assert shown in text(checked)


def test_blocked_ip_in_ip_fails_only_its_own_rule(lab: Lab, filtered: list[LabNode], tmp_path: Path) -> None:
    filtered[2].sh(INPUT + "ip protocol 4 drop")
    checked = run_test(tmp_path, filtered, lab, **CALICO)
    assert results(checked) == {("X-FIREWALL", None): "pass", ("NETCFG-IPIP", filtered[2].address): "fail"}


def test_lossy_line_is_not_a_firewall(lab: Lab, filtered: list[LabNode], tmp_path: Path) -> None:
    """Each node drops 30 % of the packets of the test; lost requests and lost answers add up."""
    for node in filtered:
        node.sh(INPUT + "'tcp dport 30000-32767 numgen random mod 10 < 3 drop'")
        node.sh("nft add rule inet f i 'tcp sport 30000-32767 numgen random mod 10 < 3 drop'")
        node.sh("nft add rule inet f i 'meta l4proto { udp, 4 } numgen random mod 10 < 3 drop'")
    checked = run_test(tmp_path, filtered, lab, **CALICO)
    assert results(checked) == {("X-FIREWALL", None): "pass", ("NETCFG-IPIP", None): "pass"}, checked.verdicts
    assert "packets were lost from" in text(checked)


def test_source_nat_between_nodes_fails(lab: Lab, filtered: list[LabNode], tmp_path: Path) -> None:
    """Masquerading to an own address is harmless, any other address is not."""
    one, two, three = filtered
    chain = "nft add table ip n; nft add chain ip n p '{ type nat hook postrouting priority 100; }'; "
    three.sh(f"{chain} nft add rule ip n p masquerade")
    two.sh(f"{chain} nft add rule ip n p ip daddr {one.address} udp dport 6081 snat to {lab.address(20)}")
    two.sh(f"ip addr add {lab.address(20)}/32 dev lo; ip addr del {lab.address(20)}/32 dev lo")
    for node in (one, three):
        node.sh(f"ip route add {lab.address(20)}/32 via {two.address}")
    checked = run_test(tmp_path, filtered, lab)
    assert results(checked) == {("X-FIREWALL", two.address): "fail"}
    assert f"the target sees the source address {lab.address(20)}" in text(checked)


def test_dropped_pings_are_a_warning_unless_the_node_ignores_them(
    lab: Lab, filtered: list[LabNode], tmp_path: Path
) -> None:
    if not filtered[0].sh("type -P ping || true").strip():
        pytest.skip("needs ping")
    filtered[1].sh(INPUT + "icmp type echo-request drop")
    checked = run_test(tmp_path, filtered, lab)
    assert results(checked) == {("X-FIREWALL", None): "warn"}
    assert "pings (ICMP) get no reply on 2 paths" in text(checked)


def test_port_of_a_leftover_overlay_is_in_use_and_not_blocked(lab: Lab, nodes: list[LabNode], tmp_path: Path) -> None:
    try:
        nodes[2].sh("ip link add vxlan.calico type vxlan id 4096 dstport 4789 && ip link set vxlan.calico up")
    except subprocess.CalledProcessError:
        pytest.skip("this kernel has no vxlan")
    checked = run_test(tmp_path, nodes, lab, **CALICO)
    assert results(checked) == {("X-FIREWALL", nodes[2].address): "warn", ("NETCFG-IPIP", None): "pass"}
    assert "in use on the node, therefore not tested: UDP 4789" in text(checked)


def test_no_program_stays_when_acp_tui_is_killed(lab: Lab, nodes: list[LabNode], tmp_path: Path) -> None:
    """The first node has no python, so perl runs there. A dropped port keeps the senders busy until the kill."""
    nodes[0].sh("rm -f $(type -aP python3 python2 python)")

    def running() -> list[str]:
        lines = [node.sh("cat /proc/[0-9]*/cmdline 2>/dev/null || true") for node in nodes]
        return [line for line in lines if "icmp_echo_ignore" in line]

    with started(tmp_path, plan(as_planned(nodes), lab.address(0)), "--also", "paths") as process:
        deadline = time.monotonic() + 60
        while len(running()) < 3:
            assert time.monotonic() < deadline
            assert process.poll() is None
        process.kill()
    deadline = time.monotonic() + 20
    while running():
        assert time.monotonic() < deadline, running()
    for node in nodes:
        assert ":6081" not in node.sh("ss -lnu")
