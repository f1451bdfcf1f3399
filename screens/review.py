"""Review: every answer, the setup line, the installer's document with secrets masked, and what still blocks."""

import asyncio
import json
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual import work
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.widgets import Static

from acp_tui.answers import listed
from acp_tui.installer.config import RenderError, masked, render
from acp_tui.installer.run import setup_command
from acp_tui.plan import Plan
from acp_tui.planfile import save_plan
from acp_tui.texts import N_, _, ngettext
from screens.dialogs import Ask
from screens.glyphs import glyphs
from screens.session import Topic
from screens.step import Step


class ReviewStep(Step):
    NAME = "review"
    SHORT = N_("Review")
    TITLE_TEXT = N_("Review: nothing has been started yet")
    KEYS = (("j", N_("to the next blocker")), ("s", N_("save plan")), ("x", N_("bundle")))

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "jump", show=False),
        Binding("s", "save_plan", show=False),
        Binding("x", "export", show=False),
    ]

    def body(self) -> Iterable[Widget]:
        with VerticalScroll(id="review"):
            yield Static("", id="summary")

    def opened(self) -> None:
        self.set_focus(self.query_one("#review"))

    def show_body(self, topic: Topic) -> None:
        if topic is not Topic.NODES:
            self._show()

    async def action_jump(self) -> None:
        """Go to where the first thing that blocks can be mended."""
        await self.wizard.go_to_blocker()

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
        preset = str(Path.cwd() / "acp-bundle")
        question = _("Folder of the bundle: plan, secrets, document, report, host keys, checksums.")
        answer = await self.app.push_screen_wait(Ask(_("Write the bundle"), question, preset))
        if answer:
            self.tell(await self.wizard.write_bundle(_path(answer)))

    def _show(self) -> None:
        summary, text = self.query_one("#summary", Static), self._summary()
        if summary.content != text:
            summary.update(text)

    def _summary(self) -> Text:
        g = glyphs()
        plan = self.session.plan
        report = self.session.report()
        blocking = self.session.judgement.blocking
        text = Text()
        if report.ready:
            text.append(
                f"{g.passed} " + _("Ready. ^N leads to the install; nothing starts before you say so there.") + "\n",
                "bold green",
            )
        else:
            if count := len(blocking):
                said = ngettext("{count} finding blocks the install", "{count} findings block the install", count)
                text.append(f"{g.failed} " + said.format(count=count) + "\n", "bold red")
            for verdict in blocking[:6]:
                text.append(f"  {verdict.requirement} {verdict.node or ''} {' '.join(verdict.observed.split())[:60]}\n")
            waiting = [n.address for n in report.nodes if n.state.value != "checked"]
            if waiting:
                text.append(
                    f"{g.failed} " + _("not checked: {nodes}").format(nodes=", ".join(waiting)) + "\n", "bold red"
                )
        text.append("\n" + _("Start command") + "\n", "bold")
        text.append("  " + " ".join(setup_command(plan)) + "\n")
        text.append("\n" + _("Answers ({mark} your choice, others are defaults)").format(mark="*") + "\n", "bold")
        text.append("\n".join(_answers(plan)) + "\n")
        text.append("\n" + _("Document for the installer, secrets masked") + "\n", "bold")
        try:
            text.append(json.dumps(masked(json.loads(render(plan, self.wizard.base))), indent=2, ensure_ascii=False))
        except RenderError as error:
            text.append(str(error), "red")
        return text


def _path(typed: str) -> Path:
    return Path(typed).expanduser()


def _answers(plan: Plan) -> Iterable[str]:
    for answer in listed(plan):
        shown = glyphs().mask * 8 if answer.secret and answer.chosen else answer.text or "-"
        yield f" {'*' if answer.chosen else ' '} {answer.path}: {shown}"
