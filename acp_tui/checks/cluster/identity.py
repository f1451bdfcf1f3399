"""Whether each node is a machine of its own: one that stands in the plan twice, and clones (XR-NODE-UNIQUE).

Kubernetes, DHCP and the network tell machines apart by what a cloned disk or virtual machine has in common.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from ipaddress import ip_address

from acp_tui.checks.cluster.consistency import Findings
from acp_tui.checks.finding import ClusterSubject, Finding
from acp_tui.checks.topology import addresses
from acp_tui.checks.verdict import Outcome
from acp_tui.core.i18n import N_, _
from acp_tui.nodes.facts import Facts
from acp_tui.plan.field_types import is_ip

_UUID = re.compile(r"(?!(.)\1{7}-)(?!03000200-0400-0500-0006)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""Not what mainboards without a number of their own say: one digit throughout, a well-known placeholder, or a word."""
_NO_MACHINE_ID = ("", "uninitialized")
_NOBODY_S_MAC = "ee:ee:ee:ee:ee:ee"
"""Calico gives it to the host's end of every link."""

_NEW_MACHINE_ID = N_("rm -f /etc/machine-id /var/lib/dbus/machine-id; systemd-machine-id-setup; reboot")
_NEW_HOST_KEY = N_("rm /etc/ssh/ssh_host_*; ssh-keygen -A; systemctl restart sshd")
_NEW_MACHINE = N_("# the hypervisor has to give the copy a UUID and MAC addresses of its own")


def machines_differ(s: ClusterSubject) -> Findings:
    """XR-NODE-UNIQUE: no two entries of the plan are one machine, and no node is the copy of another."""
    copies: dict[str, str] = {}
    found = []
    nodes = [node.address for node in s.plan.nodes if node.address in s.facts]
    for number, node in enumerate(nodes):
        twin = next((other for other in nodes[:number] if _same(s.facts[other], s.facts[node])), None)
        if twin is not None:
            copies[node] = twin
            found.append(Finding(Outcome.FAIL, _("the same machine as {other}").format(other=twin), node=node))
    own = [node for node in nodes if node not in copies]
    found += _addresses_elsewhere(s, own)
    for node in own:
        told = list(_shared(s.facts, node, [other for other in own if other != node]))
        if told:
            outcome = Outcome.FAIL if any(hard for _words, hard, _mend in told) else Outcome.WARN
            remedy = "\n".join(dict.fromkeys(_(mend) for _words, _hard, mend in told))
            found.append(Finding(outcome, "; ".join(words for words, _hard, _mend in told), remedy=remedy, node=node))
    return tuple(found)


def _same(one: Facts, other: Facts) -> bool:
    """One running system. Containers of one host share its boot, and clones the rest; one machine has all in common."""
    if one.boot_id is None or one.boot_id != other.boot_id:
        return False
    told = [(a, b) for of in (_machine_id, _host_key, _macs) if (a := of(one)) and (b := of(other))]
    return bool(told) and all(a == b for a, b in told)


def _addresses_elsewhere(s: ClusterSubject, own: list[str]) -> Iterator[Finding]:
    """Nodes that have the plan address of another machine."""
    planned = [node for node in s.plan.nodes if node.address in own]
    owner = {ip_address(address): node.address for node in planned for address in addresses(s.plan, node)}
    for node in own:
        for here in s.facts[node].interfaces or ():
            if is_ip(here.address) and owner.get(ip_address(here.address), node) != node:
                words = _("{nic} has {address}, the address of another node")
                yield Finding(Outcome.FAIL, words.format(nic=here.nic, address=here.address), node=node)


def _shared(facts: Mapping[str, Facts], node: str, others: list[str]) -> Iterator[tuple[str, bool, str]]:
    """(what the node has in common with others, whether it cannot work so, what mends it)."""
    for name, of, hard, mend in _MARKS:
        value = of(facts[node])
        same = [other for other in others if value and of(facts[other]) == value]
        if same:
            words = _("{mark} {value}, as on {others}")
            shown = value if isinstance(value, str) else ", ".join(sorted(value))
            yield words.format(mark=_(name), value=shown, others=", ".join(same)), hard, mend
    macs = _macs(facts[node])
    for other in others:
        common = macs & _macs(facts[other])
        if common and macs != _macs(facts[other]):  # the USB link to a server's own controller, for one
            words = _("MAC {value}, as on {others}").format(value=", ".join(sorted(common)), others=other)
            yield words, False, _NEW_MACHINE


def _machine_id(facts: Facts) -> str:
    return facts.machine_id if facts.machine_id and facts.machine_id not in _NO_MACHINE_ID else ""


def _product_uuid(facts: Facts) -> str:
    uuid = (facts.product_uuid or "").lower()
    return uuid if _UUID.fullmatch(uuid) else ""


def _macs(facts: Facts) -> frozenset[str]:
    return frozenset(facts.macs or ()) - {_NOBODY_S_MAC}


def _host_key(facts: Facts) -> str:
    return facts.host_key or ""


_MARKS: tuple[tuple[str, Callable[[Facts], str | frozenset[str]], bool, str], ...] = (
    (N_("machine-id"), _machine_id, True, _NEW_MACHINE_ID),
    (N_("product UUID"), _product_uuid, True, _NEW_MACHINE),
    (N_("MAC"), _macs, True, _NEW_MACHINE),
    (N_("SSH host key"), _host_key, False, _NEW_HOST_KEY),
)

IDENTITY_CHECKS: Mapping[str, Callable[[ClusterSubject], Findings]] = {"machines_differ": machines_differ}
