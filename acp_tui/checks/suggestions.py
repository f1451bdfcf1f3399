"""Values that the facts suggest for empty or better answers: node interfaces, IPv6 addresses, free ranges."""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv6Address

from acp_tui.checks.subnets import interface_of, suggestion
from acp_tui.core.i18n import _
from acp_tui.core.virtual_interfaces import is_virtual_interface
from acp_tui.nodes.facts import Facts, Interface
from acp_tui.plan.model import Node, Plan


@dataclass(frozen=True)
class Suggestion:
    value: str
    why: str


def suggest(plan: Plan, facts: Mapping[str, Facts], path: str) -> Suggestion | None:
    """What could stand at `path`; None where nothing is known to be better than what stands there."""
    if path == "address.cluster_endpoint":
        own = plan.nodes[0].address if plan.single and plan.network.ip_family != "ipv6" else ""
        return (
            Suggestion(own, _("the only node's own address"))
            if own not in ("", plan.address.cluster_endpoint)
            else None
        )
    if path == "network.nic":
        names = common_interfaces(plan, facts)
        here = names.index(plan.network.nic) if plan.network.nic in names else -1
        others = [*names[here + 1 :], *names[: max(here, 0)]]
        return Suggestion(others[0], _("every node has it")) if others else None
    free = suggestion(plan, facts, path)
    return Suggestion(str(free), _("nothing that is known uses it")) if free is not None else None


def common_interfaces(plan: Plan, facts: Mapping[str, Facts]) -> tuple[str, ...]:
    """Interfaces that every node has, those that carry the nodes' own addresses first. (): not known of every node."""
    seen = [(node.address, _real(facts, node.address)) for node in plan.nodes]
    if not seen or any(not interfaces for _address, interfaces in seen):
        return ()
    names = [{i.nic for i in interfaces} for _address, interfaces in seen]
    owners = [owner.nic for address, interfaces in seen if (owner := interface_of(address, interfaces)) is not None]
    return tuple(sorted(set.intersection(*names), key=lambda nic: (-owners.count(nic), nic)))


def _real(facts: Mapping[str, Facts], address: str) -> tuple[Interface, ...]:
    known = facts.get(address)
    return tuple(i for i in (known and known.interfaces) or () if not is_virtual_interface(i.nic))


@dataclass(frozen=True)
class SuggestedInterface:
    """What can be filled in for one node; None: nothing."""

    address: str
    nic: str | None = None
    ipv6: str | None = None
    further: tuple[str, ...] = ()
    """Other IPv6 addresses of this interface, any of which may be meant."""


def suggested_interfaces(plan: Plan, facts: Mapping[str, Facts]) -> tuple[SuggestedInterface, ...]:
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
        one = SuggestedInterface(node.address, own_nic, v6[0] if v6 else None, tuple(v6[1:]))
        if one.nic or one.ipv6:
            found.append(one)
    return tuple(found)


def filled(plan: Plan, found: tuple[SuggestedInterface, ...]) -> tuple[Node, ...]:
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
