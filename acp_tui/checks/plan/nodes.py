"""Plan rules for the list of nodes: number, addresses, installer node, login.

These rules use the plan alone; `checks/node` and `checks/cluster` check the facts of the nodes.
"""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address

from acp_tui.checks.finding import Findings, PlanSubject
from acp_tui.checks.plan.results import fail, findings_or_pass, format_list, node_path, not_applicable, warn
from acp_tui.checks.subnets import special
from acp_tui.core.i18n import _, ngettext, npgettext, pgettext
from acp_tui.plan.model import Plan
from acp_tui.plan.sections.node import Node


def control_plane_count(subject: PlanSubject) -> Findings:
    """XR-CP-COUNT: the plan must have 1 or 3 control plane nodes, because the installer accepts no other number."""
    planes = subject.plan.control_planes
    count = len(planes)
    observed = ngettext(
        "the plan has {count} control plane node", "the plan has {count} control plane nodes", count
    ).format(count=count)
    if count in (1, 3):
        return findings_or_pass((), observed)
    if count > 3:
        extra = [node_path(subject.plan, node, "role") for node in planes[3:]]
        remedy = _("Install the cluster with 3 control plane nodes. Add more nodes after the install.")
        return (fail(observed, *extra, remedy=remedy),)
    return (fail(observed, "nodes"),)


def addresses_unique(subject: PlanSubject) -> Findings:
    """XR-NODE-UNIQUE: every IPv4 and IPv6 address in the plan must belong to only one node."""
    first_path: dict[str, str] = {}
    findings = []
    for path, address in _addresses(subject.plan):
        if address in first_path:
            observed = _("the plan keys {first} and {second} have the same address {address}")
            findings.append(fail(observed.format(address=address, first=first_path[address], second=path), path))
        first_path.setdefault(address, path)
    count = len(first_path)
    return findings_or_pass(
        findings,
        npgettext(
            "observed value",
            "the plan has {count} node address",
            "the plan has {count} different node addresses",
            count,
        ).format(count=count),
    )


def node_addresses_fit(subject: PlanSubject) -> Findings:
    """P-CP: node addresses must belong to the cluster's IP family, and other machines must be able to reach them."""
    plan = subject.plan
    required = IPv6Address if plan.network.ip_family == "ipv6" else IPv4Address
    name = "IPv6" if required is IPv6Address else "IPv4"
    findings = [
        fail(
            _("the node address {address} is not an {family} address").format(address=node.address, family=name),
            node_path(plan, node, "address"),
            "network.ip_family",
        )
        for node in plan.nodes
        if not isinstance(ip_address(node.address), required)
    ]
    observed = _("the node address {address} is a loopback, link-local, multicast or reserved address")
    findings += [
        fail(observed.format(address=node.address), node_path(plan, node, "address"))
        for node in plan.nodes
        if special(node.address)
    ]
    return findings_or_pass(
        findings,
        _("all node addresses are {family} addresses").format(family=name),
    )


def installer_first(subject: PlanSubject) -> Findings:
    """XR-INST-FIRST: exactly one node must be the installer node, and it must be a control plane node."""
    plan = subject.plan
    chosen = [node for node in plan.nodes if node.installer]
    findings = [
        fail(
            _("the installer node {address} is a worker").format(address=node.address),
            node_path(plan, node, "installer"),
            node_path(plan, node, "role"),
        )
        for node in chosen
        if node.role != "control-plane"
    ]
    if len(chosen) > 1:
        paths = [node_path(plan, node, "installer") for node in chosen]
        addresses = format_list(node.address for node in chosen)
        findings.append(
            fail(_("the plan has more than one installer node: {addresses}").format(addresses=addresses), *paths)
        )
    first = plan.installer_node
    if first is None:
        return (
            findings_or_pass(findings, "") if findings else not_applicable(_("the plan has no control plane node yet"))
        )
    if not chosen and first.installer is False:
        observed = _(
            "the plan has no installer node: the default is the first control plane node, {address}, but `installer` "
            "of this node is false"
        )
        findings.append(fail(observed.format(address=first.address), node_path(plan, first, "installer")))
    return findings_or_pass(
        findings, pgettext("observed value", "the installer node is {address}").format(address=first.address)
    )


def login_given(subject: PlanSubject) -> Findings:
    """XR-SSH-AUTH: every node must have a password or a key file for the SSH login."""
    plan = subject.plan
    without = [node for node in plan.nodes if not _can_log_in(plan, node)]
    if not plan.nodes and not (plan.ssh.password or plan.ssh.key_file):
        return (fail(_("the SSH login has no password and no key file"), "ssh.password", "ssh.key_file"),)
    if not without:
        return findings_or_pass((), _("every node has a password or a key file for the SSH login"))
    observed = _("these nodes have no password and no key file for the SSH login: {addresses}")
    addresses = format_list(node.address for node in without)
    return (fail(observed.format(addresses=addresses), "ssh.password", "ssh.key_file"),)


def key_usable(subject: PlanSubject) -> Findings:
    """P-SSH-KEY: the SSH key file must be readable. A node without a password must have a key without a passphrase."""
    plan, unreadable = subject.plan, subject.local_files.unreadable_keys
    keys = {
        node.address: node_path(plan, node, "ssh.key_file") if node.ssh.key_file else "ssh.key_file"
        for node in plan.nodes
        if plan.login(node).key_file
    }
    if not keys:
        return not_applicable(_("the plan names no SSH key file"))
    missing = [
        fail(
            unreadable[path],
            path,
            expected=_("the key file must be a readable private key without a passphrase"),
            remedy=_("Copy the SSH key to the path on this host that the plan names, or enter a different path."),
        )
        for path in dict.fromkeys(keys.values())
        if path in unreadable
    ]
    observed = _("the SSH key of the node {address} has a passphrase, which the installer does not support")
    locked = [
        fail(observed.format(address=node.address), keys[node.address], "ssh.password")
        for node in plan.nodes
        if node.address in keys
        and not plan.login(node).password
        and (plan.login(node).key_passphrase or keys[node.address] in subject.local_files.encrypted_keys)
    ]
    return findings_or_pass(
        (*missing, *locked), _("every SSH key file is readable, and no login depends on a key with a passphrase")
    )


def dual_addresses(subject: PlanSubject) -> Findings:
    """XR-DUAL-NODES: in dual stack, every node must have an IPv6 address that other nodes can reach."""
    plan = subject.plan
    if plan.network.ip_family != "dual":
        return not_applicable(_("the cluster is not dual stack"))
    findings = []
    for node in plan.nodes:
        path = node_path(plan, node, "ipv6")
        if node.ipv6 is None:
            findings.append(fail(_("the node {address} has no IPv6 address").format(address=node.address), path))
        elif special(node.ipv6):
            observed = _(
                "the IPv6 address {ipv6} of {address} is link-local, loopback or multicast; other nodes cannot reach it"
            )
            findings.append(fail(observed.format(address=node.address, ipv6=node.ipv6), path))
    return findings_or_pass(findings, _("every node has an IPv6 address"))


def dual_count(subject: PlanSubject) -> Findings:
    """XR-DUAL-COUNT: in dual stack, the control plane nodes must have as many IPv6 as IPv4 addresses.

    The same applies to the workers.
    """
    plan = subject.plan
    if plan.network.ip_family != "dual":
        return not_applicable(_("the cluster is not dual stack"))
    groups = (
        (_("control plane nodes with an IPv6 address: {with_ipv6} of {count}"), plan.control_planes),
        (_("workers with an IPv6 address: {with_ipv6} of {count}"), plan.workers),
    )
    return findings_or_pass(
        (
            fail(
                observed.format(with_ipv6=len(nodes) - len(missing), count=len(nodes)),
                *(node_path(plan, node, "ipv6") for node in missing),
            )
            for observed, nodes in groups
            if (missing := [node for node in nodes if node.ipv6 is None])
        ),
        _("every node has an IPv4 and an IPv6 address"),
    )


def one_interface(subject: PlanSubject) -> Findings:
    """P-NIC: all nodes must have the same interface name, because the installer accepts only one name (OQ-NIC)."""
    plan = subject.plan
    own = [node for node in plan.nodes if node.nic and node.nic != plan.network.nic]
    names = {node.nic for node in own}
    if not own or (len(names) == 1 and len(own) == len(plan.nodes) and not plan.network.nic):
        return findings_or_pass((), plan.network.nic or format_list(sorted(name for name in names if name)))
    observed = _(
        "the plan sets the interface name of the node {address} separately ({nic}), but the installer accepts only one "
        "name for all nodes"
    )
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
