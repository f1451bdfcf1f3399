"""Create the node records of a report: state, links and the most important facts of each node.

All other facts stay on this host. Operators give reports to other people, so a report contains only the facts that
it needs.
"""

from collections.abc import Mapping

from acp_tui.checks.topology import Topology
from acp_tui.core.i18n import _, pgettext
from acp_tui.core.text import sanitize
from acp_tui.nodes.facts import Facts
from acp_tui.nodes.state import NodeState
from acp_tui.nodes.summary import NodeSummary
from acp_tui.plan.model import Plan
from acp_tui.plan.secret_mask import Mask, secret_mask
from acp_tui.preflight.report.connectivity import LinkState, Row, matrix
from acp_tui.preflight.report.model import Link, NodeRecord

_MOST = 12
"""Maximum number of addresses in the summary of a node, and maximum number of file systems in it.

A node with hundreds of interfaces must fit into one table row.
"""


def node_records(
    plan: Plan,
    topology: Topology,
    facts: Mapping[str, Facts],
    states: Mapping[str, NodeState],
    details: Mapping[str, str],
) -> tuple[NodeRecord, ...]:
    """Return the records of the nodes that have a state, in the order of the plan.

    The keys of all mappings are the addresses of the nodes in the plan.

    `details`: the error of each node.
    """
    shared: dict[int, Link] = {}
    rows = {row.source: row for row in matrix(topology, facts)}
    links, mask = {source: _links(row, shared) for source, row in rows.items()}, secret_mask(plan)

    def safe(text: str) -> str:
        return sanitize(mask(text))

    return tuple(
        NodeRecord(
            address=node.address,
            hostname=_safe(facts[node.address].hostname, safe) if node.address in facts else None,
            role=node.role,
            state=states[node.address],
            machine=node_summary(facts.get(node.address), safe),
            detail=safe(details.get(node.address, "")),
            links=links.get(node.address, ()),
            round_trips=_spread(rows.get(node.address)),
        )
        for node in plan.nodes
        if node.address in states
    )


def _links(row: Row, shared: dict[int, Link]) -> tuple[Link, ...]:
    """Return the links of a node. `shared`: the links of all rows by the identity of their cell, which rows share."""
    links = []
    for cell in row.cells:
        if (link := shared.get(id(cell))) is None and cell.state is not LinkState.SELF:
            link = shared[id(cell)] = Link(cell.target, cell.state.value, cell.text)
        if link is not None:
            links.append(link)
    return tuple(links) if any(link.way != LinkState.UNKNOWN.value for link in links) else ()


def _spread(row: Row | None) -> str:
    if row is None or row.times is None:
        return ""
    low, high = (f"{seconds * 1000:.2g}" if seconds else "<1" for seconds in (row.times.low, row.times.high))
    return pgettext("connectivity", "{time} ms").format(time=low if low == high else f"{low}-{high}")


def node_summary(facts: Facts | None, safe: Mask) -> NodeSummary | None:
    """Return the most important facts of a node; None if none of them is known. `safe`: makes each text safe."""
    if facts is None:
        return None
    known = NodeSummary(
        os=_safe(facts.os_name, safe),
        kernel=_safe(facts.kernel, safe),
        arch=_safe(facts.arch, safe),
        cpus=facts.cpu_count,
        cpu_model=_safe(facts.cpu_model, safe),
        memory=facts.memory,
        addresses=tuple(map(safe, _addresses(facts))),
        disks=tuple(map(safe, _disks(facts))),
        boot_id=_safe(facts.boot_id, safe),
    )
    return known if known != NodeSummary() else None


def _safe(text: str | None, safe: Mask) -> str | None:
    return text and safe(text)


def _addresses(facts: Facts) -> tuple[str, ...]:
    addresses = [f"{i.nic} {i.address}/{i.prefix}" for i in facts.interfaces or () if i.nic != "lo"]
    return tuple(addresses[:_MOST])


def _disks(facts: Facts) -> tuple[str, ...]:
    """Return one line for each file system, with the type of its disk if the type is known."""
    rotational = {disk.path: disk.rotational for disk in facts.disks or ()}
    lines = []
    for filesystem in facts.filesystems or ():
        text = {
            None: _("{size} GB, {free} GB free"),
            True: _("{size} GB, {free} GB free, rotating disk"),
            False: _("{size} GB, {free} GB free, not a rotating disk"),
        }[rotational.get(filesystem.path)]
        sizes = text.format(size=filesystem.size // 10**9, free=filesystem.available // 10**9)
        lines.append(f"{filesystem.path} ({filesystem.device}): {sizes}")
    return tuple(lines[:_MOST])
