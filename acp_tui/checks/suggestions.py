"""Use the facts of the nodes to suggest values for the plan: node interfaces, IPv6 addresses, free ranges."""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv6Address

from acp_tui.checks.free_subnets import suggestion
from acp_tui.checks.subnets import interface_of
from acp_tui.core.i18n import _
from acp_tui.core.virtual_interfaces import is_virtual_interface
from acp_tui.nodes.fact_types import Interface
from acp_tui.nodes.facts import Facts
from acp_tui.plan.model import Plan
from acp_tui.plan.sections.node import Node


@dataclass(frozen=True)
class Suggestion:
    """A suggested value, and the reason for it."""

    value: str
    reason: str


def suggest(plan: Plan, facts: Mapping[str, Facts], path: str) -> Suggestion | None:
    """Return a suggestion for the plan key `path`; None if no better value is known."""
    if path == "address.cluster_endpoint":
        own = plan.nodes[0].address if plan.single and plan.network.ip_family != "ipv6" else ""
        return (
            Suggestion(own, _("the address of the only node"))
            if own not in ("", plan.address.cluster_endpoint)
            else None
        )
    if path == "network.nic":
        names = common_interfaces(plan, facts)
        here = names.index(plan.network.nic) if plan.network.nic in names else -1
        others = [*names[here + 1 :], *names[: max(here, 0)]]
        return Suggestion(others[0], _("this interface is present on every node")) if others else None
    free = suggestion(plan, facts, path)
    return Suggestion(str(free), _("no known network uses this range")) if free is not None else None


def common_interfaces(plan: Plan, facts: Mapping[str, Facts]) -> tuple[str, ...]:
    """Return the interfaces that every node has; () if facts are missing.

    The interfaces with the plan addresses of the nodes come first.
    """
    by_node = [(node.address, _real(facts, node.address)) for node in plan.nodes]
    if not by_node or any(not interfaces for _address, interfaces in by_node):
        return ()
    names = [{i.nic for i in interfaces} for _address, interfaces in by_node]
    owners = [owner.nic for address, interfaces in by_node if (owner := interface_of(address, interfaces)) is not None]
    return tuple(sorted(set.intersection(*names), key=lambda nic: (-owners.count(nic), nic)))


def _real(facts: Mapping[str, Facts], address: str) -> tuple[Interface, ...]:
    known = facts.get(address)
    return tuple(i for i in (known and known.interfaces) or () if not is_virtual_interface(i.nic))


@dataclass(frozen=True)
class SuggestedInterface:
    """The suggested values for one node. A value without a suggestion is None."""

    address: str
    nic: str | None = None
    ipv6: str | None = None
    further: tuple[str, ...] = ()
    """Other IPv6 addresses of the interface, which can be used instead of `ipv6`."""


def suggested_interfaces(plan: Plan, facts: Mapping[str, Facts]) -> tuple[SuggestedInterface, ...]:
    """Return suggestions for each node whose interface or IPv6 address is missing in the plan.

    Interfaces are suggested only for Kube-OVN, and only if one interface name is right for all nodes. The installer's
    configuration has only one name for all nodes (OQ-NIC).
    """
    nics = {address: _interface_with(address, known) for address, known in facts.items()}
    own = {nics.get(node.address) for node in plan.nodes} | {node.nic for node in plan.nodes if node.nic}
    fill_nic = plan.network.cni == "kube-ovn" and not plan.network.nic and len(own) == 1 and None not in own
    suggested = []
    for node in plan.nodes:
        nic = nics.get(node.address)
        v6 = _ipv6(facts[node.address], nic) if nic and plan.network.ip_family == "dual" and not node.ipv6 else []
        own_nic = nic if fill_nic and not node.nic else None
        interface = SuggestedInterface(
            address=node.address, nic=own_nic, ipv6=v6[0] if v6 else None, further=tuple(v6[1:])
        )
        if interface.nic or interface.ipv6:
            suggested.append(interface)
    return tuple(suggested)


def filled(plan: Plan, suggested: tuple[SuggestedInterface, ...]) -> tuple[Node, ...]:
    """Return the nodes of the plan. Values that a node does not have are filled in from `suggested`."""
    by_address = {interface.address: interface for interface in suggested}
    return tuple(
        node.model_copy(update={"nic": node.nic or interface.nic, "ipv6": node.ipv6 or interface.ipv6})
        if (interface := by_address.get(node.address))
        else node
        for node in plan.nodes
    )


def _interface_with(address: str, facts: Facts) -> str | None:
    """Return the name of the interface that has `address`; None if no interface has it."""
    return next((interface.nic for interface in facts.interfaces or () if interface.address == address), None)


def _ipv6(facts: Facts, nic: str) -> list[str]:
    addresses = [
        IPv6Address(interface.address)
        for interface in facts.interfaces or ()
        if interface.nic == nic and ":" in interface.address
    ]
    return [str(address) for address in addresses if not address.is_link_local]
