"""Rules of the address ranges: they may not meet each other, the nodes, or what the container runtime keeps for itself.

Only what the answers alone can show; the nodes' own prefixes and routes are facts and are judged with them.
"""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_address, ip_network
from itertools import combinations

from acp_tui.checks.finding import Finding, PlanSubject
from acp_tui.checks.plan.outcomes import Findings, fail, held, listed, not_applicable, warn
from acp_tui.inputs import is_ip
from acp_tui.plan import ClusterCidr, JoinCidr, Plan, ServiceCidr
from acp_tui.texts import _
from acp_tui.verdict import Outcome

Network = IPv4Network | IPv6Network
Pair = ClusterCidr | ServiceCidr | JoinCidr


def ranges(plan: Plan) -> dict[str, Network]:
    """The ranges in force by plan path: of the chosen families, the join range with Kube-OVN alone."""
    network = plan.network
    named: dict[str, Pair] = {"cluster_cidr": network.cluster_cidr, "service_cidr": network.service_cidr}
    if network.cni == "kube-ovn":
        named["join_cidr"] = network.join_cidr
    found: dict[str, Network] = {}
    for name, pair in named.items():
        if network.ip_family != "ipv6":
            found[f"network.{name}.ipv4"] = ip_network(pair.ipv4)
        if network.ip_family != "ipv4":
            found[f"network.{name}.ipv6"] = ip_network(pair.ipv6)
    return found


def ranges_apart(subject: PlanSubject) -> Findings:
    """XR-CIDR-OVERLAP: Pod, Service and join ranges do not overlap, in each family."""
    found = ranges(subject.plan)
    observed = _("{one} and {other} overlap")
    return held(
        (
            fail(observed.format(one=one, other=other), one_path, other_path)
            for (one_path, one), (other_path, other) in combinations(found.items(), 2)
            if overlap(one, other)
        ),
        listed(found.values()),
    )


def ranges_off_hosts(subject: PlanSubject) -> Findings:
    """XR-CIDR-HOST: no node and no VIP lies in a range of the cluster. With Calico no rule, but still a warning."""
    plan = subject.plan
    outcome = Outcome.FAIL if plan.network.cni == "kube-ovn" else Outcome.WARN
    observed = _("{address} lies in {range}")
    findings = [
        Finding(outcome, observed.format(address=address, range=network), paths=(range_path, address_path))
        for address_path, address in _host_addresses(plan)
        for range_path, network in ranges(plan).items()
        if ip_address(address) in network
    ]
    if not findings and plan.network.cni != "kube-ovn":
        return not_applicable(_("only with Kube-OVN"))
    return held(findings, _("no node address and no VIP in these ranges"))


def ranges_off_reserved(subject: PlanSubject) -> Findings:
    """XR-CIDR-172: not in the block that the container runtime uses. Row: `first`, `last` (IPv4 addresses)."""
    first, last = IPv4Address(subject.given.word("first")), IPv4Address(subject.given.word("last"))
    observed = _("{range} meets {first} to {last}")
    return held(
        (
            warn(observed.format(range=network, first=first, last=last), path)
            for path, network in ranges(subject.plan).items()
            if isinstance(network, IPv4Network)
            and network.network_address <= last
            and network.broadcast_address >= first
        ),
        _("none of them between {first} and {last}").format(first=first, last=last),
    )


def overlap(one: Network, other: Network) -> bool:
    """Whether two ranges share an address; ranges of different families never do."""
    if isinstance(one, IPv4Network) and isinstance(other, IPv4Network):
        return one.overlaps(other)
    if isinstance(one, IPv6Network) and isinstance(other, IPv6Network):
        return one.overlaps(other)
    return False


def _host_addresses(plan: Plan) -> Iterator[tuple[str, str]]:
    for index, node in enumerate(plan.nodes):
        yield f"nodes[{index}].address", node.address
        if node.ipv6 is not None and plan.network.ip_family == "dual":
            yield f"nodes[{index}].ipv6", node.ipv6
    endpoint = plan.address.cluster_endpoint
    if is_ip(endpoint) and endpoint not in {node.address for node in plan.nodes}:
        yield "address.cluster_endpoint", endpoint
