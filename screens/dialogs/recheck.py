"""Right before something is made of the plan, all nodes are asked once more: what has changed since is shown first."""

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Label, Static

from acp_tui.checks.verdict import Outcome, Verdict
from acp_tui.core.i18n import _, ngettext
from acp_tui.nodes.state import NodeState
from acp_tui.preflight.report.diff import Changes, changes, new_blockers
from acp_tui.preflight.report.diff_text import change_lines
from acp_tui.preflight.report.model import Report
from screens.formatting.glyphs import glyphs
from screens.session.session import Changed, Session


class Recheck(ModalScreen[bool]):
    """True: go on. Closes by itself where nothing has changed; a blocker that was not there before stops it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", show=False),
        Binding("n,escape", "answer(False)", show=False),
    ]

    def __init__(self, session: Session, before: Report) -> None:
        """`before`: the report that the operator has decided by."""
        super().__init__()
        self._session = session
        self._before = before
        self._blocked: bool | None = None
        """Whether it may not go on; None: not known yet."""
        self._judging = False

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Label(_("The nodes are asked once more"), classes="dialog-title", markup=False)
            with VerticalScroll(id="since"):
                yield Static(self._waiting(), id="recheck-text")
            yield Static(Text(_("n stop")), id="recheck-keys", classes="dialog-keys")

    def on_mount(self) -> None:
        self._session.begin_run()
        for node in self._session.plan.nodes:
            self._session.nodes.probe(node)
        self._look()

    def session_changed(self, topic: Changed) -> None:
        self._look()

    def action_answer(self, answer: bool) -> None:
        if not answer or self._blocked is False:
            self.dismiss(answer)

    def _look(self) -> None:
        if self._judging:
            return
        if self._session.nodes.probing:
            self.query_one("#recheck-text", Static).update(self._waiting())
        else:
            self._judging = True
            self.run_worker(self._judge())

    async def _judge(self) -> None:
        await self._session.judge_now()
        now = self._session.report()
        since, new = _of_note(changes(self._before, now)), new_blockers(self._before, now)
        self._blocked = bool(new) or _lost(since)
        if not since:
            self.dismiss(True)
            return
        self.query_one("#recheck-text", Static).update(self._told(since, new))
        keys = _("n close; the preflight shows more") if self._blocked else _("y go on   n stop")
        self.query_one("#recheck-keys", Static).update(Text(keys))

    def _waiting(self) -> Text:
        nodes = self._session.plan.nodes
        done = sum(seen.state is not NodeState.CHECKING for seen in self._session.nodes.seen.values())
        return Text(
            f"{glyphs().running} " + _("{done} of {all} nodes").format(done=min(done, len(nodes)), all=len(nodes))
        )

    def _told(self, since: Changes, new: Sequence[Verdict]) -> Text:
        text = Text()
        if new:
            words = ngettext("{count} new finding blocks", "{count} new findings block", len(new))
            text.append(f"{glyphs().failed} " + words.format(count=len(new)) + "\n", "bold red")
        elif self._blocked:
            text.append(f"{glyphs().failed} " + _("Not every node could be looked at.") + "\n", "bold red")
        text.append(_("Since {moment}").format(moment=f"{since.since.astimezone():%Y-%m-%d %H:%M}") + ":\n", "dim")
        text.append("\n".join(" ".join(line.split()) for line in change_lines(since)))
        return text


def _of_note(since: Changes) -> Changes:
    """Without what was not known then and is not now, for another reason."""
    both = (Outcome.UNKNOWN, Outcome.UNKNOWN)
    return replace(since, changed=tuple((a, b) for a, b in since.changed if (a.outcome, b.outcome) != both))


def _lost(since: Changes) -> bool:
    """Whether a node that was checked then is not now."""
    return any(now is not NodeState.CHECKED for _address, _then, now in since.states)
