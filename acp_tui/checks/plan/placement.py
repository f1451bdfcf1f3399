"""Plan rules for the placement of applications, monitoring, logs and products on the nodes.

A node that is Platform Exclusive runs only platform components and DaemonSets, and no applications.
"""

from collections.abc import Iterator, Sequence

from acp_tui.checks.finding import Finding, Findings, PlanSubject
from acp_tui.checks.plan.results import fail, findings_or_pass, format_list, manual, node_path, not_applicable, warn
from acp_tui.core.i18n import _, pgettext
from acp_tui.plan.model import Plan
from acp_tui.plan.sections.node import Node

REQUIRED_PRODUCTS = ("base", "acp")


def deciding_rule(plan: Plan, node: Node) -> str:
    """Return the ID of the rule that decides whether applications may run on `node`.

    The rule XR-NOEXCL-CP leaves the decision to the operator.
    """
    kind = "CP" if node.role == "control-plane" else "WK"
    return f"XR-EXCL-{kind}" if plan.exclusive(node) else f"XR-NOEXCL-{kind}"


def exclusive_needs_isolation(subject: PlanSubject) -> Findings:
    """XR-EXCL-NEEDS-ISOLATION: if a node is Platform Exclusive, platform node isolation must be enabled."""
    plan = subject.plan
    observed = _("the node {address} is Platform Exclusive, but platform node isolation is disabled")
    return findings_or_pass(
        (
            fail(observed.format(address=node.address), node_path(plan, node, "platform_exclusive"), "isolation")
            for node in plan.nodes
            if node.platform_exclusive and not plan.isolation
        ),
        _("platform node isolation is enabled") if plan.isolation else _("no node is Platform Exclusive"),
    )


def exclusive_control_plane(subject: PlanSubject) -> Findings:
    """XR-EXCL-CP: the plan must not allow applications on a Platform Exclusive control plane node."""
    nodes = [node for node in subject.plan.control_planes if subject.plan.exclusive(node)]
    if not nodes:
        return not_applicable(_("no control plane node is Platform Exclusive"))
    return findings_or_pass(
        _exclusive_but_deployable(subject.plan, nodes),
        _("the plan allows no applications on Platform Exclusive control plane nodes"),
    )


def exclusive_worker(subject: PlanSubject) -> Findings:
    """XR-EXCL-WK: the plan must not allow applications on a Platform Exclusive worker.

    The installer cannot make a worker Platform Exclusive, so the rule warns about every such worker.
    """
    plan = subject.plan
    nodes = [node for node in plan.workers if plan.exclusive(node)]
    if not nodes:
        return not_applicable(_("no worker is Platform Exclusive"))
    broken = tuple(_exclusive_but_deployable(plan, nodes))
    observed = _(
        "the installer cannot make the worker {address} Platform Exclusive; do this in the platform after the install"
    )
    return broken or tuple(
        warn(observed.format(address=node.address), node_path(plan, node, "platform_exclusive")) for node in nodes
    )


def open_worker(subject: PlanSubject) -> Findings:
    """XR-NOEXCL-WK: the plan must allow applications on every worker that is not Platform Exclusive."""
    plan = subject.plan
    nodes = [node for node in plan.workers if not plan.exclusive(node)]
    if not nodes:
        return not_applicable(_("all workers are Platform Exclusive"))
    observed = _("the worker {address} is not Platform Exclusive, but the plan does not allow applications on it")
    return findings_or_pass(
        (
            fail(observed.format(address=node.address), node_path(plan, node, "deployable"))
            for node in nodes
            if node.deployable is False
        ),
        _("the plan allows applications on every worker that is not Platform Exclusive"),
    )


def some_node_for_applications(subject: PlanSubject) -> Findings:
    """XR-EXCL-SOMEWHERE: with platform node isolation, the plan must allow applications on at least one node."""
    plan = subject.plan
    if not plan.isolation:
        return not_applicable(_("platform node isolation is disabled"))
    deployable = [node.address for node in plan.nodes if plan.deployable(node)]
    if deployable:
        return findings_or_pass((), format_list(deployable))
    return (
        fail(_("platform node isolation is enabled, but no node is allowed to run applications"), "isolation", "nodes"),
    )


def applications_have_a_node(subject: PlanSubject) -> Findings:
    """CAP-SC-MIN-WK, OQ-SC-APPS: without workers, the plan must allow applications on a control plane node."""
    plan = subject.plan
    deployable = [node.address for node in plan.nodes if plan.deployable(node)]
    if deployable or not plan.nodes:
        return findings_or_pass((), format_list(deployable))
    paths = tuple(node_path(plan, node, "deployable") for node in plan.control_planes)
    return (warn(_("the plan has no workers, and no control plane node is allowed to run applications"), *paths),)


def applications_on_workers(subject: PlanSubject) -> Findings:
    """CAP-SC-ISOLATE: in a plan with workers, applications should run only on the workers."""
    plan = subject.plan
    if not plan.workers:
        return not_applicable(_("the plan has no workers, so applications run on control plane nodes"))
    observed = _("the plan has workers, but also allows applications on the control plane node {address}")
    return findings_or_pass(
        (
            warn(observed.format(address=node.address), node_path(plan, node, "deployable"))
            for node in plan.control_planes
            if plan.deployable(node)
        ),
        _("the plan allows applications only on workers"),
    )


def critical_components_apart(subject: PlanSubject) -> Findings:
    """CAP-MC-CRITICAL: critical platform components should have their own workers. Only a person can confirm this."""
    if subject.plan.isolation:
        return findings_or_pass((), _("platform node isolation is enabled"))
    return manual(_("Do critical platform components have their own workers? Platform node isolation is disabled."))


def one_monitoring(subject: PlanSubject) -> Findings:
    """XR-MON-EXCLUSIVE: the plan must not have both Prometheus and VictoriaMetrics."""
    chosen = subject.plan.components
    if not chosen.prometheus_nodes and not chosen.victoriametrics_nodes:
        return not_applicable(_("the plan has no monitoring nodes"))
    if chosen.prometheus_nodes and chosen.victoriametrics_nodes:
        paths = ("components.prometheus_nodes", "components.victoriametrics_nodes")
        return (fail(_("the plan has nodes for both Prometheus and VictoriaMetrics"), *paths),)
    return findings_or_pass((), "Prometheus" if chosen.prometheus_nodes else "VictoriaMetrics")


def component_nodes_known(subject: PlanSubject) -> Findings:
    """XR-MON-NODES: monitoring and log nodes must be nodes of the plan."""
    chosen = subject.plan.components
    groups: dict[str, Sequence[str]] = {
        "prometheus_nodes": chosen.prometheus_nodes,
        "victoriametrics_nodes": chosen.victoriametrics_nodes,
        "elasticsearch_nodes": chosen.elasticsearch_nodes,
    }
    if not any(groups.values()):
        return not_applicable(_("the plan has no monitoring nodes and no log nodes"))
    known = {node.address for node in subject.plan.nodes}
    observed = _("{address} is a monitoring or log node, but not a node of the plan")
    return findings_or_pass(
        (
            fail(observed.format(address=address), f"components.{group}[{index}]")
            for group, addresses in groups.items()
            for index, address in enumerate(addresses)
            if address not in known
        ),
        _("all monitoring and log nodes are nodes of the plan"),
    )


def monitoring_agents(subject: PlanSubject) -> Findings:
    """XR-VM-AGENTS: VictoriaMetrics must have at least 1 agent. If the plan has 0 agents, the install creates 1."""
    chosen = subject.plan.components
    if not chosen.victoriametrics_nodes:
        return not_applicable(pgettext("observed value", "the plan does not use VictoriaMetrics"))
    if chosen.victoriametrics_agents == 0:
        return (
            warn(
                _("the plan has 0 VictoriaMetrics agents, but at least 1 is required; the install creates 1 agent"),
                "components.victoriametrics_agents",
            ),
        )
    return findings_or_pass((), str(chosen.victoriametrics_agents or 1))


def products_complete(subject: PlanSubject) -> Findings:
    """XR-PRODUCTS: the products must include base and acp, which the installer always installs."""
    chosen = subject.plan.components.products
    missing = [name for name in REQUIRED_PRODUCTS if name not in chosen]
    if missing:
        return (
            fail(
                pgettext("observed value", "required products are missing: {names}").format(names=format_list(missing)),
                "components.products",
            ),
        )
    return findings_or_pass((), format_list(chosen))


def _exclusive_but_deployable(plan: Plan, nodes: list[Node]) -> Iterator[Finding]:
    observed = _("the node {address} is Platform Exclusive, but the plan allows applications on it")
    for node in nodes:
        if node.deployable:
            paths = (node_path(plan, node, "deployable"), node_path(plan, node, "platform_exclusive"))
            yield fail(observed.format(address=node.address), *paths)
