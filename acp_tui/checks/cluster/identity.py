"""Check that every node is a separate machine, and not a clone of another node (XR-NODE-UNIQUE).

Kubernetes, DHCP and the network identify a machine by values that clones have in common, such as the machine ID.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_address

from acp_tui.checks.finding import ClusterSubject, Finding, Findings
from acp_tui.checks.verdict import Outcome
from acp_tui.core.i18n import N_, NC_, _, pgettext
from acp_tui.nodes.facts import Facts
from acp_tui.plan.field_types import is_ip

_UUID = re.compile(r"(?!(.)\1{7}-)(?!03000200-0400-0500-0006)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""Matches only UUIDs that can identify one machine.

It does not match the values that many mainboards have in common: a repeated digit, a known placeholder, or words.
"""
_NO_MACHINE_ID = ("", "uninitialized")
_CALICO_MAC = "ee:ee:ee:ee:ee:ee"
"""The MAC address that Calico gives to the host's end of every virtual link."""

_NEW_MACHINE_ID = "rm -f /etc/machine-id /var/lib/dbus/machine-id; systemd-machine-id-setup; reboot"
_NEW_HOST_KEY = "rm /etc/ssh/ssh_host_*; ssh-keygen -A; systemctl restart sshd"
_NEW_MACHINE = N_("Give this node a new UUID and new MAC addresses in the hypervisor.")


@dataclass(frozen=True)
class _Shared:
    """A value that a node has in common with other nodes."""

    text: str
    remedy: str
    blocks: bool
    """True if the cluster cannot work when nodes have this value in common."""


def machines_unique(subject: ClusterSubject) -> Findings:
    """XR-NODE-UNIQUE: each entry of the plan must be a separate machine, and no node may be a clone of another node."""
    same: dict[str, str] = {}
    findings = []
    nodes = [node.address for node in subject.plan.nodes if node.address in subject.facts]
    for number, node in enumerate(nodes):
        first = next(
            (other for other in nodes[:number] if _same_machine(subject.facts[other], subject.facts[node])), None
        )
        if first is not None:
            same[node] = first
            findings.append(
                Finding(Outcome.FAIL, _("this node is the same machine as {other}").format(other=first), node=node)
            )
    separate = [node for node in nodes if node not in same]
    findings += _addresses_of_other_nodes(subject, separate)
    for node in separate:
        shared = list(_shared(subject.facts, node, [other for other in separate if other != node]))
        if shared:
            findings.append(
                Finding(
                    Outcome.FAIL if any(identifier.blocks for identifier in shared) else Outcome.WARN,
                    observed="; ".join(identifier.text for identifier in shared),
                    remedy="\n".join(dict.fromkeys(identifier.remedy for identifier in shared)),
                    node=node,
                )
            )
    return tuple(findings)


def _same_machine(facts: Facts, other: Facts) -> bool:
    """Return True if `facts` and `other` were collected from one running system through two plan addresses.

    In this case, the boot ID and all other identifiers are equal. Containers of one host have only the boot ID in
    common. Clones have only the other identifiers in common.
    """
    if facts.boot_id is None or facts.boot_id != other.boot_id:
        return False
    pairs = [(a, b) for of in (_machine_id, _host_key, _macs) if (a := of(facts)) and (b := of(other))]
    return bool(pairs) and all(a == b for a, b in pairs)


def _addresses_of_other_nodes(subject: ClusterSubject, separate: list[str]) -> Iterator[Finding]:
    """Yield a finding for each interface whose address the plan gives to a different node."""
    planned = [target for target in subject.topology.nodes if target.node in separate]
    owner = {ip_address(address): target.node for target in planned for address in target.addresses}
    for node in separate:
        for interface in subject.facts[node].interfaces or ():
            if is_ip(interface.address) and owner.get(ip_address(interface.address), node) != node:
                text = _(
                    "the interface {nic} of this node has the address {address}, which the plan gives to another node"
                )
                yield Finding(Outcome.FAIL, text.format(nic=interface.nic, address=interface.address), node=node)


def _shared(facts: Mapping[str, Facts], node: str, others: list[str]) -> Iterator[_Shared]:
    """Yield the values that `node` has in common with the nodes `others`."""
    text = pgettext("finding", "the {name} {value} is also used on {others}")
    for name, of, blocks, commands in _IDENTIFIERS:
        value = of(facts[node])
        same = [other for other in others if value and of(facts[other]) == value]
        if same:
            shown = value if isinstance(value, str) else ", ".join(sorted(value))
            observed = text.format(name=pgettext("identifier", name), value=shown, others=", ".join(same))
            yield _Shared(observed, commands or f"# {_(_NEW_MACHINE)}", blocks)
    macs = _macs(facts[node])
    for other in others:
        common = macs & _macs(facts[other])
        if common and macs != _macs(facts[other]):  # for example the USB link to the server's management controller
            observed = text.format(name=pgettext("identifier", "MAC"), value=", ".join(sorted(common)), others=other)
            yield _Shared(observed, f"# {_(_NEW_MACHINE)}", blocks=False)


def _machine_id(facts: Facts) -> str:
    return facts.machine_id if facts.machine_id and facts.machine_id not in _NO_MACHINE_ID else ""


def _product_uuid(facts: Facts) -> str:
    uuid = (facts.product_uuid or "").lower()
    return uuid if _UUID.fullmatch(uuid) else ""


def _macs(facts: Facts) -> frozenset[str]:
    return frozenset(facts.macs or ()) - {_CALICO_MAC}


def _host_key(facts: Facts) -> str:
    return facts.host_key or ""


_IDENTIFIERS: tuple[tuple[str, Callable[[Facts], str | frozenset[str]], bool, str], ...] = (
    (NC_("identifier", "machine-id"), _machine_id, True, _NEW_MACHINE_ID),
    (NC_("identifier", "product UUID"), _product_uuid, True, ""),
    (NC_("identifier", "MAC"), _macs, True, ""),
    (NC_("identifier", "SSH host key"), _host_key, False, _NEW_HOST_KEY),
)
"""For each identifier: its name, the function that reads it from the facts, whether equal values on two nodes block the
install, and the commands that change the value. The commands are "" if only the hypervisor can change the identifier.
"""
