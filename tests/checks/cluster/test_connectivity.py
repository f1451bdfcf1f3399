"""Connectivity checks: the node at fault, warnings, and unknown results."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

import pytest
from pydantic import JsonValue

from acp_tui.checks.evaluate import evaluate
from acp_tui.checks.topology import external_registry, topology_of
from acp_tui.checks.verdict import Outcome, Verdict
from acp_tui.nodes.facts import Bandwidth, Facts, Interface, Login, Ping, RegistryAnswer, TcpPath, TcpResult, Trust
from acp_tui.nodes.state import NodeState
from acp_tui.plan.model import Plan
from acp_tui.preflight.report.connectivity import matrix
from tests.support.factories.plans import CONTROL_PLANES, DOMAIN, VIP, WORKERS, nodes, valid_plan
from tests.support.factories.verdicts import cluster

ONE, TWO, THREE = CONTROL_PLANES
WORKER = WORKERS[0]
PLAN = valid_plan()
FAIL, WARN, PASS, UNKNOWN, MANUAL = Outcome.FAIL, Outcome.WARN, Outcome.PASS, Outcome.UNKNOWN, Outcome.MANUAL


def of_rule(rule: str, facts: dict[str, Facts], plan: Plan = PLAN) -> list[Verdict]:
    states = dict.fromkeys((n.address for n in plan.nodes), NodeState.CHECKED)
    topology, only = topology_of(plan), frozenset({rule})
    return list(evaluate(plan, facts, states, topology=topology, today=date(2026, 3, 1), only=only))


def outcomes(rule: str, facts: dict[str, Facts], plan: Plan = PLAN) -> dict[str | None, Outcome]:
    return {v.node: v.outcome for v in of_rule(rule, facts, plan)}


def close_paths(
    facts: dict[str, Facts], source: str, targets: Iterable[str], *ports: int, result: TcpResult = TcpResult.TIMEOUT
) -> None:
    """Close the paths from `source` to `targets`; without `ports`, all of them."""
    paths = tuple(
        p._replace(result=result, seconds=None) if p.host in targets and (not ports or p.port in ports) else p
        for p in facts[source].paths or ()
    )
    facts[source] = replace(facts[source], paths=paths)


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


def test_without_nodes_checks_between_nodes_are_not_applicable() -> None:
    empty = valid_plan(nodes=[])
    assert outcomes("BND-NODE-ARCH", {}, empty) == {None: Outcome.NOT_APPLICABLE}
    assert outcomes("X-TIMEZONE", {}, empty) == {None: Outcome.NOT_APPLICABLE}


def test_connectivity_does_not_apply_to_a_single_node() -> None:
    plan = valid_plan(nodes=nodes(1, 0), scenario="single-node", address={"cluster_endpoint": ONE})
    for rule in ("X-FIREWALL", "NETCFG-LAT-INTRA", "NETCFG-BW-INTRA", "LB-443", "LB-6443", "LB-11443"):
        assert outcomes(rule, cluster(plan), plan) == {None: Outcome.NOT_APPLICABLE}


def test_dropped_full_size_packets_are_a_warning() -> None:
    facts = cluster(PLAN)
    facts[ONE] = replace(facts[ONE], pings=(Ping(TWO, 5, 5, 0.001, 9000, False),))
    (verdict,) = of_rule("X-FIREWALL", facts)
    assert (verdict.node, verdict.outcome) == (TWO, WARN)
    assert "9000 bytes" in verdict.observed


@pytest.mark.parametrize(
    ("release", "milliseconds", "expected"),
    [
        ("4.0", 1.9, PASS),
        ("4.0", 2.5, FAIL),
        ("4.0", 20, FAIL),
        ("4.1", 2.5, PASS),
        ("4.1", 9.9, PASS),
        ("4.3", 11, FAIL),
    ],
)
def test_latency_limit_depends_on_the_release(release: str, milliseconds: float, expected: Outcome) -> None:
    plan = valid_plan(release=release)
    facts = cluster(plan)
    facts[ONE] = replace(facts[ONE], pings=(Ping(TWO, 5, 5, milliseconds / 1000),))
    facts[TWO] = replace(facts[TWO], pings=(Ping(ONE, 5, 5, milliseconds / 1000),))
    (verdict,) = of_rule("NETCFG-LAT-INTRA", facts, plan)
    assert verdict.outcome is expected
    assert verdict.node == (TWO if expected is FAIL else None)
    assert ("Later releases allow 10 ms" in verdict.observed) == (milliseconds == 2.5 and release == "4.0")


def test_latency_without_ping_is_the_shortest_connect_time() -> None:
    facts = cluster(PLAN)
    slow = tuple(TcpPath(p.host, p.port, p.result, 0.02 + p.port % 10 / 100) for p in facts[ONE].paths or ())
    facts[ONE] = replace(facts[ONE], pings=None, paths=slow)
    (verdict,) = of_rule("NETCFG-LAT-INTRA", facts)
    assert (verdict.node, verdict.outcome) == (ONE, FAIL)
    assert "20 ms" in verdict.observed


def test_lost_packets_are_a_warning() -> None:
    facts = cluster(PLAN)
    facts[ONE] = replace(facts[ONE], pings=(Ping(WORKER, 5, 4, 0.001),))
    (verdict,) = of_rule("NETCFG-LAT-INTRA", facts)
    assert (verdict.node, verdict.outcome) == (WORKER, WARN)
    assert "1 of 5 packets was lost" in verdict.observed


def test_blocker_is_reported_together_with_a_warning() -> None:
    facts = cluster(PLAN)
    untested = (facts[ONE].paths or ())[0]._replace(result=TcpResult.UNKNOWN, detail="No buffer space available")
    paths = (untested, *(facts[ONE].paths or ())[1:])
    facts[ONE] = replace(facts[ONE], paths=paths, pings=(Ping(untested.host, 5, 3, 0.5, 9000, False),))
    results = {v.node: v for v in of_rule("X-FIREWALL", facts)}
    assert results[ONE].outcome is UNKNOWN
    assert (
        f"{ONE} → {untested.host}: {untested.port} connection not tested: No buffer space available"
        in results[ONE].observed
    )
    (slow,) = of_rule("NETCFG-LAT-INTRA", facts)
    assert slow.outcome is FAIL
    assert "500 ms" in slow.observed
    assert "2 of 5 packets were lost" in slow.observed


def test_slow_link_fails_and_missing_link_speed_is_to_confirm() -> None:
    facts = cluster(PLAN)
    assert outcomes("NETCFG-BW-INTRA", facts) == {None: PASS}
    facts[TWO] = replace(facts[TWO], link_speeds={})
    assert outcomes("NETCFG-BW-INTRA", facts) == {None: MANUAL}
    facts[WORKER] = replace(facts[WORKER], link_speeds={"eth0": 100, "eth1": 10000})
    assert outcomes("NETCFG-BW-INTRA", facts) == {WORKER: FAIL}


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


SELF_BUILT: dict[str, JsonValue] = {"cluster_endpoint": VIP, "platform": None, "self_built_vip": True}


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


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ((VIP,), {None: PASS}),
        ((), {TWO: FAIL}),
        (None, {TWO: FAIL}),
        (("10.9.9.9",), {TWO: FAIL}),
        ((VIP, "10.9.9.9"), {TWO: FAIL}),
        ((VIP, "2001:db8::1"), {None: PASS}),  # the other nodes have no IPv6
    ],
)
def test_domain_resolved_differently_on_one_node_fails(
    answers: tuple[str, ...] | None, expected: dict[str | None, Outcome]
) -> None:
    facts = cluster(PLAN)
    facts[TWO] = replace(facts[TWO], names={DOMAIN: answers})
    assert outcomes("NETRES-DOMAIN", facts) == expected


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("127.0.1.1", FAIL),
        (ONE, WARN),
        ("203.0.113.9", WARN),
        (f"{VIP} 203.0.113.9", WARN),
        (VIP, PASS),
        (f"{VIP} 2001:db8::1", PASS),
        ("2001:db8::1", FAIL),
        ("198.51.100.7", PASS),
    ],
)
def test_domain_must_resolve_to_the_endpoint(address: str, expected: Outcome) -> None:
    """The plan contains 198.51.100.7 as a further address."""
    plan = valid_plan(address={"cluster_endpoint": VIP, "platform": DOMAIN, "others": ["198.51.100.7"]})
    facts = {a: replace(f, names={DOMAIN: tuple(address.split())}) for a, f in cluster(plan).items()}
    results = outcomes("NETRES-DOMAIN", facts, plan)
    assert set(results.values()) == {expected}
    assert expected is FAIL or set(results) == {None}


def test_any_address_passes_if_the_endpoint_is_a_domain() -> None:
    plan = valid_plan(address={"cluster_endpoint": DOMAIN})
    facts = {a: replace(f, names={DOMAIN: ("203.0.113.9",)}) for a, f in cluster(plan).items()}
    assert outcomes("NETRES-DOMAIN", facts, plan) == {None: PASS}


@pytest.mark.parametrize(
    ("on_two", "on_all", "expected"),
    [
        ((), False, {TWO: WARN}),
        (None, False, {TWO: WARN}),
        ((VIP,), False, {None: PASS}),
        (("10.9.9.9",), False, {TWO: WARN}),
        ((), True, {None: PASS}),
        (None, True, {None: PASS}),
    ],
)
def test_domain_resolved_by_etc_hosts_only_on_one_node_is_a_warning(
    on_two: tuple[str, ...] | None, on_all: bool, expected: dict[str | None, Outcome]
) -> None:
    facts = {
        a: replace(f, names_by_servers={DOMAIN: on_two} if on_all or a == TWO else {}) for a, f in cluster(PLAN).items()
    }
    assert outcomes("NETRES-DOMAIN", facts) == expected


def test_name_that_was_not_resolved_yet_is_unknown() -> None:
    facts = {a: replace(f, names={}) for a, f in cluster(PLAN).items()}
    assert set(outcomes("NETRES-DOMAIN", facts).values()) == {UNKNOWN}


REGISTRY: dict[str, JsonValue] = {"mode": "external", "address": "registry.example.com:5000"}


def with_registry(
    plan: Plan, answer: RegistryAnswer | None, result: TcpResult = TcpResult.CONNECTED
) -> dict[str, Facts]:
    return {
        address: replace(
            facts,
            registry_answer=answer,
            paths=tuple(p._replace(result=result) if p.port == 5000 else p for p in facts.paths or ()),
        )
        for address, facts in cluster(plan).items()
    }


@pytest.mark.parametrize(
    ("result", "answer", "expected"),
    [
        (TcpResult.CONNECTED, RegistryAnswer(401), MANUAL),
        (TcpResult.CONNECTED, None, UNKNOWN),
        (TcpResult.CONNECTED, RegistryAnswer(404, "", Trust.PLAIN), WARN),
        (TcpResult.CONNECTED, RegistryAnswer(None, "error 52"), WARN),
        (TcpResult.CONNECTED, RegistryAnswer(401, "", Trust.SELF_SIGNED), WARN),
        (TcpResult.CONNECTED, RegistryAnswer(200, "", Trust.EXPIRED), WARN),
        (TcpResult.CONNECTED, RegistryAnswer(401, "", Trust.PLAIN), WARN),
        (TcpResult.REFUSED, RegistryAnswer(None, "error 7"), FAIL),
        (TcpResult.TIMEOUT, None, FAIL),
    ],
)
def test_external_registry_must_answer_with_a_trusted_certificate(
    result: TcpResult, answer: RegistryAnswer | None, expected: Outcome
) -> None:
    plan = valid_plan(registry=REGISTRY)
    results = outcomes("XR-REG-EXT", with_registry(plan, answer, result), plan)
    assert set(results.values()) == {expected, MANUAL}  # the manual check remains


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (RegistryAnswer(401, login=Login.ACCEPTED), {None: PASS}),
        (RegistryAnswer(200, login=Login.OPEN), {None: PASS}),
        (RegistryAnswer(401, login=Login.REFUSED, login_detail="401"), {None: FAIL}),
        (RegistryAnswer(401, "", Trust.SELF_SIGNED, Login.UNSENT), dict.fromkeys(cluster(PLAN), UNKNOWN)),
        (RegistryAnswer(401, login=Login.FAILED, login_detail="HTTP 500"), dict.fromkeys(cluster(PLAN), UNKNOWN)),
        (RegistryAnswer(401), dict.fromkeys(cluster(PLAN), UNKNOWN)),
        (RegistryAnswer(None, "no route"), dict.fromkeys(cluster(PLAN), UNKNOWN)),
        (None, dict.fromkeys(cluster(PLAN), UNKNOWN)),
    ],
)
def test_login_of_an_external_registry_is_checked(
    answer: RegistryAnswer | None, expected: dict[str | None, Outcome]
) -> None:
    plan = valid_plan(registry={**REGISTRY, "username": "u", "password": "p"})
    assert outcomes("XR-REG-AUTH", with_registry(plan, answer), plan) == expected
    without = valid_plan(registry=REGISTRY)
    assert outcomes("XR-REG-AUTH", with_registry(without, answer), without) == {None: PASS}


@pytest.mark.parametrize(
    ("status", "reason"),
    [(404, "is not an image registry"), (301, "a redirect"), (429, "not available"), (503, "not available")],
)
def test_unexpected_status_of_the_registry_is_reported(status: int, reason: str) -> None:
    plan = valid_plan(registry={**REGISTRY, "username": "u", "password": "p"})
    answer = RegistryAnswer(status, login=Login.FAILED, login_detail="unsupported login method")
    for rule in ("XR-REG-EXT", "XR-REG-AUTH"):
        observed = [v.observed for v in of_rule(rule, with_registry(plan, answer), plan) if v.node == TWO]
        assert [f"returned {status}" in text and reason in text for text in observed] == [True], rule


def test_login_rejected_on_one_node_fails_there() -> None:
    plan = valid_plan(registry={**REGISTRY, "username": "u", "password": "p"})
    facts = with_registry(plan, RegistryAnswer(401, login=Login.ACCEPTED))
    facts[TWO] = replace(facts[TWO], registry_answer=RegistryAnswer(401, login=Login.REFUSED, login_detail="403"))
    (verdict,) = of_rule("XR-REG-AUTH", facts, plan)
    assert (verdict.node, verdict.outcome) == (TWO, FAIL)
    assert "HTTP 403" in verdict.observed


def bandwidth_facts(*measured: tuple[str, str, float | None]) -> dict[str, Facts]:
    facts = cluster(PLAN)
    bandwidths = {n.address: {o.address: Bandwidth(9.4e9) for o in PLAN.nodes if o != n} for n in PLAN.nodes}
    for source, target, bits in measured:
        bandwidths[source][target] = Bandwidth(bits, "" if bits else "nothing arrived")
    return {a: replace(f, bandwidths=bandwidths[a], link_speeds={"eth0": 100}) for a, f in facts.items()}


@pytest.mark.parametrize(
    ("measured", "expected"),
    [
        ((), {None: PASS}),
        (((ONE, TWO, 941e6),), {None: PASS}),  # the maximum of a 1 Gbit/s link
        (((ONE, TWO, 94e6), (THREE, TWO, 94e6)), {TWO: FAIL}),
        (((ONE, TWO, 94e6), (ONE, THREE, 850e6)), {ONE: FAIL}),
        (((ONE, TWO, None),), {ONE: UNKNOWN}),
        (((ONE, TWO, None), (WORKER, THREE, 5e6)), {ONE: UNKNOWN, THREE: FAIL}),
    ],
)
def test_measured_bandwidth_decides_over_the_link_speed(
    measured: tuple[tuple[str, str, float | None], ...], expected: dict[str | None, Outcome]
) -> None:
    """The link speed that the driver reports is too low in all cases."""
    assert outcomes("NETCFG-BW-INTRA", bandwidth_facts(*measured)) == expected


def test_measured_bandwidth_passes_and_new_node_is_unknown() -> None:
    (verdict,) = of_rule("NETCFG-BW-INTRA", bandwidth_facts())
    assert "is 9.4 Gbit/s" in verdict.observed
    assert "10 Gbit/s is recommended" in verdict.observed
    facts = bandwidth_facts()
    without_one = {
        a: replace(f, bandwidths={t: b for t, b in (f.bandwidths or {}).items() if t != ONE}) for a, f in facts.items()
    }
    without_one[ONE] = replace(without_one[ONE], bandwidths=None)
    assert outcomes("NETCFG-BW-INTRA", without_one) == {ONE: UNKNOWN}
    cells = {
        cell.target: cell.text for row in matrix(topology_of(PLAN), facts) if row.source == ONE for cell in row.cells
    }
    assert cells[TWO] == "ok 0.4 ms 9.4G"


@pytest.mark.parametrize(
    ("address", "target"),
    [
        ("registry.example.com", ("registry.example.com", 443)),
        ("registry.example.com:5000", ("registry.example.com", 5000)),
        ("203.0.113.9:5000", ("203.0.113.9", 5000)),
        ("[2001:db8::5]:5000", ("2001:db8::5", 5000)),
        ("2001:db8::5", ("2001:db8::5", 443)),
    ],
)
def test_host_and_port_of_an_external_registry(address: str, target: tuple[str, int]) -> None:
    assert external_registry(valid_plan(registry={"mode": "external", "address": address})) == target
