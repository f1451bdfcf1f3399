"""Suggestions of the Nodes step: this host as installer node, and interfaces and IPv6 addresses read from nodes."""

from collections.abc import Sequence
from dataclasses import dataclass

from acp_tui.checks.suggestions import filled, suggested_interfaces
from acp_tui.core.i18n import _, ngettext, pgettext
from acp_tui.core.local_host import LocalAddress
from acp_tui.plan.model import Node, Plan
from acp_tui.plan.node_import.merge import ImportPreview
from screens.session.wizard_session import Session

_KEYS = "123456789"
_SHOWN = 6
"""Lines of suggestions: the values of a hundred nodes do not fit into a dialog."""


@dataclass(frozen=True)
class NodeSuggestion:
    key: str
    message: str
    short: str
    """For a narrow place."""
    nodes: tuple[Node, ...]
    """The plan's nodes after the suggestion is accepted."""


def node_suggestions(session: Session, own: Sequence[LocalAddress]) -> tuple[NodeSuggestion, ...]:
    """Return the suggestions, the most useful one first. `own`: addresses of this host."""
    plan = session.plan
    suggestions = []
    found = suggested_interfaces(plan, session.nodes.facts)
    if found:
        message = _interfaces_text(
            sum(one.nic is not None for one in found), sum(one.ipv6 is not None for one in found)
        )
        suggestions.append(NodeSuggestion(key="f", message=message, short=message, nodes=filled(plan, found)))
    here = [one for one in own if (":" in one.address) == (plan.network.ip_family == "ipv6")]
    installer = plan.installer_node
    if installer is None or installer.address not in {one.address for one in own}:
        # Of several addresses, the one that is already in the plan is meant.
        known = [one for one in here if one.address in {node.address for node in plan.nodes}]
        for key, one in zip(_KEYS, known or here, strict=False):
            suggestions.append(
                NodeSuggestion(
                    key=key,
                    message=_("this host as installer node: {address} ({nic})").format(
                        address=one.address, nic=one.nic
                    ),
                    short=pgettext("node", "this host, {address}").format(address=one.address),
                    nodes=with_installer(plan, one.address),
                )
            )
    return tuple(sorted(suggestions, key=lambda one: not plan.nodes and one.key == "f"))


def _interfaces_text(interfaces: int, addresses: int) -> str:
    """Return the counts of interfaces and IPv6 addresses that can be filled in; at least one is not 0."""
    parts = (
        (interfaces, ngettext("interface of {count} node", "interfaces of {count} nodes", interfaces)),
        (addresses, ngettext("IPv6 address of {count} node", "IPv6 addresses of {count} nodes", addresses)),
    )
    return ", ".join(message.format(count=count) for count, message in parts if count)


def suggested_values(session: Session) -> str:
    """Interfaces and IPv6 addresses read from the nodes, one node a line."""
    found = suggested_interfaces(session.plan, session.nodes.facts)
    lines = []
    for one in found[:_SHOWN]:
        values = ", ".join(part for part in (one.nic, one.ipv6) if part)
        if one.further:
            others = ", ".join(one.further[:2])
            lines.append(
                pgettext("node", "{node}: {values} (or {others})").format(
                    node=one.address, values=values, others=others
                )
            )
        else:
            lines.append(f"{one.address}: {values}")
    if len(found) > _SHOWN:
        more = len(found) - _SHOWN
        lines.append(ngettext("and {count} more node", "and {count} more nodes", more).format(count=more))
    return "\n".join(lines)


def with_installer(plan: Plan, address: str) -> tuple[Node, ...]:
    """Return the plan's nodes with this one as first control plane node, where the installer runs (XR-INST-FIRST)."""
    own = next((node for node in plan.nodes if node.address == address), Node(address=address))
    others = [node for node in plan.nodes if node.address != address]
    first = own.model_copy(update={"role": "control-plane", "installer": None})
    return (first, *(node.model_copy(update={"installer": None}) if node.installer else node for node in others))


def import_nodes(session: Session, preview: ImportPreview) -> None:
    """Add the nodes of an import to the plan; the login first, so that no node is checked without it."""
    for name, value in preview.login.items():
        session.answer(f"ssh.{name}", value)
    if preview.imported:
        session.set_nodes((*session.plan.nodes, *preview.imported))
