"""The resources of the applications (`workload` in the plan), and the nodes that run them."""

from acp_tui.checks.catalog import FunctionCheck, catalogue
from acp_tui.checks.conditions import EvalContext, applies
from acp_tui.checks.finding import ClusterSubject, Finding, Findings, PlanSubject, require_fact
from acp_tui.checks.sizing.size import Size, minimum, only_advised
from acp_tui.checks.verdict import Outcome
from acp_tui.core.i18n import _, ngettext
from acp_tui.core.units import gigabytes
from acp_tui.plan.model import Plan
from acp_tui.plan.sections.node import Node


def application_size(plan: Plan) -> Size:
    """Return the CPUs and memory that all applications together need; `Size()` if the plan does not say it."""
    return Size(plan.workload.cpu, plan.workload.memory)


def application_nodes(plan: Plan, role: str) -> tuple[Node, ...]:
    """Return the nodes of a role that run applications. If the plan allows applications on none of them, return all."""
    nodes = plan.workers if role == "worker" else plan.control_planes
    return tuple(node for node in nodes if plan.deployable(node)) or nodes


def share_of_node(plan: Plan, role: str, count: int = 0) -> Size:
    """Return the part of the applications that each of the nodes of a role runs.

    `count`: the number of nodes, if the plan has fewer.
    """
    return application_size(plan) * (1 / max(len(application_nodes(plan, role)), count, 1))


def added_size(check: FunctionCheck, plan: Plan, node: Node) -> Size:
    """Return the size that the row adds to a node for the applications; `Size()` if it adds nothing."""
    if "workload" not in check.params or application_size(plan) == Size():
        return Size()
    if not any(one is node for one in application_nodes(plan, node.role)):
        return Size()
    return share_of_node(plan, node.role)


def reserve_share(plan: Plan) -> float:
    """Return the share of the resources that should stay free (CAP-RESERVE-30); 0 if the rule does not apply."""
    row = catalogue(plan.effective_release)["CAP-RESERVE-30"]
    holds = isinstance(row.check, FunctionCheck) and applies(row, EvalContext(plan))
    return row.check.number("share") if holds and isinstance(row.check, FunctionCheck) else 0


def workers_hold_workload(subject: ClusterSubject) -> Findings:
    """CAP-SC-REC-WK: all workers that run applications must together have the size that the applications need."""
    need = application_size(subject.plan)
    if need == Size():
        return ()
    have = _together(subject, application_nodes(subject.plan, "worker"))
    if need.reached_by(have):
        return ()
    expected = _("all workers together must have at least {size} for the applications").format(size=need)
    paths = ("nodes", "workload.cpu", "workload.memory")
    return (Finding(Outcome.FAIL, str(have), expected=expected, paths=paths),)


def reserve_kept(subject: ClusterSubject) -> Findings:
    """CAP-RESERVE-30: the nodes that run applications should keep a share of their CPUs and memory free.

    If the plan does not contain the size of the applications, a person must confirm the reserve.
    """
    plan, load = subject.plan, application_size(subject.plan)
    if load == Size():
        observed = _("the plan does not contain the CPUs and memory that the applications need")
        return (Finding(Outcome.MANUAL, observed, paths=("workload.cpu", "workload.memory")),)
    nodes = application_nodes(plan, "worker" if plan.workers else "control-plane")
    need = load
    for node in nodes:
        need = need + _platform_size(plan, node)
    have, share = _together(subject, nodes), subject.check.number("share")
    wanted = Size(*(round(part / (1 - share), 6) for part in (need.cores, need.memory)))  # as in Size: 7 / 0.7 is 10
    outcome = Outcome.PASS if wanted.reached_by(have) else Outcome.WARN
    text = ngettext(
        "the {count} node that runs applications should have {size}",
        "the {count} nodes that run applications should together have {size}",
        len(nodes),
    )
    paths = () if outcome is Outcome.PASS else ("nodes", "workload.cpu", "workload.memory")
    return (Finding(outcome, str(have), text.format(count=len(nodes), size=wanted * 1), paths=paths),)


def pods_of_a_trial(subject: PlanSubject) -> Findings:
    """CAP-SN-LOAD: a single node should run at most the number of application Pods that the row contains."""
    pods, most = subject.plan.workload.pods, subject.check.number("pods")
    if not pods:
        return (Finding(Outcome.NOT_APPLICABLE, _("the plan expects no application Pods")),)
    observed = ngettext("the plan expects {count} Pod", "the plan expects {count} Pods", pods).format(count=pods)
    if pods > most:
        return (Finding(Outcome.WARN, observed, paths=("workload.pods", "scenario")),)
    return (Finding(Outcome.PASS, observed),)


def scenario_chosen(subject: PlanSubject) -> Findings:
    """CAP-SCENARIO: the plan always has one of the three scenarios."""
    return (Finding(Outcome.PASS, subject.plan.scenario),)


def _platform_size(plan: Plan, node: Node) -> Size:
    """Return the minimum size of a node for the platform, without applications."""
    size = Size()
    for row in catalogue(plan.effective_release).values():
        check = row.check
        if not isinstance(check, FunctionCheck) or check.name != "machine_size" or only_advised(check, node.role):
            continue
        if {"all", node.role} & set(row.roles) and applies(row, EvalContext(plan, node)):
            size = size | minimum(check, plan)
    return size


def _together(subject: ClusterSubject, nodes: tuple[Node, ...]) -> Size:
    """Return the total size of the nodes. An ARM machine counts less (HW-ARM-FACTOR)."""
    factors = catalogue(subject.plan.effective_release)["HW-ARM-FACTOR"].check
    floor = factors.number("floor") if isinstance(factors, FunctionCheck) else 1
    have = Size()
    for node in nodes:
        facts = subject.facts.get(node.address)
        cores = require_fact(facts.cpu_count if facts else None, "cpu_count")
        memory = gigabytes(require_fact(facts.memory if facts else None, "memory"))
        divisor = floor if facts and facts.arch == "aarch64" else 1
        have = have + Size(cores / divisor, memory / divisor)
    return have
