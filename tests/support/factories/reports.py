"""Preflight reports of clusters, for tests that use them."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from acp_tui.checks.evaluate import evaluate
from acp_tui.checks.topology import topology_of
from acp_tui.nodes.facts import Facts
from acp_tui.nodes.state import NodeState
from acp_tui.plan.model import Plan
from acp_tui.preflight.report.model import Report
from acp_tui.preflight.report.node_summary import node_records
from tests.support.factories.plans import valid_plan
from tests.support.factories.verdicts import PACKAGE, cluster, with_package

MORNING = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


def report(
    plan: Plan | None = None,
    changes: Mapping[str, Mapping[str, object]] | None = None,
    states: Mapping[str, NodeState] | None = None,
    at: datetime = MORNING,
) -> Report:
    """Return the report of healthy nodes with `changes` (address → fields) at `at`. Nodes in `states` have no facts.

    A plan without a Core Package gets one."""
    plan = with_package(plan or valid_plan())
    states = states or {}
    facts: dict[str, Facts] = {}
    for address, healthy in cluster(plan).items():
        changed = replace(healthy, **(changes or {}).get(address, {}))  # type: ignore[arg-type]
        facts[address] = Facts(address) if address in states else changed
    all_states = {node.address: states.get(node.address, NodeState.CHECKED) for node in plan.nodes}
    nodes = node_records(plan, topology_of(plan), facts, all_states, {})
    verdicts = evaluate(plan, facts, all_states, topology=topology_of(plan), today=at.date(), local_files=PACKAGE)
    return Report(plan.effective_release, at, at + timedelta(seconds=7), nodes, verdicts)
