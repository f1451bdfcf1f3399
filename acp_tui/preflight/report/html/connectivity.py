"""The network between the nodes on the page: a table of all ways, or of the bad ones where there are many nodes."""

from collections.abc import Sequence

from acp_tui.core.i18n import _
from acp_tui.preflight.report.connectivity import LinkState
from acp_tui.preflight.report.html.markup import Html, joined, table, tag, text
from acp_tui.preflight.report.model import Link, NodeRecord

_MOST = 20
"""Nodes up to which every way is shown: a table of them grows with their square."""


def network(nodes: Sequence[NodeRecord]) -> Html:
    """From each node to each other; nothing where nobody looked."""
    if not any(node.links for node in nodes):
        return Html("")
    legend = _(
        "ok: the ports that are needed are open. Numbers: closed TCP ports. ms: round trip. G, M: Gbit/s, Mbit/s"
    )
    return joined((tag("p", text(legend)), _whole(nodes) if len(nodes) <= _MOST else _bad(nodes)))


def _whole(nodes: Sequence[NodeRecord]) -> Html:
    numbers = {node.address: str(number) for number, node in enumerate(nodes, 1)}
    rows = []
    for node in nodes:
        links = {link.target: link for link in node.links}
        cells = (_cell(links.get(other.address), itself=other is node) for other in nodes)
        rows.append((text(numbers[node.address]), text(node.address), *cells))
    return table((_("No."), _("from / to"), *numbers.values()), rows, "ways")


def _bad(nodes: Sequence[NodeRecord]) -> Html:
    good = LinkState.OPEN.value
    rows = [
        (text(node.address), text(link.target), _cell(link, itself=False))
        for node in nodes
        for link in node.links
        if link.way != good
    ]
    if not rows:
        return tag("p", text(_("Every node reaches every other one.")))
    return table((_("From"), _("To"), _("Found")), rows)


def _cell(link: Link | None, *, itself: bool) -> Html:
    if itself:
        return text("·")
    if link is None:
        return text("?")
    return tag("span", text(link.text), "" if link.way == LinkState.OPEN.value else "trouble")
