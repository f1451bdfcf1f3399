"""Preflight: every finding with what was found, what is wanted and how to mend it; one rule at a time can be waived."""

import getpass
from collections.abc import Iterable
from typing import ClassVar

from rich.text import Text
from textual import work
from textual.binding import Binding, BindingType
from textual.widget import Widget

from acp_tui.checks.labels import state_label
from acp_tui.checks.verdict import Outcome, Verdict
from acp_tui.core.files import write_atomically
from acp_tui.core.i18n import N_, _
from acp_tui.nodes.state import NodeState
from acp_tui.plan.model import Waiver
from acp_tui.preflight.report.diff import changes
from acp_tui.preflight.report.diff_text import change_lines, network_lines
from acp_tui.preflight.report.html.page import report_html
from acp_tui.preflight.report.model import report_json
from screens.dialogs.prompts import Ask, Confirm, Read
from screens.formatting.finding import one_line, whole
from screens.formatting.glyphs import state_mark
from screens.session.session import Changed, Session
from screens.steps.base import WizardStep
from screens.widgets.panel import Panel
from screens.widgets.row_list import Row, Rows

_ORDER = (
    Outcome.FAIL,
    Outcome.PENDING_REBOOT,
    Outcome.UNKNOWN,
    Outcome.MANUAL,
    Outcome.WARN,
    Outcome.PASS,
    Outcome.NOT_APPLICABLE,
)
_FILTERS = (N_("what blocks"), N_("what is not met"), N_("all"))


class PreflightStep(WizardStep):
    NAME = "preflight"
    SHORT = N_("Preflight")
    TITLE_TEXT = N_("Preflight: the manual's rules against your nodes and answers")
    KEYS = (("f", N_("filter")), ("w/W", N_("waive")), ("Enter", N_("whole")))
    MORE_KEYS = (
        ("x", N_("fix")),
        ("/", N_("node")),
        ("y", N_("copy")),
        ("e", N_("again")),
        ("r", N_("all")),
        ("c", N_("diff")),
        ("n", N_("net")),
        ("s", N_("save")),
    )
    """On the line below the finding: the bottom line has no room for them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f", "filter", show=False),
        Binding("w", "waive(False)", show=False),
        Binding("W", "waive(True)", show=False),
        Binding("x", "fix", show=False),
        Binding("r", "recheck", show=False),
        Binding("m", "mend", show=False),
        Binding("slash", "this_node", show=False),
        Binding("y", "copy", show=False),
        Binding("e", "again", show=False),
        Binding("c", "changes", show=False),
        Binding("n", "network", show=False),
        Binding("s", "save_report", show=False),
        Binding("t", "tests", show=False),
    ]

    _filter = 0
    _node: str | None = None
    """Only this node's findings are shown."""

    @classmethod
    def has_problems(cls, session: Session) -> bool:
        states = [
            session.nodes.seen[node.address].state for node in session.plan.nodes if node.address in session.nodes.seen
        ]
        reached = len(states) == len(session.plan.nodes) and all(state is NodeState.CHECKED for state in states)
        return not reached or bool(session.judgement.blocking)

    def body(self) -> Iterable[Widget]:
        yield Panel(id="states")
        yield Rows(id="findings")
        yield Panel(id="detail")

    def opened(self) -> None:
        self.session.nodes.look_again()
        self.tell(self._more_keys())
        self.set_focus(self.query_one("#findings"))

    def show_body(self, topic: Changed) -> None:
        if topic in (Changed.VERDICTS, Changed.ANSWERS):
            self._show()
        else:
            self._show_states()

    def rule_under_cursor(self) -> str | None:
        verdict = self._verdict()
        return verdict.requirement if verdict is not None else None

    def on_rows_highlighted(self, event: Rows.Highlighted) -> None:
        self._show_detail()
        self.tell(self._more_keys())

    def on_rows_chosen(self, event: Rows.Chosen) -> None:
        verdict = self._verdict()
        if verdict is not None:
            self.app.push_screen(Read(verdict.requirement, self._whole(verdict)))

    def look_at(self, verdict: Verdict) -> None:
        """Put the cursor on this finding."""
        self.query_one("#findings", Rows).move_to(_key(verdict))

    def action_filter(self) -> None:
        self._filter = (self._filter + 1) % len(_FILTERS)
        self._show()

    def action_this_node(self) -> None:
        """Only the findings of the node under the cursor, or those of all again."""
        verdict = self._verdict()
        self._node = verdict.node if verdict is not None and self._node is None else None
        self._show()

    def action_again(self) -> None:
        """Look at this one again: at its node, or at all where it is between them."""
        verdict = self._verdict()
        if verdict is None:
            return
        for node in self.session.plan.nodes:
            if verdict.node in (node.address, None):
                self.session.nodes.probe(node)
        self.tell(Text(_("{rule}: being looked at again").format(rule=verdict.requirement)))

    def action_copy(self) -> None:
        """To the terminal's clipboard, where it has one that programs may write to, and to a file in any case."""
        verdict = self._verdict()
        if verdict is None:
            return
        text = f"{verdict.requirement} {verdict.node or ''}".rstrip() + f"\n{self._whole(verdict).plain}"
        self.app.copy_to_clipboard(text)
        self._write("finding.txt", text)

    def action_changes(self) -> None:
        """What is different since the last run."""
        before = self.session.before
        if before is None:
            self.tell(Text(_("There is no earlier run to compare with yet; r begins another one.")))
            return
        found = changes(before, self.session.report())
        title = _("Since {moment}").format(moment=f"{found.since.astimezone():%Y-%m-%d %H:%M}")
        self.app.push_screen(Read(title, Text("\n".join(change_lines(found)))))

    def action_network(self) -> None:
        """How the nodes reach each other."""
        lines = network_lines(self.session.report().nodes, Read.WIDE)
        text = Text("\n".join(lines) or _("Nothing is known of the ways between the nodes yet."))
        self.app.push_screen(Read(_("Network between the nodes"), text, wide=True))

    @work
    async def action_tests(self) -> None:
        """What listens, writes or loads the network: chosen from a list, and done after a yes."""
        if self.wizard.practice is not None:
            return
        from acp_tui.preflight.active_tests import (
            DESCRIPTIONS,
            describe_effect,
        )  # it speaks SSH, and that takes long to import
        from screens.dialogs.active_tests import Requests

        plan = self.session.plan
        chosen = await self.app.push_screen_wait(Requests(plan))
        if not chosen:
            return
        question = "\n".join(f"- {describe_effect(plan, one)}" for one in chosen)
        if await self.app.push_screen_wait(Confirm(_("Do this on the nodes now?"), question)):
            self.session.nodes.request(chosen)
            names = ", ".join(_(DESCRIPTIONS[one].name).partition(":")[0] for one in chosen)
            self.tell(Text(_("Begun: {names}. The findings change when it is done.").format(names=names)))

    def action_recheck(self) -> None:
        self.session.begin_run()
        for node in self.session.plan.nodes:
            self.session.nodes.probe(node)

    @work
    async def action_waive(self, everywhere: bool) -> None:
        """Waive this rule for this node, or for all nodes; on a waived one: take the waiver back."""
        verdict = self._verdict()
        if verdict is None or verdict.outcome is Outcome.PASS:
            return
        key = (verdict.requirement, "*" if everywhere or verdict.node is None else verdict.node)
        waivers = self.session.plan.waivers
        if verdict.waived is not None:
            rest = tuple(w for w in waivers if (w.requirement, w.node) not in (key, (verdict.requirement, "*")))
            self.session.plan_replaced(self.session.plan.model_copy(update={"waivers": rest}))
            return
        title = _("Waive {rule}").format(rule=verdict.requirement)
        question = _("Why may this rule be put aside for {node}? The reason goes into plan and report.").format(
            node=_("all") if key[1] == "*" else key[1]
        )
        preset = _("confirmed by hand") if verdict.outcome is Outcome.MANUAL else ""
        reason = await self.app.push_screen_wait(Ask(title, question, preset))
        if reason and reason.strip():
            waiver = Waiver(requirement=key[0], node=key[1], reason=reason.strip(), by=getpass.getuser())
            self.session.plan_replaced(self.session.plan.model_copy(update={"waivers": (*waivers, waiver)}))

    def action_fix(self) -> None:
        """What could be changed on the nodes, with the cursor on the node of this finding."""
        verdict = self._verdict()
        from screens.dialogs.fix import FixScreen  # it speaks SSH, and that takes long to import

        self.app.push_screen(FixScreen(self.session, verdict.node if verdict is not None else None))

    @work
    async def action_mend(self) -> None:
        """On the practice cluster the hint can be run on the node from here, as an admin would over SSH."""
        verdict, practice = self._verdict(), self.wizard.practice
        if verdict is None or practice is None or verdict.node is None or not verdict.remedy:
            return
        said = await practice.mend(verdict.node, verdict.remedy)
        self.tell(Text(said))
        for node in self.session.plan.nodes:
            if node.address == verdict.node:
                self.session.nodes.probe(node)

    def action_save_report(self) -> None:
        """The report as a page and as data, to be taken along."""
        report, before = self.session.report(), self.session.before
        since = changes(before, report) if before is not None else None
        self._write("preflight.json", report_json(report))
        self._write("preflight.html", report_html(report, self.session.plan, since))

    def _write(self, name: str, text: str) -> None:
        """Into the draft's folder, and say where."""
        path = self.session.draft.folder / name
        try:
            write_atomically(path, text)
        except OSError as error:
            self.tell(Text(_("{path}: {why}").format(path=path, why=error.strerror or error), "bold red"))
        else:
            self.tell(Text(_("Written to {path}").format(path=path)))

    def _more_keys(self) -> Text:
        real = self.wizard.practice is None  # nodes of the practice only answer questions, and can be mended from here
        text = Text(no_wrap=True, overflow="ellipsis")
        for key, word in (*self.MORE_KEYS, ("t", N_("test")) if real else ("m", N_("mend"))):
            text.append(key, "bold reverse")
            text.append(f" {_(word)} ")  # with the practice's own key the line is full
        return text

    def _shown(self) -> list[Verdict]:
        met = (Outcome.PASS, Outcome.NOT_APPLICABLE)
        judgement = self.session.judgement
        shown = (judgement.blocking, [v for v in judgement.told if v.outcome not in met], judgement.verdicts)
        return sorted(
            (v for v in shown[self._filter] if self._node in (None, v.node)),
            key=lambda v: (not v.blocks, v.waived is not None, _ORDER.index(v.outcome)),
        )

    def _verdict(self) -> Verdict | None:
        key = self.query_one("#findings", Rows).key
        return next((v for v in self.session.verdicts if _key(v) == key), None)

    def _show(self) -> None:
        self._show_states()
        shown = self._shown()
        nothing = _("Nothing blocks. f shows the other findings.")
        if waiting := len(self.session.judgement.unseen):
            nothing = _("Nothing so far; nodes still to be looked at: {count}").format(count=waiting)
        self.query_one("#findings", Rows).show([Row(_key(v), one_line(v)) for v in shown], empty=nothing)
        blocking = len(self.session.judgement.blocking)
        filter = _(_FILTERS[self._filter])
        if self._node is not None:
            filter = _("{filter} on {node}").format(filter=filter, node=self._node)
        title = _("Preflight: {blocking} block, showing {filter} ({count})").format(
            blocking=blocking, filter=filter, count=len(shown)
        )
        self._set("#title", Text(title))
        self._show_detail()

    def _show_states(self) -> None:
        text = self._states()
        for panel in self.query("#states"):
            panel.styles.height = 1 + text.plain.count("\n")
        self._set("#states", text)

    def _states(self) -> Text:
        """The nodes that are not checked, each with its state; the others only as a number, or as what befell them.

        A second line where there is more to say of a node than its state."""
        away, told = Text(), Text()
        checked = 0
        for node in self.session.plan.nodes:
            seen = self.session.nodes.seen.get(node.address)
            mark, style = state_mark(seen.state) if seen else ("-", "dim")
            notice = seen.notice if seen else ""
            if seen is not None and seen.state is NodeState.CHECKED:
                checked += 1
                if notice:
                    told.append(f" {mark} {node.address} {notice} ", style)
                continue
            word = state_label(seen.state) if seen else _("waits for a login")
            away.append(f" {mark} {node.address} {f'{word}, {notice}' if notice else word} ", style)
        more = any(seen.notice for seen in self.session.nodes.seen.values())
        count = _("{checked} of {all} nodes checked").format(checked=checked, all=len(self.session.plan.nodes))
        running = (f" {_('tests are running')} ", "cyan") if self.session.nodes.requested else ""
        return Text.assemble(f" {count} ", running, "\n" if more else "", away, told, no_wrap=True, overflow="ellipsis")

    def _show_detail(self) -> None:
        verdict = self._verdict()
        self._set("#detail", self._whole(verdict) if verdict is not None else Text(""))

    def _whole(self, verdict: Verdict) -> Text:
        return whole(verdict, self.session.plan.effective_release)


def _key(verdict: Verdict) -> str:
    return f"{verdict.requirement} {verdict.node or '-'} {verdict.observed if verdict.node is None else ''}"
