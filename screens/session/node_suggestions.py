"""What the nodes step offers by itself: this host as installer node, and what the nodes have told of themselves."""

from collections.abc import Sequence
from dataclasses import dataclass

from acp_tui.checks.suggestions import filled, suggested_interfaces
from acp_tui.core.i18n import _, ngettext
from acp_tui.core.local_host import LocalAddress
from acp_tui.plan.model import Node, Plan
from acp_tui.plan.node_import.merge import ImportPreview
from screens.session.session import Session

_KEYS = "123456789"
_SHOWN = 6
"""Lines of what was learned; a hundred nodes are a page and no question."""


@dataclass(frozen=True)
class NodeSuggestion:
    key: str
    words: str
    short: str
    """For a place where not all of it has room."""
    nodes: tuple[Node, ...]
    """The plan's nodes, if it is taken."""


def found_offers(session: Session, own: Sequence[LocalAddress]) -> tuple[NodeSuggestion, ...]:
    """The one that is wanted most first."""
    plan = session.plan
    offers = []
    told = suggested_interfaces(plan, session.nodes.facts)
    nics, sixes = sum(one.nic is not None for one in told), sum(one.ipv6 is not None for one in told)
    if told:
        names = ngettext("interface of {count} node", "interfaces of {count} nodes", nics)
        addresses = ngettext("IPv6 address of {count} node", "IPv6 addresses of {count} nodes", sixes)
        counted = ((nics, names), (sixes, addresses))
        told_of = ", ".join(words.format(count=count) for count, words in counted if count)
        offers.append(NodeSuggestion("f", told_of, told_of, filled(plan, told)))
    here = [one for one in own if (":" in one.address) == (plan.network.ip_family == "ipv6")]
    installer = plan.installer_node
    if installer is None or installer.address not in {one.address for one in own}:
        # An address that is in the plan already is the one that is meant.
        known = [one for one in here if one.address in {node.address for node in plan.nodes}]
        for key, one in zip(_KEYS, known or here, strict=False):
            words = _("this host as installer node: {address} ({nic})").format(address=one.address, nic=one.nic)
            short = _("this host, {address}").format(address=one.address)
            offers.append(NodeSuggestion(key, words, short, with_installer(plan, one.address)))
    return tuple(sorted(offers, key=lambda offer: not plan.nodes and offer.key == "f"))


def found_text(session: Session) -> str:
    """What the nodes have told, a line a node."""
    told = suggested_interfaces(session.plan, session.nodes.facts)
    lines = []
    for one in told[:_SHOWN]:
        line = ", ".join(part for part in (one.nic, one.ipv6) if part)
        if one.further:
            line += " " + _("(or {others})").format(others=", ".join(one.further[:2]))
        lines.append(f"{one.address}: {line}")
    if len(told) > _SHOWN:
        more = len(told) - _SHOWN
        lines.append(ngettext("and {count} more node", "and {count} more nodes", more).format(count=more))
    return "\n".join(lines)


def with_installer(plan: Plan, address: str) -> tuple[Node, ...]:
    """The plan's nodes with this one as the first control plane node, where the installer runs (XR-INST-FIRST)."""
    there = next((node for node in plan.nodes if node.address == address), Node(address=address))
    others = [node for node in plan.nodes if node.address != address]
    first = there.model_copy(update={"role": "control-plane", "installer": None})
    return (first, *(node.model_copy(update={"installer": None}) if node.installer else node for node in others))


def take_into(session: Session, taking: ImportPreview) -> None:
    """Into the plan; the login first, so that no node is tried without it."""
    for name, value in taking.login.items():
        session.answer(f"ssh.{name}", value)
    if taking.imported:
        session.set_nodes((*session.plan.nodes, *taking.imported))
