"""What the report tells of a node: the few facts that a reader who was not there asks for first.

The rest of what a node said stays on this host: a report is passed on, so it holds no more than it needs.
"""

from collections.abc import Mapping

from acp_tui.core.i18n import _
from acp_tui.nodes.facts import Facts
from acp_tui.nodes.state import NodeState
from acp_tui.nodes.summary import NodeSummary
from acp_tui.plan.model import Plan
from acp_tui.preflight.report.connectivity import LinkState, Row, matrix
from acp_tui.preflight.report.model import Link, NodeRecord

_MOST = 12
"""Addresses and filesystems named at most; a host with hundreds of interfaces is still one line of a table."""


def node_records(
    plan: Plan, facts: Mapping[str, Facts], states: Mapping[str, NodeState], details: Mapping[str, str]
) -> tuple[NodeRecord, ...]:
    """The nodes that have a state, as the report names them, in the order of the plan. All by plan address.

    `details`: what went wrong at a node."""
    links = {row.source: _links(row) for row in matrix(plan, facts)}
    return tuple(
        NodeRecord(
            address=node.address,
            hostname=facts[node.address].hostname if node.address in facts else None,
            role=node.role,
            state=states[node.address],
            machine=node_summary(facts.get(node.address)),
            detail=details.get(node.address, ""),
            links=links.get(node.address, ()),
        )
        for node in plan.nodes
        if node.address in states
    )


def _links(row: Row) -> tuple[Link, ...]:
    links = tuple(Link(cell.target, cell.way.value, cell.text) for cell in row.cells if cell.way is not LinkState.SELF)
    return links if any(link.way != LinkState.UNKNOWN.value for link in links) else ()


def node_summary(facts: Facts | None) -> NodeSummary | None:
    """The few facts; None where nothing at all is known."""
    if facts is None:
        return None
    known = NodeSummary(
        os=facts.os_name,
        kernel=facts.kernel,
        arch=facts.arch,
        cpus=facts.cpu_count,
        cpu_model=facts.cpu_model,
        memory=facts.memory,
        addresses=_addresses(facts),
        disks=_disks(facts),
        boot_id=facts.boot_id,
    )
    return known if known != NodeSummary() else None


def _addresses(facts: Facts) -> tuple[str, ...]:
    seen = [f"{i.nic} {i.address}/{i.prefix}" for i in facts.interfaces or () if i.nic != "lo"]
    return tuple(seen[:_MOST])


def _disks(facts: Facts) -> tuple[str, ...]:
    """One a filesystem, with the kind of the disk behind it where that is known."""
    rotating = {disk.path for disk in facts.disks or () if disk.rotational}
    flash = {disk.path for disk in facts.disks or () if disk.rotational is False}
    lines = []
    for one in facts.filesystems or ():
        sizes = _("{size} GB, {free} GB free").format(size=one.size // 10**9, free=one.available // 10**9)
        kind = _(", rotating") if one.path in rotating else _(", not rotating") if one.path in flash else ""
        lines.append(f"{one.path} ({one.device}): {sizes}{kind}")
    return tuple(lines[:_MOST])
