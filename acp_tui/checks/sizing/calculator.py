"""How many machines of what size a plan wants, with the rule behind each figure, and how the real ones compare.

Pure. Every number is one of the catalogue's rows, the same that `checks/sizing.py` judges by.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

from acp_tui.checks.catalog import FunctionCheck, Informational, Requirement, catalogue
from acp_tui.checks.conditions import EvalContext, applies
from acp_tui.checks.labels import role_label
from acp_tui.checks.sizing.requirements import (
    Size,
    advised,
    by_clusters,
    minimum,
    only_advised,
    workers_by_pods,
    workers_together,
)
from acp_tui.checks.verdict import Outcome
from acp_tui.core.i18n import _, ngettext
from acp_tui.core.units import gigabytes
from acp_tui.nodes.summary import NodeSummary
from acp_tui.plan.model import Node, Plan
from acp_tui.plan.package_name import parse_name

Role = Literal["control-plane", "worker"]
_ROLES: tuple[Role, Role] = ("control-plane", "worker")


@dataclass(frozen=True)
class Need:
    """What is wanted of one role. A size of nothing: no figure is asked for."""

    role: Role
    arm: bool
    """The sizes are for ARM machines."""
    count: int
    count_advised: int
    planned: int
    """Nodes of this role in the plan."""
    least: Size
    """Of each machine."""
    advised: Size
    together: Size
    """Of all machines of the role."""
    together_advised: Size
    seen_together: Size | None
    """What the nodes of this role have; None where one of them was not seen."""


@dataclass(frozen=True)
class Reason:
    """Where a figure comes from."""

    requirement: str
    text: str


@dataclass(frozen=True)
class Fit:
    """A node of the plan against what is wanted. `outcome`: FAIL below the least, WARN below the advised size, UNKNOWN
    where nobody has looked yet."""

    address: str
    role: Role
    machine: Size | None
    outcome: Outcome


@dataclass(frozen=True)
class Sizing:
    needs: tuple[Need, ...]
    reasons: tuple[Reason, ...]
    fits: tuple[Fit, ...]


def sizing(plan: Plan, machines: Mapping[str, NodeSummary | None]) -> Sizing:
    """`machines`: what is known of the plan's nodes, by address; a node that is missing there was not seen."""
    kinds = _kinds(plan, machines)
    counts = {"control-plane": _control_planes(plan), "worker": _workers(plan)}
    every = [_need(plan, role, arm, counts[role], machines) for role in _ROLES for arm in kinds]
    wanted = {(need.role, need.arm): need for need in every}
    fits = tuple(_fit(node, machines.get(node.address), wanted) for node in plan.nodes)
    needs = tuple(need for need in every if need.role == "control-plane" or need.count_advised or need.planned)
    return Sizing(needs, tuple(dict.fromkeys(_reasons(plan, needs))), fits)


def _kinds(plan: Plan, machines: Mapping[str, NodeSummary | None]) -> tuple[bool, ...]:
    """False for x86, True for ARM: what the nodes are, else what the package is for."""
    seen = {machine.arch == "aarch64" for machine in machines.values() if machine is not None and machine.arch}
    package = parse_name(plan.package.core or "")
    return tuple(sorted(seen)) or (package is not None and package.arch == "arm",)


def _named(plan: Plan, *names: str) -> Iterator[tuple[Requirement, FunctionCheck]]:
    """Rows that hold for the plan and are judged by one of these functions; the scenarios' own before the general."""
    for row, check in _judged_by(plan.effective_release, names):
        if applies(row, EvalContext(plan)) is not False:
            yield row, check


@cache
def _judged_by(release: str, names: tuple[str, ...]) -> tuple[tuple[Requirement, FunctionCheck], ...]:
    rows = sorted(catalogue(release).values(), key=lambda row: not row.id.startswith("CAP-"))
    return tuple((row, row.check) for row in rows if isinstance(row.check, FunctionCheck) and row.check.name in names)


def _figures(plan: Plan, name: str) -> Informational | None:
    """The row of this ID, where it only states figures and holds for the plan."""
    row = catalogue(plan.effective_release)[name]
    holds = isinstance(row.check, Informational) and row.check.params and applies(row, EvalContext(plan))
    return row.check if holds and isinstance(row.check, Informational) else None


def _control_planes(plan: Plan) -> tuple[int, int]:
    """How many at least, and how many for the load."""
    least = load = 0
    for _row, check in _named(plan, "control_planes_counted", "one_node"):
        figures = (1,) if check.name == "one_node" else check.numbers("at_least") or check.numbers("counts")
        least = max(least, int(figures[0]))
        load = max(load, int(by_clusters(check, "nodes", plan)))
    return least, max(least, load)


def _workers(plan: Plan) -> tuple[int, int]:
    """Rules of a plan with workers are advice to one that may have none."""
    without = plan.model_copy(update={"nodes": plan.control_planes})
    least = max((int(check.number("at_least")) for _row, check in _named(without, "workers_counted")), default=0)
    usual = max(
        (int(check.number("at_least")) for _row, check in _named(_with_a_worker(plan), "workers_counted")), default=0
    )
    load = max((workers_by_pods(check, plan) for _row, check in _named(plan, "workers_for_pods")), default=0)
    return least, max(least, usual, load)


def _with_a_worker(plan: Plan) -> Plan:
    return plan.model_copy(update={"nodes": (*plan.nodes, Node(address="::", role="worker"))})


def _need(
    plan: Plan, role: Role, arm: bool, counts: tuple[int, int], machines: Mapping[str, NodeSummary | None]
) -> Need:
    least, better = Size(), Size()
    for _row, asked, recommended in _sizes(plan, role):
        least, better = least | asked, better | recommended
    together = Size()
    if role == "worker":
        for _row, check in _named(plan, "capacity_for_clusters"):
            together = workers_together(check, plan)
    reserve = _figures(plan, "CAP-RESERVE-30")
    spare = 1 / (1 - reserve.number("share")) if reserve else 1
    if better == Size() and reserve:
        better = least * spare
    if arm and least != Size():
        [(_row, factors)] = _named(plan, "arm_factor")
        least, better = least * factors.number("floor"), least * factors.number("advised")
        together = together * factors.number("floor")
    nodes = [node for node in plan.nodes if node.role == role]
    sizes = [_size(machines.get(node.address)) for node in nodes]
    known = [size for size in sizes if size is not None]
    seen = Size(sum(size.cores for size in known), sum(size.memory for size in known))
    seen_together = seen if len(known) == len(nodes) else None
    return Need(role, arm, *counts, len(nodes), least, better, together, together * spare, seen_together)


def _sizes(plan: Plan, role: str) -> Iterator[tuple[Requirement, Size, Size]]:
    """The rows that size a machine of this role, with what each asks at least and what it recommends."""
    for row, check in _named(plan, "machine_size"):
        if role not in row.roles and "all" not in row.roles:
            continue
        if only_advised(check, role):
            yield row, Size(), minimum(check, plan)
        else:
            yield row, minimum(check, plan), advised(check)


def _size(machine: NodeSummary | None) -> Size | None:
    if machine is None or machine.cpus is None or machine.memory is None:
        return None
    return Size(machine.cpus, gigabytes(machine.memory))


def _fit(node: Node, machine: NodeSummary | None, wanted: Mapping[tuple[Role, bool], Need]) -> Fit:
    size = _size(machine)
    if machine is None or size is None or machine.arch is None:
        return Fit(node.address, node.role, size, Outcome.UNKNOWN)
    need = wanted[node.role, machine.arch == "aarch64"]
    if not need.least.reached_by(size):
        return Fit(node.address, node.role, size, Outcome.FAIL)
    enough = need.advised.reached_by(size)
    return Fit(node.address, node.role, size, Outcome.PASS if enough else Outcome.WARN)


def _reasons(plan: Plan, needs: tuple[Need, ...]) -> Iterator[Reason]:
    rules = catalogue(plan.effective_release)
    yield from _counted(plan, with_workers=any(need.role == "worker" for need in needs))
    for role in dict.fromkeys(need.role for need in needs):
        sum_of = Size()
        for row, asked, recommended in _sizes(plan, role):
            if sum_of | asked | recommended != sum_of:
                told = _("{role}: {size}").format(role=role_label(role), size=_sized(asked, recommended))
                yield _because(row, told)
            sum_of = sum_of | asked | recommended
    for need in needs:
        yield from _grown(plan, need)
    if any(need.arm for need in needs):
        yield _because(rules["HW-ARM-FACTOR"], _(rules["HW-ARM-FACTOR"].title))
    load = _figures(plan, "CAP-SN-LOAD")
    if load and plan.workload.pods > load.number("pods"):
        told = _("{pods} Pods are expected, and a single node carries {most}")
        yield Reason("CAP-SN-LOAD", told.format(pods=plan.workload.pods, most=f"{load.number('pods'):g}"))
    growth = _figures(plan, "CAP-MC-HGROW")
    if growth and plan.workload.clusters > growth.number("beyond"):
        yield _because(rules["CAP-MC-HGROW"], _(rules["CAP-MC-HGROW"].title))
    if _figures(plan, "CAP-RESERVE-30"):
        yield _because(rules["CAP-RESERVE-30"], _(rules["CAP-RESERVE-30"].title))


def _counted(plan: Plan, *, with_workers: bool) -> Iterator[Reason]:
    """Why so many nodes; of rules that say the same the scenario's own."""
    told = set()
    for row, check in _named(plan, "one_node", "control_planes_counted"):
        if check.name not in told:
            yield _because(row, _(row.title))
        told.add(check.name)
    if with_workers:
        for row, _check in _named(_with_a_worker(plan), "workers_counted"):
            yield _because(row, _(row.title))
    for row, check in _named(plan, "workers_for_pods"):
        count = workers_by_pods(check, plan)
        words = ngettext("{pods} Pods: {count} worker", "{pods} Pods: {count} workers", count)
        yield _because(row, words.format(pods=plan.workload.pods, count=count))


def _grown(plan: Plan, need: Need) -> Iterator[Reason]:
    """What the workload clusters add to the workers, and with which machines of the manual's steps it is reached."""
    if need.together == Size():
        return
    rules = catalogue(plan.effective_release)
    told = _("{count} workload clusters: {size} over all workers")
    yield _because(rules["CAP-MC-HGROW"], told.format(count=plan.workload.clusters, size=need.together))
    steps = _figures(plan, "CAP-MC-VGROW")
    if steps:
        ladder = [Size(*step) for step in zip(steps.numbers("cores"), steps.numbers("memory"), strict=True)]
        ways = {_machines(need, step): step for step in reversed(ladder) if need.least.reached_by(step)}
        listed = _(" or ").join(f"{count} × {step}" for count, step in ways.items())
        yield Reason("CAP-MC-VGROW", _("{size} are reached by {ways}").format(size=need.together, ways=listed))


def _machines(need: Need, step: Size) -> int:
    """How many machines of this size reach what is wanted of all together."""
    parts = ((need.together.cores, step.cores), (need.together.memory, step.memory))
    return max(need.count, *(math.ceil(whole / each) for whole, each in parts))


def _sized(asked: Size, recommended: Size) -> str:
    if asked == Size():
        return _("{size} recommended").format(size=recommended)
    if recommended == Size():
        return _("at least {size}").format(size=asked)
    return _("at least {size}, {advised} recommended").format(size=asked, advised=recommended)


def _because(row: Requirement, told: str) -> Reason:
    return Reason(row.id, f"{told}. {_(row.why)}" if row.why else told)
