"""The checks of latency, packet loss, link speed and measured bandwidth between nodes."""

from dataclasses import replace

import pytest

from acp_tui.checks.topology import topology_of
from acp_tui.checks.verdict import Outcome
from acp_tui.nodes.fact_types import Bandwidth, Ping, RoundTrips
from acp_tui.nodes.facts import Facts
from acp_tui.nodes.path_summary import Spread
from acp_tui.preflight.report.connectivity import matrix
from tests.support.factories.plans import CONTROL_PLANES, WORKERS, valid_plan
from tests.support.factories.verdicts import (
    FAIL,
    MANUAL,
    PASS,
    UNKNOWN,
    WARN,
    cluster,
    of_rule,
    outcomes,
    ping,
    with_pings,
)

ONE, TWO, THREE = CONTROL_PLANES
WORKER = WORKERS[0]
PLAN = valid_plan()


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
    facts[ONE] = with_pings(facts[ONE], ping(TWO, 50, 50, milliseconds))
    facts[TWO] = with_pings(facts[TWO], ping(ONE, 50, 50, milliseconds))
    (verdict,) = of_rule("NETCFG-LAT-INTRA", facts, plan)
    assert verdict.outcome is expected
    assert verdict.node == (TWO if expected is FAIL else None)
    assert ("Later releases allow 10 ms" in verdict.observed) == (milliseconds == 2.5 and release == "4.0")


@pytest.mark.parametrize(
    ("release", "times", "expected"),
    [
        ("4.0", (0.1, 0.4, 1.9, 9), PASS),
        ("4.0", (0.1, 0.4, 8.3, 40), WARN),  # one of five took long
        ("4.0", (0.3, 9, 7.3, 9), WARN),  # the line can be fast
        ("4.0", (1.9, 2.1, 2.1, 2.3), FAIL),
        ("4.0", (5, 5.1, 5.1, 5.3), FAIL),
        ("4.1", (5, 5.1, 5.1, 5.3), PASS),
        ("4.1", (5.1, 12, 15, 80), FAIL),
        ("4.1", (0.2, 12, 15, 80), WARN),
        ("4.1", (12, 12, 12, 12), FAIL),
        ("4.1", (0.2, 0.3, 10.1, 80), WARN),
    ],
)
def test_the_median_decides_and_a_low_minimum_is_only_a_warning(
    release: str, times: tuple[float, float, float, float], expected: Outcome
) -> None:
    """The times are low, median, mean, high in milliseconds."""
    plan = valid_plan(release=release)
    facts = cluster(plan)
    trips = RoundTrips(*(time / 1000 for time in times))
    facts[ONE] = with_pings(facts[ONE], Ping(TWO, 50, 50, trips, 1500, True))
    (verdict,) = of_rule("NETCFG-LAT-INTRA", facts, plan)
    assert verdict.outcome is expected
    assert ("varies" in verdict.observed) == (expected is WARN)
    assert ("median of all pings" in verdict.observed) == (expected is FAIL)


def without_ping(facts: Facts, slow: dict[str, float], times: Spread | None) -> Facts:
    assert facts.paths is not None
    return replace(facts, pings=None, paths=replace(facts.paths, slow=slow, times=times))


def test_latency_without_ping_is_the_shortest_connect_time() -> None:
    facts = cluster(PLAN)
    facts[ONE] = without_ping(facts[ONE], dict.fromkeys((TWO, THREE, *WORKERS), 0.02), Spread(0.02, 0.02, 0.02))
    (verdict,) = of_rule("NETCFG-LAT-INTRA", facts)
    assert (verdict.node, verdict.outcome) == (ONE, FAIL)
    assert "20 ms (time of the fastest TCP connection)" in verdict.observed


def test_a_connect_without_a_time_is_no_latency() -> None:
    """If every first packet was lost, each connect took a second: the node reports no time."""
    facts = {address: without_ping(of_node, {}, None) for address, of_node in cluster(PLAN).items()}
    (verdict,) = of_rule("NETCFG-LAT-INTRA", facts)
    assert (verdict.outcome, verdict.observed) == (
        UNKNOWN,
        "no ping and no TCP connection between two nodes got a reply",
    )


def test_connect_times_count_only_for_nodes_that_send_no_echo() -> None:
    facts = cluster(PLAN)
    paths = facts[ONE].paths
    assert paths is not None
    facts[ONE] = replace(facts[ONE], paths=replace(paths, slow={TWO: 0.02, THREE: 0.03}))
    assert outcomes("NETCFG-LAT-INTRA", facts) == {None: PASS}
    facts[ONE] = with_pings(facts[ONE], Ping(TWO, 20, 0))
    (verdict,) = of_rule("NETCFG-LAT-INTRA", facts)
    assert (verdict.node, verdict.outcome) == (TWO, FAIL)


def test_lower_limit_of_another_release_needs_a_new_measurement() -> None:
    old = cluster(valid_plan(release="4.1"))
    assert outcomes("NETCFG-LAT-INTRA", old) == {None: PASS}
    slower = {
        a: replace(f, pings=replace(f.pings, times=Spread(0.003, 0.004, 0.005))) for a, f in old.items() if f.pings
    }
    assert set(outcomes("NETCFG-LAT-INTRA", slower).values()) == {UNKNOWN}
    assert outcomes("NETCFG-LAT-INTRA", slower, valid_plan(release="4.1")) == {None: PASS}


@pytest.mark.parametrize(("sent", "received"), [(30, 27), (60, 42), (60, 59)])
def test_lost_packets_are_a_warning(sent: int, received: int) -> None:
    facts = cluster(PLAN)
    facts[ONE] = with_pings(facts[ONE], ping(WORKER, sent, received, 1))
    (verdict,) = of_rule("NETCFG-LAT-INTRA", facts)
    assert (verdict.node, verdict.outcome) == (WORKER, WARN)
    assert f"{sent - received} of {sent} packets w" in verdict.observed


def test_no_echo_at_all_is_no_packet_loss() -> None:
    facts = cluster(PLAN)
    facts[ONE] = with_pings(facts[ONE], Ping(WORKER, 20, 0), Ping(TWO, 0, 0))
    assert outcomes("NETCFG-LAT-INTRA", facts) == {None: PASS}


def physical(facts: dict[str, Facts]) -> dict[str, Facts]:
    devices = frozenset({"eth0", "eth1"})
    return {address: replace(one, virtual=False, link_devices=devices) for address, one in facts.items()}


def test_slow_link_fails_and_missing_link_speed_is_to_confirm() -> None:
    facts = physical(cluster(PLAN))
    assert outcomes("NETCFG-BW-INTRA", facts) == {None: PASS}
    facts[TWO] = replace(facts[TWO], link_speeds={})
    assert outcomes("NETCFG-BW-INTRA", facts) == {None: MANUAL}
    facts[WORKER] = replace(facts[WORKER], link_speeds={"eth0": 100, "eth1": 10000})
    assert outcomes("NETCFG-BW-INTRA", facts) == {WORKER: FAIL, None: MANUAL}


@pytest.mark.parametrize(
    "changes",
    [
        {"virtual": True},
        {"virtual": None},
        {"link_devices": frozenset({"eth1"})},
        {"link_devices": None},
        {"virtual": True, "link_speeds": {"eth0": 100}},
    ],
)
def test_speed_of_a_virtual_link_is_to_confirm(changes: dict[str, object]) -> None:
    facts = physical(cluster(PLAN))
    facts[TWO] = replace(facts[TWO], **changes)  # type: ignore[arg-type]
    assert outcomes("NETCFG-BW-INTRA", facts) == {None: MANUAL}


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
    assert cells[TWO] == "ok 9.4G"
