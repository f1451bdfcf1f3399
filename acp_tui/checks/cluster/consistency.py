"""Compare values of all nodes, such as host names and clocks, with each other or with the plan.

Each check returns one finding for each node at fault. A node on which the required fact is missing gets a finding with
the outcome `unknown`, and the check still compares the other nodes.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, timedelta

from acp_tui.checks.cluster.missing_facts import fact_of_nodes
from acp_tui.checks.finding import ClusterSubject, Finding, Findings
from acp_tui.checks.node.hostname import is_localhost
from acp_tui.checks.subnets import interface_of
from acp_tui.checks.verdict import Outcome
from acp_tui.core.i18n import _, pgettext
from acp_tui.nodes.fact_types import Clock

_ARCHITECTURES = {"x86": ("x86_64",), "arm": ("aarch64",), "hybrid": ("x86_64", "aarch64")}


def hostnames_unique(subject: ClusterSubject) -> Findings:
    """X-HOSTNAME-UNIQUE: each node must have a different host name. Upper and lower case count as equal.

    A name of the loopback interface, such as `localhost`, names every machine, so it is never unique.
    """
    names, findings = fact_of_nodes(subject, "hostname", lambda f: f.hostname)
    count = Counter(name.casefold() for name in names.values())
    for address, name in names.items():
        others = [a for a, n in names.items() if a != address and n.casefold() == name.casefold()]
        if count[name.casefold()] > 1:
            observed = pgettext("observed value", "the host name {name} is also used on {others}")
        elif is_localhost(name):
            observed = _("the host name {name} is a name of every machine")
        else:
            continue
        observed = observed.format(name=name, others=", ".join(others))
        findings.append(Finding(Outcome.FAIL, observed, node=address))
    return tuple(findings)


def preferred_node(subject: ClusterSubject) -> str | None:
    """Return the address of the installer node; None if the plan has no installer node.

    If two values are equally frequent on the nodes, the value of the installer node counts as the usual one.
    """
    return subject.plan.installer_node.address if subject.plan.installer_node else None


def most_common(values: Mapping[str, str], preferred: str | None) -> str | None:
    """Return the most frequent value in `values`, a mapping of node address to value.

    If several values are equally frequent, the value of the node `preferred` is returned. Returns None if `values` is
    empty.
    """
    count = Counter(values.values())
    most = max(count.values(), default=0)
    best = [value for value, number in count.items() if number == most]
    own = values.get(preferred) if preferred else None
    return own if own in best else next(iter(best), None)


def clocks_agree(subject: ClusterSubject) -> Findings:
    """X-CLOCK-SKEW: the clocks of all nodes must differ by at most `seconds`, a parameter of the requirement.

    The largest group of nodes whose clocks differ by at most this limit counts as correct, and the nodes outside the
    group are at fault. If the measurement is too uncertain to decide, the outcome is a warning.
    """
    clocks, findings = fact_of_nodes(subject, "clock", lambda f: f.clock)
    limit = subject.check.number("seconds")
    correct = _largest_group(clocks, limit, preferred_node(subject))
    for address, clock in clocks.items():
        if not correct:
            break
        other = max(correct, key=lambda a: abs(clocks[a].offset - clock.offset))
        apart = abs(clocks[other].offset - clock.offset)
        uncertainty = clocks[other].uncertainty + clock.uncertainty
        if apart > limit:
            outcome = Outcome.FAIL if apart - uncertainty > limit else Outcome.WARN
        elif apart + uncertainty > limit and clock.uncertainty >= clocks[other].uncertainty:
            outcome = Outcome.WARN
        else:
            continue
        findings.append(Finding(outcome, _describe_offset(subject, clocks, address, other), node=address))
    if findings or not clocks:
        return tuple(findings)
    offsets = [clock.offset for clock in clocks.values()]
    uncertainty = max(clock.uncertainty for clock in clocks.values())
    observed = _("the largest difference between the clocks of two nodes is {seconds:.1f} s (± {uncertainty:.1f} s)")
    apart = max(offsets) - min(offsets)
    return (Finding(Outcome.PASS, observed.format(seconds=apart, uncertainty=2 * uncertainty)),)


def _describe_offset(subject: ClusterSubject, clocks: Mapping[str, Clock], address: str, other: str) -> str:
    clock, ahead = clocks[address], clocks[other].offset - clocks[address].offset
    observed = _(
        "the clocks of this node and of {other} differ by {seconds:.1f} s (± {uncertainty:.1f} s): the time is {here} "
        "on this node and {there} on {other}; {daemons}"
    )
    daemons = [f"{node} {ntp}" for node in (address, other) if (ntp := subject.facts[node].ntp)]
    return observed.format(
        seconds=abs(ahead),
        other=other,
        uncertainty=clocks[other].uncertainty + clock.uncertainty,
        here=_utc_time(clock, 0),
        there=_utc_time(clock, ahead),
        daemons=", ".join(daemons) or _("no time daemon is running on these two nodes"),
    )


def _utc_time(clock: Clock, ahead: float) -> str:
    """Return the UTC time of a clock that is `ahead` seconds ahead of `clock`, at the moment when `clock` was read."""
    return f"{(clock.remote_time + timedelta(seconds=ahead)).astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def _largest_group(clocks: Mapping[str, Clock], limit: float, preferred: str | None) -> list[str]:
    """Return the largest group of nodes whose clocks differ by at most `limit` seconds.

    If two groups have the same size, the group that contains the node `preferred` is returned.
    """
    groups = ([a for a, c in clocks.items() if 0 <= c.offset - start.offset <= limit] for start in clocks.values())
    return max(groups, key=lambda group: (len(group), preferred in group), default=[])


def package_fits(subject: ClusterSubject) -> Findings:
    """BND-NODE-ARCH: the Core Package must contain images for the architecture of each node.

    The file name of the package shows its architecture.
    """
    name = (subject.plan.package.core or "").rpartition("/")[2]
    if not name:
        remedy = _("Set package.core in the plan to the path of the Core Package.")
        observed = _("the plan names no Core Package")
        return (Finding(Outcome.UNKNOWN, observed, remedy=remedy, paths=("package.core",)),)
    kind = name.removesuffix(".tar").rpartition("-")[2]
    if kind not in _ARCHITECTURES:
        return (
            Finding(
                Outcome.UNKNOWN,
                _("the file name of the Core Package, {name}, does not contain an architecture").format(name=name),
            ),
        )
    arches, findings = fact_of_nodes(subject, "arch", lambda f: f.arch)
    for address, arch in arches.items():
        if arch not in _ARCHITECTURES[kind]:
            observed = pgettext(
                "observed value",
                "the node has the architecture {arch}, but the package {name} is for a different architecture",
            ).format(arch=arch, name=name)
            findings.append(Finding(Outcome.FAIL, observed, node=address, paths=("package.core",)))
    return tuple(findings)


def overcommit(subject: ClusterSubject) -> Findings:
    """HW-CPU-NOOVER, HW-MEM-NOOVER: a person must confirm that the hypervisor does not overcommit CPUs or memory."""
    virtual = [
        n.address
        for n in subject.plan.nodes
        if n.address not in subject.facts or subject.facts[n.address].virtual is not False
    ]
    if not virtual:
        return (Finding(Outcome.NOT_APPLICABLE, _("no node is a virtual machine")),)
    observed = _("these nodes are, or could be, virtual machines: {nodes}").format(nodes=", ".join(virtual))
    return (
        Finding(Outcome.MANUAL, observed),
        *_signs_of_overcommit(subject, [a for a in virtual if a in subject.facts]),
    )


def _signs_of_overcommit(subject: ClusterSubject, virtual: list[str]) -> Iterator[Finding]:
    """Yield a warning for each sign that the hypervisor overcommits CPUs or memory of the nodes `virtual`.

    The signs are CPU steal time, and a loaded driver that returns memory to the hypervisor.
    """
    drivers = set(subject.check.texts("modules"))
    most = min(subject.check.numbers("steal"), default=1.0)
    for address in virtual:
        loaded = drivers & (subject.facts[address].modules or frozenset())
        stolen = subject.facts[address].steal or 0.0
        if loaded:
            observed = _("a driver that returns memory to the hypervisor (memory balloon) is loaded: {names}").format(
                names=", ".join(sorted(loaded))
            )
            yield Finding(Outcome.WARN, observed, node=address)
        if stolen > most:
            observed = _(
                "other virtual machines used {share:.1%} of the CPU time of this node since its boot (steal time)"
            )
            yield Finding(Outcome.WARN, observed.format(share=stolen), node=address)


def interface_exists(subject: ClusterSubject) -> Findings:
    """P-NIC: the network interface that the plan names for Kube-OVN must exist on each node."""
    interfaces, missing = fact_of_nodes(subject, "interfaces", lambda f: f.interfaces)
    with_name = {node.address for node in subject.plan.nodes if node.nic or subject.plan.network.nic}
    findings = [finding for finding in missing if finding.node in with_name]
    for node in subject.plan.nodes:
        required = node.nic or subject.plan.network.nic
        names = {i.nic for i in interfaces.get(node.address, ())}
        if required and node.address in interfaces and required not in names:
            observed = _("the interface {nic} is missing; the node has the interfaces {names}").format(
                nic=required, names=", ".join(sorted(names))
            )
            findings.append(Finding(Outcome.FAIL, observed, node=node.address, paths=("network.nic",)))
    return tuple(findings)


def ipv6_addresses_present(subject: ClusterSubject) -> Findings:
    """XR-DUAL-NODES: an IPv6 address that the plan gives to a node must be configured on an interface of this node."""
    interfaces, missing = fact_of_nodes(subject, "interfaces", lambda f: f.interfaces)
    with_ipv6 = {node.address for node in subject.plan.nodes if node.ipv6}
    findings = [finding for finding in missing if finding.node in with_ipv6]
    for node in subject.plan.nodes:
        if node.ipv6 and node.address in interfaces and interface_of(node.ipv6, interfaces[node.address]) is None:
            observed = _("no interface of this node has the address {address}").format(address=node.ipv6)
            findings.append(Finding(Outcome.FAIL, observed, node=node.address, paths=("nodes",)))
    return tuple(findings)
