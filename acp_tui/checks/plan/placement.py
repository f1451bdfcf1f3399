"""Rules of what runs where: platform node isolation, monitoring and log nodes, products.

An exclusive node runs platform components alone; DaemonSets run there all the same.
"""

from collections.abc import Iterator, Sequence

from acp_tui.checks.finding import Finding, PlanSubject
from acp_tui.checks.plan.results import Findings, fail, held, listed, node_path, not_applicable, warn
from acp_tui.core.i18n import _
from acp_tui.plan.model import Node, Plan

REQUIRED_PRODUCTS = ("base", "acp")


def deciding_rule(plan: Plan, node: Node) -> str:
    """The rule that says whether applications run on `node`. XR-NOEXCL-CP alone leaves it to the operator."""
    kind = "CP" if node.role == "control-plane" else "WK"
    return f"XR-EXCL-{kind}" if plan.exclusive(node) else f"XR-NOEXCL-{kind}"


def exclusive_needs_isolation(subject: PlanSubject) -> Findings:
    """XR-EXCL-NEEDS-ISOLATION."""
    plan = subject.plan
    observed = _("{address} is Platform Exclusive, but platform node isolation is off")
    return held(
        (
            fail(observed.format(address=node.address), node_path(plan, node, "platform_exclusive"), "isolation")
            for node in plan.nodes
            if node.platform_exclusive and not plan.isolation
        ),
        _("isolation is on") if plan.isolation else _("no node is Platform Exclusive"),
    )


def exclusive_control_plane(subject: PlanSubject) -> Findings:
    """XR-EXCL-CP: no applications on an exclusive control plane node."""
    nodes = [node for node in subject.plan.control_planes if subject.plan.exclusive(node)]
    if not nodes:
        return not_applicable(_("no exclusive control plane node"))
    return held(_deployable_though_exclusive(subject.plan, nodes), _("no applications there"))


def exclusive_worker(subject: PlanSubject) -> Findings:
    """XR-EXCL-WK: no applications on an exclusive worker; the document cannot make a worker exclusive."""
    plan = subject.plan
    nodes = [node for node in plan.workers if plan.exclusive(node)]
    if not nodes:
        return not_applicable(_("no exclusive worker"))
    broken = tuple(_deployable_though_exclusive(plan, nodes))
    observed = _("{address}: the installer is given no exclusive workers; make it exclusive in the platform afterwards")
    return broken or tuple(
        warn(observed.format(address=node.address), node_path(plan, node, "platform_exclusive")) for node in nodes
    )


def open_worker(subject: PlanSubject) -> Findings:
    """XR-NOEXCL-WK: a worker that is not exclusive always takes applications."""
    plan = subject.plan
    nodes = [node for node in plan.workers if not plan.exclusive(node)]
    if not nodes:
        return not_applicable(_("no such worker"))
    observed = _("{address} is a worker, not exclusive, and may not run applications")
    return held(
        (
            fail(observed.format(address=node.address), node_path(plan, node, "deployable"))
            for node in nodes
            if node.deployable is False
        ),
        _("applications may run there"),
    )


def somewhere_for_applications(subject: PlanSubject) -> Findings:
    """XR-EXCL-SOMEWHERE: with isolation on, some node still takes applications."""
    plan = subject.plan
    if not plan.isolation:
        return not_applicable(_("isolation is off"))
    takers = [node.address for node in plan.nodes if plan.deployable(node)]
    if takers:
        return held((), listed(takers))
    return (fail(_("isolation is on and no node may run applications"), "isolation", "nodes"),)


def applications_have_a_place(subject: PlanSubject) -> Findings:
    """CAP-SC-MIN-WK, OQ-SC-APPS: without workers the control planes have to take the applications."""
    plan = subject.plan
    takers = [node.address for node in plan.nodes if plan.deployable(node)]
    if takers or not plan.nodes:
        return held((), listed(takers))
    paths = tuple(node_path(plan, node, "deployable") for node in plan.control_planes)
    return (warn(_("there is no worker, and no node may run applications"), *paths),)


def one_monitoring(subject: PlanSubject) -> Findings:
    """XR-MON-EXCLUSIVE: Prometheus or VictoriaMetrics, not both."""
    chosen = subject.plan.components
    if not chosen.prometheus_nodes and not chosen.victoriametrics_nodes:
        return not_applicable(_("no monitoring nodes"))
    if chosen.prometheus_nodes and chosen.victoriametrics_nodes:
        paths = ("components.prometheus_nodes", "components.victoriametrics_nodes")
        return (fail(_("nodes for both Prometheus and VictoriaMetrics"), *paths),)
    return held((), "Prometheus" if chosen.prometheus_nodes else "VictoriaMetrics")


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
    observed = _("{address} is no node of this plan")
    return held(
        (
            fail(observed.format(address=address), f"components.{group}[{index}]")
            for group, addresses in groups.items()
            for index, address in enumerate(addresses)
            if address not in known
        ),
        _("all of them are nodes of the plan"),
    )


def monitoring_agents(subject: PlanSubject) -> Findings:
    """XR-VM-AGENTS: VictoriaMetrics has at least one agent; 0 is raised to 1 in the installer's document."""
    chosen = subject.plan.components
    if not chosen.victoriametrics_nodes:
        return not_applicable(_("no VictoriaMetrics"))
    if chosen.victoriametrics_agents == 0:
        return (warn(_("0 agents asked for; the installer is given 1"), "components.victoriametrics_agents"),)
    return held((), str(chosen.victoriametrics_agents or 1))


def products_complete(subject: PlanSubject) -> Findings:
    """XR-PRODUCTS: base and acp are always installed."""
    given = subject.plan.components.products
    missing = [name for name in REQUIRED_PRODUCTS if name not in given]
    if missing:
        return (fail(_("missing: {names}").format(names=listed(missing)), "components.products"),)
    return held((), listed(given))


def _deployable_though_exclusive(plan: Plan, nodes: list[Node]) -> Iterator[Finding]:
    observed = _("{address} is Platform Exclusive and may run applications")
    for node in nodes:
        if node.deployable:
            paths = (node_path(plan, node, "deployable"), node_path(plan, node, "platform_exclusive"))
            yield fail(observed.format(address=node.address), *paths)
