"""SEC-FIREWALL: rule sets of real hosts, with and without rules that block traffic of the cluster."""

from dataclasses import replace

import pytest

from acp_tui.checks.verdict import Outcome
from acp_tui.nodes.fact_types import Interface, Unit
from acp_tui.nodes.packet_filter.model import PacketFilter
from acp_tui.plan.model import Plan
from tests.support.factories.node_facts import healthy
from tests.support.factories.plans import valid_plan
from tests.support.factories.verdicts import FAIL, FIRST, PASS, SECOND, UNKNOWN, WARN, cluster, of_rule
from tests.support.packet_filters import chain, iptables, nft
from tests.support.rule_sets import BLOCKED, CLEAN, SSH_ONLY, UNDECIDED


def outcome(found: PacketFilter | None, plan: Plan | None = None, node: str = SECOND, **more: object) -> Outcome:
    return judged(found, plan, node, **more)[0]


def judged_with(found: PacketFilter | None, changes: dict[str, object]) -> Outcome:
    return judged(found, None, SECOND, **changes)[0]


def judged(
    found: PacketFilter | None, plan: Plan | None = None, node: str = SECOND, **more: object
) -> tuple[Outcome, str, str]:
    plan = plan or valid_plan()
    facts = cluster(plan)
    facts[node] = replace(healthy(node, packet_filter=found), **more)  # type: ignore[arg-type] # fields of Facts
    [verdict] = [verdict for verdict in of_rule("SEC-FIREWALL", facts, plan) if verdict.node == node]
    return verdict.outcome, verdict.observed, verdict.remedy


@pytest.mark.parametrize(("name", "found"), BLOCKED, ids=[name for name, _ in BLOCKED])
def test_rules_that_block_the_cluster_fail(name: str, found: PacketFilter) -> None:
    result, observed, remedy = judged(found)
    assert (name, result) == (name, WARN if name == "ping" else FAIL)
    assert ("packet filter rules block pings" if name == "ping" else "rules block traffic of the cluster") in observed
    assert any(line.startswith(("nft delete table", "iptables")) for line in remedy.splitlines())


@pytest.mark.parametrize(("name", "found"), CLEAN, ids=[name for name, _ in CLEAN])
def test_rules_of_healthy_hosts_pass(name: str, found: PacketFilter) -> None:
    assert (name, *judged(found)[:2]) == (
        name,
        PASS,
        "no firewall unit is active, and no packet filter rule blocks cluster traffic",
    )


@pytest.mark.parametrize(("name", "found"), UNDECIDED, ids=[name for name, _ in UNDECIDED])
def test_rules_that_cannot_be_evaluated_are_a_warning(name: str, found: PacketFilter) -> None:
    result, observed, _remedy = judged(found)
    assert (name, result) == (name, WARN)
    assert "possibly block" in observed


def single(**more: object) -> Plan:
    plan = valid_plan()
    [node] = [node for node in plan.nodes if node.address == FIRST]
    return plan.model_copy(update={"nodes": (node,), "scenario": "single-node", **more})


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        (chain("input", *SSH_ONLY, policy="drop"), FAIL),
        (chain("input", "tcp dport 6443 drop"), FAIL),
        (chain("input", "tcp dport 443 reject with tcp reset"), FAIL),
        (chain("forward", policy="drop"), FAIL),
        (chain("output", 'oif "eth0" ct state new drop'), FAIL),
        (chain("input", "ip saddr 10.20.0.37 drop"), PASS),
        (chain("input", "ip saddr { 203.0.113.0/24 } drop"), PASS),
        (chain("input", "udp dport 6081 drop"), PASS),
        (chain("input", "tcp dport 22 ip saddr != 10.20.0.5 drop"), PASS),
        (chain("input"), PASS),
    ],
)
def test_a_single_node_is_reached_by_clients_and_pods(rules: str, expected: Outcome) -> None:
    assert outcome(nft(rules), single(), FIRST) is expected


def test_the_network_plugin_decides_which_tunnels_matter() -> None:
    plan = valid_plan()
    calico = plan.model_copy(update={"network": plan.network.model_copy(update={"cni": "calico"})})
    for rule, with_ovn, with_calico in (
        ("udp dport 6081 drop", FAIL, PASS),
        ("udp dport 4789 drop", PASS, FAIL),
        ("ip protocol 4 drop", PASS, FAIL),
        ("tcp dport 179 drop", PASS, FAIL),
        ("tcp dport 6641 drop", FAIL, PASS),
    ):
        found = nft(chain("input", rule))
        assert (rule, outcome(found, plan), outcome(found, calico)) == (rule, with_ovn, with_calico)


def test_an_interface_with_another_name() -> None:
    interfaces = (Interface("lo", "127.0.0.1", 8), Interface("bond0.30", SECOND, 24))
    found = nft(chain("input", 'iifname "bond0.*" tcp dport 6443 drop'))
    assert outcome(found, interfaces=interfaces) is FAIL
    assert outcome(nft(chain("input", 'iifname "eth0" drop')), interfaces=interfaces) is PASS
    assert outcome(nft(chain("input", 'iifname "eth0" drop')), interfaces=None) is WARN


def test_rules_that_were_not_read_are_unknown() -> None:
    for more in ("@ missing nft", "@ list iptables-legacy-save legacy\niptables-save: Permission denied\n@ end 1 "):
        result, observed, _remedy = judged(nft("", more=more))
        assert result is UNKNOWN
        assert "the packet filter rules of the kernel are not known" in observed
    assert outcome(None, missing={"packet_filter": "reading the value requires root"}) is UNKNOWN


def test_a_part_of_the_rules_is_enough_for_a_failure() -> None:
    assert outcome(nft(chain("input", policy="drop"), more="@ missing iptables-legacy-save")) is FAIL
    active = {"firewalld": Unit("active", "enabled")}
    assert outcome(None, units=active) is FAIL


def units(**states: tuple[str, str]) -> dict[str, object]:
    names = {name.replace("_", "-"): Unit(*state) for name, state in states.items()}
    return {"units": {"firewalld": Unit("inactive", "not-found"), **names}}


ACTIVE, STOPPED, MASKED = ("active", "enabled"), ("inactive", "enabled"), ("inactive", "masked")
UBUNTU_FILE, EMPTY_FILE = "@ harmless /etc/nftables.conf rules", "@ harmless /etc/sysconfig/nftables.conf empty"


@pytest.mark.parametrize(
    ("found", "changes", "expected"),
    [
        (nft(""), units(nftables=ACTIVE), FAIL),
        (nft(chain("input"), UBUNTU_FILE), units(nftables=ACTIVE), WARN),
        (nft("", UBUNTU_FILE), units(nftables=ACTIVE), FAIL),
        (nft("", EMPTY_FILE), units(nftables=ACTIVE), WARN),
        (nft(chain("input", policy="drop"), UBUNTU_FILE), units(nftables=ACTIVE), FAIL),
        (nft("", UBUNTU_FILE), units(firewalld=ACTIVE, nftables=ACTIVE), FAIL),
        (nft("", "@ harmless /etc/iptables/rules.v4 empty"), units(netfilter_persistent=ACTIVE), FAIL),
        (nft("", UBUNTU_FILE), units(nftables=STOPPED), WARN),
        (nft(""), units(shorewall=ACTIVE), FAIL),
        (nft(""), units(csf=STOPPED), WARN),
        (nft(""), {"ufw_enabled": True, **units(ufw=MASKED)}, WARN),
        (nft(chain("input", policy="drop")), {"ufw_enabled": True, **units(ufw=MASKED)}, FAIL),
        (None, {"ufw_enabled": True, **units(ufw=MASKED)}, FAIL),
        (nft(""), {"ufw_enabled": True, **units(ufw=("inactive", "disabled"))}, FAIL),
        (nft(chain("input", policy="drop")), {"units": None}, FAIL),
        (nft(""), {"units": None}, UNKNOWN),
        (nft(chain("input", policy="drop")), units(firewalld=STOPPED), FAIL),
        (nft("", "@ missing iptables-legacy-save"), units(firewalld=STOPPED), UNKNOWN),
    ],
)
def test_units_and_rules_together(found: PacketFilter | None, changes: dict[str, object], expected: Outcome) -> None:
    assert judged_with(found, changes) is expected


def test_the_finding_names_rule_packet_and_way_out() -> None:
    found = nft(chain("input", *SSH_ONLY, policy="drop"), "@ boot /etc/rc.local")
    result, observed, remedy = judged(found)
    assert "nft inet site input: policy drop (TCP 6443 from 10.20.0." in observed
    assert remedy.splitlines()[1:] == ["nft delete table inet site"]
    assert "/etc/rc.local" in remedy.splitlines()[0]
    assert result is FAIL


def test_iptables_policies_accept_before_a_chain_is_flushed() -> None:
    _result, _observed, remedy = judged(iptables("INPUT -p tcp -m tcp --dport 6443 -j DROP", INPUT="DROP"))
    commands = remedy.splitlines()[1:]
    assert commands.index("iptables-legacy -t filter -P INPUT ACCEPT") < commands.index(
        "iptables-legacy -t filter -F INPUT"
    )


def test_names_of_a_table_that_could_be_shell_text_are_not_in_a_command() -> None:
    found = nft(chain("input", policy="drop").replace("site", '"a;reboot"'))
    _result, _observed, remedy = judged(found)
    assert "reboot" not in remedy
