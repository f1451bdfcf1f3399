"""Check the size and number of nodes against the figures of the scenario and of the expected load.

The figures are in the catalogue rows. Memory is compared in decimal gigabytes, because MemTotal is always below the
nominal size (OQ-MEM-UNIT). A core is a logical CPU (OQ-CORES).
"""

import math

from acp_tui.checks.catalog import FunctionCheck
from acp_tui.checks.conditions import EvalContext, applies
from acp_tui.checks.finding import ClusterSubject, Finding, Findings, NodeSubject, PlanSubject, require_fact
from acp_tui.checks.sizing.size import Size, advised, minimum, only_advised
from acp_tui.checks.sizing.workload import added_size, reserve_share
from acp_tui.checks.verdict import Outcome
from acp_tui.core.i18n import _, ngettext, npgettext, pgettext
from acp_tui.core.units import gigabytes
from acp_tui.plan.model import Plan
from acp_tui.plan.sections.node import Node


def _machine(subject: NodeSubject, required: Size) -> Size:
    """Return the size of the node. If `required` has no cores or no memory, this part of the size is 0."""
    return Size(
        require_fact(subject.facts.cpu_count, "cpu_count") if required.cores else 0,
        gigabytes(require_fact(subject.facts.memory, "memory")) if required.memory else 0,
    )


def _shown(subject: NodeSubject, machine: Size) -> str:
    """Return the size as text. On bare metal with several threads per core, add the physical cores (OQ-CORES)."""
    threads = subject.facts.cpu_threads or 1
    if not machine.cores or subject.facts.virtual is not False or threads == 1:
        return str(machine)
    cores = int(machine.cores // threads)
    text = npgettext("size", "{machine} ({count} physical core)", "{machine} ({count} physical cores)", cores)
    return text.format(machine=machine, count=cores)


def workers_together(check: FunctionCheck, plan: Plan) -> Size:
    """CAP-MC-HGROW: return the required size of all workers together.

    It is a base size, increased by a share of the base size for every ten workload clusters. Below ten workload
    clusters, no size is required.
    """
    steps = plan.workload.clusters // int(check.number("every"))
    factor = 1 + check.number("share") * steps
    base = Size(check.number("cores"), check.number("memory"))
    return base * (check.number("workers") * factor) if steps else Size()


def workers_by_pods(check: FunctionCheck, plan: Plan) -> int:
    """CAP-SC-GROW: return the required number of workers, one for every 50 expected application Pods."""
    return math.ceil(plan.workload.pods / check.number("pods"))


def _scenario_has_size(subject: NodeSubject) -> bool:
    """Return True if a row of the scenario has a size for the role of this node."""
    context = EvalContext(subject.plan, subject.node, subject.facts)
    return any(
        isinstance(row.check, FunctionCheck)
        and row.check.name == "machine_size"
        and subject.node.role in row.roles
        and applies(row, context)
        for row in subject.rules.values()
    )


def machine_size(subject: NodeSubject) -> Finding:
    """HW-CPU-CORES, HW-MEM-SIZE, CAP-*-SIZE: a node must have the minimum size.

    Some rows add the size of the applications to that of the nodes that run them (CAP-SC-MIN-CP). The recommended size
    then includes the reserve of CAP-RESERVE-30. A node below the recommended size gives a warning. On ARM,
    HW-ARM-FACTOR checks the recommended size (OQ-ARM-REC).
    """
    if only_advised(subject.check, subject.node.role) and _scenario_has_size(subject):
        return Finding(Outcome.NOT_APPLICABLE, _("the scenario of the plan has its own sizes for the role of the node"))
    least, better = minimum(subject.check, subject.plan), advised(subject.check)
    added = added_size(subject.check, subject.plan, subject.node)
    if added != Size():
        least = least + added
        better = (better + added) | least * (1 / (1 - reserve_share(subject.plan)))
    if subject.facts.arch == "aarch64":
        better = Size()
    machine = _machine(subject, least | better)
    expected = pgettext("size", "at least {size}").format(size=least)
    if better != Size():
        expected = _("at least {size}; recommended: {advised}").format(size=least, advised=better)
    if not least.reached_by(machine):
        low = Outcome.WARN if only_advised(subject.check, subject.node.role) else Outcome.FAIL
        return Finding(low, _shown(subject, machine), expected=expected)
    return Finding(
        Outcome.PASS if better.reached_by(machine) else Outcome.WARN, _shown(subject, machine), expected=expected
    )


def arm_factor(subject: NodeSubject) -> Finding:
    """HW-ARM-FACTOR: an ARM node must have the minimum size for x86, multiplied by the factor of the row.

    If several rows have a minimum size for the node, the largest one counts.
    """
    context = EvalContext(subject.plan, subject.node, subject.facts)
    least = Size()
    for row in subject.rules.values():
        check = row.check
        if isinstance(check, FunctionCheck) and check.name == "machine_size" and row.scope == "node":
            roles_fit = "all" in row.roles or subject.node.role in row.roles
            if roles_fit and applies(row, context) and not only_advised(check, subject.node.role):
                least = least | minimum(check, subject.plan) + added_size(check, subject.plan, subject.node)
    if least == Size():
        return Finding(Outcome.NOT_APPLICABLE, _("the scenario of the plan sets no minimum size for workers"))
    machine = _machine(subject, least)
    floor, better = least * subject.check.number("floor"), least * subject.check.number("advised")
    expected = _("at least {size}; recommended: {advised}").format(size=floor, advised=better)
    if not floor.reached_by(machine):
        return Finding(Outcome.FAIL, _shown(subject, machine), expected=expected)
    return Finding(
        Outcome.PASS if better.reached_by(machine) else Outcome.WARN, _shown(subject, machine), expected=expected
    )


def capacity_for_clusters(subject: ClusterSubject) -> Findings:
    """CAP-MC-HGROW: all workers together must have the total size that the number of workload clusters requires.

    It is a base size, increased by a share of the base size for every ten workload clusters.
    """
    need = workers_together(subject.check, subject.plan)
    if need == Size():
        return (
            Finding(
                Outcome.NOT_APPLICABLE,
                _("for this number of workload clusters, the rule requires no total size of the workers"),
            ),
        )
    have = Size()
    for node in subject.plan.workers:
        facts = subject.facts.get(node.address)
        cores = require_fact(facts.cpu_count if facts else None, "cpu_count")
        memory = require_fact(facts.memory if facts else None, "memory")
        have = Size(have.cores + cores, have.memory + gigabytes(memory))
    outcome = Outcome.PASS if need.reached_by(have) else Outcome.WARN
    return (
        Finding(outcome, str(have), expected=_("all workers together must have at least {size}").format(size=need)),
    )


def _counted(nodes: tuple[Node, ...]) -> str:
    return npgettext("observed value", "{count} node", "{count} nodes", len(nodes)).format(count=len(nodes))


def scenario_control_plane_count(subject: PlanSubject) -> Findings:
    """CAP-SC-CP-COUNT, CAP-MC-CP-COUNT, HW-CP-COUNT: the plan must have an allowed number of control plane nodes.

    The row lists the allowed numbers, or gives the lowest one.
    """
    nodes = subject.plan.control_planes
    least = subject.check.numbers("at_least")
    ok = len(nodes) >= least[0] if least else len(nodes) in subject.check.numbers("counts")
    return (Finding(Outcome.PASS if ok else Outcome.FAIL, _counted(nodes), paths=() if ok else ("nodes", "scenario")),)


def scenario_worker_count(subject: PlanSubject) -> Findings:
    """CAP-SC-MIN-WK, CAP-MC-WK-COUNT: the plan must have at least as many workers as the row requires."""
    nodes = subject.plan.workers
    ok = len(nodes) >= subject.check.number("at_least")
    return (Finding(Outcome.PASS if ok else Outcome.FAIL, _counted(nodes), paths=() if ok else ("nodes", "scenario")),)


def single_node(subject: PlanSubject) -> Findings:
    """CAP-SN-NODES: the plan must have exactly one node."""
    ok = subject.plan.single
    paths = () if ok else ("nodes", "scenario")
    return (Finding(Outcome.PASS if ok else Outcome.FAIL, _counted(subject.plan.nodes), paths=paths),)


def workers_for_pods(subject: PlanSubject) -> Findings:
    """CAP-SC-GROW: the plan must have one worker for every 50 expected application Pods."""
    need = workers_by_pods(subject.check, subject.plan)
    have = len(subject.plan.workers)
    expected = ngettext("at least {count} worker", "at least {count} workers", need).format(count=need)
    outcome = Outcome.PASS if have >= need else Outcome.WARN
    paths = () if have >= need else ("nodes", "workload.pods")
    return (Finding(outcome, _counted(subject.plan.workers), expected=expected, paths=paths),)


def endpoint_given(subject: PlanSubject) -> Findings:
    """NETRES-VIP: the plan must have a cluster endpoint."""
    endpoint = subject.plan.address.cluster_endpoint
    if endpoint:
        return (Finding(Outcome.PASS, endpoint),)
    return (Finding(Outcome.FAIL, _("the plan has no cluster endpoint"), paths=("address.cluster_endpoint",)),)


def trusted_certificate(subject: PlanSubject) -> Findings:
    """NETRES-CERT: the plan must have a certificate that browsers trust."""
    if subject.plan.certificate.mode == "existing":
        return (Finding(Outcome.PASS, pgettext("certificate", "existing certificate")),)
    return (Finding(Outcome.WARN, pgettext("certificate", "self-signed"), paths=("certificate.mode",)),)


def hardware_load_balancer(subject: PlanSubject) -> Findings:
    """NETRES-SOFTLB: the cluster should have an external load balancer instead of keepalived."""
    if not subject.plan.address.self_built_vip:
        return (Finding(Outcome.PASS, _("the plan has no self-built VIP")),)
    observed = _("keepalived provides the VIP {address}").format(address=subject.plan.address.cluster_endpoint)
    return (Finding(Outcome.WARN, observed, paths=("address.self_built_vip",)),)
