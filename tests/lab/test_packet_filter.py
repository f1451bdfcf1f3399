"""Packet filter rules in the kernel of real nodes, without a firewall unit."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.lab.kit.check_run import as_planned, check, plan
from tests.lab.kit.nodes import Lab, LabNode
from tests.lab.kit.profiles import Fault, NodeProfile
from tests.lab.kit.shell import program

pytestmark = pytest.mark.lab

SSH = "ct state established,related accept; iif lo accept; tcp dport 22 accept; icmp type echo-request accept"


def nft(*rules: str, hook: str = "input", policy: str = "accept", family: str = "inet") -> str:
    """Return shell text that loads one chain."""
    body = "; ".join((f"type filter hook {hook} priority 0; policy {policy}", *rules))
    return f"nft -f - <<'END'\ntable {family} site {{ chain {hook} {{ {body}\n}}\n}}\nEND"


def fault(name: str, shell: str, outcome: str = "") -> Fault:
    return Fault(name, shell, {"SEC-FIREWALL": outcome} if outcome else {})


def iptables_save(*rules: str) -> str:
    """Return shell text that adds an iptables-save which prints these rules of the table `filter`."""
    lines = ("*filter", ":INPUT ACCEPT [0:0]", ":FORWARD ACCEPT [0:0]", ":OUTPUT ACCEPT [0:0]", *rules, "COMMIT")
    return program("/usr/sbin/iptables-save", *(f"echo '{line}'" for line in lines))


SEVERAL = (
    fault("Geneve is dropped", nft("udp dport 6081 drop"), "fail"),
    fault("Geneve is dropped on the way out", nft("udp dport 6081 drop", hook="output"), "fail"),
    fault("NodePorts are rejected", nft("tcp dport 30000-32767 reject with tcp reset"), "fail"),
    fault("the packets of Pods are dropped", nft("ip saddr 10.3.0.0/16 drop"), "fail"),
    fault("Pods are not routed", nft(hook="forward", policy="drop"), "fail"),
    fault("Geneve is dropped by iptables", iptables_save("-A INPUT -p udp -m udp --dport 6081 -j DROP"), "fail"),
    fault("a match that nobody knows", iptables_save("-A INPUT -m geoip ! --source-country DE -j DROP"), "warn"),
    fault("nft that fails", program("/usr/sbin/nft", "echo 'no permission' >&2; exit 1"), "unknown"),
    fault("no nft", "rm /usr/sbin/nft", "unknown"),
    fault("empty tables", "nft add table inet filter; nft add table ip nat"),
    fault("chains that accept", "\n".join(nft(hook=hook) for hook in ("input", "forward", "output"))),
    fault("only invalid packets", nft("ct state invalid drop", "icmp type redirect drop")),
    fault("SSH above a rate", nft("tcp dport 22 ct state new limit rate over 50/minute drop")),
    fault("a few other hosts", nft("ip saddr { 203.0.113.5, 192.0.2.0/28 } reject")),
    fault("only docker0", nft('iifname "docker0" drop', 'oifname "docker0" drop', hook="forward")),
    fault("counters", nft("tcp dport 6443 counter", "udp dport 6081 counter accept")),
    fault("fail2ban of iptables", iptables_save("-A INPUT -s 203.0.113.9/32 -j REJECT --reject-with tcp-reset")),
    fault("IPv6 only", nft("iif lo accept", family="ip6", policy="drop")),
)  # fmt: skip


def outcomes(tmp_path: Path, lab: Lab, nodes: list[LabNode]) -> Mapping[str, Mapping[str, str]]:
    return check(tmp_path, plan(as_planned(nodes), lab.address(0)), "--only", "SEC-FIREWALL").outcomes


def test_rules_of_several_nodes(lab: Lab, tmp_path: Path) -> None:
    nodes = lab.start(*(NodeProfile(faults=(each,)) for each in SEVERAL))
    found = outcomes(tmp_path, lab, nodes)
    assert {node.profile.faults[0].name: found[node.address] for node in nodes} == {
        each.name: each.expects for each in SEVERAL
    }


@pytest.mark.parametrize(
    ("shell", "expected"),
    [
        (nft(SSH, policy="drop"), {"SEC-FIREWALL": "fail"}),
        (nft("tcp dport 6443 reject with tcp reset"), {"SEC-FIREWALL": "fail"}),
        (nft("tcp dport { 22, 25 } ip saddr 192.0.2.1 drop"), {}),
    ],
)
def test_rules_of_a_single_node(lab: Lab, tmp_path: Path, shell: str, expected: dict[str, str]) -> None:
    [node] = lab.start(NodeProfile(faults=(Fault("rules without a unit", shell),)))
    answers = plan(as_planned([node]), node.address, scenario="single-node")
    checked = check(tmp_path, answers)
    assert checked.outcomes[node.address] == expected


def test_commands_of_the_finding_remove_the_rules_and_keep_the_connection(lab: Lab, tmp_path: Path) -> None:
    [node] = lab.start(NodeProfile(faults=(Fault("default drop", nft(SSH, policy="drop")),)))
    answers = plan(as_planned([node]), node.address, scenario="single-node")
    [verdict] = check(tmp_path, answers, "--only", "SEC-FIREWALL").verdicts
    assert "policy drop" in (verdict["observed"] or "")
    node.sh(verdict["remedy"] or "")
    assert check(tmp_path, answers, "--only", "SEC-FIREWALL").outcomes == {node.address: {}}
