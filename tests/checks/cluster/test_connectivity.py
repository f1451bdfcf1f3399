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
    return list(evaluate(plan, facts, states, today=date(2026, 3, 1), only=frozenset({rule})))


def outcomes(rule: str, facts: dict[str, Facts], plan: Plan = PLAN) -> dict[str | None, Outcome]:
    return {v.node: v.outcome for v in of_rule(rule, facts, plan)}


def shut(
    facts: dict[str, Facts], source: str, targets: Iterable[str], *ports: int, result: TcpResult = TcpResult.TIMEOUT
) -> None:
    """Close paths from `source`: all ports where none is given."""
    paths = tuple(
        p._replace(result=result, seconds=None) if p.host in targets and (not ports or p.port in ports) else p
        for p in facts[source].paths or ()
    )
    facts[source] = replace(facts[source], paths=paths)


def everybody_but(address: str) -> list[str]:
    return [n.address for n in PLAN.nodes if n.address != address]


def test_open_paths_are_one_verdict() -> None:
    (verdict,) = of_rule("X-FIREWALL", cluster(PLAN))
    assert (verdict.node, verdict.outcome) == (None, PASS)
    assert "180 TCP paths between 5 nodes" in verdict.observed


def test_a_firewall_on_a_node_is_that_node_s() -> None:
    facts = cluster(PLAN)
    for other in everybody_but(TWO):
        shut(facts, other, [TWO], 2379, 2380)
    (verdict,) = of_rule("X-FIREWALL", facts)
    assert (verdict.node, verdict.outcome) == (TWO, FAIL)
    assert f"{ONE} → {TWO}: 2379, 2380 timed out" in verdict.observed


def test_a_node_that_reaches_nobody_is_at_fault_itself() -> None:
    facts = cluster(PLAN)
    shut(facts, WORKER, everybody_but(WORKER), result=TcpResult.NO_ROUTE)
    assert outcomes("X-FIREWALL", facts) == {WORKER: FAIL}


def test_a_route_of_its_own_tells_of_two_which_one_is_at_fault() -> None:
    facts = cluster(PLAN)
    shut(facts, ONE, [TWO], result=TcpResult.FORBIDDEN)
    shut(facts, TWO, [ONE])
    assert outcomes("X-FIREWALL", facts) == {ONE: FAIL}
    assert outcomes("NETCFG-LAT-INTRA", facts) == {None: PASS}


def test_of_two_the_one_that_is_not_reached_is_at_fault() -> None:
    facts = cluster(PLAN)
    shut(facts, THREE, [WORKER], 10250)
    assert outcomes("X-FIREWALL", facts) == {WORKER: FAIL}


def test_two_closed_nodes_are_two_verdicts() -> None:
    facts = cluster(PLAN)
    for closed in (TWO, WORKER):
        for other in everybody_but(closed):
            shut(facts, other, [closed], 10250)
    assert outcomes("X-FIREWALL", facts) == {TWO: FAIL, WORKER: FAIL}


def test_ssh_refused_to_a_neighbour_is_a_filter() -> None:
    facts = cluster(PLAN)
    shut(facts, ONE, [TWO], 22, result=TcpResult.REFUSED)
    assert outcomes("X-FIREWALL", facts) == {TWO: FAIL}


def test_ssh_refused_by_a_node_that_is_gone_is_no_filter() -> None:
    facts = cluster(PLAN)
    for other in everybody_but(TWO):
        shut(facts, other, [TWO], 22, result=TcpResult.REFUSED)
    del facts[TWO]
    assert outcomes("X-FIREWALL", facts) == {TWO: UNKNOWN}


def test_listeners_for_the_nodes_alone_say_nothing_of_the_balancer() -> None:
    facts = {
        a: replace(f, listener_results={6443: "", 2379: ""}, backends_reached={}) for a, f in cluster(PLAN).items()
    }
    assert outcomes("LB-6443", facts) == {None: PASS}


def test_a_busy_port_is_no_news_of_a_balancer_that_nobody_dialled() -> None:
    """With results of the load balancer test, these decide."""
    busy = {6443: "the port is in use"}
    facts = {a: replace(f, listener_results=busy, backends_reached={}) for a, f in cluster(PLAN).items()}
    assert outcomes("LB-6443", facts) == {None: PASS}
    facts = {a: replace(f, backends_reached={(VIP, 6443): frozenset()}) for a, f in facts.items()}
    assert outcomes("LB-6443", facts) == dict.fromkeys(CONTROL_PLANES, UNKNOWN)


def rehearsed(led: dict[str, set[str]], *proxied: str) -> dict[str, Facts]:
    """Listeners on all control planes; where the balancer led each node to, from its port 6443."""
    facts = cluster(PLAN)
    for node in CONTROL_PLANES:
        observed = frozenset({6443} if node in proxied else ())
        facts[node] = replace(facts[node], listener_results={6443: ""}, proxy_protocol_ports=observed)
    for node, backends in led.items():
        facts[node] = replace(facts[node], backends_reached={(VIP, 6443): frozenset(backends)})
    return facts


@pytest.mark.parametrize(
    ("led", "expected"),
    [
        ({ONE: {ONE, TWO, THREE}, TWO: {ONE, TWO, THREE}}, {None: PASS}),
        ({ONE: {ONE, TWO}, TWO: {ONE, TWO}}, {THREE: FAIL}),
        ({ONE: {ONE}, TWO: {TWO}, WORKER: {THREE}}, {None: PASS}),  # by the source address
        ({ONE: {ONE}, TWO: {TWO}, WORKER: {ONE}}, {THREE: UNKNOWN}),  # likewise, or the third is forgotten
        ({ONE: {ONE}, TWO: {ONE}, WORKER: {ONE}}, {TWO: FAIL, THREE: FAIL}),
        ({ONE: set(), TWO: set()}, {None: FAIL}),
    ],
)
def test_whom_a_rehearsed_balancer_forgets(led: dict[str, set[str]], expected: dict[str | None, Outcome]) -> None:
    assert outcomes("LB-6443", rehearsed(led)) == expected


def test_a_balancer_that_speaks_before_the_client_does() -> None:
    facts = rehearsed({ONE: {ONE, TWO, THREE}}, TWO)
    (verdict,) = of_rule("LB-6443", facts)
    assert (verdict.node, verdict.outcome) == (None, FAIL)
    assert "PROXY protocol" in verdict.observed


def test_only_ports_of_the_plan_count() -> None:
    facts = cluster(PLAN)
    shut(facts, ONE, [TWO], 179)
    assert outcomes("X-FIREWALL", facts) == {None: PASS}
    calico = valid_plan(network={"cni": "calico"})
    assert outcomes("X-FIREWALL", facts, calico) == {TWO: FAIL}


def test_what_was_not_tried_since_the_plan_has_changed_is_unknown() -> None:
    facts = cluster(valid_plan(nodes=nodes(3, 1)))
    facts[WORKERS[1]] = cluster(PLAN)[WORKERS[1]]
    found = outcomes("X-FIREWALL", facts)
    assert found == dict.fromkeys((ONE, TWO, THREE, WORKER), UNKNOWN)
    other_port = valid_plan(address={"cluster_endpoint": VIP, "platform": DOMAIN, "https_port": 8443})
    assert set(outcomes("X-FIREWALL", cluster(PLAN), other_port).values()) == {UNKNOWN}


def test_a_node_that_nobody_reaches_is_unknown_and_no_firewall() -> None:
    facts = cluster(PLAN)
    for other in everybody_but(TWO):
        shut(facts, other, [TWO])
    facts[TWO] = Facts(TWO, missing={"paths": "no answer within 10 s"})
    assert outcomes("X-FIREWALL", facts) == {TWO: UNKNOWN}


def test_a_node_that_was_lost_after_it_let_us_in_is_no_firewall() -> None:
    facts = cluster(PLAN)
    for other in everybody_but(TWO):
        shut(facts, other, [TWO], 22, result=TcpResult.REFUSED)
    facts[TWO] = replace(facts[TWO], paths=None, missing={"paths": "the connection broke"})
    assert outcomes("X-FIREWALL", facts) == {TWO: UNKNOWN}


def test_without_nodes_checks_between_nodes_are_not_applicable() -> None:
    nobody = valid_plan(nodes=[])
    assert outcomes("BND-NODE-ARCH", {}, nobody) == {None: Outcome.NOT_APPLICABLE}
    assert outcomes("X-TIMEZONE", {}, nobody) == {None: Outcome.NOT_APPLICABLE}


def test_one_node_has_nobody_to_talk_to() -> None:
    plan = valid_plan(nodes=nodes(1, 0), scenario="single-node", address={"cluster_endpoint": ONE})
    for rule in ("X-FIREWALL", "NETCFG-LAT-INTRA", "NETCFG-BW-INTRA", "LB-443", "LB-6443", "LB-11443"):
        assert outcomes(rule, cluster(plan), plan) == {None: Outcome.NOT_APPLICABLE}


def test_dropped_full_size_packets_warn() -> None:
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
def test_latency_by_release(release: str, milliseconds: float, expected: Outcome) -> None:
    plan = valid_plan(release=release)
    facts = cluster(plan)
    facts[ONE] = replace(facts[ONE], pings=(Ping(TWO, 5, 5, milliseconds / 1000),))
    facts[TWO] = replace(facts[TWO], pings=(Ping(ONE, 5, 5, milliseconds / 1000),))
    (verdict,) = of_rule("NETCFG-LAT-INTRA", facts, plan)
    assert verdict.outcome is expected
    assert verdict.node == (TWO if expected is FAIL else None)
    assert ("Later releases allow 10 ms" in verdict.observed) == (milliseconds == 2.5 and release == "4.0")


def test_without_ping_the_quickest_connect_counts() -> None:
    facts = cluster(PLAN)
    slow = tuple(TcpPath(p.host, p.port, p.result, 0.02 + p.port % 10 / 100) for p in facts[ONE].paths or ())
    facts[ONE] = replace(facts[ONE], pings=None, paths=slow)
    (verdict,) = of_rule("NETCFG-LAT-INTRA", facts)
    assert (verdict.node, verdict.outcome) == (ONE, FAIL)
    assert "20 ms" in verdict.observed


def test_lost_packets_are_worth_a_look() -> None:
    facts = cluster(PLAN)
    facts[ONE] = replace(facts[ONE], pings=(Ping(WORKER, 5, 4, 0.001),))
    (verdict,) = of_rule("NETCFG-LAT-INTRA", facts)
    assert (verdict.node, verdict.outcome) == (WORKER, WARN)
    assert "1 of 5 packets lost" in verdict.observed


def test_what_only_warns_hides_nothing_that_blocks() -> None:
    facts = cluster(PLAN)
    unobserved = (facts[ONE].paths or ())[0]._replace(result=TcpResult.UNKNOWN, detail="No buffer space available")
    paths = (unobserved, *(facts[ONE].paths or ())[1:])
    facts[ONE] = replace(facts[ONE], paths=paths, pings=(Ping(unobserved.host, 5, 3, 0.5, 9000, False),))
    found = {v.node: v for v in of_rule("X-FIREWALL", facts)}
    assert found[ONE].outcome is UNKNOWN
    assert (
        f"{ONE} → {unobserved.host}: {unobserved.port} could not be tested: No buffer space available"
        in found[ONE].observed
    )
    (slow,) = of_rule("NETCFG-LAT-INTRA", facts)
    assert slow.outcome is FAIL
    assert "500 ms" in slow.observed
    assert "2 of 5 packets lost" in slow.observed


def test_link_speeds() -> None:
    facts = cluster(PLAN)
    assert outcomes("NETCFG-BW-INTRA", facts) == {None: PASS}
    facts[TWO] = replace(facts[TWO], link_speeds={})
    assert outcomes("NETCFG-BW-INTRA", facts) == {None: MANUAL}
    facts[WORKER] = replace(facts[WORKER], link_speeds={"eth0": 100, "eth1": 10000})
    assert outcomes("NETCFG-BW-INTRA", facts) == {WORKER: FAIL}


def test_a_balancer_that_says_nothing_warns() -> None:
    facts = cluster(PLAN)
    assert outcomes("LB-6443", facts) == {None: PASS}
    shut(facts, WORKER, [VIP], 6443)
    assert outcomes("LB-6443", facts) == {WORKER: WARN}
    assert outcomes("LB-443", facts) == {None: PASS}
    for node in PLAN.nodes:
        shut(facts, node.address, [VIP], 6443)
    (verdict,) = of_rule("LB-6443", facts)
    assert (verdict.node, verdict.outcome, verdict.blocks) == (None, WARN, False)


def test_the_balancer_s_port_is_the_plan_s() -> None:
    plan = valid_plan(address={"cluster_endpoint": VIP, "platform": DOMAIN, "https_port": 8443, "http_port": 8080})
    facts = cluster(plan)
    shut(facts, ONE, [VIP], 8443, 8080)
    assert outcomes("LB-443", facts, plan) == {ONE: WARN}
    assert outcomes("LB-HTTP", facts, plan) == {ONE: WARN}
    assert set(outcomes("LB-443", cluster(PLAN), plan).values()) == {UNKNOWN}


SELF_BUILT: dict[str, JsonValue] = {"cluster_endpoint": VIP, "platform": None, "self_built_vip": True}


def test_a_vip_that_is_taken() -> None:
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
        ((VIP, "2001:db8::1"), {None: PASS}),  # the others have IPv6 switched off
    ],
)
def test_names_on_one_node(answers: tuple[str, ...] | None, expected: dict[str | None, Outcome]) -> None:
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
def test_names_on_all_nodes(address: str, expected: Outcome) -> None:
    """198.51.100.7 is among the further addresses, so the plan knows it."""
    plan = valid_plan(address={"cluster_endpoint": VIP, "platform": DOMAIN, "others": ["198.51.100.7"]})
    facts = {a: replace(f, names={DOMAIN: tuple(address.split())}) for a, f in cluster(plan).items()}
    found = outcomes("NETRES-DOMAIN", facts, plan)
    assert set(found.values()) == {expected}
    assert expected is FAIL or set(found) == {None}


def test_a_name_of_an_endpoint_that_is_a_name_leads_anywhere() -> None:
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
def test_names_that_stand_in_etc_hosts(
    on_two: tuple[str, ...] | None, on_all: bool, expected: dict[str | None, Outcome]
) -> None:
    facts = {
        a: replace(f, names_by_servers={DOMAIN: on_two} if on_all or a == TWO else {}) for a, f in cluster(PLAN).items()
    }
    assert outcomes("NETRES-DOMAIN", facts) == expected


def test_a_name_that_nobody_asked_for_yet_is_not_called_broken() -> None:
    facts = {a: replace(f, names={}) for a, f in cluster(PLAN).items()}
    assert set(outcomes("NETRES-DOMAIN", facts).values()) == {UNKNOWN}


REGISTRY: dict[str, JsonValue] = {"mode": "external", "address": "registry.example.com:5000"}


def with_registry(
    plan: Plan, answer: RegistryAnswer | None, result: TcpResult = TcpResult.CONNECTED
) -> dict[str, Facts]:
    return {
        address: replace(
            seen,
            registry_answer=answer,
            paths=tuple(p._replace(result=result) if p.port == 5000 else p for p in seen.paths or ()),
        )
        for address, seen in cluster(plan).items()
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
def test_an_external_registry(result: TcpResult, answer: RegistryAnswer | None, expected: Outcome) -> None:
    plan = valid_plan(registry=REGISTRY)
    found = outcomes("XR-REG-EXT", with_registry(plan, answer, result), plan)
    assert set(found.values()) == {expected, MANUAL}  # the question to a person stays


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
def test_the_login_of_an_external_registry(answer: RegistryAnswer | None, expected: dict[str | None, Outcome]) -> None:
    plan = valid_plan(registry={**REGISTRY, "username": "u", "password": "p"})
    assert outcomes("XR-REG-AUTH", with_registry(plan, answer), plan) == expected
    without = valid_plan(registry=REGISTRY)
    assert outcomes("XR-REG-AUTH", with_registry(without, answer), without) == {None: PASS}


@pytest.mark.parametrize(
    ("status", "words"),
    [(404, "is not a registry"), (301, "a redirect"), (429, "not available"), (503, "not available")],
)
def test_answer_of_a_server_that_is_not_a_registry(status: int, words: str) -> None:
    plan = valid_plan(registry={**REGISTRY, "username": "u", "password": "p"})
    answer = RegistryAnswer(status, login=Login.FAILED, login_detail="it asks for no login that is known here")
    for rule in ("XR-REG-EXT", "XR-REG-AUTH"):
        observed = [v.observed for v in of_rule(rule, with_registry(plan, answer), plan) if v.node == TWO]
        assert [f"returned {status}" in text and words in text for text in observed] == [True], rule


def test_a_login_that_one_node_alone_is_refused() -> None:
    plan = valid_plan(registry={**REGISTRY, "username": "u", "password": "p"})
    facts = with_registry(plan, RegistryAnswer(401, login=Login.ACCEPTED))
    facts[TWO] = replace(facts[TWO], registry_answer=RegistryAnswer(401, login=Login.REFUSED, login_detail="403"))
    (verdict,) = of_rule("XR-REG-AUTH", facts, plan)
    assert (verdict.node, verdict.outcome) == (TWO, FAIL)
    assert "HTTP 403" in verdict.observed


def transfers(*ways: tuple[str, str, float | None]) -> dict[str, Facts]:
    facts = cluster(PLAN)
    everything = {n.address: {o.address: Bandwidth(9.4e9) for o in PLAN.nodes if o != n} for n in PLAN.nodes}
    for source, target, bits in ways:
        everything[source][target] = Bandwidth(bits, "" if bits else "nothing arrived")
    return {a: replace(f, bandwidths=everything[a], link_speeds={"eth0": 100}) for a, f in facts.items()}


@pytest.mark.parametrize(
    ("ways", "expected"),
    [
        ((), {None: PASS}),
        (((ONE, TWO, 941e6),), {None: PASS}),  # all that a link of 1 Gbit/s can carry
        (((ONE, TWO, 94e6), (THREE, TWO, 94e6)), {TWO: FAIL}),
        (((ONE, TWO, 94e6), (ONE, THREE, 850e6)), {ONE: FAIL}),
        (((ONE, TWO, None),), {ONE: UNKNOWN}),
        (((ONE, TWO, None), (WORKER, THREE, 5e6)), {ONE: UNKNOWN, THREE: FAIL}),
    ],
)
def test_bandwidth_that_was_measured(
    ways: tuple[tuple[str, str, float | None], ...], expected: dict[str | None, Outcome]
) -> None:
    """A measured bandwidth counts more than the speed that the driver reports."""
    assert outcomes("NETCFG-BW-INTRA", transfers(*ways)) == expected


def test_measured_bandwidth_passes_and_new_node_is_unknown() -> None:
    (verdict,) = of_rule("NETCFG-BW-INTRA", transfers())
    assert "9.4 Gbit/s or more" in verdict.observed
    assert "10 Gbit/s is recommended" in verdict.observed
    facts = transfers()
    fewer = {
        a: replace(f, bandwidths={t: b for t, b in (f.bandwidths or {}).items() if t != ONE}) for a, f in facts.items()
    }
    fewer[ONE] = replace(fewer[ONE], bandwidths=None)
    assert outcomes("NETCFG-BW-INTRA", fewer) == {ONE: UNKNOWN}
    cells = {
        cell.target: cell.text for row in matrix(topology_of(PLAN), facts) if row.source == ONE for cell in row.cells
    }
    assert cells[TWO] == "ok 0.4 ms 9.4G"


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("registry.example.com", ("registry.example.com", 443)),
        ("registry.example.com:5000", ("registry.example.com", 5000)),
        ("203.0.113.9:5000", ("203.0.113.9", 5000)),
        ("[2001:db8::5]:5000", ("2001:db8::5", 5000)),
        ("2001:db8::5", ("2001:db8::5", 443)),
    ],
)
def test_where_an_external_registry_is_dialled(address: str, place: tuple[str, int]) -> None:
    assert external_registry(valid_plan(registry={"mode": "external", "address": address})) == place
