"""Install: started after one more question, followed to its end; the wizard only watches, so it may be closed."""

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import work
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import RichLog

from acp_tui.core.i18n import N_, _
from acp_tui.install.observe.failure import previous_failure
from acp_tui.install.observe.follow import follow
from acp_tui.install.observe.labels import phase_label
from acp_tui.install.observe.timing import is_stalled
from acp_tui.install.run.control import cancel, resume
from acp_tui.install.run.directory import last_run
from acp_tui.install.run.spawn import RunError
from acp_tui.install.run.state import FINAL, PROGRESS_FILE, SETUP_LOG, Phase, RunNotFound, RunState, status
from acp_tui.install.start import StartError, bundle_for, launch
from acp_tui.preflight.bundle import DOCUMENT
from screens.dialogs.log_viewer import LogScreen
from screens.dialogs.prompts import Ask, Confirm, Pick, Read
from screens.dialogs.recheck import Recheck
from screens.formatting.glyphs import glyphs
from screens.formatting.install_result import failed_lines, failed_whole, phases, success_lines, whole
from screens.session.session import Session
from screens.steps.base import WizardStep
from screens.steps.remote_install import goes_elsewhere, install_there
from screens.widgets.panel import Panel

if TYPE_CHECKING:
    from acp_tui.install.verify.collect import NodeAccess
    from acp_tui.install.verify.run import Finish

_LINES = 2000
"""Lines of log kept on the screen; the files keep all."""
_SOURCES = {"acp-tui": "bold", "installer": "cyan"}


class InstallStep(WizardStep):
    NAME = "install"
    SHORT = N_("Install")
    TITLE_TEXT = N_("Install")
    KEYS = (
        ("s", N_("start")),
        ("l", N_("logs")),
        ("p", N_("raw")),
        ("f", N_("findings")),
        ("t", N_("stuck?")),
        ("c", N_("give up")),
    )

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "start", show=False),
        Binding("c", "cancel", show=False),
        Binding("f", "finish", show=False),
        Binding("l", "logs", show=False),
        Binding("p", "progress", show=False),
        Binding("v", "verify", show=False),
        Binding("t", "triage", show=False),
    ]

    _state: RunState | None = None
    _found: "Finish | None" = None
    """The last look at the installed cluster."""
    _looking = ""
    """What is being done with the cluster now; "" when nothing is."""
    _still = ""
    """That nothing moves, and where it probably hangs; "" while it moves."""

    @classmethod
    def has_problems(cls, session: Session) -> bool:
        return False

    def body(self) -> Iterable[Widget]:
        yield Panel(id="phases")
        yield RichLog(id="log", max_lines=_LINES, wrap=True, min_width=20)

    def opened(self) -> None:
        self.set_focus(self.query_one("#log"))
        if self.session.draft.run:
            self._follow()
        else:
            self._tell()

    @work(exclusive=True, group="start")
    async def action_start(self) -> None:
        """Start the install, or go on with one that rests; asks first."""
        run = self.session.run_dir
        try:
            if goes_elsewhere(self):
                await install_there(self)
            elif run is None:
                await self._begin()
            elif self._state is not None and self._state.at_rest and self._state.phase is not Phase.SUCCESS:
                await self._go_on()
        except (StartError, RunError, RunNotFound) as failed:
            self.tell(Text(str(failed), "bold red"))

    def action_logs(self) -> None:
        """The whole logs, to turn pages in, search and save."""
        if self._state is not None:
            spec = self._state.spec
            self.app.push_screen(LogScreen((("setup.sh", spec.run_dir / SETUP_LOG), ("installer", spec.installer_log))))

    async def action_progress(self) -> None:
        """What the installer last said of its progress, word for word."""
        if self._state is not None:
            raw = await asyncio.to_thread(_raw_progress, self._state.spec.run_dir / PROGRESS_FILE)
            self.app.push_screen(Read(_("Progress, as the installer tells it"), Text(raw), wide=True))

    @work
    async def action_cancel(self) -> None:
        """Give the run up, asked twice; after success, remove what is left of the installer."""
        run = self.session.run_dir
        if self._state is not None and self._state.phase is Phase.SUCCESS:
            await self._clean_up()
            return
        if run is None or self._state is None or self._state.phase in FINAL:
            return
        first = Confirm(_("Give up this install?"), _("What is already installed on the nodes stays there."))
        second = Confirm(_("Really give up?"), _("A new start then needs cleaned nodes."))
        if await self.app.push_screen_wait(first) and await self.app.push_screen_wait(second):
            try:
                await asyncio.to_thread(cancel, run)
            except (RunNotFound, RunError) as failed:
                self.tell(Text(str(failed), "bold red"))
                return
            self._follow()

    async def _begin(self) -> None:
        await self.session.nodes.look_now()
        await self.session.judge_now()
        report = self.session.report()
        if not report.ready:
            self.tell(Text(_("Something still blocks the install; the review says what and where."), "bold red"))
            return
        question = _(
            "setup.sh is run and the configuration is sent to the installer. This changes all {count} nodes."
        ).format(count=len(self.session.plan.nodes))
        question = "\n".join([*await self._left_before(), question])
        if not await self.app.push_screen_wait(Confirm(_("Start the install?"), question)):
            return
        if not await self.app.push_screen_wait(Recheck(self.session, report)):
            self.tell(Text(_("Not started: the review says what stands now."), "bold red"))
            return
        report = self.session.report()
        practice = self.wizard.practice
        session, home, base = self.session, self.wizard.home, self.wizard.base
        if practice is None:
            run = await launch(session.plan, report, session.draft.host_keys, home, base=base)
        else:
            run = await launch(
                session.plan,
                report,
                session.draft.host_keys,
                home,
                base=base,
                pace=practice.pace,
                bases=(),
                installer_log=practice.installer_log,
                guarded=False,
            )
        self.session.note(run=str(run))
        self._follow()

    async def _left_before(self) -> tuple[str, ...]:
        """What a failed run of this host has left, to be known before a new one. LaunchFailed: it is in the way."""
        before = last_run(self.wizard.home)
        state = status(before) if before is not None else None
        if state is None or not previous_failure(state):
            return ()
        reach = await self._reach()
        from acp_tui.install.verify.leftovers import find_leftovers, lines

        left = await find_leftovers(reach, state)
        told = tuple(lines(left))
        if left.blocks_new_install:
            raise StartError("\n".join(told))
        return told

    async def _go_on(self) -> None:
        assert self._state is not None
        run, state = self._state.spec.run_dir, self._state
        kubernetes = runtime = None
        posted: bool | None = None
        despite = False
        if state.phase is Phase.NEEDS_VERSION:
            kubernetes = await self._pick(_("Kubernetes version"), state.offered_kubernetes)
            runtime = await self._pick(_("Container runtime"), state.offered_runtimes)
            if kubernetes is None or runtime is None:
                return
        elif state.phase is Phase.POST_UNKNOWN:
            options = [("y", _("yes, it was: follow the install")), ("n", _("no: send it again"))]
            answer = await self.app.push_screen_wait(
                Pick(_("Has the configuration reached the installer?"), options, state.message)
            )
            if answer is None:
                return
            posted = answer == "y"
        elif state.phase is Phase.CHANGED:
            options = [("m", _("it is mended: look again")), ("d", _("send the configuration all the same"))]
            answer = await self.app.push_screen_wait(Pick(_("The nodes have changed"), options, state.message))
            if answer is None:
                return
            despite = answer == "d"
        elif not await self.app.push_screen_wait(Confirm(_("Go on with this install?"), state.message)):
            return
        document = None
        if state.phase is Phase.FAILED and state.failed_in is Phase.POSTING and state.spec.bundle is not None:
            # Refused: the answers may have been mended since, so the document is made anew.
            session = self.session
            bundle = await bundle_for(
                session.plan, session.report(), session.draft.host_keys, state.spec.bundle, base=self.wizard.base
            )
            document = bundle / DOCUMENT
        await asyncio.to_thread(
            resume,
            run,
            kubernetes=kubernetes,
            runtime=runtime,
            posted=posted,
            despite=despite,
            document=document,
        )
        self._follow()

    async def _pick(self, title: str, offered: tuple[str, ...]) -> str | None:
        if not offered:
            return await self.app.push_screen_wait(Ask(title, _("The installer did not say what it offers.")))
        return await self.app.push_screen_wait(Pick(title, [(value, value) for value in offered]))

    @work(exclusive=True, group="follow")
    async def _follow(self) -> None:
        run = self.session.run_dir
        if run is None:
            return
        log = self.query_one("#log", RichLog)
        log.clear()
        try:
            async for update in follow(run):
                self._state = update.state
                for line in update.lines:
                    log.write(Text(line.text, _SOURCES.get(line.source, "")))
                if not await asyncio.to_thread(is_stalled, update.state, datetime.now(UTC)):
                    self._still = ""
                elif not self._still:
                    self._still = _("Nothing moves. Looking where it hangs...")
                    self.action_triage()
                self._tell()
                if update.state.phase is Phase.SUCCESS:
                    self.session.note(finished=True)
                    self.action_verify()
        except RunNotFound as gone:
            self.tell(Text(str(gone), "bold red"))

    @work(exclusive=True, group="verify")
    async def action_verify(self) -> None:
        """Look at the installed cluster until it has come to rest; then write the completion report."""
        run = self._state
        if run is None or run.phase is not Phase.SUCCESS:
            return
        self._looking = _("Looking at the cluster: nodes, charts, Pods, console, registry...")
        self._tell()
        reach = await self._reach()
        from acp_tui.install.verify.completion_report import completion, write
        from acp_tui.install.verify.run import SETTLING, poll_until_settled

        every = 1.0 if self.wizard.practice else 10.0
        async for found in poll_until_settled(reach, SETTLING, installed_at=run.updated, every=every):
            self._found = found
            self._tell()
        self._looking = ""
        if self._found is not None and not self._found.unseen:
            folder = run.spec.bundle or run.spec.run_dir
            try:
                await asyncio.to_thread(write, folder, completion(reach.plan, self._found, run))
            except OSError as error:
                why = _("The completion report could not be written to {folder}: {why}")
                self.notify(why.format(folder=folder, why=error.strerror), markup=False)
        self._tell()

    async def _reach(self) -> "NodeAccess":
        """The ways to the nodes. What speaks SSH is imported now: the wizard's start does not wait for it."""
        look = await asyncio.to_thread(import_module, "acp_tui.install.verify.collect")
        session = self.session
        reach: NodeAccess = look.Reach(session.plan, session.draft.host_keys, self.wizard.base, session.dial)
        return reach

    async def _clean_up(self) -> None:
        """Remove the installer's container, where nothing speaks against it and the operator agrees."""
        if self._found is None or self._looking:
            return
        reach = await self._reach()
        from acp_tui.install.run.state import removal
        from acp_tui.install.verify.cleanup import CleanUpFailed, clean_up, cleanup_blocker

        refused = cleanup_blocker(self._found, running=False)
        if refused:
            self.tell(Text(_("Not cleaned up: {why}").format(why=refused)))
            return
        question = _("Run on the installer's node: {command}").format(command=removal(self._found.report.release))
        if not await self.app.push_screen_wait(Confirm(_("Remove the installer?"), question)):
            return
        try:
            self.tell(Text(await clean_up(reach)))
        except CleanUpFailed as failed:
            self.tell(Text(str(failed), "bold red"))
        else:
            self.action_verify()

    @work(exclusive=True, group="triage")
    async def action_triage(self) -> None:
        """Ask the installer's node where an install that is going on hangs; what it said goes to the log pane."""
        if self._state is None or self._state.at_rest:
            return
        reach = await self._reach()
        from acp_tui.install.verify.triage import triage

        found = await triage(reach)
        log = self.query_one("#log", RichLog)
        for line in found.seen:
            log.write(Text(line, "yellow"))
        place = _("It probably hangs here: {place}").format(place=found.likely)
        log.write(Text(place, "bold yellow"))
        if self._still:
            self._still = place
            self._tell()

    def action_finish(self) -> None:
        """All that was found, and what is left to do by hand; of a failure what is known of it."""
        if self._state is not None and self._state.phase is Phase.FAILED:
            self.app.push_screen(Read(_("The install failed"), failed_whole(self._state), wide=True))
            return
        self.app.push_screen(Read(_("The end of the install"), whole(self._found, self.session.plan), wide=True))

    def _tell(self) -> None:
        self._set("#phases", phases(self._state))
        self._set("#help", self._advice())

    def _advice(self) -> Text:
        state = self._state
        if state is None:
            return Text(_("s starts the install. It goes on without this terminal: acp-tui attach follows it."), "bold")
        g = glyphs()
        match state.phase:
            case Phase.SUCCESS:
                return success_lines(state, self._found, self._looking)
            case Phase.FAILED:
                return failed_lines(state)
            case Phase.UNKNOWN | Phase.CANCELLED:
                log = state.spec.run_dir
                return Text(
                    f"{g.failed} {state.message}\n" + _("All that was written: {folder}").format(folder=log), "bold red"
                )
            case Phase.NEEDS_VERSION | Phase.CHANGED | Phase.POST_UNKNOWN:
                return Text(f"? {state.message}\n" + _("s answers"), "bold yellow")
        if state.interrupted:
            return Text("? " + _("The installing process is gone. s goes on from where it stopped."), "bold yellow")
        if self._still:
            return Text(f"! {phase_label(state.phase)}: {self._still}\n" + _("t looks again"), "bold yellow")
        said = state.message or _("Running. You may leave: acp-tui attach follows it from any terminal.")
        return Text(f"{g.running} {phase_label(state.phase)}\n{said}")


def _raw_progress(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8") or _("It said nothing.")
    except OSError:
        return _("The installer has said nothing of its progress yet.")
