"""Answers that the wizard can fill in at a key, from what is known: a free range, the only node's own address, an
interface that all nodes have. Nothing is answered by itself; an offer is shown, and taken or not.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from acp_tui.core.i18n import _
from acp_tui.nodes.facts import Facts, Interface
from acp_tui.plan.model import Plan
from acp_tui.ranges import interface_of, suggestion

_MADE_BY_SOFTWARE = re.compile(
    r"(lo|tun|tap|docker|podman|cni|nerdctl|br-|veth|virbr|cali|tunl|vxlan|flannel|ovn|ovs|genev|kube-|nodelocaldns|dummy)"
)
"""Interfaces that container networks and hypervisors make: none of them leads to the other nodes."""


@dataclass(frozen=True)
class Offer:
    value: str
    why: str


def offer(plan: Plan, facts: Mapping[str, Facts], path: str) -> Offer | None:
    """What could stand at `path`; None where nothing is known to be better than what stands there."""
    if path == "address.cluster_endpoint":
        own = plan.nodes[0].address if plan.single and plan.network.ip_family != "ipv6" else ""
        return Offer(own, _("the only node's own address")) if own not in ("", plan.address.cluster_endpoint) else None
    if path == "network.nic":
        names = common_interfaces(plan, facts)
        here = names.index(plan.network.nic) if plan.network.nic in names else -1
        others = [*names[here + 1 :], *names[: max(here, 0)]]
        return Offer(others[0], _("every node has it")) if others else None
    free = suggestion(plan, facts, path)
    return Offer(str(free), _("nothing that is known uses it")) if free is not None else None


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
    return tuple(i for i in (known and known.interfaces) or () if not _MADE_BY_SOFTWARE.match(i.nic))
