"""Check the subnets of the nodes.

The control plane nodes and the VIP must be in one subnet. The CIDR ranges of the plan must not overlap the networks of
the nodes.
"""

from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_address

from acp_tui.checks.cluster.consistency import most_common, preferred_node
from acp_tui.checks.cluster.missing_facts import fact_of_nodes, missing_reason
from acp_tui.checks.finding import ClusterSubject, Finding, Findings
from acp_tui.checks.free_subnets import free_range_remedy, suggestions
from acp_tui.checks.subnets import Network, host_network, meet, nameservers_in_use, node_addresses, ranges, routed
from acp_tui.checks.verdict import Outcome
from acp_tui.core.i18n import _, ngettext
from acp_tui.plan.field_types import is_ip
from acp_tui.plan.sections.node import Node

_MOST_ROUTES_SHOWN = 3


def one_subnet(subject: ClusterSubject) -> Findings:
    """VIP-SUBNET: all control plane nodes must be in one subnet, and the VIP must be a usable address in it."""
    vip = subject.plan.address.cluster_endpoint
    if not is_ip(vip):
        return (Finding(Outcome.NOT_APPLICABLE, _("the cluster endpoint is not an IP address")),)
    findings = []
    hosts = [(node, network) for node, network in _host_networks(subject) if node.role == "control-plane"]
    known = {node.address: str(network) for node, network in hosts if network is not None}
    usual = most_common(known, preferred_node(subject))
    paths = ("address.cluster_endpoint",)
    for node, network in hosts:
        if network is None:
            reason = missing_reason(subject.facts.get(node.address), "interfaces")
            findings.append(Finding(Outcome.UNKNOWN, reason, node=node.address))
        elif ip_address(vip) not in network:
            observed = _("the VIP {vip} is not in the subnet {network} of this node").format(vip=vip, network=network)
            findings.append(Finding(Outcome.FAIL, observed, node=node.address, paths=paths))
        elif str(network) != usual:
            observed = _("this node is in the subnet {network}; other control plane nodes are in {usual}")
            findings.append(Finding(Outcome.FAIL, observed.format(network=network, usual=usual), node=node.address))
        elif ip_address(vip) in (network.network_address, network.broadcast_address) and network.num_addresses > 2:
            observed = _("the VIP {vip} is the network or broadcast address of {network}")
            observed = observed.format(vip=vip, network=network)
            findings.append(Finding(Outcome.FAIL, observed, node=node.address, paths=paths))
    return tuple(findings)


def _host_networks(subject: ClusterSubject) -> Iterator[tuple[Node, Network | None]]:
    """Yield each node of the plan with the subnet of its plan address; None instead of an unknown subnet."""
    for node in subject.plan.nodes:
        yield node, host_network(subject.facts.get(node.address), node.address)


def cluster_cidrs_apart(subject: ClusterSubject) -> Findings:
    """XR-CIDR-HOST: no CIDR range of the plan may overlap the subnet of a node, or contain a name server of a node.

    An overlap with another network to which a node has a route gives only a warning. With Calico, every overlap gives
    only a warning.
    """
    worst = Outcome.FAIL if subject.plan.network.cni == "kube-ovn" else Outcome.WARN
    known, missing = fact_of_nodes(subject, "interfaces", lambda f: f.interfaces)
    findings = []
    for node in [node for node in subject.plan.nodes if node.address in known]:
        for path, cidr in ranges(subject.plan).items():
            outcome, observed = _first_overlap(subject, node, cidr, worst)
            if observed:
                findings.append(Finding(outcome, observed, node=node.address, paths=(path,)))
    free = suggestions(subject.plan, subject.facts) if findings else {}
    return (*(replace(overlap, remedy=free_range_remedy(free, *overlap.paths)) for overlap in findings), *missing)


def _first_overlap(subject: ClusterSubject, node: Node, cidr: Network, worst: Outcome) -> tuple[Outcome, str]:
    """Return the first overlap of the range `cidr` with a network of `node`, as outcome and text.

    The text is "" if there is no overlap. `worst`: the outcome if `cidr` overlaps the node's subnet or contains a name
    server.
    """
    facts = subject.facts[node.address]
    for _field, address in node_addresses(subject.plan, node):
        host = host_network(facts, address)
        if host is not None and meet(cidr, host):
            observed = _("the CIDR range {cidr} of the plan overlaps the node's subnet {network}")
            return worst, observed.format(cidr=cidr, network=host)
    servers = [server for server in nameservers_in_use(facts) or () if is_ip(server) and ip_address(server) in cidr]
    if servers:
        observed = _("the CIDR range {cidr} of the plan contains the node's name servers: {servers}")
        return worst, observed.format(cidr=cidr, servers=", ".join(servers))
    crossed = sorted({str(r) for r in routed((*(facts.routes or ()), *(facts.routes6 or ()))) if meet(cidr, r)})
    if not crossed:
        return Outcome.PASS, ""
    more = len(crossed) - _MOST_ROUTES_SHOWN
    observed = _("the CIDR range {cidr} of the plan overlaps these routes of the node: {routes}")
    if more > 0:
        observed = ngettext(
            "the CIDR range {cidr} of the plan overlaps these routes of the node: {routes} and {count} more",
            "the CIDR range {cidr} of the plan overlaps these routes of the node: {routes} and {count} more",
            more,
        )
    routes = ", ".join(crossed[:_MOST_ROUTES_SHOWN])
    return Outcome.WARN, observed.format(cidr=cidr, routes=routes, count=more)
