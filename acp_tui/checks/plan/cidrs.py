"""Rules of the address ranges: they may not meet each other, the nodes, or what the container runtime keeps for itself.

Only what the answers alone can show; the nodes' own prefixes and routes are facts and are judged with them. Where a
range has to go, one that is free with all that is known is named.
"""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network, ip_address
from itertools import combinations

from acp_tui.checks.finding import Finding, PlanSubject
from acp_tui.checks.plan.results import Findings, fail, held, listed, not_applicable, passed, warn
from acp_tui.checks.subnets import free_range_remedy, meet, node_addresses, ranges, suggestions, with_room
from acp_tui.checks.verdict import Outcome
from acp_tui.core.i18n import _
from acp_tui.plan.field_types import is_ip
from acp_tui.plan.model import Plan


def ranges_apart(subject: PlanSubject) -> Findings:
    """XR-CIDR-OVERLAP: Pod, Service and join ranges do not overlap, in each family."""
    found = ranges(subject.plan)
    pairs = [(one, other) for one, other in combinations(found, 2) if meet(found[one], found[other])]
    instead = suggestions(subject.plan, subject.facts) if pairs else {}
    observed = _("{one} and {other} overlap")
    return held(
        (
            fail(
                observed.format(one=found[one], other=found[other]),
                one,
                other,
                remedy=free_range_remedy(instead, one, other),
            )
            for one, other in pairs
        ),
        listed(found.values()),
    )


def ranges_off_hosts(subject: PlanSubject) -> Findings:
    """XR-CIDR-HOST: no node and no VIP lies in a range of the cluster, and no other address of the platform (warning).
    With Calico no rule, but still a warning."""
    plan = subject.plan
    worst = Outcome.FAIL if plan.network.cni == "kube-ovn" else Outcome.WARN
    hit = [
        (address, address_path, network, range_path)
        for address_path, address in _host_addresses(plan)
        for range_path, network in ranges(plan).items()
        if ip_address(address) in network
    ]
    if not hit and plan.network.cni != "kube-ovn":
        return not_applicable(_("only with Kube-OVN"))
    instead = suggestions(plan, subject.facts) if hit else {}
    observed = _("{address} lies in {range}")
    return held(
        (
            Finding(
                worst if address_path.startswith(("nodes", "address.cluster_endpoint")) else Outcome.WARN,
                observed.format(address=address, range=network),
                remedy=free_range_remedy(instead, range_path),
                paths=(range_path, address_path),
            )
            for address, address_path, network, range_path in hit
        ),
        _("no node address and no VIP in these ranges"),
    )


def ranges_off_reserved(subject: PlanSubject) -> Findings:
    """XR-CIDR-172: not in the block that the container runtime uses. Row: `first`, `last` (IPv4 addresses)."""
    first, last = IPv4Address(subject.given.text("first")), IPv4Address(subject.given.text("last"))
    hit = [
        (path, network)
        for path, network in ranges(subject.plan).items()
        if isinstance(network, IPv4Network) and network.network_address <= last and network.broadcast_address >= first
    ]
    instead = suggestions(subject.plan, subject.facts) if hit else {}
    observed = _("{range} meets {first} to {last}")
    return held(
        (
            warn(observed.format(range=network, first=first, last=last), path, remedy=free_range_remedy(instead, path))
            for path, network in hit
        ),
        _("none of them between {first} and {last}").format(first=first, last=last),
    )


def room_for_pods(subject: PlanSubject) -> Findings:
    """P-CLUSTER-CIDR*: as many addresses as there may be Pods on all nodes. Row: `family`."""
    plan, path = subject.plan, f"network.cluster_cidr.{subject.given.text('family')}"
    network = ranges(plan).get(path)
    if network is None:
        return not_applicable(_("not of the cluster's family"))
    if with_room(plan, path, network) == network:
        return passed(str(network))
    most = plan.kubernetes.max_pods_per_node
    needed = len(plan.nodes) * most
    observed = _("{range} has {count} addresses; {nodes} nodes with {most} Pods each need {needed}")
    numbers = {"count": network.num_addresses, "nodes": len(plan.nodes), "most": most, "needed": needed}
    remedy = free_range_remedy(suggestions(plan, subject.facts), path)
    return (warn(observed.format(range=network, **numbers), path, "kubernetes.max_pods_per_node", remedy=remedy),)


def services_fit(subject: PlanSubject) -> Findings:
    """P-SERVICE-CIDR*: neither too small for a platform's Services nor larger than kube-apiserver takes. Row: `family`,
    `least` (addresses), `most_bits` (addresses, as a power of two)."""
    path = f"network.service_cidr.{subject.given.text('family')}"
    network = ranges(subject.plan).get(path)
    if network is None:
        return not_applicable(_("not of the cluster's family"))
    bits, least = network.max_prefixlen - network.prefixlen, subject.given.number("least")
    if bits > subject.given.number("most_bits"):
        longest = network.max_prefixlen - int(subject.given.number("most_bits"))
        observed = _("{range} is larger than the /{prefix} that kube-apiserver takes")
        return (warn(observed.format(range=network, prefix=longest), path),)
    if network.num_addresses < least:
        observed = _("{range} has only {count} addresses").format(range=network, count=network.num_addresses)
        return (warn(observed, path),)
    return passed(str(network))


def _host_addresses(plan: Plan) -> Iterator[tuple[str, str]]:
    """Plan path and address, each address once."""
    address = plan.address
    named = [
        (f"nodes[{index}].{field}", own)
        for index, node in enumerate(plan.nodes)
        for field, own in node_addresses(plan, node)
    ]
    named += [("address.cluster_endpoint", address.cluster_endpoint), ("address.platform", address.platform or "")]
    named += [(f"address.others[{index}]", other) for index, other in enumerate(address.others)]
    first = {host: path for path, host in reversed(named) if is_ip(host)}
    yield from ((path, host) for path, host in named if first.get(host) == path)
