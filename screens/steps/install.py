"""The Install step: it starts and follows the install, and asks the questions for which the install waits.

The install continues even if the wizard ends.
"""

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import work
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import RichLog, Static

from acp_tui.core.i18n import NC_, _, pgettext
from acp_tui.install.install_session import InstallSession, is_remote_install
from acp_tui.install.next_step import NextStep, next_step
from acp_tui.install.observe.log_mask import log_mask
from acp_tui.install.run.spawn_runner import RunError
from acp_tui.install.run.state import FINAL, PROGRESS_FILE, SETUP_LOG, Phase, RunNotFound, RunState
from acp_tui.install.start import RunSettings, StartError
from acp_tui.package.trust import trust_warnings
from screens.dialogs.log_viewer import LogScreen
from screens.dialogs.prompts import Confirm, Read
from screens.dialogs.recheck import Recheck
from screens.formatting.install_result import advice, failure_text, phases, result_text, warning_lines
from screens.session.wizard_session import Changed, Session
from screens.steps.base import WizardStep
from screens.steps.install_questions import ask_answers, clean_up, leftover_lines, start_question
from screens.steps.remote_install import install_remotely
from screens.widgets.panel import Panel

if TYPE_CHECKING:
    from acp_tui.install.verify.run import Finish

_LINES = 2000
"""Maximum number of log lines on the screen. The log files have all lines."""
_SOURCES = {"acp-tui": "bold", "installer": "cyan"}


class InstallStep(WizardStep):
    NAME = "install"
    SHORT = NC_("step", "Install")
    TITLE_TEXT = NC_("title", "Install")
    KEYS = (
        ("s", NC_("key", "start")),
        ("l", NC_("key", "logs")),
        ("p", NC_("key", "raw")),
        ("f", NC_("key", "findings")),
        ("t", NC_("key", "diagnose")),
        ("c", NC_("key", "abort")),
    )

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "start", show=False),
        Binding("c", "abort", show=False),
        Binding("f", "finish", show=False),
        Binding("l", "logs", show=False),
        Binding("p", "progress", show=False),
        Binding("v", "verify", show=False),
        Binding("t", "diagnose", show=False),
    ]

    _run: RunState | None = None
    _finish: "Finish | None" = None
    """The result of the last verification of the cluster. None before the first verification."""
    _verifying = False
    _stall = ""
    """The likely cause of a stalled install. "" while the install makes progress."""

    @classmethod
    def has_problems(cls, session: Session) -> bool:
        return False

    def body(self) -> Iterable[Widget]:
        yield Panel(id="phases")
        yield Static(id="trust")
        yield RichLog(id="log", max_lines=_LINES, wrap=True, min_width=20)

    def opened(self) -> None:
        self.set_focus(self.query_one("#log"))
        if self.session.draft.run:
            self._follow()
        else:
            self._show()

    def show_body(self, topic: Changed) -> None:
        if topic is Changed.VERDICTS:  # only the warnings, because the help area can show an answer
            self._show_warnings()

    def install_session(self) -> InstallSession:
        """Return an install session for the current plan."""
        session, practice = self.session, self.wizard.practice
        return InstallSession(
            session.plan,
            session.nodes.known_hosts,
            self.wizard.home,
            self.wizard.plan_dir,
            package=session.package,
            address_map=session.address_map,
            settings=practice.run_settings if practice else RunSettings(),
            remote=practice is None and is_remote_install(session.plan),
        )

    @work(exclusive=True, group="start")
    async def action_start(self) -> None:
        """After a confirmation, start the install, or resume an install that waits for the operator."""
        starts = self.session.run_dir is None or is_remote_install(self.session.plan)
        if starts and not await self.hosts_confirmed():
            return
        install = self.install_session()
        try:
            if install.remote:
                await install_remotely(self, install)
            elif self.session.run_dir is None:
                await self._start(install)
            elif self._run is not None and next_step(self._run) not in (NextStep.FOLLOW, NextStep.VERIFY):
                await self._resume(install, self._run)
        except (StartError, RunError, RunNotFound) as failed:
            self.show_answer(Text(str(failed), "bold red"))

    def action_logs(self) -> None:
        """Open the log viewer with the logs of setup.sh and the installer."""
        if self._run is not None:
            spec = self._run.spec
            logs = (("setup.sh", spec.run_dir / SETUP_LOG), ("installer", spec.installer_log))
            self.app.push_screen(LogScreen(logs, log_mask(spec)))

    async def action_progress(self) -> None:
        """Show the last progress response of the installer exactly as acp-tui received it."""
        if self._run is not None:
            raw = await asyncio.to_thread(_raw_progress, self._run.spec.run_dir / PROGRESS_FILE)
            self.app.push_screen(Read(_("Progress as reported by the installer"), Text(raw), wide=True))

    @work
    async def action_abort(self) -> None:
        """Abort the install after two confirmations. After a successful install, remove the installer instead."""
        if self._run is not None and self._run.phase is Phase.SUCCESS:
            await self._clean_up()
            return
        if self.session.run_dir is None or self._run is None or self._run.phase in FINAL:
            return
        first = Confirm(_("Abort the install?"), _("The installed components stay on the nodes."))
        second = Confirm(pgettext("question", "Abort?"), _("You must clean the nodes before you install again."))
        if await self.app.push_screen_wait(first) and await self.app.push_screen_wait(second):
            try:
                await InstallSession.abort(self.session.run_dir)
            except (RunNotFound, RunError) as failed:
                self.show_answer(Text(str(failed), "bold red"))
                return
            self._follow()

    async def _start(self, install: InstallSession) -> None:
        await self.session.nodes.refresh_now()
        await self.session.evaluate_now()
        report = self.session.report()
        if not report.ready:
            message = _("The install was not started, because blockers remain. The Review step lists them.")
            self.show_answer(Text(message, "bold red"))
            return
        warnings = trust_warnings(self.session.verdicts)
        question = "\n".join([*await leftover_lines(install), *warnings, start_question(install.plan)])
        if not await self.app.push_screen_wait(Confirm(_("Start the install?"), question)):
            return
        if not await self.app.push_screen_wait(Recheck(self.session, report)):
            message = _("The install was not started. The Review step shows the current findings.")
            self.show_answer(Text(message, "bold red"))
            return
        run_dir = await self.install_session().start(self.session.report())
        self.session.update_draft(run=str(run_dir))
        self._follow()

    async def _resume(self, install: InstallSession, run: RunState) -> None:
        answers = await ask_answers(self.app, run)
        if answers is None:
            return
        await install.resume(run, answers, self.session.report())
        self._follow()

    @work(exclusive=True, group="follow")
    async def _follow(self) -> None:
        if self.session.run_dir is None:
            return
        log = self.query_one("#log", RichLog)
        log.clear()
        try:
            async for update in InstallSession.follow(self.session.run_dir):
                self._run = update.state
                for line in update.lines:
                    log.write(Text(line.text, _SOURCES.get(line.source, "")))
                if not update.stalled:
                    self._stall = ""
                elif not self._stall:
                    self._stall = _("The install makes no progress. acp-tui is searching for the cause.")
                    self.action_diagnose()
                self._show()
                if update.state.phase is Phase.SUCCESS:
                    self.session.update_draft(finished=True)
                    self.action_verify()
        except RunNotFound as error:
            self.show_answer(Text(str(error), "bold red"))

    @work(exclusive=True, group="verify")
    async def action_verify(self) -> None:
        """Repeat the verification until the cluster is healthy. Then write the completion report."""
        run, install = self._run, self.install_session()
        if run is None or run.phase is not Phase.SUCCESS:
            return
        self._verifying = True
        self._show()
        async for finish in install.verify(run, interval=1.0 if self.wizard.practice else 10.0):
            self._finish = finish
            self._show()
        self._verifying = False
        if self._finish is not None and not self._finish.nothing_observed:
            folder = run.spec.bundle or run.spec.run_dir
            try:
                await install.write_report(folder, self._finish, run)
            except OSError as error:
                message = _("Cannot write the completion report to {folder}: {reason}")
                self.notify(message.format(folder=folder, reason=error.strerror), markup=False)
        self._show()

    async def _clean_up(self) -> None:
        """Ask for confirmation and remove the installer container. A blocker prevents the removal."""
        if self._finish is None or self._verifying:
            return
        if not await self.hosts_confirmed():
            return
        removed, message = await clean_up(self.app, self.install_session(), self._finish)
        if message:
            self.show_answer(message)
        if removed:
            self.action_verify()

    @work(exclusive=True, group="diagnosis")
    async def action_diagnose(self) -> None:
        """Search on the installer node for the cause of a stalled install. Show the likely cause in the log."""
        if self._run is None or self._run.at_rest:
            return
        diagnosis = await self.install_session().diagnose_install()
        log = self.query_one("#log", RichLog)
        for line in diagnosis.observations:
            log.write(Text(line, "yellow"))
        cause = pgettext("install", "Likely cause: {place}").format(place=diagnosis.likely_cause)
        log.write(Text(cause, "bold yellow"))
        if self._stall:
            self._stall = cause
            self._show()

    def action_finish(self) -> None:
        """Show the findings of the verification and the remaining steps. After a failed install, show the failure."""
        if self._run is not None and self._run.phase is Phase.FAILED:
            self.app.push_screen(Read(_("The install failed"), failure_text(self._run), wide=True))
            return
        self.app.push_screen(
            Read(
                _("Result of the install"),
                result_text(self._finish, self.session.plan, trust_warnings(self.session.verdicts)),
                wide=True,
            )
        )

    def _show(self) -> None:
        self.set_panel("#phases", phases(self._run))
        self._show_warnings()
        self.set_panel("#help", advice(self._run, self._finish, verifying=self._verifying, stall=self._stall))

    def _show_warnings(self) -> None:
        """Show the warnings about the packages."""
        warnings = trust_warnings(self.session.verdicts)
        for panel in self.query("#trust").results(Static):  # missing while the wizard ends
            panel.display = bool(warnings)
            panel.update(warning_lines(warnings))


def _raw_progress(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8") or _("The last progress response of the installer was empty.")
    except OSError:
        return _("The installer has not reported progress yet.")
