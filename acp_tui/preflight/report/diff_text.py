"""What has changed since an earlier report, in lines: for the terminal, the wizard and the page alike."""

import re
from collections.abc import Iterator, Sequence

from acp_tui.checks.labels import state_label
from acp_tui.checks.verdict import Verdict
from acp_tui.core.i18n import _
from acp_tui.preflight.report.connectivity import LinkState
from acp_tui.preflight.report.diff import Changes
from acp_tui.preflight.report.model import NodeRecord


def change_lines(since: Changes) -> tuple[str, ...]:
    """Everything that changed, a line each; one line that says so where nothing did."""
    findings = [f"{word}: {one.requirement} {one.node or '-'}: {found}" for word, one, found in changed_findings(since)]
    return (*node_lines(since), *findings) or (_("Nothing has changed."),)


def network_lines(nodes: Sequence[NodeRecord], width: int) -> tuple[str, ...]:
    """How the nodes reach each other: a table where it fits into `width` columns, else the ways that are not open."""
    if not any(node.links for node in nodes):
        return ()
    numbers = {node.address: number for number, node in enumerate(nodes, 1)}
    names = [f"{numbers[node.address]} {node.address}" for node in nodes]
    rows = [[_way(node, other.address) for other in nodes] for node in nodes]
    first = max(map(len, names))
    column = max(len(cell) for row in rows for cell in row) + 1
    if first + column * len(nodes) <= width:
        head = " " * first + "".join(f"{number:>{column}}" for number in numbers.values())
        body = [
            f"{name:<{first}}" + "".join(f"{c:>{column}}" for c in row) for name, row in zip(names, rows, strict=True)
        ]
        return (head, *body, *([_("G, M: Gbit/s, Mbit/s that were measured")] if _measured(nodes) else []))
    bad = [
        f"{node.address} → {link.target}: {link.text}"
        for node in nodes
        for link in node.links
        if link.way != LinkState.OPEN.value
    ]
    return (*bad, _("All other ways that were tried are open.") if bad else _("Every node reaches every other one."))


def _measured(nodes: Sequence[NodeRecord]) -> bool:
    return any(re.search(r"\d[GM]\b", link.text) for node in nodes for link in node.links)


def _way(node: NodeRecord, target: str) -> str:
    if node.address == target:
        return "·"
    return next((link.text for link in node.links if link.target == target), "?")


def node_lines(since: Changes) -> Iterator[str]:
    """What became of the nodes."""
    for address, then, now in since.states:
        yield _("{node}: {then}, now {now}").format(node=address, then=state_label(then), now=state_label(now))
    for address in since.added:
        yield _("{node} was added").format(node=address)
    for address in since.gone:
        yield _("{node} is no longer in the plan").format(node=address)
    for address in since.rebooted:
        yield _("{node} was rebooted").format(node=address)


def changed_findings(since: Changes) -> Iterator[tuple[str, Verdict, str]]:
    """(word for the change, the finding, what was found)."""
    for verdict in since.new:
        yield _("new"), verdict, verdict.observed
    for verdict in since.fixed:
        yield _("mended"), verdict, verdict.observed
    for then, now in since.changed:
        if (then.waived is None) is not (now.waived is None):
            word = _("waived") if now.waived is not None else _("no longer waived")
            yield word, now, now.observed
        else:
            yield _("changed"), now, _("{then} → {now}").format(then=then.observed, now=now.observed)
