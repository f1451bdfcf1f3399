"""Select the catalogue rows with figures for the sizing, and read the counts and sizes that they require."""

from collections.abc import Iterator
from functools import cache

from acp_tui.checks.catalog import FunctionCheck, Informational, Requirement, catalogue
from acp_tui.checks.conditions import EvalContext, applies
from acp_tui.checks.sizing.requirements import workers_by_pods
from acp_tui.checks.sizing.size import Size, advised, by_clusters, minimum, only_advised
from acp_tui.checks.sizing.workload import application_size, reserve_share, share_of_node
from acp_tui.plan.model import Plan
from acp_tui.plan.sections.node import Node


def rows_with(plan: Plan, *names: str) -> Iterator[tuple[Requirement, FunctionCheck]]:
    """Yield the rows that apply to the plan and whose check function is one of `names`. Scenario rows come first."""
    for row, check in _rows_with_function(plan.effective_release, names):
        if applies(row, EvalContext(plan)) is not False:
            yield row, check


@cache
def _rows_with_function(release: str, names: tuple[str, ...]) -> tuple[tuple[Requirement, FunctionCheck], ...]:
    rows = sorted(catalogue(release).values(), key=lambda row: not row.id.startswith("CAP-"))
    return tuple((row, row.check) for row in rows if isinstance(row.check, FunctionCheck) and row.check.name in names)


def figures(plan: Plan, name: str) -> Informational | None:
    """Return the figures of the informational row `name`; None if the row does not apply or has no figures."""
    row = catalogue(plan.effective_release)[name]
    holds = isinstance(row.check, Informational) and row.check.params and applies(row, EvalContext(plan))
    return row.check if holds and isinstance(row.check, Informational) else None


def control_plane_count(plan: Plan) -> tuple[int, int]:
    """Return the minimum number of control plane nodes, and the number that the expected load requires."""
    least = load = 0
    for _row, check in rows_with(plan, "scenario_control_plane_count", "single_node"):
        figures = (1,) if check.name == "single_node" else check.numbers("at_least") or check.numbers("counts")
        least = max(least, int(figures[0]))
        load = max(load, int(by_clusters(check, "nodes", plan)))
    return least, max(least, load)


def worker_count(plan: Plan) -> tuple[int, int]:
    """Return the minimum and the recommended number of workers.

    In a plan without workers, the rules for workers are only advice.
    """
    without = plan.model_copy(update={"nodes": plan.control_planes})
    least = max(
        (int(check.number("at_least")) for _row, check in rows_with(without, "scenario_worker_count")), default=0
    )
    usual = max(
        (int(check.number("at_least")) for _row, check in rows_with(with_a_worker(plan), "scenario_worker_count")),
        default=0,
    )
    load = max((workers_by_pods(check, plan) for _row, check in rows_with(plan, "workers_for_pods")), default=0)
    return least, max(least, usual, load)


def with_a_worker(plan: Plan) -> Plan:
    return plan.model_copy(update={"nodes": (*plan.nodes, Node(address="::", role="worker"))})


def sizes_of(plan: Plan, role: str) -> Iterator[tuple[Requirement, Size, Size]]:
    """Yield the rows with a size for this role, each with the minimum size and the recommended size.

    Both sizes include the part of the applications that one node runs.
    """
    count = (control_plane_count(plan) if role == "control-plane" else worker_count(plan))[0]
    share = share_of_node(plan, role, count if len(nodes_of(plan, role)) < count else 0)
    if role == "worker" and share != Size() and applications_on_workers(plan):
        yield catalogue(plan.effective_release)["CAP-SC-REC-WK"], Size(), share * (1 / (1 - reserve_share(plan)))
    for row, check in rows_with(plan, "machine_size"):
        if role not in row.roles and "all" not in row.roles:
            continue
        if only_advised(check, role):
            yield row, Size(), minimum(check, plan)
        else:
            added = share if "workload" in check.params else Size()
            better = advised(check)
            yield row, minimum(check, plan) + added, better + added if better != Size() else better


def applications_on_workers(plan: Plan) -> bool:
    """Return True if the workers run the applications, and have no other minimum size (CAP-SC-REC-WK)."""
    return application_size(plan) != Size() and plan.scenario == "single-cluster"


def nodes_of(plan: Plan, role: str) -> tuple[Node, ...]:
    return plan.workers if role == "worker" else plan.control_planes
