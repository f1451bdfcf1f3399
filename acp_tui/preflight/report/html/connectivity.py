"""The connectivity between the nodes on the HTML page: a table, or only the closed links if there are many nodes."""

from collections.abc import Sequence

from acp_tui.core.i18n import _, pgettext
from acp_tui.preflight.report.connectivity import LinkState
from acp_tui.preflight.report.html.markup import Html, joined, table, tag, text
from acp_tui.preflight.report.model import Link, NodeRecord

_MOST = 20
"""Maximum number of nodes for the complete table. Its size grows with the square of the number of nodes."""


def network(nodes: Sequence[NodeRecord]) -> Html:
    """Return the links between the nodes; an empty text if they were not tested."""
    if not any(node.links for node in nodes):
        return Html("")
    legend = _(
        "ok: all required ports are open. Numbers: closed TCP ports. ms: round trip time; the last column has the "
        "times of all cells without a time. G, M: measured bandwidth in Gbit/s, Mbit/s."
    )
    return joined((tag("p", text(legend)), _matrix(nodes) if len(nodes) <= _MOST else _closed_links(nodes)))


def _matrix(nodes: Sequence[NodeRecord]) -> Html:
    numbers = {node.address: str(number) for number, node in enumerate(nodes, 1)}
    rows = []
    for node in nodes:
        links = {link.target: link for link in node.links}
        cells = (_cell(links.get(other.address), itself=other is node) for other in nodes)
        rows.append((text(numbers[node.address]), text(node.address), *cells, text(node.round_trips)))
    return table(
        (
            pgettext("column", "No."),
            pgettext("table", "from / to"),
            *numbers.values(),
            pgettext("column", "Round trip time"),
        ),
        rows,
        "ways",
    )


def _closed_links(nodes: Sequence[NodeRecord]) -> Html:
    rows = [
        (text(node.address), text(link.target), _cell(link, itself=False))
        for node in nodes
        for link in node.links
        if link.way != LinkState.OPEN.value
    ]
    if not rows:
        return tag("p", text(_("Every node reaches every other node.")))
    return table((pgettext("column", "From"), pgettext("column", "To"), pgettext("column", "Observed")), rows)


def _cell(link: Link | None, *, itself: bool) -> Html:
    if itself:
        return text("·")
    if link is None:
        return text("?")
    return tag("span", text(link.text), "" if link.way == LinkState.OPEN.value else "trouble")
