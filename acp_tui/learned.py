"""Answers that the nodes themselves have given: the interface behind each address, the IPv6 address in dual stack.

Only what is empty is filled; an answer of the operator's stands.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv6Address

from acp_tui.nodes.facts import Facts
from acp_tui.plan.model import Node, Plan


@dataclass(frozen=True)
class Learned:
    """What can be filled in for one node; None: nothing."""

    address: str
    nic: str | None = None
    ipv6: str | None = None
    further: tuple[str, ...] = ()
    """Other IPv6 addresses of this interface, any of which may be meant."""


def learned(plan: Plan, facts: Mapping[str, Facts]) -> tuple[Learned, ...]:
    """What the facts can fill in, for the nodes where there is something to fill.

    Interfaces are offered for Kube-OVN alone, and only where all nodes have the same: the installer's document has one
    name for all (OQ-NIC)."""
    nics = {address: _carrier(address, seen) for address, seen in facts.items()}
    own = {nics.get(node.address) for node in plan.nodes} | {node.nic for node in plan.nodes if node.nic}
    wanted = plan.network.cni == "kube-ovn" and not plan.network.nic and len(own) == 1 and None not in own
    found = []
    for node in plan.nodes:
        nic = nics.get(node.address)
        v6 = _ipv6(facts[node.address], nic) if nic and plan.network.ip_family == "dual" and not node.ipv6 else []
        own_nic = nic if wanted and not node.nic else None
        one = Learned(node.address, own_nic, v6[0] if v6 else None, tuple(v6[1:]))
        if one.nic or one.ipv6:
            found.append(one)
    return tuple(found)


def filled(plan: Plan, found: tuple[Learned, ...]) -> tuple[Node, ...]:
    """The plan's nodes with what was learned."""
    by_address = {one.address: one for one in found}
    return tuple(
        node.model_copy(update={"nic": node.nic or one.nic, "ipv6": node.ipv6 or one.ipv6})
        if (one := by_address.get(node.address))
        else node
        for node in plan.nodes
    )


def _carrier(address: str, facts: Facts) -> str | None:
    """The interface that has this address."""
    return next((one.nic for one in facts.interfaces or () if one.address == address), None)


def _ipv6(facts: Facts, nic: str) -> list[str]:
    addresses = [IPv6Address(one.address) for one in facts.interfaces or () if one.nic == nic and ":" in one.address]
    return [str(address) for address in addresses if not address.is_link_local]
