"""Checks between nodes: the node at fault, and facts that contradict the plan."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from acp_tui.checks.evaluate import evaluate
from acp_tui.checks.topology import topology_of
from acp_tui.checks.verdict import Outcome, Severity
from acp_tui.nodes.fact_types import Clock, DiskSpeed, Interface, Route
from acp_tui.nodes.facts import Facts
from tests.support.factories.node_facts import healthy
from tests.support.factories.plans import VIP, nodes, valid_plan
from tests.support.factories.verdicts import FAIL, SECOND, WARN, of_rule, outcomes, planted

ONE, TWO, THREE = "10.20.0.11", "10.20.0.12", "10.20.0.13"
THREE_NODES = valid_plan(nodes=nodes(3, 0))


def with_each(**by_field: tuple[object, object, object]) -> dict[str, Facts]:
    """Return facts of three nodes; each field has one value for each node."""
    facts = {}
    for n, address in enumerate((ONE, TWO, THREE)):
        changes: Any = {name: values[n] for name, values in by_field.items()}
        facts[address] = healthy(address, **changes)
    return facts


def with_clocks(*clocks: tuple[float, float]) -> dict[str, Facts]:
    default = healthy(ONE).clock
    assert default is not None
    return {
        address: healthy(address, clock=Clock(offset, uncertainty, default.remote_time))
        for address, (offset, uncertainty) in zip((ONE, TWO, THREE), clocks, strict=True)
    }


def test_consistent_nodes_pass_with_one_verdict() -> None:
    (verdict,) = of_rule("X-HOSTNAME-UNIQUE", with_each(), THREE_NODES)
    assert (verdict.node, verdict.outcome) == (None, Outcome.PASS)


def test_host_names_are_compared_case_insensitively() -> None:
    facts = with_each(hostname=("m1", "M1", "m2"))
    assert outcomes("X-HOSTNAME-UNIQUE", facts, THREE_NODES) == {ONE: Outcome.FAIL, TWO: Outcome.FAIL}
    assert of_rule("X-HOSTNAME-UNIQUE", facts, THREE_NODES)[0].observed == f"the host name m1 is also used on {TWO}"


def test_missing_host_name_is_unknown_and_duplicates_still_fail() -> None:
    facts = with_each(hostname=(None, "m1", "m1"))
    assert outcomes("X-HOSTNAME-UNIQUE", facts, THREE_NODES) == {
        ONE: Outcome.UNKNOWN,
        TWO: Outcome.FAIL,
        THREE: Outcome.FAIL,
    }


@pytest.mark.parametrize(
    ("zones", "offsets", "expected"),
    [
        (("UTC", "Etc/UTC", "Etc/UCT"), ("+0000",) * 3, {None: Outcome.PASS}),
        (("Asia/Shanghai", "", "Asia/Shanghai"), ("+0800",) * 3, {None: Outcome.PASS}),
        (("Asia/Shanghai", "Asia/Singapore", "Asia/Shanghai"), ("+0800",) * 3, {TWO: Outcome.WARN}),
        (("Asia/Shanghai", "PRC", "Asia/Chongqing"), ("+0800",) * 3, {None: Outcome.PASS}),
        (("Asia/Shanghai", "Asia/Taipei", "PRC"), ("+0800",) * 3, {TWO: Outcome.WARN}),
        (("Europe/Berlin", "Africa/Lagos", "Europe/Berlin"), ("+0100",) * 3, {TWO: Outcome.WARN}),
        (("GMT", "Zulu", "Etc/GMT0"), ("+0000",) * 3, {None: Outcome.PASS}),
        (("UTC", "Europe/London", "Etc/UTC"), ("+0000",) * 3, {TWO: Outcome.WARN}),
        (("UTC", "UTC", "Asia/Shanghai"), ("+0000", "+0000", "+0800"), {THREE: Outcome.FAIL}),
        (("Asia/Shanghai", "UTC", "UTC"), ("+0800", "+0000", "+0000"), {ONE: Outcome.FAIL}),
        (("A/A", "B/B", "C/C"), ("+0100", "+0200", "+0300"), {TWO: Outcome.FAIL, THREE: Outcome.FAIL}),
        (("UTC", "UTC", None), ("+0000", "+0000", None), {THREE: Outcome.UNKNOWN}),
    ],
)
def test_different_time_zones_are_reported(
    zones: tuple[object, object, object],
    offsets: tuple[object, object, object],
    expected: dict[str | None, Outcome],
) -> None:
    facts = with_each(timezone=zones, utc_offset=offsets)
    assert outcomes("X-TIMEZONE", facts, THREE_NODES) == expected


@pytest.mark.parametrize(
    ("zones", "digests", "rules", "expected"),
    [
        # equal files under two names that the table of links does not have
        (("Asia/Shanghai", "Asia/Kunming", "Asia/Shanghai"), ("1 9",) * 3, ("CST-8",) * 3, {None: Outcome.PASS}),
        # the same rule now, but another history
        (("Asia/Shanghai", "Asia/Taipei", "Asia/Shanghai"), ("1 9", "2 9", "1 9"), ("CST-8",) * 3, {TWO: Outcome.WARN}),
        # copies without a name: of another version of the tz database, and of another zone
        (("Asia/Shanghai", "", "Asia/Shanghai"), ("1 9", "2 9", "1 9"), ("CST-8",) * 3, {None: Outcome.PASS}),
        (("Asia/Shanghai", "", "PRC"), ("1 9", "2 9", "1 9"), ("CST-8", "<+08>-8", "CST-8"), {TWO: Outcome.WARN}),
        # no node has a name
        (("", "", ""), ("1 9", "2 9", "1 9"), ("CST-8", "<+08>-8", "CST-8"), {TWO: Outcome.WARN}),
        # one zone in two versions of the tz database
        (("Asia/Shanghai",) * 3, ("1 9", "2 9", "3 9"), ("CST-8", "", "CST-8"), {None: Outcome.PASS}),
    ],
)  # fmt: skip
def test_time_zones_are_compared_by_zone_and_not_by_name(
    zones: tuple[object, object, object],
    digests: tuple[object, object, object],
    rules: tuple[object, object, object],
    expected: dict[str | None, Outcome],
) -> None:
    facts = with_each(timezone=zones, timezone_digest=digests, timezone_rule=rules, utc_offset=("+0800",) * 3)
    assert outcomes("X-TIMEZONE", facts, THREE_NODES) == expected


def test_fix_sets_the_name_that_most_nodes_use() -> None:
    facts = with_each(timezone=("PRC", "UTC", "PRC"), utc_offset=("+0800", "+0000", "+0800"))
    (verdict,) = of_rule("X-TIMEZONE", facts, THREE_NODES)
    assert verdict.remedy == "timedatectl set-timezone PRC"


def test_a_host_name_of_every_machine_is_not_unique() -> None:
    facts = with_each(hostname=("localhost", "node-2", "node-3"))
    assert outcomes("X-HOSTNAME-UNIQUE", facts, THREE_NODES) == {ONE: Outcome.FAIL}


def test_fix_sets_the_time_zone_of_the_other_nodes() -> None:
    facts = with_each(timezone=("Europe/Moscow", "UTC", "Europe/Moscow"), utc_offset=("+0300", "+0000", "+0300"))
    (verdict,) = of_rule("X-TIMEZONE", facts, THREE_NODES)
    assert verdict.remedy == "timedatectl set-timezone Europe/Moscow"


def test_fix_for_the_clock_depends_on_the_distribution() -> None:
    facts = with_clocks((0, 0.1), (30, 0.1), (300, 0.1))
    facts[TWO] = replace(facts[TWO], os_id="ubuntu")
    facts[THREE] = replace(facts[THREE], os_id="rhel")
    remedies = {v.node: v.remedy for v in of_rule("X-CLOCK-SKEW", facts, THREE_NODES)}
    assert "systemd-timesyncd" in remedies[TWO]
    assert "chronyd" in remedies[THREE]


@pytest.mark.parametrize(
    ("clocks", "expected"),
    [
        (((0, 0.1), (1, 0.1), (-1, 0.1)), {None: Outcome.PASS}),
        (((0, 0.1), (30, 0.1), (1, 0.1)), {TWO: Outcome.FAIL}),
        (((30, 0.1), (0, 0.1), (1, 0.1)), {ONE: Outcome.FAIL}),
        (((-8, 0.1), (0, 0.1), (8, 0.1)), {THREE: Outcome.FAIL}),
        (((0, 0.1), (100, 0.1), (200, 0.1)), {TWO: Outcome.FAIL, THREE: Outcome.FAIL}),
        (((0, 0.1), (12, 3), (0, 0.1)), {TWO: Outcome.WARN}),
        (((0, 0.1), (10, 0), (0, 0)), {TWO: Outcome.PASS}),
    ],
)
def test_clock_offset_between_nodes_is_reported(
    clocks: tuple[tuple[float, float], ...], expected: dict[str | None, Outcome]
) -> None:
    results = outcomes("X-CLOCK-SKEW", with_clocks(*clocks), THREE_NODES)
    if expected == {TWO: Outcome.PASS}:  # exactly at the limit, so the uncertainty decides
        assert Outcome.FAIL not in results.values()
    else:
        assert results == expected


def test_self_built_vip_must_be_in_the_subnet_of_every_control_plane_node() -> None:
    plan = valid_plan(address={"self_built_vip": True, "platform": None})
    facts = {n.address: healthy(n.address, role=n.role) for n in plan.nodes}
    assert outcomes("VIP-SUBNET", facts, plan) == {None: Outcome.PASS}
    assert outcomes("XR-SELFVIP-SUBNET", facts, plan) == {None: Outcome.PASS}
    facts[TWO] = healthy(TWO, interfaces=(Interface("eth0", TWO, 30),))
    assert outcomes("VIP-SUBNET", facts, plan) == {TWO: Outcome.FAIL}
    assert VIP in of_rule("VIP-SUBNET", facts, plan)[0].observed
    assert outcomes("XR-SELFVIP-SUBNET", facts, plan) == {None: Outcome.NOT_APPLICABLE}  # reported once
    assert outcomes("XR-SELFVIP-SUBNET", {}, plan) == {None: Outcome.UNKNOWN}
    assert outcomes("VIP-SUBNET", facts, THREE_NODES) == {None: Outcome.NOT_APPLICABLE}


def test_cidr_range_that_overlaps_a_node_network_fails() -> None:
    plan = valid_plan(network={"service_cidr": {"ipv4": "10.20.0.128/25"}})
    facts = {n.address: healthy(n.address, role=n.role) for n in plan.nodes}
    results = of_rule("XR-CIDR-HOST", facts, plan)
    assert {v.outcome for v in results} == {Outcome.FAIL}
    assert {v.paths for v in results} == {("network.service_cidr.ipv4",)}
    assert {v.node for v in results} == {n.address for n in plan.nodes}


def test_route_into_a_cidr_range_is_a_warning() -> None:
    routes = (Route("default", "eth0", "10.20.0.1"), Route("10.3.7.0/24", "eth1", None))
    facts = {n.address: healthy(n.address, role=n.role) for n in THREE_NODES.nodes}
    facts[TWO] = healthy(TWO, routes=routes)
    assert outcomes("XR-CIDR-HOST", facts, THREE_NODES) == {TWO: Outcome.WARN}


def test_invalid_routes_and_prefixes_are_ignored() -> None:
    routes = (Route("default", "eth0", "g"), Route("999.1/77", "x", None), Route("", None, None))
    facts = with_each(routes=(routes, routes, routes), interfaces=((Interface("e", ONE, 999),),) * 3)
    assert outcomes("XR-CIDR-HOST", facts, THREE_NODES) == {None: Outcome.PASS}


def test_interface_of_the_plan_must_exist_on_the_nodes() -> None:
    plan = valid_plan(network={"nic": "bond0"}, nodes=nodes(3, 0))
    facts = with_each()
    facts[ONE] = healthy(ONE, interfaces=(Interface("bond0", ONE, 24),))
    results = of_rule("P-NIC", facts, plan)
    assert {v.node: v.outcome for v in results} == {TWO: Outcome.FAIL, THREE: Outcome.FAIL}
    assert outcomes("P-NIC", facts, THREE_NODES) == {None: Outcome.PASS}


def test_overcommitment_does_not_apply_to_bare_metal() -> None:
    assert outcomes("HW-CPU-NOOVER", with_each(virtual=(False,) * 3), THREE_NODES) == {None: Outcome.NOT_APPLICABLE}
    assert outcomes("HW-CPU-NOOVER", with_each(virtual=(False, True, None)), THREE_NODES) == {None: Outcome.MANUAL}
    balloon = frozenset({"virtio_balloon"})
    with_balloon = outcomes("HW-MEM-NOOVER", with_each(modules=(balloon, frozenset(), None)), THREE_NODES)
    assert with_balloon == {None: Outcome.MANUAL, ONE: Outcome.WARN}
    assert outcomes("HW-CPU-NOOVER", with_each(steal=(0.05, 0.001, None)), THREE_NODES) == {
        None: Outcome.MANUAL,
        ONE: Outcome.WARN,
    }


def test_disk_speed_is_to_confirm_until_it_is_measured() -> None:
    fast = DiskSpeed("/var/lib", "fio", 0.004, 800.0, 2500.0, 300e6)
    slow = replace(fast, rate=900.0, throughput=90e6)
    estimate = replace(slow, method="python3")
    for rule in ("HW-DISK-IOPS", "HW-DISK-TPUT"):
        assert outcomes(rule, with_each(disk_speed=(None, None, None)), THREE_NODES) == {None: Outcome.MANUAL}
        results = outcomes(rule, with_each(disk_speed=(fast, slow, estimate)), THREE_NODES)
        assert list(results.values()) == [Outcome.PASS, Outcome.FAIL, Outcome.WARN]
        results = outcomes(rule, with_each(disk_speed=(fast, None, fast)), THREE_NODES)
        assert list(results.values()) == [Outcome.PASS, Outcome.UNKNOWN, Outcome.PASS]
    later = valid_plan(release="4.1", nodes=nodes(3, 0))
    slow_sync = replace(fast, sync_p99=0.02)
    assert list(outcomes("HW-DISK-IOPS", with_each(disk_speed=(fast, slow, slow_sync)), later).values()) == [
        Outcome.PASS,
        Outcome.PASS,
        Outcome.FAIL,
    ]


def test_total_worker_size_must_grow_with_workload_clusters() -> None:
    def outcome(clusters: int) -> Outcome:
        plan = valid_plan(scenario="multi-cluster", workload={"clusters": clusters})
        facts = {n.address: healthy(n.address, role=n.role) for n in plan.nodes}
        (verdict,) = of_rule("CAP-MC-HGROW", facts, plan)
        assert verdict.severity is Severity.ADVICE
        return verdict.outcome

    assert [outcome(9), outcome(10), outcome(50), outcome(60)] == [
        Outcome.NOT_APPLICABLE,
        Outcome.PASS,
        Outcome.PASS,
        Outcome.WARN,
    ]


def test_advice_never_fails() -> None:
    plan = valid_plan(scenario="single-cluster", workload={"pods": 400})
    results = evaluate(plan, {}, {}, topology=topology_of(plan), today=date(2026, 3, 1))
    grow = next(v for v in results if v.requirement == "CAP-SC-GROW")
    assert (grow.outcome, grow.blocks) == (Outcome.WARN, False)
    assert all(v.outcome is not Outcome.FAIL for v in results if v.severity in (Severity.ADVICE, Severity.INFO))


@pytest.mark.parametrize(
    ("scenario", "planes", "workers", "broken"),
    [
        ("single-cluster", 3, 0, set()),
        ("single-cluster", 3, 1, {"CAP-SC-REC-WK"}),
        ("single-cluster", 1, 0, {"CAP-SC-CP-COUNT", "HW-CP-COUNT"}),
        ("multi-cluster", 3, 2, set()),
        ("multi-cluster", 3, 1, {"CAP-MC-WK-COUNT"}),
        ("multi-cluster", 1, 2, {"CAP-MC-CP-COUNT", "HW-CP-COUNT"}),
        ("single-node", 1, 0, set()),
        ("single-node", 1, 1, {"CAP-SN-NODES"}),
    ],
)
def test_required_number_of_nodes_depends_on_the_scenario(
    scenario: str, planes: int, workers: int, broken: set[str]
) -> None:
    plan = valid_plan(scenario=scenario, nodes=nodes(planes, workers))
    results = evaluate(plan, {}, {}, topology=topology_of(plan), today=date(2026, 3, 1))
    counts = {v.requirement for v in results if v.outcome is Outcome.FAIL and v.requirement.startswith(("CAP", "HW"))}
    assert counts == broken


def test_without_nodes_checks_between_nodes_are_not_applicable() -> None:
    empty = valid_plan(nodes=[])
    assert outcomes("BND-NODE-ARCH", {}, empty) == {None: Outcome.NOT_APPLICABLE}
    assert outcomes("X-TIMEZONE", {}, empty) == {None: Outcome.NOT_APPLICABLE}


def clock(offset: float, uncertainty: float = 0.05) -> dict[str, object]:
    default = healthy(SECOND).clock
    assert default is not None
    return {"clock": Clock(offset, uncertainty, default.remote_time)}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (clock(60), {("X-CLOCK-SKEW", FAIL)}),
        (clock(-10.3), {("X-CLOCK-SKEW", FAIL)}),
        (clock(9), set()),
        (clock(9.5, 2), {("X-CLOCK-SKEW", WARN)}),
        (clock(10.5, 2), {("X-CLOCK-SKEW", WARN)}),
    ],
)
def test_clock_offset_is_reported(changes: Mapping[str, object], expected: set[tuple[str, Outcome]]) -> None:
    assert planted(changes) == expected
