"""The endpoint checks: the backends and ports of the load balancer, and a VIP that is already in use."""

from dataclasses import replace

import pytest
from pydantic import JsonValue

from acp_tui.checks.verdict import Outcome
from acp_tui.nodes.fact_types import Interface
from acp_tui.nodes.facts import Facts
from tests.support.factories.plans import CONTROL_PLANES, DOMAIN, VIP, WORKERS, valid_plan
from tests.support.factories.verdicts import FAIL, PASS, UNKNOWN, WARN, close_paths, cluster, of_rule, outcomes

ONE, TWO, THREE = CONTROL_PLANES
WORKER = WORKERS[0]
PLAN = valid_plan()
SELF_BUILT: dict[str, JsonValue] = {"cluster_endpoint": VIP, "platform": None, "self_built_vip": True}


def test_listeners_of_the_paths_test_do_not_affect_the_load_balancer_check() -> None:
    facts = {
        a: replace(f, listener_results={6443: "", 2379: ""}, backends_reached={}) for a, f in cluster(PLAN).items()
    }
    assert outcomes("LB-6443", facts) == {None: PASS}


def test_port_in_use_counts_only_with_the_load_balancer_test() -> None:
    """If the load balancer test ran, its results decide."""
    busy = {6443: "the port is in use on the node"}
    facts = {a: replace(f, listener_results=busy, backends_reached={}) for a, f in cluster(PLAN).items()}
    assert outcomes("LB-6443", facts) == {None: PASS}
    facts = {a: replace(f, backends_reached={(VIP, 6443): frozenset()}) for a, f in facts.items()}
    assert outcomes("LB-6443", facts) == dict.fromkeys(CONTROL_PLANES, UNKNOWN)


def after_load_balancer_test(backends_by_client: dict[str, set[str]], *proxied: str) -> dict[str, Facts]:
    """Return facts with listeners on all control plane nodes, and the backends that each client reached on 6443.

    `proxied`: nodes whose listener received the PROXY protocol.
    """
    facts = cluster(PLAN)
    for node in CONTROL_PLANES:
        observed = frozenset({6443} if node in proxied else ())
        facts[node] = replace(facts[node], listener_results={6443: ""}, proxy_protocol_ports=observed)
    for node, backends in backends_by_client.items():
        facts[node] = replace(facts[node], backends_reached={(VIP, 6443): frozenset(backends)})
    return facts


@pytest.mark.parametrize(
    ("backends_by_client", "expected"),
    [
        ({ONE: {ONE, TWO, THREE}, TWO: {ONE, TWO, THREE}}, {None: PASS}),
        ({ONE: {ONE, TWO}, TWO: {ONE, TWO}}, {THREE: FAIL}),
        ({ONE: {ONE}, TWO: {TWO}, WORKER: {THREE}}, {None: PASS}),  # balanced by source address
        (
            {ONE: {ONE}, TWO: {TWO}, WORKER: {ONE}},
            {THREE: UNKNOWN},
        ),  # the third may be missing, or balanced by source address
        ({ONE: {ONE}, TWO: {ONE}, WORKER: {ONE}}, {TWO: FAIL, THREE: FAIL}),
        ({ONE: set(), TWO: set()}, {None: FAIL}),
    ],
)
def test_backend_missing_in_the_load_balancer_fails(
    backends_by_client: dict[str, set[str]], expected: dict[str | None, Outcome]
) -> None:
    assert outcomes("LB-6443", after_load_balancer_test(backends_by_client)) == expected


def test_load_balancer_with_proxy_protocol_fails() -> None:
    facts = after_load_balancer_test({ONE: {ONE, TWO, THREE}}, TWO)
    (verdict,) = of_rule("LB-6443", facts)
    assert (verdict.node, verdict.outcome) == (None, FAIL)
    assert "PROXY protocol" in verdict.observed


def test_load_balancer_that_does_not_answer_is_a_warning() -> None:
    facts = cluster(PLAN)
    assert outcomes("LB-6443", facts) == {None: PASS}
    close_paths(facts, WORKER, [VIP], 6443)
    assert outcomes("LB-6443", facts) == {WORKER: WARN}
    assert outcomes("LB-443", facts) == {None: PASS}
    for node in PLAN.nodes:
        close_paths(facts, node.address, [VIP], 6443)
    (verdict,) = of_rule("LB-6443", facts)
    assert (verdict.node, verdict.outcome, verdict.blocks) == (None, WARN, False)


def test_load_balancer_is_tested_on_the_ports_of_the_plan() -> None:
    plan = valid_plan(address={"cluster_endpoint": VIP, "platform": DOMAIN, "https_port": 8443, "http_port": 8080})
    facts = cluster(plan)
    close_paths(facts, ONE, [VIP], 8443, 8080)
    assert outcomes("LB-443", facts, plan) == {ONE: WARN}
    assert outcomes("LB-HTTP", facts, plan) == {ONE: WARN}
    assert set(outcomes("LB-443", cluster(PLAN), plan).values()) == {UNKNOWN}


def test_vip_in_use_fails() -> None:
    plan = valid_plan(address=SELF_BUILT)
    facts = cluster(plan)
    assert outcomes("VIP-FREE", facts, plan) == {None: PASS}
    facts[TWO] = replace(facts[TWO], vip_owner="52:54:00:aa:bb:cc")
    (verdict,) = of_rule("VIP-FREE", facts, plan)
    assert (verdict.node, verdict.outcome) == (None, FAIL)
    assert "52:54:00:aa:bb:cc" in verdict.observed
    facts[WORKER] = replace(facts[WORKER], interfaces=(*(facts[WORKER].interfaces or ()), Interface("eth0", VIP, 32)))
    assert outcomes("VIP-FREE", facts, plan) == {WORKER: FAIL}
    assert outcomes("VIP-FREE", cluster(PLAN)) == {None: Outcome.NOT_APPLICABLE}
