"""Suggestions of the Nodes step: this host as installer node, and interfaces and IPv6 addresses of the nodes."""

from collections.abc import Sequence
from dataclasses import dataclass

from acp_tui.checks.suggestions import filled, suggested_interfaces
from acp_tui.core.i18n import _, ngettext, pgettext
from acp_tui.core.local_host import LocalAddress
from acp_tui.plan.model import Plan
from acp_tui.plan.node_import.merge import ImportPreview
from acp_tui.plan.sections.node import Node
from screens.session.wizard_session import Session

_KEYS = "123456789"
_SHOWN = 6
"""Maximum number of lines with suggested values. A dialog has no space for a hundred nodes."""


@dataclass(frozen=True)
class NodeSuggestion:
    key: str
    message: str
    short: str
    """The message in a short form, for a place with few columns."""
    nodes: tuple[Node, ...]
    """The nodes of the plan after the operator has accepted this suggestion."""


def node_suggestions(session: Session, own: Sequence[LocalAddress]) -> tuple[NodeSuggestion, ...]:
    """Return the suggestions, the most useful one first. `own` has the addresses of this host."""
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
        # If this host has several addresses, suggest only those that are already in the plan.
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
    """Return a text with the numbers of interfaces and IPv6 addresses. One of the two can be 0."""
    parts = (
        (interfaces, ngettext("network interface of {count} node", "network interfaces of {count} nodes", interfaces)),
        (addresses, ngettext("IPv6 address of {count} node", "IPv6 addresses of {count} nodes", addresses)),
    )
    return ", ".join(message.format(count=count) for count, message in parts if count)


def suggested_values(session: Session) -> str:
    """Return the interfaces and IPv6 addresses that acp-tui read from the nodes, one node per line."""
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
        lines.append(
            ngettext("{count} more node is not shown", "{count} more nodes are not shown", more).format(count=more)
        )
    return "\n".join(lines)


def with_installer(plan: Plan, address: str) -> tuple[Node, ...]:
    """Return the plan's nodes with the node `address` first. The first node runs the installer (XR-INST-FIRST)."""
    own = next((node for node in plan.nodes if node.address == address), Node(address=address))
    others = [node for node in plan.nodes if node.address != address]
    first = own.model_copy(update={"role": "control-plane", "installer": None})
    return (first, *(node.model_copy(update={"installer": None}) if node.installer else node for node in others))


def import_nodes(session: Session, preview: ImportPreview) -> None:
    """Add an import to the plan: first the login, then the nodes, so that no node is checked without a login."""
    for name, value in preview.login.items():
        session.answer(f"ssh.{name}", value)
    if preview.imported:
        session.set_nodes((*session.plan.nodes, *preview.imported))
