"""Sizes with the resources of the applications, the reserve of 30 %, and the Pods of a trial."""

from dataclasses import replace

import pytest
from pydantic import JsonValue, ValidationError

from acp_tui.checks.sizing.calculator import Need, sizing
from acp_tui.checks.sizing.size import Size
from acp_tui.checks.verdict import Outcome
from acp_tui.nodes.summary import NodeSummary
from acp_tui.plan.model import Plan
from tests.support.factories.plan_changes import SINGLE, Changes
from tests.support.factories.plans import nodes, valid_plan
from tests.support.factories.verdicts import FAIL, MANUAL, NOT_APPLICABLE, PASS, WARN, cluster, outcomes

NO_WORKERS = nodes(3, 0, deployable=True)
GB = 10**9
ARM = NodeSummary(arch="aarch64", cpus=64, memory=256 * GB)


def need(plan: Plan, role: str, *, arm: bool = False) -> Need:
    machines = {node.address: ARM for node in plan.nodes} if arm else {}
    return next(one for one in sizing(plan, machines).needs if (one.role, one.arm) == (role, arm))


def outcome_of(rule: str, plan: Plan, cores: int, memory: int, **changes: object) -> set[Outcome]:
    """Return the outcomes of a rule if every node has this size."""
    facts = {
        address: replace(known, cpu_count=cores, memory=memory * GB, **changes)  # type: ignore[arg-type]
        for address, known in cluster(plan).items()
    }
    return set(outcomes(rule, facts, plan).values())


@pytest.mark.parametrize(
    ("load", "least", "better"),
    [
        ({}, Size(8, 16), Size(12, 24)),
        ({"cpu": 12, "memory": 24}, Size(12, 24), Size(18, 35)),
        ({"cpu": 12.5}, Size(13, 16), Size(19, 24)),
        ({"memory": 6}, Size(8, 18), Size(12, 26)),
    ],
)
def test_control_planes_without_workers_hold_the_applications(
    load: dict[str, JsonValue], least: Size, better: Size
) -> None:
    plan = valid_plan(nodes=NO_WORKERS, workload=load)
    found = need(plan, "control-plane")
    assert (found.least, found.advised) == (least, better)
    size = int(least.cores), int(least.memory)
    assert outcome_of("CAP-SC-MIN-CP", plan, *size) <= {PASS, WARN}
    assert outcome_of("CAP-SC-MIN-CP", plan, size[0] - 1, size[1]) == {FAIL}
    assert outcome_of("CAP-SC-MIN-CP", plan, int(better.cores), int(better.memory)) == {PASS}
    assert outcome_of("CAP-SC-MIN-CP", plan, int(better.cores) - 1, int(better.memory)) == {WARN}


def test_only_nodes_that_run_applications_need_their_part() -> None:
    planes: JsonValue = [nodes(1, 0, deployable=True)[0], *nodes(3, 0)[1:]]
    plan = valid_plan(nodes=planes, workload={"cpu": 8, "memory": 16})
    facts = {address: replace(known, cpu_count=12, memory=24 * GB) for address, known in cluster(plan).items()}
    assert list(outcomes("CAP-SC-MIN-CP", facts, plan).values()) == [FAIL, PASS, PASS]


def test_later_releases_have_the_same_rule_for_the_applications() -> None:
    plan = valid_plan(release="4.3", nodes=NO_WORKERS, workload={"cpu": 12})
    assert outcome_of("CAP-SC-MIN-CP", plan, 11, 32) == {FAIL}
    assert outcome_of("CAP-SC-MIN-CP", plan, 18, 32) == {PASS}


@pytest.mark.parametrize(
    ("cores", "memory", "changes", "expected"),
    [
        (10, 20, {}, PASS),
        (9, 20, {}, FAIL),
        (10, 19, {}, FAIL),
        (15, 30, {"arch": "aarch64"}, PASS),
        (14, 30, {"arch": "aarch64"}, FAIL),
    ],
)
def test_workers_together_hold_the_applications(
    cores: int, memory: int, changes: dict[str, object], expected: Outcome
) -> None:
    plan = valid_plan(workload={"cpu": 20, "memory": 40})
    assert outcome_of("CAP-SC-REC-WK", plan, cores, memory, **changes) == {expected}


def test_worker_sizes_are_shown_with_the_total() -> None:
    found = need(valid_plan(workload={"cpu": 20, "memory": 40}), "worker")
    assert (found.least, found.together) == (Size(), Size(20, 40))
    assert (found.advised, found.together_advised) == (Size(15, 29), Size(29, 58))
    on_arm = need(valid_plan(workload={"cpu": 20, "memory": 40}), "worker", arm=True)
    assert on_arm.together == Size(30, 60)


def test_workers_of_different_sizes_count_together() -> None:
    plan = valid_plan(workload={"cpu": 20, "memory": 40})
    facts = cluster(plan)
    facts["10.20.0.21"] = replace(facts["10.20.0.21"], cpu_count=4, memory=8 * GB)
    assert outcomes("CAP-SC-REC-WK", facts, plan) == {None: PASS}


def test_missing_size_of_a_worker_is_unknown_only_if_the_applications_count() -> None:
    plan = valid_plan(workload={"cpu": 20})
    facts = cluster(plan)
    facts["10.20.0.21"] = replace(facts["10.20.0.21"], cpu_count=None, missing={"cpu_count": "timed out"})
    assert outcomes("CAP-SC-REC-WK", facts, plan) == {None: Outcome.UNKNOWN}
    assert outcomes("CAP-SC-REC-WK", facts, valid_plan()) == {None: PASS}


def test_workers_of_a_multi_cluster_plan_hold_applications_in_addition() -> None:
    plan = valid_plan(scenario="multi-cluster", workload={"cpu": 8, "memory": 8})
    assert need(plan, "worker").least == Size(16, 28)
    assert outcome_of("CAP-MC-WK-SIZE", plan, 15, 64) == {FAIL}
    assert outcome_of("CAP-MC-WK-SIZE", plan, 28, 52) == {PASS}


@pytest.mark.parametrize(
    ("load", "cores", "memory", "expected"),
    [
        ({}, 64, 128, MANUAL),
        ({"cpu": 7}, 5, 64, PASS),
        ({"cpu": 8}, 5, 64, WARN),
        ({"memory": 14}, 8, 10, PASS),
        ({"memory": 15}, 8, 10, WARN),
    ],
)
def test_reserve_of_the_workers(load: dict[str, JsonValue], cores: int, memory: int, expected: Outcome) -> None:
    assert outcome_of("CAP-RESERVE-30", valid_plan(workload=load), cores, memory) == {expected}


def test_reserve_of_control_planes_includes_the_platform() -> None:
    plan = valid_plan(nodes=NO_WORKERS, workload={"cpu": 18})
    assert outcome_of("CAP-RESERVE-30", plan, 20, 23) == {PASS}
    assert outcome_of("CAP-RESERVE-30", plan, 19, 23) == {WARN}


@pytest.mark.parametrize(("pods", "expected"), [(0, NOT_APPLICABLE), (1, PASS), (10, PASS), (11, WARN)])
def test_trial_has_at_most_ten_pods(pods: int, expected: Outcome) -> None:
    changes: Changes = {**SINGLE, "workload": {"pods": pods}}
    plan = valid_plan(**changes)
    assert outcomes("CAP-SN-LOAD", cluster(plan), plan) == {None: expected}
    assert outcomes("CAP-SN-LOAD", {}, valid_plan(workload={"pods": 500})) == {None: NOT_APPLICABLE}
    assert outcomes("CAP-RESERVE-30", cluster(plan), plan) == {None: NOT_APPLICABLE}


def test_applications_share_the_control_plane_only_without_workers() -> None:
    shared = valid_plan(nodes=[*nodes(3, 0, deployable=True), *nodes(0, 2)])
    assert outcomes("CAP-SC-ISOLATE", {}, valid_plan()) == {None: PASS}
    assert outcomes("CAP-SC-ISOLATE", {}, valid_plan(nodes=NO_WORKERS)) == {None: NOT_APPLICABLE}
    assert set(outcomes("CAP-SC-ISOLATE", {}, shared).values()) == {WARN}


@pytest.mark.parametrize("value", [-1, "many", True, 1e20, float("nan"), "1,5", "0x10"])
def test_amount_that_is_not_a_number_is_rejected(value: JsonValue) -> None:
    with pytest.raises(ValidationError):
        valid_plan(workload={"cpu": value})


@pytest.mark.parametrize(("value", "expected"), [(0, 0), ("7.5", 7.5), (16.0, 16), ("16", 16), (0.25, 0.25)])
def test_amount_has_decimals_only_if_needed(value: JsonValue, expected: float) -> None:
    found = valid_plan(workload={"memory": value}).workload.memory
    assert (found, type(found)) == (expected, type(expected))
