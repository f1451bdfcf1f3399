"""Checks between nodes: one finding for each node at fault, none when all is well.

A node whose fact is missing is found `unknown` by itself; it does not hide the others.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, timedelta
from ipaddress import ip_address
from typing import TypeVar

from acp_tui.checks.finding import ClusterSubject, Finding
from acp_tui.checks.node.disk_performance import DISK_CHECKS
from acp_tui.checks.sizing.requirements import capacity_for_clusters
from acp_tui.checks.subnets import (
    Network,
    free_range_remedy,
    host_network,
    interface_of,
    meet,
    node_addresses,
    ranges,
    routed,
    suggestions,
)
from acp_tui.checks.verdict import Outcome
from acp_tui.core.i18n import _, ngettext
from acp_tui.nodes.facts import Clock, Facts
from acp_tui.plan.field_types import is_ip
from acp_tui.plan.model import Node

T = TypeVar("T")
Findings = tuple[Finding, ...]

_UTC = ("UTC", "Etc/UTC", "Etc/UCT", "UCT", "Universal", "Etc/Universal", "Zulu", "Etc/Zulu", "GMT", "Etc/GMT")
_ROUTES_TOLD = 3
_PACKAGES = {"x86": ("x86_64",), "arm": ("aarch64",), "hybrid": ("x86_64", "aarch64")}


def learned(s: ClusterSubject, fact: str, of: Callable[[Facts], T | None]) -> tuple[dict[str, T], list[Finding]]:
    """The fact of each node that has it, and an `unknown` for each that has not."""
    values: dict[str, T] = {}
    gaps = []
    for node in s.plan.nodes:
        facts = s.facts.get(node.address)
        value = of(facts) if facts else None
        if value is not None:
            values[node.address] = value
        else:
            why = facts.missing_reason(fact) if facts else _("nothing is known of the node")
            gaps.append(Finding(Outcome.UNKNOWN, why, node=node.address))
    return values, gaps


def _first(s: ClusterSubject) -> str | None:
    """The node whose word counts where two are even: the one that becomes the first of the cluster."""
    return s.plan.installer_node.address if s.plan.installer_node else None


def hostnames_differ(s: ClusterSubject) -> Findings:
    """X-HOSTNAME-UNIQUE, without regard to case."""
    names, found = learned(s, "hostname", lambda f: f.hostname)
    count = Counter(name.casefold() for name in names.values())
    for address, name in names.items():
        if count[name.casefold()] > 1:
            others = [a for a, n in names.items() if a != address and n.casefold() == name.casefold()]
            observed = _("{name}, as on {others}").format(name=name, others=", ".join(others))
            found.append(Finding(Outcome.FAIL, observed, node=address))
    return tuple(found)


def same_timezone(s: ClusterSubject) -> Findings:
    """X-TIMEZONE: another offset than most nodes fails, another name of the same offset warns."""
    offsets, found = learned(s, "utc_offset", lambda f: f.utc_offset)
    usual = _usual(offsets, _first(s))
    zones = {a: "UTC" if z in _UTC else z for a, f in s.facts.items() if (z := f.timezone)}
    usual_zone = _usual({a: z for a, z in zones.items() if offsets.get(a) == usual}, _first(s))
    for address, offset in offsets.items():
        zone = zones.get(address)
        shown = f"{zone or ''} {offset}".strip()
        expected = f"{usual_zone or ''} {usual}".strip()
        if offset != usual:
            found.append(Finding(Outcome.FAIL, shown, expected, node=address, names=(usual_zone or "UTC",)))
        elif zone is not None and zone != usual_zone:
            found.append(Finding(Outcome.WARN, shown, expected, node=address, names=(usual_zone or "UTC",)))
    return tuple(found)


def _usual(values: Mapping[str, str], first: str | None) -> str | None:
    """What most nodes have; where that is even, what the first node has among them."""
    count = Counter(values.values())
    most = max(count.values(), default=0)
    best = [value for value, number in count.items() if number == most]
    own = values.get(first) if first else None
    return own if own in best else next(iter(best), None)


def clocks_agree(s: ClusterSubject) -> Findings:
    """X-CLOCK-SKEW: the largest set of nodes within the limit is right, nodes outside it are at fault.

    Where the uncertainty of the measurement could turn the verdict, it is a warning."""
    clocks, found = learned(s, "clock", lambda f: f.clock)
    limit = s.given.number("seconds")
    right = _together(clocks, limit, _first(s))
    for address, clock in clocks.items():
        if not right:
            break
        other = max(right, key=lambda a: abs(clocks[a].offset - clock.offset))
        apart = abs(clocks[other].offset - clock.offset)
        doubt = clocks[other].uncertainty + clock.uncertainty
        observed = _("{seconds:.1f} s from {other} (± {doubt:.1f} s): {here} here, {there} there").format(
            seconds=apart,
            other=other,
            doubt=doubt,
            here=_at(clock, 0),
            there=_at(clock, clocks[other].offset - clock.offset),
        )
        told = [f"{node} {ntp}" for node in (address, other) if (ntp := s.facts[node].ntp)]
        observed += "; " + (", ".join(told) or _("no time daemon runs"))
        if apart > limit:
            outcome = Outcome.FAIL if apart - doubt > limit else Outcome.WARN
            found.append(Finding(outcome, observed, node=address))
        elif apart + doubt > limit and clock.uncertainty >= clocks[other].uncertainty:
            found.append(Finding(Outcome.WARN, observed, node=address))
    if found or not clocks:
        return tuple(found)
    offsets = [clock.offset for clock in clocks.values()]
    doubt = max(clock.uncertainty for clock in clocks.values())
    observed = _("{seconds:.1f} s apart at most (± {doubt:.1f} s)")
    return (Finding(Outcome.PASS, observed.format(seconds=max(offsets) - min(offsets), doubt=2 * doubt)),)


def _at(clock: Clock, seconds: float) -> str:
    """What a clock shows that is `seconds` ahead of this one, at the moment in which this one was read (UTC)."""
    return f"{(clock.remote_time + timedelta(seconds=seconds)).astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def _together(clocks: Mapping[str, Clock], limit: float, first: str | None) -> list[str]:
    """The most nodes that lie within `limit` seconds; where that is even, those with the first node."""
    groups = ([a for a, c in clocks.items() if 0 <= c.offset - start.offset <= limit] for start in clocks.values())
    return max(groups, key=lambda group: (len(group), first in group), default=[])


def package_fits(s: ClusterSubject) -> Findings:
    """BND-NODE-ARCH: the Core Package, by its name, has images for the machine."""
    name = (s.plan.package.core or "").rpartition("/")[2]
    if not name:
        return (Finding(Outcome.NOT_APPLICABLE, _("no Core Package named yet")),)
    kind = name.removesuffix(".tar").rpartition("-")[2]
    if kind not in _PACKAGES:
        return (Finding(Outcome.UNKNOWN, _("{name} does not tell its architecture").format(name=name)),)
    arches, found = learned(s, "arch", lambda f: f.arch)
    for address, arch in arches.items():
        if arch not in _PACKAGES[kind]:
            observed = _("{arch}, and the package is {name}").format(arch=arch, name=name)
            found.append(Finding(Outcome.FAIL, observed, node=address, paths=("package.core",)))
    return tuple(found)


def overcommit(s: ClusterSubject) -> Findings:
    """HW-CPU-NOOVER, HW-MEM-NOOVER: a question for whoever runs the hypervisor, where there is one."""
    virtual = [n.address for n in s.plan.nodes if n.address not in s.facts or s.facts[n.address].virtual is not False]
    if not virtual:
        return (Finding(Outcome.NOT_APPLICABLE, _("no virtual machine among the nodes")),)
    observed = _("virtual, or not known: {nodes}").format(nodes=", ".join(virtual))
    return (Finding(Outcome.MANUAL, observed), *_signs_of_overcommit(s, [a for a in virtual if a in s.facts]))


def _signs_of_overcommit(s: ClusterSubject, virtual: list[str]) -> Iterator[Finding]:
    """What a guest sees of it, beside the question: stolen CPU time, a driver that can give memory back."""
    drivers = set(s.given.texts("modules"))
    most = min(s.given.numbers("steal"), default=1.0)
    for address in virtual:
        loaded = drivers & (s.facts[address].modules or frozenset())
        stolen = s.facts[address].steal or 0.0
        if loaded:
            observed = _("a balloon driver is loaded: {names}").format(names=", ".join(sorted(loaded)))
            yield Finding(Outcome.WARN, observed, node=address)
        if stolen > most:
            observed = _("{share:.1%} of the CPU time since the boot went to other machines").format(share=stolen)
            yield Finding(Outcome.WARN, observed, node=address)


def one_subnet(s: ClusterSubject) -> Findings:
    """VIP-SUBNET: all control plane nodes are in one subnet, and the VIP is an ordinary address of it."""
    vip = s.plan.address.cluster_endpoint
    if not is_ip(vip):
        return (Finding(Outcome.NOT_APPLICABLE, _("the cluster endpoint is no address")),)
    found = []
    hosts = [(node, network) for node, network in _host_networks(s) if node.role == "control-plane"]
    usual = _usual({node.address: str(network) for node, network in hosts if network is not None}, _first(s))
    paths = ("address.cluster_endpoint",)
    for node, network in hosts:
        if network is None:
            facts = s.facts.get(node.address)
            why = facts.missing_reason("interfaces") if facts else _("nothing is known of the node")
            found.append(Finding(Outcome.UNKNOWN, why, node=node.address))
        elif ip_address(vip) not in network:
            observed = _("{vip} is not in {network}").format(vip=vip, network=network)
            found.append(Finding(Outcome.FAIL, observed, node=node.address, paths=paths))
        elif str(network) != usual:
            observed = _("{network}, where other control plane nodes have {usual}")
            found.append(Finding(Outcome.FAIL, observed.format(network=network, usual=usual), node=node.address))
        elif ip_address(vip) in (network.network_address, network.broadcast_address) and network.num_addresses > 2:
            observed = _("{vip} is the network or broadcast address of {network}")
            observed = observed.format(vip=vip, network=network)
            found.append(Finding(Outcome.FAIL, observed, node=node.address, paths=paths))
    return tuple(found)


def _host_networks(s: ClusterSubject) -> Iterator[tuple[Node, Network | None]]:
    """The subnet of each node's address, as the node has it; None where that is not known."""
    for node in s.plan.nodes:
        yield node, host_network(s.facts.get(node.address), node.address)


def cluster_cidrs_apart(s: ClusterSubject) -> Findings:
    """XR-CIDR-HOST with what the nodes have: their subnets and name servers fail, other networks with a route warn.

    With Calico all of it only warns."""
    worst = Outcome.FAIL if s.plan.network.cni == "kube-ovn" else Outcome.WARN
    known, gaps = learned(s, "interfaces", lambda f: f.interfaces)
    found = []
    for node in [node for node in s.plan.nodes if node.address in known]:
        for path, cidr in ranges(s.plan).items():
            outcome, observed = _crossed(s, node, cidr, worst)
            if observed:
                found.append(Finding(outcome, observed, node=node.address, paths=(path,)))
    instead = suggestions(s.plan, s.facts) if found else {}
    return (*(replace(one, remedy=free_range_remedy(instead, *one.paths)) for one in found), *gaps)


def _crossed(s: ClusterSubject, node: Node, cidr: Network, worst: Outcome) -> tuple[Outcome, str]:
    """What of this node the range meets first, and how bad that is."""
    facts = s.facts[node.address]
    for _field, address in node_addresses(s.plan, node):
        host = host_network(facts, address)
        if host is not None and meet(cidr, host):
            observed = _("{cidr} overlaps the node's subnet {network}")
            return worst, observed.format(cidr=cidr, network=host)
    servers = [server for server in facts.nameservers or () if is_ip(server) and ip_address(server) in cidr]
    if servers:
        observed = _("{cidr} has the node's name server in it: {servers}")
        return worst, observed.format(cidr=cidr, servers=", ".join(servers))
    crossed = sorted({str(r) for r in routed((*(facts.routes or ()), *(facts.routes6 or ()))) if meet(cidr, r)})
    if crossed:
        more = len(crossed) - _ROUTES_TOLD
        routes = ", ".join(crossed[:_ROUTES_TOLD])
        told = ngettext("{routes} and {count} more", "{routes} and {count} more", more) if more > 0 else "{routes}"
        observed = _("{cidr} overlaps a route: {routes}")
        return Outcome.WARN, observed.format(cidr=cidr, routes=told.format(routes=routes, count=more))
    return Outcome.PASS, ""


def interface_exists(s: ClusterSubject) -> Findings:
    """P-NIC: the interface that Kube-OVN shall use is there on each node."""
    interfaces, gaps = learned(s, "interfaces", lambda f: f.interfaces)
    named = {node.address for node in s.plan.nodes if node.nic or s.plan.network.nic}
    found = [gap for gap in gaps if gap.node in named]
    for node in s.plan.nodes:
        wanted = node.nic or s.plan.network.nic
        there = {i.nic for i in interfaces.get(node.address, ())}
        if wanted and node.address in interfaces and wanted not in there:
            observed = _("no {nic} among {names}").format(nic=wanted, names=", ".join(sorted(there)))
            found.append(Finding(Outcome.FAIL, observed, node=node.address, paths=("network.nic",)))
    return tuple(found)


def dual_addresses_there(s: ClusterSubject) -> Findings:
    """XR-DUAL-NODES: the IPv6 address that the plan gives a node is on one of its interfaces."""
    interfaces, gaps = learned(s, "interfaces", lambda f: f.interfaces)
    second = {node.address for node in s.plan.nodes if node.ipv6}
    found = [gap for gap in gaps if gap.node in second]
    for node in s.plan.nodes:
        if node.ipv6 and node.address in interfaces and interface_of(node.ipv6, interfaces[node.address]) is None:
            observed = _("no interface of the node has {address}").format(address=node.ipv6)
            found.append(Finding(Outcome.FAIL, observed, node=node.address, paths=("nodes",)))
    return tuple(found)


CLUSTER_CHECKS: Mapping[str, Callable[[ClusterSubject], Findings]] = {
    "capacity_for_clusters": capacity_for_clusters,
    "clocks_agree": clocks_agree,
    "cluster_cidrs_apart": cluster_cidrs_apart,
    "dual_addresses_there": dual_addresses_there,
    "hostnames_differ": hostnames_differ,
    "interface_exists": interface_exists,
    "one_subnet": one_subnet,
    "overcommit": overcommit,
    "package_fits": package_fits,
    "same_timezone": same_timezone,
    **DISK_CHECKS,
}
