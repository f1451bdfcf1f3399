"""How big and how many: machines against the figures of their scenario, node counts, and the need that grows with load.

The figures are in the catalogue rows; memory is held against decimal gigabytes, because MemTotal is always below the
nominal size (OQ-MEM-UNIT). A core is a logical CPU (OQ-CORES).
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from acp_tui.checks.catalog import FunctionCheck
from acp_tui.checks.conditions import EvalContext, applies
from acp_tui.checks.finding import ClusterSubject, Finding, NodeSubject, PlanSubject, require_fact
from acp_tui.checks.verdict import Outcome
from acp_tui.core.i18n import _, ngettext
from acp_tui.core.units import gigabytes
from acp_tui.plan.model import Node, Plan


@dataclass(frozen=True)
class Size:
    """A machine: logical CPUs and decimal gigabytes. 0: nothing asked."""

    cores: float = 0
    memory: float = 0

    def __mul__(self, factor: float) -> "Size":
        # Rounded first: 7 / 0.7 is a little more than 10 in binary, and no machine of 11 cores is meant.
        return Size(*(math.ceil(round(part * factor, 6)) for part in (self.cores, self.memory)))

    def __or__(self, other: "Size") -> "Size":
        return Size(max(self.cores, other.cores), max(self.memory, other.memory))

    def reached_by(self, machine: "Size") -> bool:
        return machine.cores >= self.cores and machine.memory >= self.memory

    def __str__(self) -> str:
        parts = [_("{count} cores").format(count=f"{self.cores:g}")] if self.cores else []
        if self.memory:
            told = f"{self.memory:.3g}" if self.memory < 1000 else f"{self.memory:.0f}"
            parts.append(_("{count} GB").format(count=told))
        return ", ".join(parts)


def by_clusters(given: FunctionCheck, name: str, plan: Plan) -> float:
    """The row's figure `name`, 0 where it has none. A row with `clusters` has one for each span of workload clusters,
    of which the last one stands for all that is beyond."""
    spans, figures = given.numbers("clusters"), given.numbers(name)
    step = next((i for i, most in enumerate(spans) if plan.workload.clusters <= most), len(spans) - 1)
    return figures[max(step, 0)] if figures else 0


def minimum(given: FunctionCheck, plan: Plan) -> Size:
    """What the row asks of a machine at least."""
    return Size(by_clusters(given, "cores", plan), by_clusters(given, "memory", plan))


def advised(given: FunctionCheck) -> Size:
    return Size(*(next(iter(given.numbers(name)), 0) for name in ("cores_advised", "memory_advised")))


def _machine(s: NodeSubject, asked: Size) -> Size:
    """The node, as far as it is asked about."""
    return Size(
        require_fact(s.facts.cpu_count, "cpu_count") if asked.cores else 0,
        gigabytes(require_fact(s.facts.memory, "memory")) if asked.memory else 0,
    )


def _shown(s: NodeSubject, machine: Size) -> str:
    """The machine in words; on bare metal with the physical cores, where threads share them (OQ-CORES)."""
    threads = s.facts.cpu_threads or 1
    if not machine.cores or s.facts.virtual is not False or threads == 1:
        return str(machine)
    return _("{machine} ({count:g} physical cores)").format(machine=machine, count=machine.cores // threads)


def only_advised(given: FunctionCheck, role: str) -> bool:
    """The machine table is for control planes; for a worker it is advice (OQ-WK-MIN)."""
    return role in given.texts("advice_for")


def workers_together(given: FunctionCheck, plan: Plan) -> Size:
    """CAP-MC-HGROW: the base size of all workers and a share more for every ten workload clusters; nothing before."""
    steps = plan.workload.clusters // int(given.number("every"))
    factor = 1 + given.number("share") * steps
    base = Size(given.number("cores"), given.number("memory"))
    return base * (given.number("workers") * factor) if steps else Size()


def workers_by_pods(given: FunctionCheck, plan: Plan) -> int:
    """CAP-SC-GROW: a worker for every 50 application Pods that are expected."""
    return math.ceil(plan.workload.pods / given.number("pods"))


def _scenario_says(s: NodeSubject) -> bool:
    """Whether a row of the scenario gives a size for just this node's role."""
    situation = EvalContext(s.plan, s.node, s.facts)
    return any(
        isinstance(row.check, FunctionCheck) and row.check.name == "machine_size" and s.node.role in row.roles
        for row in s.rules.values()
        if applies(row, situation)
    )


def machine_size(s: NodeSubject) -> Finding:
    """HW-CPU-CORES, HW-MEM-SIZE, CAP-*-SIZE: below the minimum fails, below the recommended size warns. On ARM
    HW-ARM-FACTOR recommends another one (OQ-ARM-REC)."""
    if only_advised(s.given, s.node.role) and _scenario_says(s):
        return Finding(Outcome.NOT_APPLICABLE, _("the scenario gives the figures for this role"))
    least, better = minimum(s.given, s.plan), advised(s.given)
    if s.facts.arch == "aarch64":
        better = Size()
    machine = _machine(s, least | better)
    expected = _("at least {size}").format(size=least)
    if better != Size():
        expected = _("at least {size}, {advised} recommended").format(size=least, advised=better)
    if not least.reached_by(machine):
        low = Outcome.WARN if only_advised(s.given, s.node.role) else Outcome.FAIL
        return Finding(low, _shown(s, machine), expected)
    return Finding(Outcome.PASS if better.reached_by(machine) else Outcome.WARN, _shown(s, machine), expected)


def arm_factor(s: NodeSubject) -> Finding:
    """HW-ARM-FACTOR: the greatest x86 minimum that holds for this node, times the factors of the row."""
    situation = EvalContext(s.plan, s.node, s.facts)
    least = Size()
    for row in s.rules.values():
        check = row.check
        if isinstance(check, FunctionCheck) and check.name == "machine_size" and row.scope == "node":
            roles_fit = "all" in row.roles or s.node.role in row.roles
            if roles_fit and applies(row, situation) and not only_advised(check, s.node.role):
                least = least | minimum(check, s.plan)
    if least == Size():
        return Finding(Outcome.NOT_APPLICABLE, _("this scenario asks no size of a worker"))
    machine = _machine(s, least)
    floor, better = least * s.given.number("floor"), least * s.given.number("advised")
    expected = _("at least {size}, {advised} recommended").format(size=floor, advised=better)
    if not floor.reached_by(machine):
        return Finding(Outcome.FAIL, _shown(s, machine), expected)
    return Finding(Outcome.PASS if better.reached_by(machine) else Outcome.WARN, _shown(s, machine), expected)


def capacity_for_clusters(s: ClusterSubject) -> tuple[Finding, ...]:
    """CAP-MC-HGROW: the workers together, against the base size and a share more for every ten workload clusters."""
    need = workers_together(s.given, s.plan)
    if need == Size():
        return (Finding(Outcome.NOT_APPLICABLE, _("fewer workload clusters than the first step")),)
    have = Size()
    for node in s.plan.workers:
        facts = s.facts.get(node.address)
        cores = require_fact(facts.cpu_count if facts else None, "cpu_count")
        memory = require_fact(facts.memory if facts else None, "memory")
        have = Size(have.cores + cores, have.memory + gigabytes(memory))
    outcome = Outcome.PASS if need.reached_by(have) else Outcome.WARN
    return (Finding(outcome, str(have), _("{size} over all workers").format(size=need)),)


def _counted(nodes: tuple[Node, ...]) -> str:
    return ngettext("{count} node", "{count} nodes", len(nodes)).format(count=len(nodes))


def control_planes_counted(s: PlanSubject) -> tuple[Finding, ...]:
    """CAP-SC-CP-COUNT, CAP-MC-CP-COUNT, HW-CP-COUNT: as many control planes as the row allows."""
    nodes = s.plan.control_planes
    least = s.given.numbers("at_least")
    ok = len(nodes) >= least[0] if least else len(nodes) in s.given.numbers("counts")
    return (Finding(Outcome.PASS if ok else Outcome.FAIL, _counted(nodes), paths=() if ok else ("nodes", "scenario")),)


def workers_counted(s: PlanSubject) -> tuple[Finding, ...]:
    nodes = s.plan.workers
    ok = len(nodes) >= s.given.number("at_least")
    return (Finding(Outcome.PASS if ok else Outcome.FAIL, _counted(nodes), paths=() if ok else ("nodes", "scenario")),)


def one_node(s: PlanSubject) -> tuple[Finding, ...]:
    """CAP-SN-NODES: exactly one node."""
    ok = s.plan.single
    paths = () if ok else ("nodes", "scenario")
    return (Finding(Outcome.PASS if ok else Outcome.FAIL, _counted(s.plan.nodes), paths=paths),)


def workers_for_pods(s: PlanSubject) -> tuple[Finding, ...]:
    """CAP-SC-GROW: a worker for every 50 application Pods that are expected."""
    need = workers_by_pods(s.given, s.plan)
    have = len(s.plan.workers)
    expected = ngettext("{count} worker or more", "{count} workers or more", need).format(count=need)
    outcome = Outcome.PASS if have >= need else Outcome.WARN
    paths = () if have >= need else ("nodes", "workload.pods")
    return (Finding(outcome, _counted(s.plan.workers), expected, paths=paths),)


def endpoint_given(s: PlanSubject) -> tuple[Finding, ...]:
    """NETRES-VIP: there is an address for the API server that is no node's own."""
    endpoint = s.plan.address.cluster_endpoint
    if endpoint:
        return (Finding(Outcome.PASS, endpoint),)
    return (Finding(Outcome.FAIL, _("no cluster endpoint"), paths=("address.cluster_endpoint",)),)


def trusted_certificate(s: PlanSubject) -> tuple[Finding, ...]:
    """NETRES-CERT: a certificate that browsers trust."""
    if s.plan.certificate.mode == "existing":
        return (Finding(Outcome.PASS, _("your own certificate")),)
    return (Finding(Outcome.WARN, _("self-signed"), paths=("certificate.mode",)),)


def hardware_balancer(s: PlanSubject) -> tuple[Finding, ...]:
    """NETRES-SOFTLB: a load balancer rather than keepalived."""
    if not s.plan.address.self_built_vip:
        return (Finding(Outcome.PASS, _("no self-built VIP")),)
    observed = _("keepalived holds the VIP {address}").format(address=s.plan.address.cluster_endpoint)
    return (Finding(Outcome.WARN, observed, paths=("address.self_built_vip",)),)


SIZE_CHECKS: Mapping[str, Callable[[NodeSubject], Finding]] = {"machine_size": machine_size, "arm_factor": arm_factor}

SIZING_CHECKS: Mapping[str, Callable[[PlanSubject], tuple[Finding, ...]]] = {
    "control_planes_counted": control_planes_counted,
    "endpoint_given": endpoint_given,
    "hardware_balancer": hardware_balancer,
    "one_node": one_node,
    "trusted_certificate": trusted_certificate,
    "workers_counted": workers_counted,
    "workers_for_pods": workers_for_pods,
}
