"""The list of the Preflight step: the verdicts that a filter shows, their order, and the states of the nodes."""

from enum import Enum

from rich.text import Text

from acp_tui.checks.labels import state_label
from acp_tui.checks.verdict import Outcome, Verdict
from acp_tui.core.i18n import _, ngettext
from acp_tui.nodes.state import NodeState
from screens.formatting.glyphs import state_mark
from screens.formatting.node_line import credentials_missing
from screens.session.verdict_view import VerdictView
from screens.session.wizard_session import Session

_ORDER = (
    Outcome.FAIL,
    Outcome.PENDING_REBOOT,
    Outcome.UNKNOWN,
    Outcome.MANUAL,
    Outcome.WARN,
    Outcome.PASS,
    Outcome.NOT_APPLICABLE,
)
_FINE = (Outcome.PASS, Outcome.NOT_APPLICABLE)


class Filter(Enum):
    BLOCKERS = 0
    OPEN = 1
    ALL = 2

    @property
    def next(self) -> "Filter":
        return Filter((self.value + 1) % len(Filter))


def shown_verdicts(view: VerdictView, filter: Filter, node: str | None) -> list[Verdict]:
    """Return the verdicts that the filter shows, blockers first. With `node`, return only the verdicts of that node.

    Only `Filter.ALL` shows verdicts that follow from another finding. A finding is also shown for the nodes of the
    verdicts that follow from it.
    """
    match filter:
        case Filter.BLOCKERS:
            shown = view.blockers
        case Filter.OPEN:
            shown = tuple(v for v in view.findings if v.outcome not in _FINE)
        case Filter.ALL:
            shown = view.verdicts
    return sorted(
        (v for v in shown if node is None or node in {v.node, *(f.node for f in view.group_of(v).followers)}),
        key=lambda v: (not v.blocks, v.waived is not None, _ORDER.index(v.outcome)),
    )


def list_title(blockers: int, filter: Filter, shown: int, node: str | None) -> str:
    """Return the title of the list. It says how many blockers exist, which findings are shown, and how many."""
    if node is None:
        titles = {
            Filter.BLOCKERS: _("Preflight: {blocking} blocking; list: blockers ({count})"),
            Filter.OPEN: _("Preflight: {blocking} blocking; list: open findings ({count})"),
            Filter.ALL: _("Preflight: {blocking} blocking; list: all findings ({count})"),
        }
    else:
        titles = {
            Filter.BLOCKERS: _("Preflight: {blocking} blocking; list: blockers on {node} ({count})"),
            Filter.OPEN: _("Preflight: {blocking} blocking; list: open findings on {node} ({count})"),
            Filter.ALL: _("Preflight: {blocking} blocking; list: all findings on {node} ({count})"),
        }
    return titles[filter].format(blocking=blockers, count=shown, node=node)


def empty_list(unchecked: int) -> str:
    """Return the text of an empty list. `unchecked` is the number of nodes that are not checked yet."""
    if unchecked:
        message = ngettext(
            "No findings so far. {count} node is not checked yet.",
            "No findings so far. {count} nodes are not checked yet.",
            unchecked,
        )
        return message.format(count=unchecked)
    return _("No blockers were found. Press f to show the other findings.")


def node_states(session: Session) -> Text:
    """Return a text with the number of checked nodes, and with the state of each node that is not checked.

    The text has a second line if a node has a notice."""
    others, notices = Text(), Text()
    checked = 0
    for node in session.plan.nodes:
        status = session.nodes.statuses.get(node.address)
        mark, style = state_mark(status.state) if status else ("-", "dim")
        notice = status.notice if status else ""
        if status is not None and status.state is NodeState.CHECKED:
            checked += 1
            if notice:
                notices.append(f" {mark} {node.address} {notice} ", style)
            continue
        state = state_label(status.state) if status else credentials_missing()
        if status is not None and status.asks_for_host_key:
            state = f"{state}: T"
        others.append(f" {mark} {node.address} {f'{state}, {notice}' if notice else state} ", style)
    two_lines = any(status.notice for status in session.nodes.statuses.values())
    count = _("{checked} of {all} nodes are checked").format(checked=checked, all=len(session.plan.nodes))
    running = (f" {_('active tests are running')} ", "cyan") if session.nodes.active_tests else ""
    line_end = "\n" if two_lines else ""
    return Text.assemble(f" {count} ", running, line_end, others, notices, no_wrap=True, overflow="ellipsis")
