"""Describe the changes since an earlier report, and the connectivity, as lines of text."""

import re
from collections.abc import Iterator, Sequence

from acp_tui.checks.labels import state_label
from acp_tui.checks.verdict import Verdict
from acp_tui.core.i18n import _, pgettext
from acp_tui.preflight.report.connectivity import LinkState
from acp_tui.preflight.report.diff import Changes
from acp_tui.preflight.report.model import NodeRecord


def change_lines(since: Changes) -> tuple[str, ...]:
    """Return one line for each change, or one line that says that nothing has changed."""
    findings = [
        f"{change}: {verdict.requirement} {verdict.node or '-'}: {observed}"
        for change, verdict, observed in changed_findings(since)
    ]
    return (*node_lines(since), *findings) or (_("Nothing has changed since the last preflight."),)


def network_lines(nodes: Sequence[NodeRecord], width: int) -> tuple[str, ...]:
    """Return the connectivity of the nodes: a table if it fits into `width` columns, otherwise the closed links."""
    if not any(node.links for node in nodes):
        return ()
    numbers = {node.address: number for number, node in enumerate(nodes, 1)}
    names = [f"{numbers[node.address]} {node.address}" for node in nodes]
    rows = [[_link_text(node, other.address) for other in nodes] for node in nodes]
    first, times = max(map(len, names)), [node.round_trips for node in nodes]
    column, last = max(len(cell) for row in rows for cell in row) + 1, max(map(len, times)) + 2
    if first + column * len(nodes) + last <= width:
        head = " " * first + "".join(f"{number:>{column}}" for number in numbers.values())
        body = [
            f"{name:<{first}}" + "".join(f"{c:>{column}}" for c in row) + f"{time:>{last}}"
            for name, row, time in zip(names, rows, times, strict=True)
        ]
        legend = _("A value that ends with G or M is the measured bandwidth, in Gbit/s or Mbit/s.")
        return (head, *body, *([legend] if _has_bandwidth(nodes) else []))
    closed = [
        f"{node.address} → {link.target}: {link.text}"
        for node in nodes
        for link in node.links
        if link.way != LinkState.OPEN.value
    ]
    if closed:
        return (*closed, _("All other tested links are open."))
    return (_("Every node reaches every other node."),)


def _has_bandwidth(nodes: Sequence[NodeRecord]) -> bool:
    return any(re.search(r"\d[GM]\b", link.text) for node in nodes for link in node.links)


def _link_text(node: NodeRecord, target: str) -> str:
    if node.address == target:
        return "·"
    return next((link.text for link in node.links if link.target == target), "?")


def node_lines(since: Changes) -> Iterator[str]:
    """Yield one line for each node that was added, removed or rebooted, or whose state changed."""
    for address, before, now in since.states:
        yield pgettext("comparison", "{node}: the state was {before}, and is now {now}").format(
            node=address, before=state_label(before), now=state_label(now)
        )
    for address in since.added:
        yield pgettext("comparison", "{node} was added").format(node=address)
    for address in since.gone:
        yield _("{node} is no longer in the plan").format(node=address)
    for address in since.rebooted:
        yield pgettext("comparison", "{node} was rebooted").format(node=address)


def changed_findings(since: Changes) -> Iterator[tuple[str, Verdict, str]]:
    """Yield, for each finding that changed, the kind of the change, the finding, and the observed value."""
    for verdict in since.new:
        yield pgettext("change", "new"), verdict, verdict.observed
    for verdict in since.fixed:
        yield pgettext("change", "fixed"), verdict, verdict.observed
    for before, now in since.changed:
        if (before.waived is None) is not (now.waived is None):
            change = pgettext("change", "waived") if now.waived is not None else _("no longer waived")
            yield change, now, now.observed
        else:
            yield pgettext("change", "changed"), now, f"{before.observed} → {now.observed}"
