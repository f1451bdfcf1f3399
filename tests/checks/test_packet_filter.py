"""Packet filters as other rules use them: clean rule sets, translated sources, IPv6, and large clusters."""

import time
from dataclasses import replace

import pytest

from acp_tui.checks.finding import FactMissing
from acp_tui.checks.packet_filter import blocked_traffic, filter_is_clean, source_nat
from acp_tui.nodes.fact_types import Interface
from acp_tui.nodes.facts import Facts
from acp_tui.nodes.packet_filter.model import PacketFilter
from acp_tui.plan.model import Plan
from tests.support.factories.node_facts import healthy
from tests.support.factories.plans import valid_plan
from tests.support.factories.verdicts import SECOND
from tests.support.packet_filters import chain, iptables, nft, packet_filter, saved

PLAN = valid_plan()


def facts(found: PacketFilter | None, **more: object) -> Facts:
    return replace(healthy(SECOND), packet_filter=found, **more)  # type: ignore[arg-type] # fields of Facts


def with_cni(cni: str) -> Plan:
    return PLAN.model_copy(update={"network": PLAN.network.model_copy(update={"cni": cni})})


def test_only_a_complete_list_that_blocks_nothing_is_clean() -> None:
    assert filter_is_clean(PLAN, facts(nft(chain("input"))))
    assert not filter_is_clean(PLAN, facts(nft(chain("input", "udp dport 6081 drop"))))
    assert not filter_is_clean(PLAN, facts(nft(chain("input", "meta skuid 1 drop"))))
    assert not filter_is_clean(PLAN, facts(nft(chain("input"), "@ missing iptables-legacy-save")))
    assert not filter_is_clean(PLAN, facts(None))


def test_without_the_fact_there_is_no_result() -> None:
    with pytest.raises(FactMissing):
        blocked_traffic(PLAN, facts(None))


@pytest.mark.parametrize(
    ("found", "cni", "translated"),
    [
        (iptables("POSTROUTING -o eth0 -j SNAT --to-source 192.0.2.9", table="nat"), "kube-ovn", True),
        (iptables(f"POSTROUTING -o eth0 -j SNAT --to-source {SECOND}", table="nat"), "kube-ovn", False),
        (iptables("POSTROUTING -o eth0 -j MASQUERADE", table="nat"), "kube-ovn", False),
        (iptables("POSTROUTING -o eth0 -j MASQUERADE", table="nat"), "calico", True),
        (iptables("POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE", table="nat"), "calico", False),
        (iptables("POSTROUTING -s 10.0.0.0/8 ! -d 10.0.0.0/8 -j MASQUERADE", table="nat"), "calico", False),
        (iptables("POSTROUTING -o virbr0 -j SNAT --to-source 192.0.2.9", table="nat"), "kube-ovn", False),
        (nft(chain("postrouting", 'oifname "eth0" snat to 192.0.2.9', priority="srcnat")), "kube-ovn", True),
        (nft(""), "calico", False),
    ],
)
def test_rules_that_translate_sources(found: PacketFilter, cni: str, translated: bool) -> None:
    assert bool(source_nat(with_cni(cni), facts(found))) is translated


def test_masquerading_replaces_a_second_address_of_the_interface() -> None:
    interfaces = (Interface("eth0", "10.20.0.99", 24), Interface("eth0", SECOND, 24))
    [rule] = source_nat(PLAN, facts(iptables("POSTROUTING -o eth0 -j MASQUERADE", table="nat"), interfaces=interfaces))
    assert "POSTROUTING" in rule.rule
    assert rule.target == ""


def test_ipv6_rules_matter_in_a_dual_stack_cluster() -> None:
    found = packet_filter(("ip6tables-legacy-save", saved("INPUT -i lo -j ACCEPT", INPUT="DROP")))
    dual = PLAN.model_copy(
        update={
            "network": PLAN.network.model_copy(update={"ip_family": "dual"}),
            "nodes": tuple(
                node.model_copy(update={"ipv6": f"fd20::{number + 1}"}) for number, node in enumerate(PLAN.nodes)
            ),
        }
    )
    assert blocked_traffic(PLAN, facts(found)) == ()
    assert blocked_traffic(dual, facts(found))
    neighbours = nft(chain("input", "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } drop"))
    assert blocked_traffic(dual, facts(neighbours))


def test_three_hundred_nodes_with_long_rule_sets() -> None:
    node = PLAN.nodes[-1]
    more = tuple(
        node.model_copy(update={"address": f"10.20.{number // 250 + 1}.{number % 250 + 1}"}) for number in range(300)
    )
    large = PLAN.model_copy(update={"nodes": (*PLAN.nodes, *more)})
    rules = [f"ip saddr 203.0.{number // 256}.{number % 256} drop" for number in range(500)]
    found = facts(nft(chain("input", *rules, "ip saddr 10.20.2.9 drop")))
    started = time.process_time()
    [blocked] = blocked_traffic(large, found)
    assert time.process_time() - started < 3
    assert blocked.rule.endswith("ip saddr 10.20.2.9 drop")
    assert blocked.certain
