"""The checks of traffic that TCP connects do not show: untested, blocked, lossy, translated, and not measurable."""

from dataclasses import replace

import pytest

from acp_tui.checks.verdict import Outcome
from acp_tui.nodes.fact_types import EchoState, Interface, PathFailure, PathResult, PathTest, Ping
from acp_tui.nodes.facts import Facts
from acp_tui.plan.model import Plan
from tests.support.factories.plans import CONTROL_PLANES, WORKERS, dual_nodes, nodes, valid_plan
from tests.support.factories.verdicts import (
    FAIL,
    MANUAL,
    NOT_APPLICABLE,
    PASS,
    UNKNOWN,
    WARN,
    close_paths,
    cluster,
    of_rule,
    outcomes,
    ping,
    with_pings,
)

ONE, TWO, THREE = CONTROL_PLANES
WORKER = WORKERS[0]
PLAN = valid_plan()
CALICO = valid_plan(network={"cni": "calico"})
SILENT, REFUSED = PathResult.SILENT, PathResult.REFUSED


def change(facts: dict[str, Facts], node: str, **changes: object) -> None:
    """Change the results of the path test on a node."""
    before = facts[node].path_test
    assert before is not None
    facts[node] = replace(facts[node], path_test=replace(before, **changes))  # type: ignore[arg-type]


def open_ports(facts: dict[str, Facts], node: str) -> dict[str, EchoState]:
    results = facts[node].path_test
    assert results is not None
    return dict(results.ports)


def failing(*specs: str, to: str = TWO, result: PathResult = SILENT, plan: Plan = PLAN) -> dict[str, Facts]:
    """Return facts in which all other nodes find these paths to `to` closed."""
    facts = cluster(plan)
    for node in facts:
        if node != to:
            change(facts, node, failures=tuple(PathFailure(to, spec, result) for spec in specs))
    return facts


def untested(plan: Plan) -> dict[str, Facts]:
    return {address: replace(facts, path_test=None) for address, facts in cluster(plan).items()}


def text(facts: dict[str, Facts], plan: Plan = PLAN, rule: str = "X-FIREWALL") -> str:
    return "; ".join(verdict.observed for verdict in of_rule(rule, facts, plan))


@pytest.mark.parametrize(
    ("plan", "ports"), [(PLAN, "UDP ports 53, 6081, the"), (CALICO, "UDP ports 53, 4789, 8472, 51820, the")]
)
def test_untested_traffic_is_a_warning_that_offers_the_test(plan: Plan, ports: str) -> None:
    (verdict,) = of_rule("X-FIREWALL", untested(plan), plan)
    assert (verdict.node, verdict.outcome, verdict.blocks) == (None, WARN, False)
    assert ports in verdict.observed
    assert "acp-tui check PLAN --also paths" in verdict.remedy


def test_tested_traffic_passes_with_the_number_of_paths() -> None:
    (verdict,) = of_rule("X-FIREWALL", cluster(PLAN))
    assert (verdict.node, verdict.outcome) == (None, PASS)
    assert "the path test passed: 220 TCP paths, 100 UDP paths (ports 53, 6081, 30000, 31383, 32767)" in (
        verdict.observed
    )


def test_single_node_has_no_paths() -> None:
    plan = valid_plan(nodes=nodes(1, 0), scenario="single-node", address={"cluster_endpoint": ONE})
    assert outcomes("X-FIREWALL", cluster(plan), plan) == {None: NOT_APPLICABLE}


@pytest.mark.parametrize(
    ("specs", "result", "shown"),
    [
        (("u6081",), SILENT, f"{ONE} → {TWO}: 6081 no answer over UDP"),
        (("u53", "u6081"), SILENT, f"{ONE} → {TWO}: 53, 6081 no answer over UDP"),
        (("t30000", "t31383", "t32767"), SILENT, "30000, 31383, 32767 no connection to the temporary test port"),
        (("t6443",), REFUSED, "6443 rejected (TCP reset or ICMP message), although the test port was open"),
        (("t6443",), PathResult.UNREACHABLE, "6443 no route to host"),
        (("u6081",), PathResult.UNREACHABLE, "6081 no route for UDP packets"),
        (("u6081",), PathResult.OTHER, "6081 a different node answered over UDP"),
    ],
)
def test_traffic_that_no_node_gets_through_fails_on_the_target(
    specs: tuple[str, ...], result: PathResult, shown: str
) -> None:
    facts = failing(*specs, result=result)
    assert outcomes("X-FIREWALL", facts) == {TWO: FAIL}
    assert shown in text(facts)


def test_node_whose_own_filter_rejects_fails() -> None:
    facts = cluster(PLAN)
    change(facts, TWO, failures=(PathFailure(ONE, "u6081", PathResult.FORBIDDEN),))
    assert outcomes("X-FIREWALL", facts) == {TWO: FAIL}


@pytest.mark.parametrize(("cni", "outcome"), [("kube-ovn", PASS), ("calico", FAIL)])
def test_only_ports_of_the_network_plugin_count(cni: str, outcome: Outcome) -> None:
    plan = valid_plan(network={"cni": cni})
    assert set(outcomes("X-FIREWALL", failing("u4789", plan=plan), plan).values()) == {outcome}


def test_other_network_plugin_needs_a_new_test() -> None:
    facts = cluster(PLAN)
    (verdict,) = of_rule("X-FIREWALL", facts, CALICO)
    assert (verdict.outcome, verdict.node) == (WARN, None)
    assert "did not include these ports: TCP 179; UDP 4789, 8472, 51820" in verdict.observed


def test_new_node_needs_a_new_test() -> None:
    facts = cluster(PLAN)
    facts[WORKER] = replace(facts[WORKER], path_test=None)
    (verdict,) = of_rule("X-FIREWALL", facts)
    assert (verdict.outcome, verdict.node) == (WARN, None)
    assert f"the path test did not include these nodes: {WORKER}" in verdict.observed


def test_paths_to_a_node_that_stopped_responding_prove_nothing() -> None:
    facts = failing("u53", "u6081", "t6443")
    change(facts, TWO, echo_problem="the node stopped responding", ports={})
    assert outcomes("X-FIREWALL", facts) == {TWO: UNKNOWN}


@pytest.mark.parametrize("place", ["echo_problem", "problem"])
def test_node_that_cannot_run_the_test_is_unknown(place: str) -> None:
    facts = cluster(PLAN)
    change(facts, TWO, **{place: "no program on the node can listen on UDP"})
    assert outcomes("X-FIREWALL", facts) == {TWO: UNKNOWN}
    assert "no program on the node can listen on UDP" in text(facts)


def test_path_that_was_not_reached_in_time_is_unknown() -> None:
    facts = cluster(PLAN)
    change(facts, ONE, failures=(PathFailure(TWO, "u53", PathResult.UNTESTED),))
    assert outcomes("X-FIREWALL", facts) == {ONE: UNKNOWN}


def test_port_in_use_is_named_and_not_a_firewall() -> None:
    facts = cluster(PLAN)
    ports = open_ports(facts, TWO)
    change(facts, TWO, ports={**ports, "u6081": EchoState.BUSY, "t6443": EchoState.BUSY, "t30000": EchoState.BUSY})
    assert outcomes("X-FIREWALL", facts) == {TWO: WARN}
    assert text(facts) == "in use on the node, therefore not tested: UDP 6081"


def test_single_port_in_use_in_the_node_port_range_is_no_finding() -> None:
    facts = cluster(PLAN)
    ports = open_ports(facts, TWO)
    change(facts, TWO, ports={**ports, "u31383": EchoState.BUSY})
    assert outcomes("X-FIREWALL", facts) == {None: PASS}


def test_test_port_without_permission_is_unknown() -> None:
    facts = cluster(PLAN)
    ports = open_ports(facts, TWO)
    change(facts, TWO, ports={**ports, "u53": EchoState.DENIED})
    assert outcomes("X-FIREWALL", facts) == {TWO: UNKNOWN}
    assert "UDP 53" in text(facts)


def test_dropped_large_packets_are_a_warning_once() -> None:
    facts = failing("l1500")
    assert outcomes("X-FIREWALL", facts) == {TWO: WARN}
    assert "UDP packets of 1500 bytes are dropped" in text(facts)
    facts = {
        node: with_pings(one, ping(TWO, 5, 5, 1, 1500, False)) if node != TWO else one for node, one in facts.items()
    }
    assert "UDP packets of 1500 bytes" not in text(facts)


def test_lost_packets_are_shown_and_pass() -> None:
    facts = cluster(PLAN)
    change(facts, ONE, lost={TWO: (12, 5)})
    assert outcomes("X-FIREWALL", facts) == {None: PASS}
    assert f"5 of 12 packets were lost from {ONE} to {TWO}" in text(facts)


@pytest.mark.parametrize(
    ("seen", "interfaces", "outcome"),
    [
        ("203.0.113.9", (), FAIL),
        ("203.0.113.9", (Interface("eth1", "203.0.113.9", 24),), PASS),  # another address of the node itself
        (TWO, (), PASS),  # the plan address is translated to the node: NET-IP-VALID
        (THREE, (), FAIL),  # one node behind another
        ("::ffff:203.0.113.9", (Interface("eth1", "203.0.113.9", 24),), PASS),
    ],
)
def test_translated_source_address_fails_on_the_source(
    seen: str, interfaces: tuple[Interface, ...], outcome: Outcome
) -> None:
    facts = cluster(PLAN)
    own = facts[TWO].interfaces or ()
    facts[TWO] = replace(facts[TWO], interfaces=(*(one for one in own if one.address != TWO), *interfaces))
    change(facts, TWO, sources={seen: (ONE, THREE)})
    assert outcomes("X-FIREWALL", facts) == {(TWO if outcome is FAIL else None): outcome}
    if outcome is FAIL:
        assert f"{TWO} → {ONE}: the target sees the source address {seen}" in text(facts)


@pytest.mark.parametrize(("ignores", "outcome"), [(False, WARN), (True, PASS)])
def test_pings_without_a_reply_are_a_warning_unless_the_kernel_ignores_them(ignores: bool, outcome: Outcome) -> None:
    facts = cluster(PLAN)
    facts[ONE] = with_pings(facts[ONE], Ping(TWO, 5, 0, None))
    change(facts, TWO, ignores_pings=ignores)
    assert outcomes("X-FIREWALL", facts) == {None: outcome}
    assert (f"pings (ICMP) get no reply on 1 path, although TCP connections work: {ONE} → {TWO}" in text(facts)) == (
        not ignores
    )


def test_path_that_is_closed_for_tcp_connects_too_is_reported_once() -> None:
    facts = failing("t6443")
    close_paths(facts, ONE, (TWO,), 6443)
    assert f"{ONE} → {TWO}: 6443 timed out" in text(facts)
    assert f"{ONE} → {TWO}: 6443 no connection" not in text(facts)


def test_both_addresses_of_dual_stack_nodes_are_tested() -> None:
    plan = valid_plan(nodes=dual_nodes(3), network={"ip_family": "dual"})
    facts = cluster(plan)
    second = plan.nodes[1]
    assert second.ipv6 is not None
    change(facts, ONE, failures=(PathFailure(second.ipv6, "u6081", SILENT),))
    assert outcomes("X-FIREWALL", facts, plan) == {second.address: FAIL}


class TestIpInIp:
    def test_untested_is_a_warning_that_offers_the_test(self) -> None:
        (verdict,) = of_rule("NETCFG-IPIP", untested(CALICO), CALICO)
        assert (verdict.outcome, verdict.blocks) == (WARN, False)
        assert "--also paths" in verdict.remedy

    def test_open_paths_pass(self) -> None:
        (verdict,) = of_rule("NETCFG-IPIP", cluster(CALICO), CALICO)
        assert (verdict.outcome, verdict.observed) == (PASS, "IP-in-IP packets pass on all 20 paths between the nodes")

    def test_blocked_packets_fail_only_this_rule(self) -> None:
        facts = failing("i4", plan=CALICO)
        assert outcomes("NETCFG-IPIP", facts, CALICO) == {TWO: FAIL}
        assert outcomes("X-FIREWALL", facts, CALICO) == {None: PASS}

    @pytest.mark.parametrize(
        "changes",
        [
            {"ports": {"i4": EchoState.DENIED}},
            {"failures": (PathFailure(ONE, "i4", PathResult.UNTESTED),)},
            {"problem": "no program"},
            {"echo_problem": "no program", "ports": {}},
        ],
    )
    def test_node_without_the_means_leaves_it_to_a_person(self, changes: dict[str, object]) -> None:
        facts = cluster(CALICO)
        change(facts, TWO, **changes)
        (verdict,) = of_rule("NETCFG-IPIP", facts, CALICO)
        assert (verdict.outcome, verdict.node) == (MANUAL, None)
        assert verdict.observed.startswith(f"{TWO}: ")

    def test_does_not_apply_to_kube_ovn(self) -> None:
        assert outcomes("NETCFG-IPIP", cluster(PLAN)) == {None: NOT_APPLICABLE}


def test_results_of_all_nodes_share_the_set_of_hosts_but_need_not() -> None:
    facts = cluster(PLAN)
    change(facts, ONE, hosts=frozenset(list(facts)[:3]))
    (verdict,) = of_rule("X-FIREWALL", facts)
    assert verdict.outcome is WARN
    assert PathTest().hosts == frozenset()
