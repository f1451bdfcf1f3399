"""Plan rules for the address ranges of the cluster: Pod, Service and join range.

The ranges must not overlap each other, the nodes, or the range that the container runtime reserves. These rules use the
plan alone; `checks/cluster` checks the subnets and routes of the nodes. The fix of a finding names a free range.
"""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network, ip_address
from itertools import combinations

from acp_tui.checks.finding import Finding, Findings, PlanSubject
from acp_tui.checks.free_subnets import free_range_remedy, suggestions, with_room
from acp_tui.checks.plan.results import fail, findings_or_pass, format_list, not_applicable, passed, warn
from acp_tui.checks.subnets import meet, node_addresses, ranges
from acp_tui.checks.verdict import Outcome
from acp_tui.core.i18n import _, ngettext, pgettext
from acp_tui.plan.field_types import is_ip
from acp_tui.plan.model import Plan


def ranges_apart(subject: PlanSubject) -> Findings:
    """XR-CIDR-OVERLAP: in each IP family, the Pod, Service and join ranges must not overlap."""
    by_path = ranges(subject.plan)
    pairs = [
        (path, other_path) for path, other_path in combinations(by_path, 2) if meet(by_path[path], by_path[other_path])
    ]
    free = suggestions(subject.plan, subject.facts) if pairs else {}
    observed = pgettext("observed value", "the ranges {one} and {other} overlap")
    return findings_or_pass(
        (
            fail(
                observed.format(one=by_path[path], other=by_path[other_path]),
                path,
                other_path,
                remedy=free_range_remedy(free, path, other_path),
            )
            for path, other_path in pairs
        ),
        format_list(by_path.values()),
    )


def ranges_given(subject: PlanSubject) -> Findings:
    """XR-CIDR-SET, XR-DUAL-CIDR: the plan has every range. A missing range has a default, and a wrong one is rejected.

    The parameter `family` of the row selects the rule for the IPv6 ranges of a dual stack cluster.
    """
    if subject.check.params and subject.plan.network.ip_family != "dual":
        return not_applicable(_("the cluster is not dual stack"))
    of_family = {
        path: own for path, own in ranges(subject.plan).items() if path.endswith(subject.check.texts("family"))
    }
    return passed(format_list((of_family if subject.check.params else ranges(subject.plan)).values()))


def ranges_off_hosts(subject: PlanSubject) -> Findings:
    """XR-CIDR-HOST: the nodes, the VIP and the platform addresses must not be in a range of the cluster.

    A platform address in a range gives only a warning. With Calico, every address in a range gives only a warning.
    """
    plan = subject.plan
    worst = Outcome.FAIL if plan.network.cni == "kube-ovn" else Outcome.WARN
    hit = [
        (address, address_path, network, range_path)
        for address_path, address in _host_addresses(plan)
        for range_path, network in ranges(plan).items()
        if ip_address(address) in network
    ]
    if not hit and plan.network.cni != "kube-ovn":
        return not_applicable(_("the rule applies only with Kube-OVN"))
    free = suggestions(plan, subject.facts) if hit else {}
    observed = pgettext("observed value", "the address {address} is in the cluster's range {range}")
    return findings_or_pass(
        (
            Finding(
                worst if address_path.startswith(("nodes", "address.cluster_endpoint")) else Outcome.WARN,
                observed.format(address=address, range=network),
                remedy=free_range_remedy(free, range_path),
                paths=(range_path, address_path),
            )
            for address, address_path, network, range_path in hit
        ),
        _("no node address and no VIP is in a range of the cluster"),
    )


def ranges_off_reserved(subject: PlanSubject) -> Findings:
    """XR-CIDR-172: no range of the cluster may overlap the range that the container runtime reserves.

    The parameters `first` and `last` of the catalogue row are the first and last IPv4 address of the reserved range.
    """
    first, last = IPv4Address(subject.check.text("first")), IPv4Address(subject.check.text("last"))
    hit = [
        (path, network)
        for path, network in ranges(subject.plan).items()
        if isinstance(network, IPv4Network) and network.network_address <= last and network.broadcast_address >= first
    ]
    free = suggestions(subject.plan, subject.facts) if hit else {}
    observed = pgettext(
        "observed value", "the range {range} overlaps {first} to {last}, which the container runtime uses"
    )
    return findings_or_pass(
        (
            warn(observed.format(range=network, first=first, last=last), path, remedy=free_range_remedy(free, path))
            for path, network in hit
        ),
        _("no range of the cluster overlaps {first} to {last}, which the container runtime uses").format(
            first=first, last=last
        ),
    )


def room_for_pods(subject: PlanSubject) -> Findings:
    """P-CLUSTER-CIDR*: the Pod range must have enough addresses for the maximum number of Pods on all nodes.

    The parameter `family` of the catalogue row is the IP version, 4 or 6.
    """
    plan, path = subject.plan, f"network.cluster_cidr.{subject.check.text('family')}"
    network = ranges(plan).get(path)
    if network is None:
        return not_applicable(_("the cluster does not use the IP family that this rule checks"))
    if with_room(plan, path, network) == network:
        return passed(str(network))
    most = plan.kubernetes.max_pods_per_node
    needed = len(plan.nodes) * most
    observed = _(
        "the Pod range {range} has {count} addresses; with {most} Pods per node, {nodes} nodes need {needed} addresses"
    )
    numbers = {"count": network.num_addresses, "nodes": len(plan.nodes), "most": most, "needed": needed}
    remedy = free_range_remedy(suggestions(plan, subject.facts), path)
    return (warn(observed.format(range=network, **numbers), path, "kubernetes.max_pods_per_node", remedy=remedy),)


def services_fit(subject: PlanSubject) -> Findings:
    """P-SERVICE-CIDR*: the Service range must be large enough, and not larger than kube-apiserver accepts.

    Parameters of the catalogue row: `family` (IP version, 4 or 6), `least` (number of addresses for the platform's
    Services) and `most_bits` (maximum number of addresses, as a power of two).
    """
    path = f"network.service_cidr.{subject.check.text('family')}"
    network = ranges(subject.plan).get(path)
    if network is None:
        return not_applicable(_("the cluster does not use the IP family that this rule checks"))
    bits, least = network.max_prefixlen - network.prefixlen, subject.check.number("least")
    if bits > subject.check.number("most_bits"):
        longest = network.max_prefixlen - int(subject.check.number("most_bits"))
        observed = _("the Service range {range} is larger than /{prefix}, the limit of kube-apiserver")
        return (warn(observed.format(range=network, prefix=longest), path),)
    if network.num_addresses < least:
        count = network.num_addresses
        observed = ngettext(
            "the Service range {range} has only {count} address",
            "the Service range {range} has only {count} addresses",
            count,
        )
        return (warn(observed.format(range=network, count=count), path),)
    return passed(str(network))


def _host_addresses(plan: Plan) -> Iterator[tuple[str, str]]:
    """Yield (plan key, IP address) of nodes, endpoint and platform, each address once."""
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
