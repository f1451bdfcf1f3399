"""Check one node for leftovers of a former cluster or container runtime, with the table of `nodes/leftovers`.

The table also gives the texts of the findings: what was found, what it breaks, and the commands that remove it.
"""

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from ipaddress import ip_address, ip_network

from acp_tui.checks.catalog import catalogue
from acp_tui.checks.finding import FactMissing, Finding, NodeSubject
from acp_tui.checks.verdict import Outcome
from acp_tui.core.i18n import _, pgettext
from acp_tui.nodes.facts import Facts
from acp_tui.nodes.leftovers import LEFTOVERS, Kind, Leftover
from acp_tui.nodes.leftovers.find import PROGRAM_FOLDERS, chains
from acp_tui.plan.field_types import is_ip
from acp_tui.plan.model import Plan
from acp_tui.plan.release import RELEASES

FORMER = "/root/former"
"""The folder to which the commands of a finding move files."""
_RESERVED = "NET-172-FREE"


@dataclass(frozen=True)
class Found:
    """A row of the table that a node has. `places`: its files, interfaces, units, mount points or processes there."""

    row: Leftover
    places: tuple[str, ...]
    blocks: bool


def no_leftovers(subject: NodeSubject) -> Finding:
    """CAP-FRESH-ENV, FS-KUBELET-UNIT, PKG-LEFTOVER-BIN: the node must have no leftovers of the requirement.

    Leftovers that break the install fail. Others give a warning.
    """
    requirement = subject.requirement
    found = found_leftovers(subject.facts, requirement.id, subject.plan)
    if not found:
        missing = [name for name in _facts_of(requirement.id) if getattr(subject.facts, name) is None]
        if missing:
            raise FactMissing(missing[0])
        if subject.facts.unreadable_folders:
            return Finding(
                Outcome.UNKNOWN,
                _("only root can read these folders: {paths}").format(
                    paths=", ".join(subject.facts.unreadable_folders[:8])
                ),
            )
        return Finding(Outcome.PASS, pgettext("observed value", "no leftovers were found"))
    return Finding(
        Outcome.FAIL if any(item.blocks for item in found) else Outcome.WARN,
        "; ".join(f"{pgettext('leftover', item.row.label)}: {', '.join(item.places)}" for item in found),
        remedy=remedy(found, requirement.remedy_text() if any(item.row.data for item in found) else ""),
        names=tuple(place for item in found for place in item.places if place.startswith("/")),
    )


def found_leftovers(facts: Facts, requirement: str, plan: Plan) -> tuple[Found, ...]:
    """Return the leftovers of a node that `requirement` reports, in the order of the table.

    Facts that are missing count as empty. The caller decides what this means.
    """
    installed = (facts.rpm_packages or frozenset()) | (facts.dpkg_packages or frozenset())
    found = []
    for row in LEFTOVERS:
        late = row.since and RELEASES.index(plan.effective_release) < RELEASES.index(row.since)
        places = () if row.requirement != requirement or late else _places(row, facts, plan)
        if places and installed.isdisjoint(row.packages):
            blocks = row.blocks and row.storage in ("", plan.local_storage)
            found.append(Found(row, places, blocks))
    return tuple(found)


def _places(row: Leftover, facts: Facts, plan: Plan) -> tuple[str, ...]:
    match row.kind:
        case Kind.PROCESS:
            return tuple(name for name in facts.cluster_processes or () if name in row.patterns)
        case Kind.CHAIN:
            names = dict.fromkeys(chain.name for chain in facts.packet_filter.chains) if facts.packet_filter else ()
            return chains((row,), names).get(row.id, ())
        case Kind.TUNNEL:
            addressed = {i.nic for i in facts.interfaces or () if ":" not in i.address}
            return tuple(name for name in row.patterns if name in addressed)
        case Kind.INTERFACE:
            seen = (facts.leftovers or {}).get(row.id, ())
            reported = _reserved_interfaces(facts, plan) if seen else frozenset()
            return tuple(name for name in seen if name not in reported)
        case _:
            return (facts.leftovers or {}).get(row.id, ())


def _reserved_interfaces(facts: Facts, plan: Plan) -> frozenset[str]:
    """Return the interfaces with addresses that NET-172-FREE reports, so that they are not reported twice."""
    check = catalogue(plan.effective_release)[_RESERVED].check
    ranges = [ip_network(text) for text in check.texts("ranges")] if check.kind == "function" else []
    addresses = [(i.nic, ip_address(i.address)) for i in facts.interfaces or () if is_ip(i.address)]
    return frozenset(nic for nic, address in addresses if any(address in network for network in ranges))


def _facts_of(requirement: str) -> tuple[str, ...]:
    kinds = {row.kind for row in LEFTOVERS if row.requirement == requirement}
    return ("leftovers", *(("cluster_processes",) if Kind.PROCESS in kinds else ()))


def belongs(row: Leftover, place: str) -> bool:
    """Return True if the row looks for `place`. If not, the node did not run the collector as it was sent."""
    if row.place:
        return place == row.place
    folder, _slash, name = place.rpartition("/")
    match row.kind:
        case Kind.PROGRAM:
            allowed = folder in PROGRAM_FOLDERS
        case Kind.SYSTEM_PROGRAM:
            allowed = folder in ("/usr/bin", "/usr/sbin")
        case Kind.UNIT:
            allowed = folder.startswith("/etc/systemd/system/")
        case _:
            allowed, name = True, place
    return allowed and any(fnmatchcase(name, pattern) for pattern in row.patterns)


def remedy(found: Sequence[Found], first: str = "") -> str:
    """Return the commands that remove the leftovers. A comment above each command says what the leftover breaks.

    `first`: commands that must run before.
    """
    blocks: dict[str, list[str]] = {}
    for item in found:
        text = f"# {pgettext('leftover', item.row.label)}: {pgettext('leftover', item.row.breaks)}"
        blocks.setdefault("\n".join(removal(item)), []).append(text)
    parts = [line for commands, texts in blocks.items() for line in (*dict.fromkeys(texts), commands) if line]
    return "\n".join([*([first] if first else []), *parts])


def removal(item: Found) -> Iterator[str]:
    """Yield the shell commands that remove a leftover. Processes have none: their units must be stopped."""
    places = " ".join(map(shlex.quote, item.places))
    match item.row.kind:
        case Kind.PROCESS:
            return
        case Kind.INTERFACE | Kind.TUNNEL:
            if item.row.kind is Kind.TUNNEL:
                yield f"for link in {places}; do ip addr flush dev $link; done"
            else:
                yield f"for link in {places}; do ip link delete $link; done  # or restart the node"
        case Kind.UNIT:
            yield f"systemctl disable --now {' '.join(shlex.quote(p.rpartition('/')[2]) for p in item.places)}"
        case Kind.MOUNT:
            yield f"umount {places}"
        case Kind.IPVS:
            yield "ipvsadm --clear  # or restart the node"
        case Kind.CHAIN:
            names = "|".join(item.row.patterns)
            yield f"iptables-save | grep -vE '({names})' | iptables-restore  # or restart the node"
        case _:
            if item.row.id == "kubelet-unit":
                yield "systemctl disable --now kubelet"
            yield f"mkdir -p {FORMER} && mv --backup=numbered -t {FORMER} {places}"
            if any("/systemd/" in place for place in item.places):
                yield "systemctl daemon-reload"


def table_text(requirement: str) -> str:
    """Return what acp-tui looks for under `requirement`, one line for each row of the table; "" without rows."""
    return "\n".join(_row_text(row) for row in LEFTOVERS if row.requirement == requirement)


def _row_text(row: Leftover) -> str:
    label, breaks = pgettext("leftover", row.label), pgettext("leftover", row.breaks)
    text = f"{label} ({', '.join(row.patterns)}): {breaks}"
    return f"{text} {_('This counts from release {release} on.').format(release=row.since)}" if row.since else text
