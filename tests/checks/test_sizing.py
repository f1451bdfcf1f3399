"""Sizing: the figures of the manual for each release, and agreement with the preflight."""

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from acp_tui.checks.catalog import FunctionCheck, catalogue
from acp_tui.checks.evaluate import evaluate
from acp_tui.checks.sizing.calculator import Need, sizing
from acp_tui.checks.sizing.size import Size
from acp_tui.checks.topology import topology_of
from acp_tui.checks.verdict import Outcome
from acp_tui.cli.main import main
from acp_tui.core.state_dir import state_home
from acp_tui.nodes.state import NodeState
from acp_tui.nodes.summary import NodeSummary
from acp_tui.plan.file import dump_plan
from acp_tui.plan.model import Plan
from acp_tui.plan.release import RELEASES
from acp_tui.preflight.report.history import last_report_path, save_last_report
from acp_tui.preflight.report.html.page import report_html
from acp_tui.preflight.report.model import Report
from acp_tui.preflight.report.node_summary import node_records, node_summary
from acp_tui.preflight.report.sizing import fit_lines, reason_lines, shortage, table_lines
from tests.support.factories.node_facts import healthy
from tests.support.factories.plans import nodes, valid_plan
from tests.support.factories.reports import MORNING, report

ARM = NodeSummary(arch="aarch64", cpus=64, memory=256 * 10**9)
NO_SIZE = Size()


def need(role: str = "control-plane", **changes: JsonValue) -> Need:
    return need_of(valid_plan(**changes), role)


def need_of(plan: Plan, role: str, *, arm: bool = False) -> Need:
    machines = {node.address: ARM for node in plan.nodes} if arm else {}
    return next(one for one in sizing(plan, machines).needs if (one.role, one.arm) == (role, arm))


@pytest.mark.parametrize(
    ("release", "scenario", "role", "least", "advised", "arm_least", "arm_advised"),
    [
        ("4.0", "single-node", "control-plane", Size(16, 32), NO_SIZE, Size(24, 48), Size(32, 64)),
        ("4.1", "single-node", "control-plane", Size(12, 24), NO_SIZE, Size(18, 36), Size(24, 48)),
        ("4.0", "single-cluster", "control-plane", Size(8, 16), Size(12, 24), Size(12, 24), Size(16, 32)),
        ("4.3", "single-cluster", "control-plane", Size(8, 16), Size(12, 23), Size(12, 24), Size(16, 32)),
        ("4.0", "single-cluster", "worker", NO_SIZE, Size(8, 16), NO_SIZE, Size(8, 16)),
        ("4.0", "multi-cluster", "control-plane", Size(8, 16), Size(16, 32), Size(12, 24), Size(16, 32)),
        ("4.0", "multi-cluster", "worker", Size(12, 24), Size(24, 48), Size(18, 36), Size(24, 48)),
    ],
)
def test_node_sizes_are_those_of_the_manual(
    release: str, scenario: str, role: str, least: Size, advised: Size, arm_least: Size, arm_advised: Size
) -> None:
    plan = valid_plan(release=release, scenario=scenario)
    x86, arm = need_of(plan, role), need_of(plan, role, arm=True)
    assert (x86.least, x86.advised) == (least, advised)
    assert (arm.least, arm.advised) == (arm_least, arm_advised)


@pytest.mark.parametrize("release", RELEASES[1:])
@pytest.mark.parametrize(
    ("clusters", "planes", "least"),
    [
        (0, 3, Size(8, 16)), (10, 3, Size(8, 16)), (11, 3, Size(16, 32)), (50, 3, Size(16, 32)),
        (100, 3, Size(24, 48)), (101, 6, Size(32, 64)), (500, 6, Size(32, 64)), (501, 6, Size(32, 64)),
    ],
)  # fmt: skip
def test_control_plane_size_depends_on_workload_clusters_in_later_releases(
    release: str, clusters: int, planes: int, least: Size
) -> None:
    result = need(release=release, scenario="multi-cluster", workload={"clusters": clusters})
    assert (result.count, result.count_advised, result.least) == (3, planes, least)


def test_recommended_size_adds_a_reserve_to_the_minimum() -> None:
    result = need(release="4.1", scenario="multi-cluster", workload={"clusters": 30})
    assert (result.least, result.advised) == (Size(16, 32), Size(23, 46)), "16 / 0.7 and 32 / 0.7, rounded up"


@pytest.mark.parametrize(
    ("scenario", "workers", "pods", "count", "advised"),
    [
        ("single-cluster", 2, 0, 0, 2),
        ("single-cluster", 0, 50, 0, 2),
        ("single-cluster", 2, 101, 0, 3),
        ("multi-cluster", 2, 0, 2, 2),
    ],
)
def test_number_of_workers_depends_on_the_pods(
    scenario: str, workers: int, pods: int, count: int, advised: int
) -> None:
    result = need("worker", scenario=scenario, nodes=nodes(3, workers), workload={"pods": pods})
    assert (result.count, result.count_advised, result.planned) == (count, advised, workers)


def test_total_size_of_workers_grows_with_workload_clusters() -> None:
    result = need("worker", scenario="multi-cluster", workload={"clusters": 57})
    assert result.together == Size(48, 96), "2 x 12 cores, 24 GB and a fifth more for each full ten"
    assert result.together_advised == Size(69, 138)
    plan = valid_plan(scenario="multi-cluster", workload={"clusters": 57})
    reasons = {reason.requirement: reason.text for reason in sizing(plan, {}).reasons}
    assert "2 × 24 cores, 48 GB; 4 × 12 cores, 24 GB" in reasons["CAP-MC-VGROW"]
    few = dict.fromkeys((node.address for node in plan.nodes), NodeSummary(arch="x86_64", cpus=23, memory=50 * 10**9))
    assert "46 cores, 100 GB  too small" in fit_lines(sizing(plan, few))[-1]
    assert need("worker", scenario="multi-cluster", workload={"clusters": 9}).together == NO_SIZE


def test_single_node_warns_of_too_many_pods() -> None:
    plan = valid_plan(scenario="single-node", nodes=nodes(1, 0), workload={"pods": 11})
    result = sizing(plan, {})
    assert [(one.role, one.count, one.count_advised) for one in result.needs] == [("control-plane", 1, 1)]
    assert "CAP-SN-LOAD" in [reason.requirement for reason in result.reasons]
    few_pods = sizing(plan.model_copy(update={"workload": plan.workload.model_copy(update={"pods": 10})}), {})
    assert not {"CAP-SN-LOAD", "CAP-RESERVE-30"} & {reason.requirement for reason in few_pods.reasons}


def test_package_name_gives_the_architecture_without_nodes() -> None:
    arm = Plan.model_validate({"package": {"core": "/x/installer-core-v4.1.0-arm.tar"}})
    assert [one.arm for one in sizing(arm, {}).needs if one.role == "control-plane"] == [True]
    assert [one.arm for one in sizing(Plan(), {}).needs if one.role == "control-plane"] == [False]


def test_every_reason_has_a_rule_of_the_catalogue() -> None:
    for release in RELEASES:
        for scenario in ("single-node", "single-cluster", "multi-cluster"):
            plan = valid_plan(release=release, scenario=scenario, workload={"pods": 99, "clusters": 99})
            result = sizing(plan, dict.fromkeys((n.address for n in plan.nodes), ARM))
            assert {reason.requirement for reason in result.reasons} <= catalogue(release).keys()
            assert all(reason.text for reason in result.reasons)
            assert all(
                len(line) <= 73 for line in (*table_lines(result), *reason_lines(result, 73), *fit_lines(result))
            )


def test_short_text_of_missing_nodes() -> None:
    few = valid_plan(nodes=nodes(1, 0))
    assert shortage(sizing(few, {})) == "2 control plane nodes are missing"
    plan = valid_plan()
    small = {plan.nodes[1].address: NodeSummary(arch="x86_64", cpus=4, memory=8 * 10**9)}
    assert shortage(sizing(plan, small)) == "10.20.0.12 is too small"
    assert shortage(sizing(plan, {})) == ""


def test_validate_sizes_compares_the_nodes_of_the_last_check(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    plan, file = valid_plan(), tmp_path / "plan.yaml"
    file.write_text(dump_plan(plan), encoding="utf-8")
    facts = {plan.nodes[0].address: healthy(plan.nodes[0].address, cpu_count=4)}
    summaries = node_records(plan, topology_of(plan), facts, dict.fromkeys(facts, NodeState.CHECKED), {})
    save_last_report(last_report_path(state_home(), file), Report("4.0", MORNING, MORNING, summaries))
    main(["validate", str(file), "--sizes"])
    reasons = " ".join(capsys.readouterr().out.split())
    assert "control plane 3 3 8 cores, 16 GB 12 cores, 24 GB" in reasons
    assert "10.20.0.11 control plane 4 cores, 33.5 GB too small" in reasons
    assert "10.20.0.12 control plane — unknown" in reasons
    main(["validate", str(file), "--sizes", "--json"])
    document = json.loads(capsys.readouterr().out)
    assert document["sizing"]["needs"][0]["least"] == {"cores": 8, "memory": 16}
    main(["validate", str(file)])
    assert "cores" not in capsys.readouterr().out


def test_html_report_contains_the_sizes() -> None:
    plan = valid_plan()
    page = report_html(report(plan, {plan.nodes[0].address: {"cpu_count": 4}}), plan)
    section = page[page.index("<summary>Sizing</summary>") :]
    assert "<code>CAP-SC-CP-COUNT</code>" in section
    assert "<td>10.20.0.11</td><td>control plane</td><td>4 cores, 33.5 GB</td><td>too small</td>" in section


@settings(max_examples=60)
@given(
    st.sampled_from(RELEASES),
    st.sampled_from(["single-node", "single-cluster", "multi-cluster"]),
    st.integers(0, 600),
    st.integers(0, 3),
    st.integers(1, 80),
    st.integers(1, 160),
    st.sampled_from(["x86_64", "aarch64"]),
)
def test_node_size_has_the_same_outcome_in_the_preflight(
    release: str, scenario: str, clusters: int, workers: int, cpus: int, memory: int, arch: str
) -> None:
    plan = valid_plan(release=release, scenario=scenario, nodes=nodes(3, workers), workload={"clusters": clusters})
    one = plan.nodes[-1]
    facts = replace(healthy(one.address, role=one.role), cpu_count=cpus, memory=memory * 10**9, arch=arch)
    rules = {
        row.id
        for row in catalogue(release).values()
        if isinstance(row.check, FunctionCheck) and row.check.name in ("machine_size", "arm_factor")
    }
    verdicts = evaluate(
        plan, {one.address: facts}, {one.address: NodeState.CHECKED}, topology=topology_of(plan), today=date(2026, 3, 1)
    )
    failed = any(v.outcome is Outcome.FAIL for v in verdicts if v.node == one.address and v.requirement in rules)
    [fit] = [fit for fit in sizing(plan, {one.address: node_summary(facts, str)}).fits if fit.address == one.address]
    assert (fit.outcome is Outcome.FAIL) == failed
