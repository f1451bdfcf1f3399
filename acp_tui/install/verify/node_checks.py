"""Checks of the installed nodes: each node of the plan is Ready, and the cluster module is healthy."""

from collections.abc import Iterator, Sequence

from acp_tui.checks.catalog import Requirement
from acp_tui.checks.finding import Finding
from acp_tui.checks.release_traits import release_traits
from acp_tui.checks.verdict import Outcome
from acp_tui.core.i18n import _, ngettext
from acp_tui.install.verify.context import VerifyContext
from acp_tui.install.verify.facts import Installed
from acp_tui.plan.sections.node import Node

_HEALTHY_MODULE = frozenset(
    {"running", "healthy", "ready", "completed", "complete", "success", "succeeded", "active", "available", "normal"}
)
BAD_WORDS = ("fail", "error", "unhealthy", "abnormal", "degraded")


def check_nodes(row: Requirement, context: VerifyContext) -> Iterator[Finding]:
    """Check INS-VERIFY-43: every node must be Ready, and the cluster module, if any, must be healthy."""
    known = context.installed.nodes
    if known is None:
        yield Finding(Outcome.UNKNOWN, context.installed.missing.get("nodes", ""))
    else:
        ready = 0
        for node in context.plan.nodes:
            problem = node_problem(node, context.installed)
            ready += not problem
            if problem:
                yield Finding(Outcome.FAIL, problem, _("the node must be Ready in the cluster"), node=node.address)
            elif name := _cordoned(node, context.installed):
                observed = _("{name} is Ready, but cordoned: it accepts no new Pods (SchedulingDisabled)").format(
                    name=name
                )
                yield Finding(Outcome.WARN, observed, remedy=f"kubectl uncordon {name}", node=node.address)
        others = len(known) - sum(is_in_cluster(node, context.installed) for node in context.plan.nodes)
        if ready == len(context.plan.nodes):
            observed = ngettext("{count} node is Ready", "{count} nodes are Ready", ready).format(count=ready)
            if others > 0:
                observed = _("{ready}. Number of cluster nodes that are not in the plan: {others}").format(
                    ready=observed, others=others
                )
            yield Finding(Outcome.PASS, observed)
    if release_traits(context.plan.effective_release).cluster_module:
        yield _module(context.installed)


def _module(installed: Installed) -> Finding:
    expected = _("clustermodule global must be in a healthy phase")
    if installed.module is None:
        return Finding(Outcome.UNKNOWN, f"clustermodule global: {installed.missing.get('module', '')}", expected)
    if not installed.module:
        return Finding(Outcome.UNKNOWN, _("clustermodule global reports no phase"), expected)
    observed = f"clustermodule global: {installed.module}"
    phase = installed.module.lower()
    if phase in _HEALTHY_MODULE:
        return Finding(Outcome.PASS, observed, expected)
    if any(bad in phase for bad in BAD_WORDS):
        return Finding(Outcome.FAIL, observed, expected)
    return Finding(Outcome.UNKNOWN, _("{observed}; this phase is not documented").format(observed=observed), expected)


def _cordoned(node: Node, installed: Installed) -> str:
    """Return the name of a node in the cluster if the node is cordoned, else ""."""
    found = (one.name for one in installed.nodes or () if one.cordoned and is_node(node, one.name, one.addresses))
    return next(found, "")


def node_problem(node: Node, installed: Installed) -> str:
    """Return the reason why a node of the plan is not Ready in the cluster; "" if it is Ready."""
    for one in installed.nodes or ():
        if is_node(node, one.name, one.addresses):
            if one.ready:
                return ""
            return _("{name} is not Ready: {reason}").format(
                name=one.name, reason=one.reason or _("the cluster reports no reason")
            )
    return _("the node is not in the cluster")


def is_in_cluster(node: Node, installed: Installed) -> bool:
    return any(is_node(node, one.name, one.addresses) for one in installed.nodes or ())


def is_node(node: Node, name: str, addresses: Sequence[str]) -> bool:
    own = {node.address, node.ipv6 or node.address}
    return name in own or bool(own & set(addresses))
