"""A complete report has a verdict on every requirement of its release, or names the ID under which it is judged."""

from datetime import date
from pathlib import Path

import pytest

from acp_tui.checks.catalog import catalogue
from acp_tui.checks.evaluate import evaluate
from acp_tui.checks.topology import topology_of
from acp_tui.checks.verdict import Outcome, Severity, Verdict
from acp_tui.nodes.state import NodeState
from acp_tui.package.checks import package_verdicts
from acp_tui.package.facts import PackageFacts
from acp_tui.plan.model import Plan
from acp_tui.plan.release import RELEASES
from tests.support.factories.plan_changes import IPV6, RECOVERY, SINGLE, Changes
from tests.support.factories.plans import VIP, nodes, valid_plan
from tests.support.factories.verdicts import cluster

TODAY = date(2026, 3, 1)
PLANS: dict[str, Changes] = {
    "single node": SINGLE,
    "single cluster": {},
    "single cluster without workers": {"nodes": nodes(3, 0, deployable=True)},
    "multi-cluster": {"scenario": "multi-cluster"},
    "calico": {"network": {"cni": "calico"}},
    "IPv6": IPV6,
    "disaster recovery": RECOVERY,
    "self-built VIP": {"address": {"cluster_endpoint": VIP, "self_built_vip": True}},
    "workload": {"workload": {"pods": 40, "clusters": 25, "cpu": 8, "memory": 16}},
    "no nodes": {"nodes": []},
}
NO_PACKAGE = PackageFacts(None, None, Path("/root/cpaas-install"), target_usable=True, free_after=None)


def complete(plan: Plan, *, reachable: bool = True) -> tuple[Verdict, ...]:
    """Return all verdicts of a complete check of a plan without a Core Package."""
    state = NodeState.CHECKED if reachable else NodeState.UNREACHABLE
    facts, states = cluster(plan) if reachable else {}, {node.address: state for node in plan.nodes}
    package = package_verdicts(plan, NO_PACKAGE, TODAY)
    return (*package, *evaluate(plan, facts, states, topology=topology_of(plan), today=TODAY))


@pytest.mark.parametrize("reachable", [True, False], ids=["checked", "unreachable"])
@pytest.mark.parametrize("changes", PLANS.values(), ids=PLANS)
@pytest.mark.parametrize("release", RELEASES)
def test_every_requirement_has_a_verdict_or_names_where_it_is_judged(
    release: str, changes: Changes, reachable: bool
) -> None:
    judged = {verdict.requirement for verdict in complete(valid_plan(release=release, **changes), reachable=reachable)}
    rules = catalogue(release)
    assert {row.id for row in rules.values() if not row.judged_by} == judged
    assert {name for row in rules.values() for name in row.judged_by} <= judged


@pytest.mark.parametrize("changes", PLANS.values(), ids=PLANS)
@pytest.mark.parametrize("release", RELEASES)
def test_plan_without_package_is_blocked_with_something_to_do(release: str, changes: Changes) -> None:
    plan = valid_plan(release=release, **changes)
    found = [verdict for verdict in complete(plan) if verdict.requirement.startswith("BND-")]
    blocking = {v.requirement for v in found if v.blocks}
    assert {"BND-CORE", "BND-CORE-NAME", "BND-TAR-OK", "BND-SIGN", "BND-KEY-FPR"} <= blocking
    assert all(v.observed and v.remedy for v in found if v.blocks)
    assert not [v for v in found if v.requirement in ("BND-NODE-ARCH", "BND-FREE-100G") and v.outcome is Outcome.PASS]


def test_requirements_between_clusters_are_for_a_person() -> None:
    for changes in (RECOVERY, {"scenario": "multi-cluster"}):
        found = {verdict.requirement: verdict for verdict in complete(valid_plan(**changes))}
        for name in ("NETCFG-BW-INTER", "NETCFG-LAT-INTER"):
            assert (found[name].outcome, found[name].severity) == (Outcome.MANUAL, Severity.MUST)
            assert found[name].blocks


@pytest.mark.parametrize("name", ["CAP-MC-ZONES", "CAP-MC-PHYS", "CAP-MC-ETCD", "CAP-OWN-VLAN", "NETRES-EXTIP"])
def test_advice_that_only_a_person_can_confirm_does_not_block(name: str) -> None:
    found = {verdict.requirement: verdict for verdict in complete(valid_plan(scenario="multi-cluster"))}
    assert found[name].outcome is Outcome.MANUAL
    assert not found[name].blocks
