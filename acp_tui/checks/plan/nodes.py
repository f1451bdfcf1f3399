"""Rules of the node list: how many, which addresses, where the installer runs, how to log in.

All of them hold for the answers alone; what a node really is, is judged from its facts elsewhere.
"""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address

from acp_tui.checks.finding import PlanSubject
from acp_tui.checks.plan.results import Findings, fail, held, listed, node_path, not_applicable, warn
from acp_tui.checks.subnets import special
from acp_tui.core.i18n import _, ngettext
from acp_tui.plan.model import Node, Plan, Ssh


def control_plane_count(subject: PlanSubject) -> Findings:
    """XR-CP-COUNT: the installer takes one control plane node, or three."""
    planes = subject.plan.control_planes
    count = len(planes)
    observed = ngettext("{count} control plane node", "{count} control plane nodes", count).format(count=count)
    if count in (1, 3):
        return held((), observed)
    if count > 3:
        extra = [node_path(subject.plan, node, "role") for node in planes[3:]]
        remedy = _("Install with 3 control plane nodes; more of them can be added to the cluster afterwards.")
        return (fail(observed, *extra, remedy=remedy),)
    return (fail(observed, "nodes"),)


def addresses_unique(subject: PlanSubject) -> Findings:
    """XR-NODE-UNIQUE: an address stands for one node, in both families together."""
    seen: dict[str, str] = {}
    findings = []
    for path, address in _addresses(subject.plan):
        if address in seen:
            observed = _("{address} is given twice: {first} and {second}")
            findings.append(fail(observed.format(address=address, first=seen[address], second=path), path))
        seen.setdefault(address, path)
    return held(findings, _("{count} addresses, all different").format(count=len(seen)))


def node_addresses_fit(subject: PlanSubject) -> Findings:
    """P-CP: addresses are of the family in which the cluster speaks to its nodes, and of a kind that nodes can have."""
    plan = subject.plan
    wanted = IPv6Address if plan.network.ip_family == "ipv6" else IPv4Address
    name = "IPv6" if wanted is IPv6Address else "IPv4"
    findings = [
        fail(
            _("{address} is not an {family} address").format(address=node.address, family=name),
            node_path(plan, node, "address"),
            "network.ip_family",
        )
        for node in plan.nodes
        if not isinstance(ip_address(node.address), wanted)
    ]
    observed = _("{address} is of a kind that no node can use")
    findings += [
        fail(observed.format(address=node.address), node_path(plan, node, "address"))
        for node in plan.nodes
        if special(node.address)
    ]
    return held(
        findings,
        _("all addresses are {family}").format(family=name),
    )


def installer_first(subject: PlanSubject) -> Findings:
    """XR-INST-FIRST: the installer runs on a control plane node, on one alone, and that is the first of them."""
    plan = subject.plan
    chosen = [node for node in plan.nodes if node.installer]
    findings = [
        fail(
            _("the installer is to run on {address}, which is a worker").format(address=node.address),
            node_path(plan, node, "installer"),
            node_path(plan, node, "role"),
        )
        for node in chosen
        if node.role != "control-plane"
    ]
    if len(chosen) > 1:
        paths = [node_path(plan, node, "installer") for node in chosen]
        addresses = listed(node.address for node in chosen)
        findings.append(fail(_("more than one installer node: {addresses}").format(addresses=addresses), *paths))
    first = plan.installer_node
    if first is None:
        return held(findings, "") if findings else not_applicable(_("no control plane node yet"))
    if not chosen and first.installer is False:
        observed = _(
            "{address} is the first control plane node, yet its `installer` is false and nobody else's is true"
        )
        findings.append(fail(observed.format(address=first.address), node_path(plan, first, "installer")))
    return held(findings, _("installer node: {address}").format(address=first.address))


def login_given(subject: PlanSubject) -> Findings:
    """XR-SSH-AUTH: every node has a password or a key file to log in with."""
    plan = subject.plan
    without = [node for node in plan.nodes if not _can_log_in(plan, node)]
    if not plan.nodes and not (plan.ssh.password or plan.ssh.key_file):
        return (fail(_("neither a password nor a key file"), "ssh.password", "ssh.key_file"),)
    if not without:
        return held((), _("a login for every node"))
    observed = _("neither a password nor a key file for {addresses}")
    addresses = listed(node.address for node in without)
    return (fail(observed.format(addresses=addresses), "ssh.password", "ssh.key_file"),)


def key_usable(subject: PlanSubject) -> Findings:
    """P-SSH-KEY: a key that can be read; and the installer's document has no place for a passphrase, so a locked key is
    of no use to it."""
    plan, lost = subject.plan, subject.beside.lost_keys
    keys = {
        node.address: node_path(plan, node, "ssh.key_file") if node.ssh.key_file else "ssh.key_file"
        for node in plan.nodes
        if plan.login(node).key_file
    }
    if not keys:
        return not_applicable(_("no SSH key"))
    missing = [
        fail(
            lost[path],
            path,
            expected=_("a file that can be read: a private key without a passphrase"),
            remedy=_("Copy the key there, or name another."),
        )
        for path in dict.fromkeys(keys.values())
        if path in lost
    ]
    observed = _("{address}: the key has a passphrase, and the installer cannot be told it")
    locked = [
        warn(observed.format(address=node.address), keys[node.address], "ssh.password")
        for node in plan.nodes
        if _key_alone_and_locked(plan.login(node))
    ]
    return held((*missing, *locked), _("no passphrase needed"))


def dual_addresses(subject: PlanSubject) -> Findings:
    """XR-DUAL-NODES: in dual stack every node has an IPv6 address that others can reach."""
    plan = subject.plan
    if plan.network.ip_family != "dual":
        return not_applicable(_("not dual stack"))
    findings = []
    for node in plan.nodes:
        path = node_path(plan, node, "ipv6")
        if node.ipv6 is None:
            findings.append(fail(_("{address} has no IPv6 address").format(address=node.address), path))
        elif special(node.ipv6):
            observed = _("{address}: {ipv6} cannot be reached from other nodes (link-local, loopback or multicast)")
            findings.append(fail(observed.format(address=node.address, ipv6=node.ipv6), path))
    return held(findings, _("every node has an IPv6 address"))


def dual_count(subject: PlanSubject) -> Findings:
    """XR-DUAL-COUNT: as many IPv6 as IPv4 addresses, for control plane and workers separately."""
    plan = subject.plan
    if plan.network.ip_family != "dual":
        return not_applicable(_("not dual stack"))
    groups = ((_("control plane"), plan.control_planes), (_("workers"), plan.workers))
    observed = _("{group}: {given} of {count} nodes have an IPv6 address")
    return held(
        (
            fail(
                observed.format(group=group, given=len(nodes) - len(missing), count=len(nodes)),
                *(node_path(plan, node, "ipv6") for node in missing),
            )
            for group, nodes in groups
            if (missing := [node for node in nodes if node.ipv6 is None])
        ),
        _("one IPv6 address for each IPv4 address"),
    )


def one_interface(subject: PlanSubject) -> Findings:
    """P-NIC: the installer's document names one interface for the whole cluster (OQ-NIC)."""
    plan = subject.plan
    own = [node for node in plan.nodes if node.nic and node.nic != plan.network.nic]
    names = {node.nic for node in own}
    if not own or (len(names) == 1 and len(own) == len(plan.nodes) and not plan.network.nic):
        return held((), plan.network.nic or listed(sorted(name for name in names if name)))
    observed = _("{address}: interface {nic} is the node's own, and the installer takes one name for all nodes")
    return tuple(
        warn(observed.format(address=node.address, nic=node.nic), node_path(plan, node, "nic"), "network.nic")
        for node in own
    )


def _addresses(plan: Plan) -> Iterator[tuple[str, str]]:
    for index, node in enumerate(plan.nodes):
        yield f"nodes[{index}].address", node.address
        if node.ipv6 is not None:
            yield f"nodes[{index}].ipv6", node.ipv6


def _can_log_in(plan: Plan, node: Node) -> bool:
    login = plan.login(node)
    return bool(login.key_file or (login.password and login.password.get_secret_value()))


def _key_alone_and_locked(login: Ssh) -> bool:
    return bool(login.key_file and login.key_passphrase and not login.password)
