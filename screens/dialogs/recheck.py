"""The dialog that rechecks all nodes before an install or the export of a bundle. It shows what has changed."""

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Label, Static

from acp_tui.checks.causes import by_cause
from acp_tui.checks.verdict import Outcome, Verdict
from acp_tui.core.i18n import _, npgettext, pgettext
from acp_tui.nodes.state import NodeState
from acp_tui.preflight.report.diff import Changes, changes, new_blockers
from acp_tui.preflight.report.diff_text import change_lines
from acp_tui.preflight.report.model import Report
from screens.formatting.glyphs import glyphs
from screens.session.wizard_session import Changed, Session


class Recheck(ModalScreen[bool]):
    """The dialog returns True to continue and False to cancel.

    If nothing has changed, it returns True without a question. After a new blocker or a failed check of a node, the
    operator can only cancel."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", show=False),
        Binding("n,escape", "answer(False)", show=False),
    ]

    def __init__(self, session: Session, before: Report) -> None:
        """`before` is the report that the operator has seen. The dialog compares the new results with it."""
        super().__init__()
        self._session = session
        self._before = before
        self._blocked: bool | None = None
        """True if the operator can only cancel. None until the recheck ends."""
        self._evaluating = False

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Label(_("Rechecking the nodes"), classes="dialog-title", markup=False)
            with VerticalScroll(id="since"):
                yield Static(self._waiting(), id="recheck-text")
            yield Static(Text(pgettext("key", "n: cancel")), id="recheck-keys", classes="dialog-keys")

    def on_mount(self) -> None:
        self._session.keep_last_report()
        for node in self._session.plan.nodes:
            self._session.nodes.check(node)
        self._update()

    def session_changed(self, topic: Changed) -> None:
        self._update()

    def action_answer(self, answer: bool) -> None:
        if not answer or self._blocked is False:
            self.dismiss(answer)

    def _update(self) -> None:
        if self._evaluating:
            return
        if self._session.nodes.checking:
            self.query_one("#recheck-text", Static).update(self._waiting())
        else:
            self._evaluating = True
            self.run_worker(self._evaluate())

    async def _evaluate(self) -> None:
        await self._session.evaluate_now()
        now = self._session.report()
        since = _relevant(changes(self._before, now))
        new = [group.verdict for group in by_cause(new_blockers(self._before, now))]
        self._blocked = bool(new) or _lost(since)
        if not since and not self._blocked:
            self.dismiss(True)
            return
        self.query_one("#recheck-text", Static).update(self._changes(since, new))
        keys = _("n: close   The Preflight step shows details.") if self._blocked else _("y: continue   n: cancel")
        self.query_one("#recheck-keys", Static).update(Text(keys))

    def _waiting(self) -> Text:
        nodes = self._session.plan.nodes
        done = sum(status.state is not NodeState.CHECKING for status in self._session.nodes.statuses.values())
        return Text(
            f"{glyphs().running} "
            + pgettext("recheck", "{done} of {all} nodes have been rechecked").format(
                done=min(done, len(nodes)), all=len(nodes)
            )
        )

    def _changes(self, since: Changes, new: Sequence[Verdict]) -> Text:
        text = Text()
        if new:
            message = npgettext("recheck", "{count} new blocker", "{count} new blockers", len(new))
            text.append(f"{glyphs().failed} " + message.format(count=len(new)) + "\n", "bold red")
        elif self._blocked:
            text.append(
                f"{glyphs().failed} " + _("The recheck failed on at least one node (see below).") + "\n", "bold red"
            )
        moment = f"{since.since.astimezone():%Y-%m-%d %H:%M}"
        text.append(pgettext("recheck", "Changes since {moment}:").format(moment=moment) + "\n", "dim")
        text.append("\n".join(" ".join(line.split()) for line in change_lines(since)))
        return text


def _relevant(since: Changes) -> Changes:
    """Return the changes without the verdicts that were unknown before and are still unknown."""
    both = (Outcome.UNKNOWN, Outcome.UNKNOWN)
    return replace(since, changed=tuple((a, b) for a, b in since.changed if (a.outcome, b.outcome) != both))


def _lost(since: Changes) -> bool:
    """Return True if the state of a node has changed, and the new state is not `checked`."""
    return any(now is not NodeState.CHECKED for _address, _then, now in since.states)
