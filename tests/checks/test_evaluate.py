"""Evaluation of a plan and facts: healthy nodes, missing facts, selected rules, and the texts of verdicts."""

from dataclasses import replace

import pytest
from pydantic import JsonValue

from acp_tui.checks.evaluate import evaluate
from acp_tui.checks.topology import topology_of
from acp_tui.checks.verdict import Outcome
from acp_tui.nodes.fact_types import Listener
from acp_tui.nodes.facts import Facts
from acp_tui.nodes.state import NodeState
from acp_tui.plan.release import RELEASES
from tests.support.factories.node_facts import DISTRIBUTIONS, MUST_MANUAL
from tests.support.factories.plans import nodes, valid_plan
from tests.support.factories.verdicts import FAIL, FIRST, SECOND, TODAY, UNKNOWN, cluster, findings, verdicts


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("scenario", ["single-cluster", "multi-cluster"])
@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_healthy_nodes_have_no_findings(distribution: str, scenario: str, release: str) -> None:
    plan = valid_plan(release=release, scenario=scenario)
    assert findings(verdicts(plan, cluster(plan, distribution))) == set()


@pytest.mark.parametrize("scenario", ["single-cluster", "multi-cluster"])
def test_healthy_nodes_are_blocked_by_manual_checks_only(scenario: str) -> None:
    plan = valid_plan(scenario=scenario)
    blocking = {v.requirement for v in verdicts(plan, cluster(plan)) if v.blocks}
    assert blocking == MUST_MANUAL - (set() if scenario == "multi-cluster" else {"NETCFG-BW-INTER", "NETCFG-LAT-INTER"})


def test_healthy_single_node_has_no_network_checks_between_nodes() -> None:
    address: dict[str, JsonValue] = {"cluster_endpoint": FIRST, "platform": None}
    plan = valid_plan(scenario="single-node", nodes=nodes(1, 0, deployable=True), address=address)
    results = verdicts(plan, cluster(plan))
    assert findings(results) == set()
    blocking = {v.requirement for v in results if v.blocks}
    assert blocking == {
        "HW-CPU-NOOVER", "HW-CPU-POWER", "HW-DISK-IOPS", "HW-DISK-SSD", "HW-DISK-TPUT", "HW-MEM-NOOVER", "PRE-INIT",
    }  # fmt: skip


def test_port_in_use_is_shown_with_its_process_and_in_the_fix() -> None:
    plan = valid_plan()
    facts = cluster(plan)
    facts[SECOND] = replace(facts[SECOND], listeners=(Listener(2380, "etcd"), Listener(6443, None)))
    verdict = next(v for v in verdicts(plan, facts) if v.requirement == "NET-PORTS-CP" and v.node == SECOND)
    assert verdict.observed == "these TCP ports are in use: 2380 (etcd), 6443"
    assert "2380 6443" in verdict.remedy


def test_missing_fact_is_unknown_with_its_reason() -> None:
    plan = valid_plan()
    facts = cluster(plan)
    facts[SECOND] = replace(facts[SECOND], swaps=None, missing={"swaps": "timed out after 10 s"})
    results = [v for v in verdicts(plan, facts) if v.outcome is UNKNOWN]
    assert [(v.requirement, v.node) for v in results] == [("SYS-SWAP", SECOND)]
    assert "timed out after 10 s" in results[0].observed
    assert results[0].blocks


@pytest.mark.parametrize("facts", [None, Facts("10.20.0.12")])
def test_node_without_facts_passes_no_check(facts: Facts | None) -> None:
    plan = valid_plan()
    all_facts = cluster(plan)
    del all_facts[SECOND]
    if facts:
        all_facts[SECOND] = facts
    states = {**dict.fromkeys(all_facts, NodeState.CHECKED), SECOND: NodeState.UNREACHABLE}
    mine = [v for v in evaluate(plan, all_facts, states, topology=topology_of(plan), today=TODAY) if v.node == SECOND]
    assert {v.outcome for v in mine} <= {UNKNOWN, Outcome.NOT_APPLICABLE, Outcome.MANUAL}
    swap = next(v for v in mine if v.requirement == "SYS-SWAP")
    assert swap.observed == "the node is unreachable"


def test_only_selects_requirements() -> None:
    plan = valid_plan()
    states = dict.fromkeys((n.address for n in plan.nodes), NodeState.CHECKED)
    only = frozenset({"SYS-SWAP", "XR-CP-COUNT"})
    results = evaluate(plan, cluster(plan), states, topology=topology_of(plan), today=TODAY, only=only)
    assert {v.requirement for v in results} == only


def test_fix_depends_on_the_distribution_and_quotes_names_from_the_node() -> None:
    plan = valid_plan()
    facts = cluster(plan)
    facts[SECOND] = replace(
        facts[SECOND], snap_packages=frozenset({"kubelet; rm -rf /"}), cmdline=("ro",), boot_entries=None
    )
    by_id = {v.requirement: v for v in verdicts(plan, facts) if v.node == SECOND}
    assert by_id["PKG-CONFLICT-SNAP"].remedy.splitlines()[-1] == "snap remove --purge 'kubelet; rm -rf /'"
    assert "update-grub" in by_id["KRN-THP"].remedy


def test_fix_has_no_command_without_names() -> None:
    plan = valid_plan()
    facts = cluster(plan)
    facts[FIRST] = replace(facts[FIRST], cluster_processes=("kubelet",))
    config = {"kubernetes-config": ("/etc/kubernetes/admin.conf",)}
    facts[SECOND] = replace(facts[SECOND], cluster_processes=("kubelet",), leftovers=config)
    shown = {v.node: v.remedy for v in verdicts(plan, facts) if v.requirement == "CAP-FRESH-ENV"}
    assert "former" not in shown[FIRST]
    assert "disable --now" in shown[FIRST]
    assert "mv --backup=numbered -t /root/former /etc/kubernetes/admin.conf" in shown[SECOND]


def test_vip_in_the_range_of_the_container_runtime_fails() -> None:
    plan = valid_plan(address={"cluster_endpoint": "172.20.0.9"})
    results = {(v.requirement, v.outcome) for v in verdicts(plan, cluster(plan)) if v.node == SECOND}
    assert {("NET-172-FREE", FAIL), ("NETCFG-172", FAIL)} <= results


def test_physical_cores_are_shown_if_threads_share_them() -> None:
    plan = valid_plan()

    def observed(**changes: object) -> str:
        facts = cluster(plan)
        facts[SECOND] = replace(facts[SECOND], **changes)  # type: ignore[arg-type]
        return next(v.observed for v in verdicts(plan, facts) if (v.requirement, v.node) == ("HW-CPU-CORES", SECOND))

    assert observed(virtual=False, cpu_threads=2) == "16 cores (8 physical cores)"
    assert observed(virtual=True, cpu_threads=2) == observed(virtual=False, cpu_threads=1) == "16 cores"
