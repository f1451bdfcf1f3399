"""The checks of latency, packet loss, link speed and measured bandwidth between nodes."""

from dataclasses import replace

import pytest

from acp_tui.checks.topology import topology_of
from acp_tui.checks.verdict import Outcome
from acp_tui.nodes.fact_types import Bandwidth, Ping, TcpPath
from acp_tui.nodes.facts import Facts
from acp_tui.preflight.report.connectivity import matrix
from tests.support.factories.plans import CONTROL_PLANES, WORKERS, valid_plan
from tests.support.factories.verdicts import FAIL, MANUAL, PASS, UNKNOWN, WARN, cluster, of_rule, outcomes

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
    assert cells[TWO] == "ok 0.4 ms 9.4G"
