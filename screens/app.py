"""The wizard application. It sets theme and keys, opens a draft at the start, and ends the program."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, TextIO

from rich.text import Text
from textual import work
from textual.actions import SkipAction
from textual.binding import Binding, BindingType
from textual.css.query import NoMatches
from textual.events import Resize
from textual.filter import LineFilter
from textual.message import Message
from textual.widgets import Input
from textual.worker import WorkerFailed

from acp_tui.core.assets import asset_path
from acp_tui.core.i18n import _, pgettext
from acp_tui.core.local_host import LocalAddress, local_addresses
from acp_tui.core.text import sanitize
from acp_tui.install.start import StartError, bundle_for
from acp_tui.nodes.ssh.address_map import AddressMap, direct
from acp_tui.package.service import PackageWork
from acp_tui.plan.draft import Draft, hold
from acp_tui.plan.file import secret_values
from acp_tui.plan.model import Plan
from acp_tui.plan.paths import with_answers
from acp_tui.plan.secret_mask import secret_mask
from acp_tui.preflight.bundle import SecretsMode
from screens.crash_log import write_crash
from screens.dialogs.prompts import Ask, Confirm, Read
from screens.dialogs.start import Start, choose, practice_secrets
from screens.dialogs.too_small import TooSmall
from screens.formatting.glyphs import RICH, glyphs
from screens.formatting.safe_lines import SafeLines
from screens.session.wizard_session import Changed, Session, Watcher
from screens.steps.base import WizardApp, WizardStep
from screens.steps.navigation import StepNavigation
from screens.steps.trial import TrialStep
from screens.widgets.choice import Choice
from screens.widgets.form import Form

if TYPE_CHECKING:
    from acp_tui.demo.cluster import Practice

MIN_WIDTH, MIN_HEIGHT = 76, 21
_SAFE_LINES = SafeLines()


class AcpApp(StepNavigation):
    """The wizard. Without a `draft` it first asks whether to resume a draft or to start a new one."""

    CSS_PATH = str(asset_path("acp.tcss"))
    ENABLE_COMMAND_PALETTE = False
    TITLE = "acp-tui"
    # Keys that move the cursor take effect before the next key is read: Textual would send text that was typed ahead,
    # or pasted by a terminal multiplexer, to the field that loses the cursor.
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+q", "leave", show=False, priority=True),
        Binding("ctrl+n", "next_step", show=False, priority=True),
        Binding("ctrl+p", "previous_step", show=False, priority=True),
        Binding("tab", "field(1)", show=False, priority=True),
        Binding("shift+tab", "field(-1)", show=False, priority=True),
        Binding("down", "line(1)", show=False, priority=True),
        Binding("up", "line(-1)", show=False, priority=True),
        Binding("enter", "done", show=False, priority=True),
        Binding("right,space", "choose(1)", show=False, priority=True),
        Binding("left", "choose(-1)", show=False, priority=True),
    ]

    class SessionChanged(Message):
        """Message: the part `topic` of the session has changed."""

        def __init__(self, topic: Changed) -> None:
            super().__init__()
            self.topic = topic

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, AcpApp.SessionChanged) and message.topic is self.topic

    class Broke(Message):
        """Message: a background task of the session raised `error`."""

        def __init__(self, error: BaseException) -> None:
            super().__init__()
            self.error = error

    def __init__(
        self,
        home: Path,
        *,
        plan: Plan | None = None,
        plan_file: Path | None = None,
        draft: Draft | None = None,
        practice: "Practice | None" = None,
        plan_dir: Path | None = None,
        package: PackageWork | None = None,
        address_map: AddressMap = direct,
        own: Callable[[], Sequence[LocalAddress]] = local_addresses,
        warnings: tuple[str, ...] = (),
    ) -> None:
        """`warnings`: messages about `draft`, which the wizard shows when it opens."""
        super().__init__(ansi_color=True)
        self.theme = "ansi-dark"
        self.animation_level = "none"
        self.home = home
        self.practice = practice
        self.plan_dir = plan_dir or (plan_file.parent if plan_file else Path.cwd())
        self._plan = plan
        self._plan_file = plan_file
        self._draft = draft
        self._package = package or (practice.package_work() if practice else None)
        self._warnings = warnings
        self._address_map = practice.address_map if practice else address_map
        self.own_addresses = own if practice is None else tuple[LocalAddress, ...]  # this host is not a practice node
        self._lock: TextIO | None = None

    @property
    def wizard(self) -> WizardApp:
        return self

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Return the filters of every line that reaches the terminal. The last one removes control characters."""
        return (*super().get_line_filters(), _SAFE_LINES)

    def copy_to_clipboard(self, text: str) -> None:
        """Copy text to the clipboard of the terminal, with the secrets of the plan masked."""
        if self.session is not None:
            text = secret_mask(self.session.plan)(text)
        super().copy_to_clipboard(sanitize(text, limit=None))

    def on_mount(self) -> None:
        self.set_class(glyphs() is RICH, "-lines")
        self._begin()

    def on_unmount(self) -> None:
        """Release the draft."""
        if self._lock is not None:
            self._lock.close()

    @work(exit_on_error=True)
    async def _begin(self) -> None:
        """Open a draft and show its last open step."""
        given = Start(self._draft, self._plan_file, self.plan_dir, warnings=self._warnings) if self._draft else None
        start = given or await self._chosen()
        if start is None:
            self.exit(0)
            return
        self._plan_file, self.plan_dir, draft = start.plan_file, start.plan_dir or self.plan_dir, start.draft
        self._lock = hold(draft.folder)
        if self._lock is None:
            self.exit(
                1,
                return_code=1,
                message=_("The draft in {folder} is open in another wizard. Close that wizard first.").format(
                    folder=sanitize(str(draft.folder))
                ),
            )
            return
        if self.practice is not None:
            known = practice_secrets(draft, self.practice.plan)
            # The secrets of the practice cluster are public: the operator need not enter them again.
            draft = replace(
                draft, plan=with_answers(draft.plan, known), secrets_asked=draft.secrets_asked - known.keys()
            )
        self.session = Session(
            draft,
            self._session_changed,
            self._session_broke,
            address_map=self._address_map,
            package=self._package or PackageWork(self.plan_dir),
            plan_file=self._plan_file,
        )
        self.session.open()
        name = "install" if draft.run else TrialStep.NAME if start.trial else draft.step
        steps: tuple[type[WizardStep], ...] = (*self.steps, TrialStep)
        await self.go(next((step for step in steps if name == step.NAME), self.steps[0]))
        if start.warnings:
            self.push_screen(Read(pgettext("dialog", "Warning"), Text("\n".join(start.warnings))))

    async def _chosen(self) -> Start | None:
        return await choose(self, self.home, self._plan)

    def _session_changed(self, topic: Changed) -> None:
        self.post_message(self.SessionChanged(topic))

    def _session_broke(self, error: BaseException) -> None:
        self.post_message(self.Broke(error))

    def on_acp_app_session_changed(self, message: SessionChanged) -> None:
        for screen in self.screen_stack:
            if isinstance(screen, Watcher):
                screen.session_changed(message.topic)

    def on_acp_app_broke(self, message: Broke) -> None:
        """Raise the error of a background task, so that the program ends and writes a crash log."""
        raise message.error

    async def write_bundle(self, folder: Path, keep: SecretsMode) -> Text:
        """Write the bundle into `folder`. Return the message for the operator."""
        assert self.session is not None
        await self.session.nodes.refresh_now()
        await self.session.evaluate_now()
        session = self.session
        try:
            await bundle_for(
                session.plan, session.report(), session.nodes.known_hosts, folder, plan_dir=self.plan_dir, keep=keep
            )
        except StartError as failed:
            return Text(str(failed), "bold red")
        return Text(_("The bundle was written to {folder}").format(folder=folder))

    async def action_field(self, by: int) -> None:
        """Move the cursor to the next field (`by` is 1) or to the previous field (`by` is -1)."""
        await self.keys_handled()
        form = self._form()
        if form is not None:
            form.settle()
        field = form.neighbour(self.focused, by) if form is not None and self.focused is not None else None
        if field is not None:
            self.screen.set_focus(field)  # takes effect immediately; `Widget.focus` is delayed
        elif by > 0:
            self.screen.focus_next()
        else:
            self.screen.focus_previous()

    async def action_line(self, by: int) -> None:
        """Move from field to field with the up and down keys. Lists and text areas handle these keys themselves."""
        if not isinstance(self.focused, Input | Choice) or isinstance(self.screen, Ask):
            raise SkipAction
        await self.action_field(by)

    async def action_done(self) -> None:
        """In a form, move the cursor to the next field when Enter is pressed."""
        if self._form() is None:
            raise SkipAction
        await self.action_field(1)

    def _form(self) -> Form | None:
        """Return the form that contains the focused field. None if the focus is outside a form."""
        ancestors = self.focused.ancestors if self.focused is not None else ()
        return next((one for one in ancestors if isinstance(one, Form)), None)

    def action_choose(self, by: int) -> None:
        if not isinstance(self.focused, Choice):
            raise SkipAction
        self.focused.step(by)

    async def action_leave(self) -> None:
        if self.session is None:
            self.exit(0)
            return
        if any(isinstance(screen, Confirm) for screen in self.screen_stack):
            return
        question = _(
            "Your answers are saved as a draft, but without secrets. You can resume the draft at the next start."
        )
        await self.push_screen(Confirm(_("Quit acp-tui?"), question), self._left)

    async def _left(self, sure: bool | None) -> None:
        if sure and self.session is not None:
            await self.session.close()
            self.exit(0)

    def on_resize(self, event: Resize) -> None:
        small = event.size.width < MIN_WIDTH or event.size.height < MIN_HEIGHT
        shown = isinstance(self.screen, TooSmall)
        if small and not shown:
            self.push_screen(TooSmall())
        elif shown and not small:
            self.pop_screen()

    def _handle_exception(self, error: Exception) -> None:
        """Ignore failed widget queries after the application has ended, because closed screens have no widgets."""
        cause = error.error if isinstance(error, WorkerFailed) else error
        if self.is_running or not isinstance(cause, NoMatches):
            super()._handle_exception(error)

    def _fatal_error(self) -> None:
        """Write a crash log. Textual would print a traceback with local variables, which can contain secrets."""
        if self._exit_renderables:
            return  # the first error often causes a second one; only the first is reported
        secrets = secret_values(self.session.plan).values() if self.session else ()
        path = write_crash(self.home, self._exception, secrets)
        if path is not None:
            message = _(
                "acp-tui crashed because of an internal error. Your answers are saved.\nCrash log: {path}"
            ).format(path=path)
        else:
            error = repr(type(self._exception))
            message = _(
                "acp-tui crashed because of an internal error. Your answers are saved.\n"
                "The crash log could not be written. The internal error was: {error}"
            ).format(error=error)
        self._exit_renderables.append(Text(sanitize(message)))
        self._close_messages_no_wait()
