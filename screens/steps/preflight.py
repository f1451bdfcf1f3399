"""The Preflight step. It shows each finding with observed value, expected value, reason and fix."""

import getpass
from collections.abc import Iterable
from typing import ClassVar

from rich.text import Text
from textual import work
from textual.binding import Binding, BindingType
from textual.widget import Widget

from acp_tui.checks.verdict import Outcome, Verdict
from acp_tui.core.files import write_atomically
from acp_tui.core.i18n import NC_, _, pgettext
from acp_tui.nodes.state import NodeState
from acp_tui.plan.sections.waiver import Waiver
from acp_tui.preflight.report.diff import changes
from acp_tui.preflight.report.diff_text import change_lines, network_lines
from acp_tui.preflight.report.html.page import report_html
from acp_tui.preflight.report.model import report_json
from screens.dialogs.prompts import Ask, Confirm, Read
from screens.formatting.finding import all_parts, one_line
from screens.formatting.preflight_list import Filter, empty_list, list_title, node_states, shown_verdicts
from screens.session.wizard_session import Changed, Session
from screens.steps.host_keys import HostKeyStep
from screens.widgets.key_bar import Key
from screens.widgets.panel import Panel
from screens.widgets.row_list import Row, Rows


class PreflightStep(HostKeyStep):
    NAME = "preflight"
    SHORT = NC_("step", "Preflight")
    TITLE_TEXT = NC_("title", "Preflight: nodes and plan checked against the requirements")
    KEYS = (("f", NC_("key", "filter")), ("w/W", NC_("key", "waive")), ("Enter", NC_("key", "details")))
    MORE_KEYS: ClassVar[tuple[Key, ...]] = (
        ("x", NC_("key", "fix")),
        ("/", NC_("key", "node")),
        ("y", NC_("key", "copy")),
        ("e/r", NC_("key", "recheck")),
        ("c", NC_("key", "diff")),
        ("n", NC_("key", "net")),
        ("s", NC_("key", "save")),
    )
    """Keys that the step shows below the finding, because the key bar has no space for them."""
    REAL_KEY: ClassVar[Key] = ("t", NC_("key", "test"))
    PRACTICE_KEY: ClassVar[Key] = ("m", NC_("key", "apply"))

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f", "filter", show=False),
        Binding("w", "waive(False)", show=False),
        Binding("W", "waive(True)", show=False),
        Binding("x", "fix", show=False),
        Binding("r", "recheck_all", show=False),
        Binding("m", "apply_fix", show=False),
        Binding("slash", "this_node", show=False),
        Binding("y", "copy", show=False),
        Binding("e", "recheck", show=False),
        Binding("c", "changes", show=False),
        Binding("n", "network", show=False),
        Binding("s", "save_report", show=False),
        Binding("t", "tests", show=False),
    ]

    _key_pressed = False
    """True after the first key press in this step."""
    _filter = Filter.BLOCKERS
    _node: str | None = None
    """Address of the node whose findings are shown. None for all nodes."""

    @classmethod
    def has_problems(cls, session: Session) -> bool:
        statuses = session.nodes.statuses
        states = [statuses[node.address].state for node in session.plan.nodes if node.address in statuses]
        checked = len(states) == len(session.plan.nodes) and all(state is NodeState.CHECKED for state in states)
        return not checked or bool(session.verdict_view.blockers)

    def may_ask(self) -> bool:
        """Return False after the first key press, because `y` copies a finding in this step."""
        return not self._key_pressed

    def on_key(self) -> None:
        self._key_pressed = True

    def node_under_cursor(self) -> str:
        return verdict.node or "" if (verdict := self._verdict()) is not None else ""

    def body(self) -> Iterable[Widget]:
        yield Panel(id="states")
        yield Rows(id="findings")
        yield Panel(id="detail")

    def opened(self) -> None:
        self.session.nodes.refresh()
        self.show_detail(self._more_keys())
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
        self._show_finding()
        self.show_detail(self._more_keys())

    def on_rows_chosen(self, event: Rows.Chosen) -> None:
        """Open a dialog with all parts of the finding under the cursor."""
        verdict = self._verdict()
        if verdict is not None:
            self.app.push_screen(Read(verdict.requirement, self._all_parts(verdict)))

    def move_to(self, verdict: Verdict) -> None:
        """Put the cursor on the line of this verdict."""
        self.query_one("#findings", Rows).move_to(_key(verdict))

    def action_filter(self) -> None:
        self._filter = self._filter.next
        self._show()

    def action_this_node(self) -> None:
        """Show only the findings of the node under the cursor. On the next press, show the findings of all nodes."""
        verdict = self._verdict()
        self._node = verdict.node if verdict is not None and self._node is None else None
        self._show()

    def action_recheck(self) -> None:
        """Recheck the node of the finding under the cursor. If the finding has no node, recheck all nodes."""
        verdict = self._verdict()
        if verdict is None:
            return
        for node in self.session.plan.nodes:
            if verdict.node in (node.address, None):
                self.session.nodes.check(node)
        self.show_answer(pgettext("preflight", "acp-tui is rechecking {rule}").format(rule=verdict.requirement))

    def action_copy(self) -> None:
        """Copy the finding to a file and, if the terminal allows access, to the clipboard."""
        verdict = self._verdict()
        if verdict is None:
            return
        text = f"{verdict.requirement} {verdict.node or ''}".rstrip() + f"\n{self._all_parts(verdict).plain}"
        self.app.copy_to_clipboard(text)
        self._write("finding.txt", text)

    def action_changes(self) -> None:
        """Show the differences between the last report and the current results."""
        before = self.session.last_report
        if before is None:
            self.show_answer(_("No earlier report exists. Press r to recheck all nodes."))
            return
        found = changes(before, self.session.report())
        title = pgettext("preflight", "Changes since {moment}").format(
            moment=f"{found.since.astimezone():%Y-%m-%d %H:%M}"
        )
        self.app.push_screen(Read(title, Text("\n".join(change_lines(found)))))

    def action_network(self) -> None:
        """Open a dialog with the results of the connectivity tests between the nodes."""
        lines = network_lines(self.session.report().nodes, Read.WIDE)
        text = Text("\n".join(lines) or _("The connectivity between the nodes has not been tested yet."))
        self.app.push_screen(Read(_("Connectivity between the nodes"), text, wide=True))

    @work
    async def action_tests(self) -> None:
        """Let the operator choose active tests from a list. After a confirmation, run them."""
        if self.wizard.practice is not None:
            return
        from acp_tui.preflight.active_tests import (
            DESCRIPTIONS,
            describe_effect,
        )  # the import of the SSH modules is slow
        from screens.dialogs.active_tests import ActiveTestsDialog

        if not await self.hosts_confirmed():
            return
        plan = self.session.plan
        chosen = await self.app.push_screen_wait(ActiveTestsDialog(plan))
        if not chosen:
            return
        question = "\n".join(f"- {describe_effect(plan, one)}" for one in chosen)
        if await self.app.push_screen_wait(Confirm(_("Run these tests on the nodes now?"), question)):
            self.session.nodes.run_active_tests(chosen)
            names = ", ".join(_(DESCRIPTIONS[one].name).partition(":")[0] for one in chosen)
            self.show_answer(_("Tests started: {names}. Their results appear later.").format(names=names))

    def action_recheck_all(self) -> None:
        self.session.keep_last_report()
        for node in self.session.plan.nodes:
            self.session.nodes.check(node)

    @work
    async def action_waive(self, everywhere: bool) -> None:
        """Waive the requirement on its node, or on all nodes if `everywhere`.

        If the requirement is already waived, remove the waiver instead. What a person must confirm for the same reason
        is included: each requirement has a waiver of its own."""
        verdict = self._verdict()
        if verdict is None or verdict.outcome is Outcome.PASS:
            return
        together = [verdict]
        if verdict.outcome is Outcome.MANUAL:
            followers = self.session.verdict_view.group_of(verdict).followers
            together += [follower for follower in followers if follower.outcome is Outcome.MANUAL]
        key = (verdict.requirement, "*" if everywhere or verdict.node is None else verdict.node)
        waivers = self.session.plan.waivers
        if verdict.waived is not None:
            named = {(one.requirement, node) for one in together for node in (key[1], "*")}
            rest = tuple(w for w in waivers if (w.requirement, w.node) not in named)
            self.session.replace_plan(self.session.plan.model_copy(update={"waivers": rest}))
            return
        title = pgettext("preflight", "Waive {rule}").format(rule=verdict.requirement)
        if key[1] == "*":
            question = _("Why do you waive this requirement on all nodes? The plan and the report store the reason.")
        else:
            question = _("Why do you waive this requirement on {node}? The plan and the report store the reason.")
        preset = _("confirmed by a person: the requirement is fulfilled") if verdict.outcome is Outcome.MANUAL else ""
        reason = await self.app.push_screen_wait(Ask(title, question.format(node=key[1]), preset))
        if reason and reason.strip():
            added = (
                Waiver(requirement=one.requirement, node=key[1], reason=reason.strip(), by=getpass.getuser())
                for one in together
                if one.waived is None
            )
            self.session.replace_plan(self.session.plan.model_copy(update={"waivers": (*waivers, *added)}))

    def action_fix(self) -> None:
        """Open the screen that fixes nodes, with the cursor on the node of this finding."""
        verdict = self._verdict()
        from screens.dialogs.fix import FixScreen  # the import of the SSH modules is slow

        self.app.push_screen(FixScreen(self.session, verdict.node if verdict is not None else None))

    @work
    async def action_apply_fix(self) -> None:
        """Run the fix of the finding on its node of the practice cluster. Then recheck the node."""
        verdict, practice = self._verdict(), self.wizard.practice
        if verdict is None or practice is None or verdict.node is None or not verdict.remedy:
            return
        output = await practice.apply_fix(verdict.node, verdict.remedy)
        self.show_answer(output)
        for node in self.session.plan.nodes:
            if node.address == verdict.node:
                self.session.nodes.check(node)

    def action_save_report(self) -> None:
        """Write the current report to two files: JSON and HTML."""
        report, before = self.session.report(), self.session.last_report
        since = changes(before, report) if before is not None else None
        self._write("preflight.json", report_json(report))
        self._write("preflight.html", report_html(report, self.session.plan, since))

    def _write(self, name: str, text: str) -> None:
        """Write the file `name` into the folder of the draft, and show its path."""
        path = self.session.draft.folder / name
        try:
            write_atomically(path, text)
        except OSError as error:
            self.show_failure(
                pgettext("error", "Cannot write the file: {reason}: {path}").format(
                    path=path, reason=error.strerror or error
                )
            )
        else:
            self.show_answer(pgettext("file", "acp-tui wrote {path}").format(path=path))

    def _more_keys(self) -> Text:
        text = Text(no_wrap=True, overflow="ellipsis")
        for key, label in (*self.MORE_KEYS, self.REAL_KEY if self.wizard.practice is None else self.PRACTICE_KEY):
            text.append(key, "bold reverse")
            text.append(f" {pgettext('key', label)} ")
        return text

    def _verdict(self) -> Verdict | None:
        key = self.query_one("#findings", Rows).key
        return next((v for v in self.session.verdicts if _key(v) == key), None)

    def _show(self) -> None:
        self._show_states()
        view, release = self.session.verdict_view, self.session.plan.effective_release
        shown = shown_verdicts(view, self._filter, self._node)
        followers = {verdict: len(view.group_of(verdict).followers) for verdict in shown}
        rows = [Row(_key(verdict), one_line(verdict, release, followers[verdict])) for verdict in shown]
        self.query_one("#findings", Rows).show(rows, empty=empty_list(len(view.unchecked)))
        self.set_panel("#title", Text(list_title(len(view.blockers), self._filter, len(shown), self._node)))
        self._show_finding()

    def _show_states(self) -> None:
        text = node_states(self.session)
        for panel in self.query("#states"):
            panel.styles.height = 1 + text.plain.count("\n")
        self.set_panel("#states", text)

    def _show_finding(self) -> None:
        verdict = self._verdict()
        self.set_panel("#detail", self._all_parts(verdict) if verdict is not None else Text(""))

    def _all_parts(self, verdict: Verdict) -> Text:
        view, release = self.session.verdict_view, self.session.plan.effective_release
        return all_parts(verdict, release, view.group_of(verdict))


def _key(verdict: Verdict) -> str:
    return f"{verdict.requirement} {verdict.node or '-'} {verdict.observed if verdict.node is None else ''}"
