"""The Review step: blockers, waivers, settings without public documentation, the start command, and all answers."""

import asyncio
import getpass
import json
from collections.abc import Iterable, Iterator
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
from acp_tui.core.i18n import NC_, _, ngettext, pgettext
from acp_tui.core.redaction import mask_document
from acp_tui.core.text import json_text
from acp_tui.install.config.render import RenderError, render
from acp_tui.install.config.unverified import unverified
from acp_tui.install.start import setup_line
from acp_tui.nodes.state import NodeState
from acp_tui.package.trust import trust_warnings
from acp_tui.plan.derived_defaults import derived_paths
from acp_tui.plan.file import save_plan
from acp_tui.plan.paths import ListedAnswer, list_answers
from acp_tui.plan.sections.waiver import Waiver
from acp_tui.preflight.bundle import SecretsMode
from acp_tui.preflight.report.readiness import left_out
from screens.dialogs.prompts import Ask, Pick, Read
from screens.dialogs.recheck import Recheck
from screens.formatting.answer import answer_help, implied_values
from screens.formatting.finding import all_parts, title_of
from screens.formatting.glyphs import glyphs, outcome_mark, state_mark
from screens.session.wizard_session import Changed
from screens.steps.base import WizardStep
from screens.widgets.row_list import Row, Rows

_UNSIGNED = "BND-SIGN"
"""ID of the requirement that the operator can waive for a package without a signature."""


class ReviewStep(WizardStep):
    NAME = "review"
    SHORT = NC_("step", "Review")
    TITLE_TEXT = NC_("title", "Review: check the plan before you start the install")
    KEYS = (
        ("Enter", NC_("key", "open")),
        ("m", NC_("key", "blocker")),
        ("v", NC_("key", "configuration")),
        ("s", NC_("key", "save")),
        ("x", NC_("key", "bundle")),
    )

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("m", "blocker", show=False),
        Binding("v", "configuration", show=False),
        Binding("w", "waive_signature", show=False),
        Binding("s", "save_plan", show=False),
        Binding("x", "export", show=False),
    ]

    def body(self) -> Iterable[Widget]:
        yield Rows(id="review")

    def opened(self) -> None:
        self.session.nodes.refresh()
        self.set_focus(self.query_one("#review"))

    def show_body(self, topic: Changed) -> None:
        if topic is not Changed.NODES:
            self.query_one("#review", Rows).show(list(self._rows()))

    def rule_under_cursor(self) -> str | None:
        verdict = self._verdict()
        return verdict.requirement if verdict is not None else None

    def on_rows_highlighted(self, event: Rows.Highlighted) -> None:
        """Show the full text of the line under the cursor."""
        if (verdict := self._verdict()) is not None:
            group = self.session.verdict_view.group_of(verdict)
            self.show_detail(all_parts(verdict, self.session.plan.effective_release, group))
        elif (answer := self._answer()) is not None:
            self.show_detail(
                Text.assemble(f"{answer.path}: {self._value(answer)}\n", (answer_help(answer.path), "dim"))
            )
        else:
            self.show_detail(event.key.partition(" ")[2])

    def on_rows_chosen(self, event: Rows.Chosen) -> None:
        """Go to the field of the chosen line. The application runs the task, because this screen and its tasks end."""
        if (verdict := self._verdict()) is not None:
            self.app.run_worker(self.wizard.go_to(verdict))
        elif (answer := self._answer()) is not None:
            self.app.run_worker(self.wizard.go_to_answer(answer.path))
        elif event.key.startswith("configuration"):
            self.action_configuration()

    def action_blocker(self) -> None:
        """Go to the field or the finding of the first blocker."""
        self.app.run_worker(self.wizard.go_to_blocker())

    def action_configuration(self) -> None:
        """Open a dialog with the configuration for the installer. Its secrets are masked."""
        try:
            content = mask_document(json.loads(render(self.session.plan, self.wizard.plan_dir)))
        except RenderError as error:
            text = Text("\n".join(f"{one.path}: {one.reason}" for one in error.missing), "red")
        else:
            text = Text(json_text(content))
        self.app.push_screen(Read(_("Configuration for the installer, secrets masked"), text, wide=True))

    @work
    async def action_waive_signature(self) -> None:
        """Ask for a reason and waive the signature verification of the package."""
        found = self._unsigned()
        if found is None:
            return
        question = _("{found}\nWhy do you install without a signature? The plan and the report store the reason.")
        ask = Ask(_("Waive signature verification"), question.format(found=found.observed))
        reason = await self.app.push_screen_wait(ask)
        if reason and reason.strip():
            waiver = Waiver(requirement=found.requirement, reason=reason.strip(), by=getpass.getuser())
            waivers = (*self.session.plan.waivers, waiver)
            self.session.replace_plan(self.session.plan.model_copy(update={"waivers": waivers}))

    @work
    async def action_save_plan(self) -> None:
        preset = str(self.session.plan_file or Path.cwd() / "plan.yaml")
        question = _(
            "Enter the path to which acp-tui writes the plan. It writes the secrets to secrets.yaml in the same folder."
        )
        answer = await self.app.push_screen_wait(Ask(_("Save the plan"), question, preset))
        if not answer:
            return
        try:
            await asyncio.to_thread(save_plan, self.session.plan, _path(answer))
        except OSError as error:
            reason = error.strerror or error
            self.show_failure(
                pgettext("error", "Cannot write the plan: {reason}: {path}").format(reason=reason, path=answer)
            )
        else:
            self.show_answer(pgettext("file", "The plan was written to {path}").format(path=answer))

    @work
    async def action_export(self) -> None:
        if not await self.hosts_confirmed():
            return
        await self.session.evaluate_now()  # the last typed value must not count as a change of the nodes
        before = self.session.report()
        preset = str(Path.cwd() / "acp-bundle")
        question = _(
            "Enter the folder to which acp-tui writes the bundle (plan, secrets, configuration, report, known hosts, "
            "checksums)."
        )
        answer = await self.app.push_screen_wait(Ask(_("Write the bundle"), question, preset))
        keep = await self._keep() if answer else None
        if not answer or keep is None:
            return
        if await self.app.push_screen_wait(Recheck(self.session, before)):
            self.show_answer(await self.wizard.write_bundle(_path(answer), keep))
        else:
            self.show_failure(_("The bundle was not written. Press x to write it with the current results."))

    async def _keep(self) -> SecretsMode | None:
        """Ask how to store the secrets in the bundle. None if the operator cancels."""
        options = [
            ("p", _("As plain text, in files that only you can read")),
            ("e", _("Encrypted with a passphrase")),
            ("n", _("Leave secrets out. You must enter them before the install")),
        ]
        picked = await self.app.push_screen_wait(Pick(_("How should secrets be stored?"), options))
        if picked == "p":
            return "plain"
        if picked == "n":
            return "left-out"
        if picked != "e":
            return None
        phrase: str | None = None
        title = _("Encrypt the secrets")
        for question in (pgettext("dialog", "Passphrase"), pgettext("dialog", "Repeat passphrase")):
            typed = await self.app.push_screen_wait(Ask(title, question, secret=True))
            if not typed or phrase not in (None, typed):
                self.show_failure(_("The passphrases are empty or do not match. The bundle was not written."))
                return None
            phrase = typed
        return ToPassphrase(SecretStr(phrase or ""))

    def _rows(self) -> Iterator[Row]:
        for number, warning in enumerate(trust_warnings(self.session.verdicts)):
            yield Row(f"trust{number} {warning}", _line(f"! {warning}", "bold red"))
        yield from self._blockers()
        plan, release = self.session.plan, self.session.plan.effective_release
        waived = [verdict for verdict in self.session.verdicts if verdict.waived is not None]
        if waived:
            yield _heading(pgettext("review", "Waived"))
        for verdict in waived:
            line = f"W {verdict.node or '-':<15} {verdict.waived}: {title_of(verdict, release)}"
            yield Row(_key(verdict), _line(line, "cyan"))
        notes = unverified(plan)
        if notes:
            yield _heading(_("Settings without public documentation"))
        for number, note in enumerate(notes):
            yield Row(f"note{number} {note}", _line(f"{glyphs().warned} {note}", "yellow"))
        yield _heading(pgettext("review", "Start command"))
        line = setup_line(plan, self.wizard.plan_dir)
        yield Row(f"line {line}", _line(f"  {line}"))
        text = "  " + _("Press v to show the configuration for the installer.")
        yield Row(f"configuration {_('Press Enter or v to show the configuration.')}", _line(text))
        yield _heading(pgettext("review", "Answers"))
        yield from self._answers()

    def _blockers(self) -> Iterator[Row]:
        """Yield a line that says whether the install can start, and then a line for each blocker."""
        g, blockers = glyphs(), self.session.verdict_view.blockers
        report, release = self.session.report(), self.session.plan.effective_release
        if report.ready:
            yield _heading(f"{g.passed} " + _("The plan is ready. Press ^N to open the Install step."), "bold green")
            return
        if count := len(blockers):
            text = ngettext("{count} finding blocks the install", "{count} findings block the install", count)
            yield _heading(f"{g.failed} {text.format(count=count)}", "bold red")
        for verdict in blockers:
            mark, style = outcome_mark(verdict.outcome)
            observed = " ".join(verdict.observed.split())
            where = verdict.paths[0] if verdict.paths else verdict.node or "-"
            yield Row(_key(verdict), _line(f"{mark} {where:<15} {title_of(verdict, release)}: {observed}", style))
        if (unsigned := self._unsigned()) is not None:
            text = _("Press w to waive the signature verification.")
            yield Row(f"unsigned {unsigned.observed}", _line(f"? {text}", "bold yellow"))
        for line in left_out(report, self.session.plan):
            yield Row(f"partial {line}", _line(f"{g.unknown} {line}", "yellow"))
        for node in report.nodes:
            if node.state is not NodeState.CHECKED:
                mark, style = state_mark(node.state)
                yield Row(f"node {node.detail}", _line(f"{mark} {node.address} {state_label(node.state)}", style))

    def _answers(self) -> Iterator[Row]:
        origins = {
            "*": pgettext("origin", "chosen"),
            "+": pgettext("origin", "derived"),
            " ": pgettext("origin", "default"),
        }
        width = max(map(len, origins.values()))
        preset = derived_paths(self.session.plan, self.session.draft.preset)
        for answer in list_answers(self.session.plan):
            if answer.path.startswith("waivers"):
                continue  # the waivers have their own heading above
            mark = "+" if answer.path in preset else "*" if answer.is_set else " "
            text = _line(f"{mark} {origins[mark]:<{width}} {answer.path}: ", "" if answer.is_set else "dim")
            text.append(self._value(answer), "bold" if answer.is_set else "dim")
            yield Row(f"answer {answer.path}", text)

    def _value(self, answer: ListedAnswer) -> str:
        if answer.secret:
            return glyphs().mask * 8 if answer.is_set else "-"
        return answer.text or implied_values(self.session.plan).get(answer.path) or "-"

    def _unsigned(self) -> Verdict | None:
        """Return the blocker for a missing signature. None if the signature is bad or not verified yet."""
        unknown = (v for v in self.session.verdict_view.blockers if v.outcome is Outcome.UNKNOWN and v.paths)
        return next((verdict for verdict in unknown if verdict.requirement == _UNSIGNED), None)

    def _verdict(self) -> Verdict | None:
        key = self.query_one("#review", Rows).key
        return next((v for v in self.session.verdicts if key.startswith("finding") and _key(v) == key), None)

    def _answer(self) -> ListedAnswer | None:
        kind, _blank, path = self.query_one("#review", Rows).key.partition(" ")
        return next((a for a in list_answers(self.session.plan) if kind == "answer" and a.path == path), None)


def _path(typed: str) -> Path:
    return resolve_path(Path(), typed)


def _heading(text: str, style: str = "bold") -> Row:
    return Row("", Text.assemble((text, style)))


def _line(text: str, style: str = "") -> Text:
    return Text.assemble((f" {text}", style))


def _key(verdict: Verdict) -> str:
    return f"finding {verdict.requirement} {verdict.node or verdict.observed}"
