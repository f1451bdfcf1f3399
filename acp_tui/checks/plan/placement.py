"""Plan rules of placement: platform node isolation, monitoring and log nodes, products.

An exclusive node runs only platform components, and DaemonSets.
"""

from collections.abc import Iterator, Sequence

from acp_tui.checks.finding import Finding, Findings, PlanSubject
from acp_tui.checks.plan.results import fail, findings_or_pass, format_list, node_path, not_applicable, warn
from acp_tui.core.i18n import _, pgettext
from acp_tui.plan.model import Node, Plan

REQUIRED_PRODUCTS = ("base", "acp")


def deciding_rule(plan: Plan, node: Node) -> str:
    """Return the ID of the rule that decides whether applications run on `node`; XR-NOEXCL-CP: the operator decides."""
    kind = "CP" if node.role == "control-plane" else "WK"
    return f"XR-EXCL-{kind}" if plan.exclusive(node) else f"XR-NOEXCL-{kind}"


def exclusive_needs_isolation(subject: PlanSubject) -> Findings:
    """XR-EXCL-NEEDS-ISOLATION: Platform Exclusive nodes need platform node isolation."""
    plan = subject.plan
    observed = _("{address} is Platform Exclusive; platform node isolation is disabled")
    return findings_or_pass(
        (
            fail(observed.format(address=node.address), node_path(plan, node, "platform_exclusive"), "isolation")
            for node in plan.nodes
            if node.platform_exclusive and not plan.isolation
        ),
        _("isolation is enabled") if plan.isolation else _("no node is Platform Exclusive"),
    )


def exclusive_control_plane(subject: PlanSubject) -> Findings:
    """XR-EXCL-CP: no applications on an exclusive control plane node."""
    nodes = [node for node in subject.plan.control_planes if subject.plan.exclusive(node)]
    if not nodes:
        return not_applicable(_("no exclusive control plane node"))
    return findings_or_pass(_exclusive_but_deployable(subject.plan, nodes), _("no applications on these nodes"))


def exclusive_worker(subject: PlanSubject) -> Findings:
    """XR-EXCL-WK: no applications on an exclusive worker; the configuration cannot make a worker exclusive."""
    plan = subject.plan
    nodes = [node for node in plan.workers if plan.exclusive(node)]
    if not nodes:
        return not_applicable(_("no exclusive worker"))
    broken = tuple(_exclusive_but_deployable(plan, nodes))
    observed = _(
        "{address}: the installer does not support exclusive workers; set it in the platform after the install"
    )
    return broken or tuple(
        warn(observed.format(address=node.address), node_path(plan, node, "platform_exclusive")) for node in nodes
    )


def open_worker(subject: PlanSubject) -> Findings:
    """XR-NOEXCL-WK: a worker that is not exclusive always runs applications."""
    plan = subject.plan
    nodes = [node for node in plan.workers if not plan.exclusive(node)]
    if not nodes:
        return not_applicable(_("no worker without Platform Exclusive"))
    observed = _("{address}: a worker that is not exclusive must run applications")
    return findings_or_pass(
        (
            fail(observed.format(address=node.address), node_path(plan, node, "deployable"))
            for node in nodes
            if node.deployable is False
        ),
        _("applications may run on these workers"),
    )


def some_node_for_applications(subject: PlanSubject) -> Findings:
    """XR-EXCL-SOMEWHERE: with isolation, one node or more still runs applications."""
    plan = subject.plan
    if not plan.isolation:
        return not_applicable(_("isolation is disabled"))
    deployable = [node.address for node in plan.nodes if plan.deployable(node)]
    if deployable:
        return findings_or_pass((), format_list(deployable))
    return (fail(_("isolation is enabled and no node may run applications"), "isolation", "nodes"),)


def applications_have_a_node(subject: PlanSubject) -> Findings:
    """CAP-SC-MIN-WK, OQ-SC-APPS: without workers, control plane nodes must run the applications."""
    plan = subject.plan
    deployable = [node.address for node in plan.nodes if plan.deployable(node)]
    if deployable or not plan.nodes:
        return findings_or_pass((), format_list(deployable))
    paths = tuple(node_path(plan, node, "deployable") for node in plan.control_planes)
    return (warn(_("no workers, and no node may run applications"), *paths),)


def one_monitoring(subject: PlanSubject) -> Findings:
    """XR-MON-EXCLUSIVE: Prometheus or VictoriaMetrics, not both."""
    chosen = subject.plan.components
    if not chosen.prometheus_nodes and not chosen.victoriametrics_nodes:
        return not_applicable(_("no monitoring nodes"))
    if chosen.prometheus_nodes and chosen.victoriametrics_nodes:
        paths = ("components.prometheus_nodes", "components.victoriametrics_nodes")
        return (fail(_("nodes for both Prometheus and VictoriaMetrics"), *paths),)
    return findings_or_pass((), "Prometheus" if chosen.prometheus_nodes else "VictoriaMetrics")


def component_nodes_known(subject: PlanSubject) -> Findings:
    """XR-MON-NODES: monitoring and log nodes are nodes of the plan."""
    chosen = subject.plan.components
    groups: dict[str, Sequence[str]] = {
        "prometheus_nodes": chosen.prometheus_nodes,
        "victoriametrics_nodes": chosen.victoriametrics_nodes,
        "elasticsearch_nodes": chosen.elasticsearch_nodes,
    }
    if not any(groups.values()):
        return not_applicable(_("no monitoring or log nodes"))
    known = {node.address for node in subject.plan.nodes}
    observed = _("{address} is not a node of this plan")
    return findings_or_pass(
        (
            fail(observed.format(address=address), f"components.{group}[{index}]")
            for group, addresses in groups.items()
            for index, address in enumerate(addresses)
            if address not in known
        ),
        _("all are nodes of the plan"),
    )


def monitoring_agents(subject: PlanSubject) -> Findings:
    """XR-VM-AGENTS: VictoriaMetrics has 1 agent or more; acp-tui writes 1 instead of 0 into the configuration."""
    chosen = subject.plan.components
    if not chosen.victoriametrics_nodes:
        return not_applicable(pgettext("observed value", "no VictoriaMetrics"))
    if chosen.victoriametrics_agents == 0:
        return (warn(_("0 agents; acp-tui sends 1 to the installer"), "components.victoriametrics_agents"),)
    return findings_or_pass((), str(chosen.victoriametrics_agents or 1))


def products_complete(subject: PlanSubject) -> Findings:
    """XR-PRODUCTS: base and acp are always installed."""
    chosen = subject.plan.components.products
    missing = [name for name in REQUIRED_PRODUCTS if name not in chosen]
    if missing:
        return (
            fail(
                pgettext("observed value", "missing: {names}").format(names=format_list(missing)), "components.products"
            ),
        )
    return findings_or_pass((), format_list(chosen))


def _exclusive_but_deployable(plan: Plan, nodes: list[Node]) -> Iterator[Finding]:
    observed = _("{address} is Platform Exclusive and may run applications")
    for node in nodes:
        if node.deployable:
            paths = (node_path(plan, node, "deployable"), node_path(plan, node, "platform_exclusive"))
            yield fail(observed.format(address=node.address), *paths)
