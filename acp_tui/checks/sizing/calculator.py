"""Calculate the number and size of nodes that a plan requires, with the rule behind each figure.

The calculation is pure. All numbers come from the catalogue, like those of the checks in `requirements.py`.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from acp_tui.checks.catalog import Requirement, catalogue
from acp_tui.checks.labels import role_label
from acp_tui.checks.sizing.requirements import workers_by_pods, workers_together
from acp_tui.checks.sizing.rows import (
    applications_on_workers,
    control_plane_count,
    figures,
    nodes_of,
    rows_with,
    sizes_of,
    with_a_worker,
    worker_count,
)
from acp_tui.checks.sizing.size import Size
from acp_tui.checks.sizing.workload import application_size, reserve_share
from acp_tui.checks.verdict import Outcome
from acp_tui.core.i18n import _, ngettext, npgettext, pgettext
from acp_tui.core.units import gigabytes
from acp_tui.nodes.summary import NodeSummary
from acp_tui.plan.model import Plan
from acp_tui.plan.package_name import parse_name
from acp_tui.plan.sections.node import Node

Role = Literal["control-plane", "worker"]
_ROLES: tuple[Role, Role] = ("control-plane", "worker")


@dataclass(frozen=True)
class Need:
    """The required nodes of one role. An empty `Size` means that no size is required."""

    role: Role
    arm: bool
    """True if the sizes are for ARM machines."""
    count: int
    count_advised: int
    planned: int
    """The number of nodes of this role in the plan."""
    least: Size
    """The minimum size of each machine."""
    advised: Size
    together: Size
    """The size that all machines of the role must have together."""
    together_advised: Size
    observed_together: Size | None
    """The total size of the nodes of this role in the plan; None if the facts of at least one node are missing."""


@dataclass(frozen=True)
class Reason:
    """The ID of the requirement from which a figure comes, and the text that explains the figure."""

    requirement: str
    text: str


@dataclass(frozen=True)
class Fit:
    """A node of the plan compared with the required size.

    `outcome` is FAIL below the minimum size, WARN below the recommended size, and UNKNOWN without facts.
    """

    address: str
    role: Role
    machine: Size | None
    outcome: Outcome


@dataclass(frozen=True)
class Sizing:
    """The required nodes, the rules that require them, and the nodes of the plan compared with the required size."""

    needs: tuple[Need, ...]
    reasons: tuple[Reason, ...]
    fits: tuple[Fit, ...]


def sizing(plan: Plan, machines: Mapping[str, NodeSummary | None]) -> Sizing:
    """Calculate the sizing of `plan`. `machines`: the known sizes of its nodes, by address; None if unknown."""
    kinds = _kinds(plan, machines)
    counts = {"control-plane": control_plane_count(plan), "worker": worker_count(plan)}
    every = [_need(plan, role, arm, counts[role], machines) for role in _ROLES for arm in kinds]
    by_kind = {(need.role, need.arm): need for need in every}
    fits = tuple(_fit(node, machines.get(node.address), by_kind) for node in plan.nodes)
    needs = tuple(need for need in every if need.role == "control-plane" or need.count_advised or need.planned)
    return Sizing(needs, tuple(dict.fromkeys(_reasons(plan, needs))), fits)


def _kinds(plan: Plan, machines: Mapping[str, NodeSummary | None]) -> tuple[bool, ...]:
    """Return the processor architectures of the nodes; if they are unknown, that of the package.

    False means x86, and True means ARM.
    """
    kinds = {machine.arch == "aarch64" for machine in machines.values() if machine is not None and machine.arch}
    package = parse_name(plan.package.core or "")
    return tuple(sorted(kinds)) or (package is not None and package.arch == "arm",)


def _need(
    plan: Plan, role: Role, arm: bool, counts: tuple[int, int], machines: Mapping[str, NodeSummary | None]
) -> Need:
    least, better = Size(), Size()
    for _row, required, recommended in sizes_of(plan, role):
        least, better = least | required, better | recommended
    together = Size()
    if role == "worker":
        for _row, check in rows_with(plan, "capacity_for_clusters"):
            together = workers_together(check, plan)
        if plan.workers and applications_on_workers(plan):
            together = application_size(plan)
    reserve = reserve_share(plan)
    spare = 1 / (1 - reserve)
    if reserve and (better == Size() or application_size(plan) != Size()):
        better = better | least * spare
    if arm:
        [(_row, factors)] = rows_with(plan, "arm_factor")
        floor = factors.number("floor")
        if least != Size():
            least, better = least * floor, least * factors.number("advised")
        elif together != Size():
            better = better * floor
        together = together * floor
    nodes = nodes_of(plan, role)
    sizes = [_size(machines.get(node.address)) for node in nodes]
    known = [size for size in sizes if size is not None]
    total = Size(sum(size.cores for size in known), sum(size.memory for size in known))
    count, count_advised = counts
    return Need(
        role=role,
        arm=arm,
        count=count,
        count_advised=count_advised,
        planned=len(nodes),
        least=least,
        advised=better,
        together=together,
        together_advised=together * spare,
        observed_together=total if len(known) == len(nodes) else None,
    )


def _size(machine: NodeSummary | None) -> Size | None:
    if machine is None or machine.cpus is None or machine.memory is None:
        return None
    return Size(machine.cpus, gigabytes(machine.memory))


def _fit(node: Node, machine: NodeSummary | None, needs: Mapping[tuple[Role, bool], Need]) -> Fit:
    size = _size(machine)
    if machine is None or size is None or machine.arch is None:
        outcome = Outcome.UNKNOWN
    else:
        need = needs[node.role, machine.arch == "aarch64"]
        outcome = Outcome.PASS if need.advised.reached_by(size) else Outcome.WARN
        if not need.least.reached_by(size):
            outcome = Outcome.FAIL
    return Fit(address=node.address, role=node.role, machine=size, outcome=outcome)


def _reasons(plan: Plan, needs: tuple[Need, ...]) -> Iterator[Reason]:
    rules = catalogue(plan.effective_release)
    yield from _counted(plan, with_workers=any(need.role == "worker" for need in needs))
    for role in dict.fromkeys(need.role for need in needs):
        largest = Size()
        for row, required, recommended in sizes_of(plan, role):
            if largest | required | recommended != largest:
                yield _reason(row, f"{role_label(role)}: {_describe(required, recommended)}")
            largest = largest | required | recommended
    for need in needs:
        yield from _grown(plan, need)
    if any(need.arm for need in needs):
        yield _reason(rules["HW-ARM-FACTOR"], _(rules["HW-ARM-FACTOR"].title))
    for _row, check in rows_with(plan, "pods_of_a_trial"):
        if plan.workload.pods > check.number("pods"):
            text = _("the plan expects {pods} Pods; a single node supports at most {most} Pods")
            yield Reason("CAP-SN-LOAD", text.format(pods=plan.workload.pods, most=f"{check.number('pods'):g}"))
    growth = figures(plan, "CAP-MC-HGROW")
    if growth and plan.workload.clusters > growth.number("beyond"):
        yield _reason(rules["CAP-MC-HGROW"], _(rules["CAP-MC-HGROW"].title))
    if reserve_share(plan):
        reserve = rules["CAP-RESERVE-30"]
        yield _reason(reserve, _(reserve.title))


def _counted(plan: Plan, *, with_workers: bool) -> Iterator[Reason]:
    """Yield the rules that require a number of nodes.

    If several rules use the same check for control plane nodes, only the rule of the scenario is returned.
    """
    used = set()
    for row, check in rows_with(plan, "single_node", "scenario_control_plane_count"):
        if check.name not in used:
            yield _reason(row, _(row.title))
        used.add(check.name)
    if with_workers:
        for row, _check in rows_with(with_a_worker(plan), "scenario_worker_count"):
            yield _reason(row, _(row.title))
    for row, check in rows_with(plan, "workers_for_pods"):
        count = workers_by_pods(check, plan)
        text = npgettext("sizing", "{pods} Pods require {count} worker", "{pods} Pods require {count} workers", count)
        yield _reason(row, text.format(pods=plan.workload.pods, count=count))


def _grown(plan: Plan, need: Need) -> Iterator[Reason]:
    """Yield the CPU and memory that all workers together need for the workload clusters, then the possible machines."""
    if need.together == Size():
        return
    if applications_on_workers(plan):
        text = _("all workers together need {size} for the applications").format(size=need.together)
        yield _reason(catalogue(plan.effective_release)["CAP-SC-REC-WK"], text)
        return
    rules = catalogue(plan.effective_release)
    clusters = plan.workload.clusters
    text = ngettext(
        "for {count} workload cluster, all workers together need {size}",
        "for {count} workload clusters, all workers together need {size}",
        clusters,
    )
    yield _reason(rules["CAP-MC-HGROW"], text.format(count=clusters, size=need.together))
    steps = figures(plan, "CAP-MC-VGROW")
    if steps:
        ladder = [Size(*step) for step in zip(steps.numbers("cores"), steps.numbers("memory"), strict=True)]
        options = {_machines(need, step): step for step in reversed(ladder) if need.least.reached_by(step)}
        machines = "; ".join(f"{count} × {step}" for count, step in options.items())
        text = _("all workers together need {size}. Each of these combinations is enough: {machines}").format(
            size=need.together, machines=machines
        )
        yield Reason("CAP-MC-VGROW", text)


def _machines(need: Need, step: Size) -> int:
    """Return how many machines of the size `step` are necessary for the required total size."""
    parts = ((need.together.cores, step.cores), (need.together.memory, step.memory))
    return max(need.count, *(math.ceil(total / each) for total, each in parts))


def _describe(required: Size, recommended: Size) -> str:
    if required == Size():
        return pgettext("size", "recommended: {size}").format(size=recommended)
    if recommended == Size():
        return pgettext("size", "at least {size}").format(size=required)
    return _("at least {size}; recommended: {advised}").format(size=required, advised=recommended)


def _reason(row: Requirement, text: str) -> Reason:
    return Reason(row.id, f"{text}. {_(row.why)}" if row.why else text)
