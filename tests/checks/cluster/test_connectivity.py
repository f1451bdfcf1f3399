"""The checks of TCP paths and packet sizes between nodes: the node at fault, warnings, and unknown results."""

from dataclasses import replace

from acp_tui.checks.verdict import Outcome
from acp_tui.nodes.fact_types import TcpResult
from acp_tui.nodes.facts import Facts
from tests.support.factories.plans import CONTROL_PLANES, DOMAIN, VIP, WORKERS, nodes, valid_plan
from tests.support.factories.verdicts import (
    FAIL,
    PASS,
    UNKNOWN,
    WARN,
    close_paths,
    cluster,
    of_rule,
    outcomes,
    ping,
    with_paths,
    with_pings,
)

ONE, TWO, THREE = CONTROL_PLANES
WORKER = WORKERS[0]
PLAN = valid_plan()


def all_except(address: str) -> list[str]:
    return [n.address for n in PLAN.nodes if n.address != address]


def test_open_paths_pass_with_one_verdict() -> None:
    (verdict,) = of_rule("X-FIREWALL", cluster(PLAN))
    assert (verdict.node, verdict.outcome) == (None, PASS)
    assert "180 TCP paths between 5 nodes" in verdict.observed


def test_node_that_no_other_node_reaches_on_a_port_fails() -> None:
    facts = cluster(PLAN)
    for other in all_except(TWO):
        close_paths(facts, other, [TWO], 2379, 2380)
    (verdict,) = of_rule("X-FIREWALL", facts)
    assert (verdict.node, verdict.outcome) == (TWO, FAIL)
    assert f"{ONE} → {TWO}: 2379, 2380 timed out" in verdict.observed


def test_node_that_reaches_no_other_node_fails() -> None:
    facts = cluster(PLAN)
    close_paths(facts, WORKER, all_except(WORKER), result=TcpResult.NO_ROUTE)
    assert outcomes("X-FIREWALL", facts) == {WORKER: FAIL}


def test_node_with_a_prohibiting_route_fails() -> None:
    facts = cluster(PLAN)
    close_paths(facts, ONE, [TWO], result=TcpResult.FORBIDDEN)
    close_paths(facts, TWO, [ONE])
    assert outcomes("X-FIREWALL", facts) == {ONE: FAIL}
    assert outcomes("NETCFG-LAT-INTRA", facts) == {None: PASS}


def test_target_of_a_single_closed_path_fails() -> None:
    facts = cluster(PLAN)
    close_paths(facts, THREE, [WORKER], 10250)
    assert outcomes("X-FIREWALL", facts) == {WORKER: FAIL}


def test_two_closed_nodes_have_two_verdicts() -> None:
    facts = cluster(PLAN)
    for closed in (TWO, WORKER):
        for other in all_except(closed):
            close_paths(facts, other, [closed], 10250)
    assert outcomes("X-FIREWALL", facts) == {TWO: FAIL, WORKER: FAIL}


def test_ssh_port_refused_to_one_node_is_a_firewall() -> None:
    facts = cluster(PLAN)
    close_paths(facts, ONE, [TWO], 22, result=TcpResult.REFUSED)
    assert outcomes("X-FIREWALL", facts) == {TWO: FAIL}


def test_ssh_port_refused_by_an_unreachable_node_is_unknown() -> None:
    facts = cluster(PLAN)
    for other in all_except(TWO):
        close_paths(facts, other, [TWO], 22, result=TcpResult.REFUSED)
    del facts[TWO]
    assert outcomes("X-FIREWALL", facts) == {TWO: UNKNOWN}


def test_only_ports_of_the_plan_are_checked() -> None:
    facts = cluster(PLAN)
    close_paths(facts, ONE, [TWO], 179)
    assert outcomes("X-FIREWALL", facts) == {None: PASS}
    calico = valid_plan(network={"cni": "calico"})
    assert outcomes("X-FIREWALL", facts, calico) == {TWO: FAIL}


def test_paths_not_tested_since_a_change_of_the_plan_are_unknown() -> None:
    facts = cluster(valid_plan(nodes=nodes(3, 1)))
    facts[WORKERS[1]] = cluster(PLAN)[WORKERS[1]]
    results = outcomes("X-FIREWALL", facts)
    assert results == dict.fromkeys((ONE, TWO, THREE, WORKER), UNKNOWN)
    other_port = valid_plan(address={"cluster_endpoint": VIP, "platform": DOMAIN, "https_port": 8443})
    assert set(outcomes("X-FIREWALL", cluster(PLAN), other_port).values()) == {UNKNOWN}


def test_unreachable_node_is_unknown_and_not_a_firewall() -> None:
    facts = cluster(PLAN)
    for other in all_except(TWO):
        close_paths(facts, other, [TWO])
    facts[TWO] = Facts(TWO, missing={"paths": "no answer within 10 s"})
    assert outcomes("X-FIREWALL", facts) == {TWO: UNKNOWN}


def test_node_lost_during_collection_is_not_a_firewall() -> None:
    facts = cluster(PLAN)
    for other in all_except(TWO):
        close_paths(facts, other, [TWO], 22, result=TcpResult.REFUSED)
    facts[TWO] = replace(
        facts[TWO], paths=None, missing={"paths": "the SSH connection to a node broke during the transfer"}
    )
    assert outcomes("X-FIREWALL", facts) == {TWO: UNKNOWN}


def test_connectivity_does_not_apply_to_a_single_node() -> None:
    plan = valid_plan(nodes=nodes(1, 0), scenario="single-node", address={"cluster_endpoint": ONE})
    for rule in ("X-FIREWALL", "NETCFG-LAT-INTRA", "NETCFG-BW-INTRA", "LB-443", "LB-6443", "LB-11443"):
        assert outcomes(rule, cluster(plan), plan) == {None: Outcome.NOT_APPLICABLE}


def test_dropped_full_size_packets_are_a_warning() -> None:
    facts = cluster(PLAN)
    facts[ONE] = with_pings(facts[ONE], ping(TWO, 5, 5, 1, 9000, False))
    (verdict,) = of_rule("X-FIREWALL", facts)
    assert (verdict.node, verdict.outcome) == (TWO, WARN)
    assert "9000 bytes" in verdict.observed


def test_blocker_is_reported_together_with_a_warning() -> None:
    facts = cluster(PLAN)
    facts[ONE] = with_paths(
        with_pings(facts[ONE], ping(TWO, 5, 3, 500, 9000, False)),
        lambda p: p._replace(result=TcpResult.UNKNOWN, detail="No buffer space available") if p[:2] == (TWO, 22) else p,
    )
    results = {v.node: v for v in of_rule("X-FIREWALL", facts)}
    assert results[ONE].outcome is UNKNOWN
    assert f"{ONE} → {TWO}: 22 connection not tested: No buffer space available" in results[ONE].observed
    (slow,) = of_rule("NETCFG-LAT-INTRA", facts)
    assert slow.outcome is FAIL
    assert "500 ms" in slow.observed
    assert "2 of 5 packets were lost" in slow.observed
