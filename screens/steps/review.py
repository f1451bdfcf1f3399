"""Review: every answer, what blocks and where to mend it, what is waived or unproven, and what would be started."""

import asyncio
import getpass
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import ClassVar

from pydantic import SecretStr
from rich.text import Text
from textual import work
from textual.binding import Binding, BindingType
from textual.widget import Widget

from acp_tui.checks.labels import state_label
from acp_tui.checks.verdict import Outcome, Verdict
from acp_tui.core.files import resolve_path
from acp_tui.core.gpg.encryption import ToPassphrase
from acp_tui.core.i18n import N_, _, ngettext
from acp_tui.install.config.render import RenderError, masked, render, unverified
from acp_tui.install.start import setup_line
from acp_tui.nodes.state import NodeState
from acp_tui.plan.derived_defaults import preset_paths
from acp_tui.plan.file import save_plan
from acp_tui.plan.model import Plan, Waiver, field_at
from acp_tui.plan.paths import Listed, listed
from acp_tui.preflight.bundle import SecretsMode
from screens.dialogs.prompts import Ask, Pick, Read
from screens.dialogs.recheck import Recheck
from screens.formatting.finding import whole
from screens.formatting.glyphs import glyphs, outcome_mark
from screens.session.session import Changed
from screens.steps.base import WizardStep
from screens.widgets.row_list import Row, Rows

_UNSIGNED = "BND-SIGN"
"""The rule that somebody has to decide about where there is no signature."""


class ReviewStep(WizardStep):
    NAME = "review"
    SHORT = N_("Review")
    TITLE_TEXT = N_("Review: nothing has been started yet")
    KEYS = (
        ("Enter", N_("go there")),
        ("m", N_("mend")),
        ("v", N_("document")),
        ("s", N_("save")),
        ("x", N_("bundle")),
    )

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("m", "jump", show=False),
        Binding("v", "document", show=False),
        Binding("w", "decide", show=False),
        Binding("s", "save_plan", show=False),
        Binding("x", "export", show=False),
    ]

    def body(self) -> Iterable[Widget]:
        yield Rows(id="review")

    def opened(self) -> None:
        self.session.nodes.look_again()
        self.set_focus(self.query_one("#review"))

    def show_body(self, topic: Changed) -> None:
        if topic is not Changed.NODES:
            self.query_one("#review", Rows).show(list(self._rows()))

    def rule_under_cursor(self) -> str | None:
        verdict = self._verdict()
        return verdict.requirement if verdict is not None else None

    def on_rows_highlighted(self, event: Rows.Highlighted) -> None:
        """The whole of what the line has no room for."""
        if (verdict := self._verdict()) is not None:
            self.tell(whole(verdict, self.session.plan.effective_release))
        elif (answer := self._answer()) is not None:
            self.tell(Text.assemble(f"{answer.path}: {self._value(answer)}\n", (_help(answer.path), "dim")))
        else:
            self.tell(Text(event.key.partition(" ")[2]))

    def on_rows_chosen(self, event: Rows.Chosen) -> None:
        """To the field that this line comes from. Work of the application: this screen goes away meanwhile."""
        if (verdict := self._verdict()) is not None:
            self.app.run_worker(self.wizard.go_to(verdict))
        elif (answer := self._answer()) is not None:
            self.app.run_worker(self.wizard.go_to_answer(answer.path))
        elif event.key.startswith("document"):
            self.action_document()

    def action_jump(self) -> None:
        """Go to where the first thing that blocks can be mended."""
        self.app.run_worker(self.wizard.go_to_blocker())

    def action_document(self) -> None:
        """The whole document for the installer, secrets masked."""
        try:
            content = masked(json.loads(render(self.session.plan, self.wizard.base)))
        except RenderError as error:
            text = Text("\n".join(f"{one.path}: {one.reason}" for one in error.missing), "red")
        else:
            text = Text(json.dumps(content, indent=2, ensure_ascii=False))
        self.app.push_screen(Read(_("Document for the installer, secrets masked"), text, wide=True))

    @work
    async def action_decide(self) -> None:
        """Nobody has signed the package, or nobody could look: whether to go without is the operator's to say."""
        found = self._undecided()
        if found is None:
            return
        question = _("{found}\nWhy may it be installed all the same? The reason goes into plan and report.")
        ask = Ask(_("Install without a verified signature"), question.format(found=found.observed))
        reason = await self.app.push_screen_wait(ask)
        if reason and reason.strip():
            waiver = Waiver(requirement=found.requirement, reason=reason.strip(), by=getpass.getuser())
            waivers = (*self.session.plan.waivers, waiver)
            self.session.plan_replaced(self.session.plan.model_copy(update={"waivers": waivers}))

    @work
    async def action_save_plan(self) -> None:
        preset = str(self.session.plan_file or Path.cwd() / "plan.yaml")
        question = _("Where to? The secrets go to secrets.yaml beside it, readable by you alone.")
        answer = await self.app.push_screen_wait(Ask(_("Save the plan"), question, preset))
        if not answer:
            return
        try:
            await asyncio.to_thread(save_plan, self.session.plan, _path(answer))
        except OSError as error:
            said = _("not written: {why}: {path}").format(why=error.strerror or error, path=answer)
            self.tell(Text(said, "bold red"))
        else:
            self.tell(Text(_("Written to {path}").format(path=answer)))

    @work
    async def action_export(self) -> None:
        await self.session.judge_now()  # what was typed a moment ago is no news of the nodes
        before = self.session.report()
        preset = str(Path.cwd() / "acp-bundle")
        question = _("Folder of the bundle: plan, secrets, document, report, host keys, checksums.")
        answer = await self.app.push_screen_wait(Ask(_("Write the bundle"), question, preset))
        keep = await self._keep() if answer else None
        if not answer or keep is None:
            return
        if await self.app.push_screen_wait(Recheck(self.session, before)):
            self.tell(await self.wizard.write_bundle(_path(answer), keep))
        else:
            self.tell(Text(_("No bundle was written. x writes one of what is known now."), "bold red"))

    async def _keep(self) -> SecretsMode | None:
        """What becomes of the secrets; None: the question was left."""
        options = [
            ("p", _("as they are, in files that only you can read")),
            ("e", _("encrypted to a passphrase")),
            ("n", _("not in the bundle: they are asked for again")),
        ]
        picked = await self.app.push_screen_wait(Pick(_("What becomes of the secrets?"), options))
        if picked == "p":
            return "plain"
        if picked == "n":
            return "left-out"
        if picked != "e":
            return None
        phrase: str | None = None
        title = _("Encrypt the secrets")
        for question in (_("Passphrase"), _("The same once more")):
            typed = await self.app.push_screen_wait(Ask(title, question, secret=True))
            if not typed or phrase not in (None, typed):
                self.tell(Text(_("Nothing was typed, or not the same twice; nothing was written."), "bold red"))
                return None
            phrase = typed
        return ToPassphrase(SecretStr(phrase or ""))

    def _rows(self) -> Iterator[Row]:
        yield from self._standing()
        plan = self.session.plan
        waived = [verdict for verdict in self.session.verdicts if verdict.waived is not None]
        if waived:
            yield _heading(_("Waived"))
        for verdict in waived:
            yield Row(
                _key(verdict), _line(f"W {verdict.node or '-':<15} {verdict.requirement}: {verdict.waived}", "cyan")
            )
        notes = unverified(plan)
        if notes:
            yield _heading(_("Unproven by any public source"))
        for number, note in enumerate(notes):
            yield Row(f"note{number} {note}", _line(f"{glyphs().warned} {note}", "yellow"))
        yield _heading(_("What is started"))
        line = setup_line(plan, self.wizard.base)
        yield Row(f"line {line}", _line(f"  {line}"))
        yield Row(f"document {_('Enter or v shows it')}", _line("  " + _("document for the installer: v shows it")))
        yield _heading(_("Answers"))
        yield from self._answers()

    def _standing(self) -> Iterator[Row]:
        """Whether it may begin, and what speaks against it."""
        g, blocking = glyphs(), self.session.judgement.blocking
        report = self.session.report()
        if report.ready:
            yield _heading(f"{g.passed} " + _("Ready. ^N leads to the install."), "bold green")
            return
        if count := len(blocking):
            said = ngettext("{count} finding blocks the install", "{count} findings block the install", count)
            yield _heading(f"{g.failed} " + said.format(count=count), "bold red")
        for verdict in blocking:
            mark, style = outcome_mark(verdict.outcome)
            observed = " ".join(verdict.observed.split())
            where = verdict.paths[0] if verdict.paths else verdict.node or "-"
            yield Row(_key(verdict), _line(f"{mark} {where:<15} {verdict.requirement}: {observed}", style))
        if (undecided := self._undecided()) is not None:
            words = _("w decides to install without a verified signature")
            yield Row(f"decide {undecided.observed}", _line(f"? {words}", "bold yellow"))
        for node in report.nodes:
            if node.state is not NodeState.CHECKED:
                yield Row(
                    f"node {node.detail}", _line(f"{g.failed} {node.address} {state_label(node.state)}", "bold red")
                )

    def _answers(self) -> Iterator[Row]:
        words = {"*": _("chosen"), "+": _("preset"), " ": _("default")}
        width = max(map(len, words.values()))
        preset = preset_paths(self.session.plan, self.session.draft.preset)
        for answer in listed(self.session.plan):
            if answer.path.startswith("waivers"):
                continue  # told above
            mark = "+" if answer.path in preset else "*" if answer.chosen else " "
            text = _line(f"{mark} {words[mark]:<{width}} {answer.path}: ", "" if answer.chosen else "dim")
            text.append(self._value(answer), "bold" if answer.chosen else "dim")
            yield Row(f"answer {answer.path}", text)

    def _value(self, answer: Listed) -> str:
        if answer.secret:
            return glyphs().mask * 8 if answer.chosen else "-"
        return answer.text or _follows(self.session.plan).get(answer.path) or "-"

    def _undecided(self) -> Verdict | None:
        blocking = self.session.judgement.blocking
        # Bad is no question. Not yet verified is none either: it has no path to an answer that would mend it.
        unknown = (v for v in blocking if v.outcome is Outcome.UNKNOWN and v.paths)
        return next((verdict for verdict in unknown if verdict.requirement == _UNSIGNED), None)

    def _verdict(self) -> Verdict | None:
        key = self.query_one("#review", Rows).key
        return next((v for v in self.session.verdicts if key.startswith("finding") and _key(v) == key), None)

    def _answer(self) -> Listed | None:
        kind, _blank, path = self.query_one("#review", Rows).key.partition(" ")
        return next((a for a in listed(self.session.plan) if kind == "answer" and a.path == path), None)


def _path(typed: str) -> Path:
    return resolve_path(Path(), typed)


def _heading(words: str, style: str = "bold") -> Row:
    return Row("", Text.assemble((words, style)))


def _line(words: str, style: str = "") -> Text:
    return Text.assemble((f" {words}", style))


def _key(verdict: Verdict) -> str:
    return f"finding {verdict.requirement} {verdict.node or verdict.observed}"


def _help(path: str) -> str:
    return _(field_at(path).description or "")


def _follows(plan: Plan) -> Mapping[str, str]:
    """What holds where nothing is given, of the answers that follow another one."""
    newest = _("the newest that the installer offers")
    return {
        "release": plan.effective_release,
        "address.platform": plan.platform_address,
        "registry.address": plan.registry_address if plan.registry.mode == "platform" else "",
        "kubernetes.version": newest,
        "kubernetes.container_runtime": newest,
    }
