"""The wizard's application: theme, keys, the walk from step to step, and the way in (new, resumed, a plan file)."""

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, TextIO

from rich.text import Text
from textual import work
from textual.actions import SkipAction
from textual.app import App
from textual.binding import Binding, BindingType
from textual.css.query import NoMatches
from textual.events import Resize
from textual.message import Message
from textual.widgets import Input
from textual.worker import WorkerFailed

from acp_tui.checks.verdict import Verdict
from acp_tui.core.assets import asset_path
from acp_tui.core.i18n import _
from acp_tui.core.local_host import LocalAddress, local_addresses
from acp_tui.install.start import StartError, bundle_for
from acp_tui.nodes.ssh.address_map import AddressMap, direct
from acp_tui.package.service import PackageWork
from acp_tui.plan.draft import Draft, hold
from acp_tui.plan.file import secret_values
from acp_tui.plan.model import Plan
from acp_tui.plan.paths import with_answers
from acp_tui.preflight.bundle import SecretsMode
from screens.crash_log import write_crash
from screens.dialogs.prompts import Ask, Confirm, Pick, Read
from screens.dialogs.start import Start, choose, practice_secrets
from screens.dialogs.too_small import TooSmall
from screens.formatting.glyphs import RICH, glyphs
from screens.session.session import Changed, Session, Watcher
from screens.steps.base import WizardStep
from screens.steps.help_text import explanation
from screens.steps.order import STEPS, adjacent_step
from screens.steps.preflight import PreflightStep
from screens.steps.trial import TrialStep
from screens.widgets.choice import Choice
from screens.widgets.form import Form
from screens.widgets.row_list import Rows

if TYPE_CHECKING:
    from acp_tui.demo.cluster import Practice

MIN_WIDTH, MIN_HEIGHT = 76, 21


class AcpApp(App[int]):
    """The wizard. `draft` None: the operator is asked what to begin with."""

    CSS_PATH = str(asset_path("acp.tcss"))
    ENABLE_COMMAND_PALETTE = False
    TITLE = "acp-tui"
    # Keys that move the cursor take effect before the next key is read: Textual would hand what is typed ahead, or
    # pasted by a terminal multiplexer, to the field that is just being left.
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
        """Something of the session is different."""

        def __init__(self, topic: Changed) -> None:
            super().__init__()
            self.topic = topic

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, AcpApp.SessionChanged) and message.topic is self.topic

    class Broke(Message):
        """Background work of the session failed by a fault of ours."""

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
        base: Path | None = None,
        package: PackageWork | None = None,
        dial: AddressMap = direct,
        own: Callable[[], Sequence[LocalAddress]] = local_addresses,
    ) -> None:
        super().__init__(ansi_color=True)
        self.theme = "ansi-dark"
        self.animation_level = "none"
        self.steps = STEPS
        self.home = home
        self.practice = practice
        self.base = base or (plan_file.parent if plan_file else Path.cwd())
        self.session: Session | None = None
        self._plan = plan
        self._plan_file = plan_file
        self._draft = draft
        self._package = package or (practice.package_work() if practice else None)
        self._dial = practice.dial if practice else dial
        self.own_addresses = own if practice is None else tuple[LocalAddress, ...]  # this host is no practice node
        self._lock: TextIO | None = None

    def on_mount(self) -> None:
        self.set_class(glyphs() is RICH, "-lines")
        self._begin()

    @work(exit_on_error=True)
    async def _begin(self) -> None:
        """Find the draft to work on, then show its step."""
        start = Start(self._draft, self._plan_file, self.base) if self._draft else await self._chosen()
        if start is None:
            self.exit(0)
            return
        self._plan_file, self.base, draft = start.plan_file, start.base or self.base, start.draft
        self._lock = hold(draft.folder)
        if self._lock is None:
            self.exit(
                1, return_code=1, message=_("Another wizard works on this draft: {folder}").format(folder=draft.folder)
            )
            return
        if self.practice is not None:
            given = practice_secrets(draft, self.practice.plan)
            # What the practice calls secrets is none: it need not be asked for again.
            draft = replace(
                draft, plan=with_answers(draft.plan, given), secrets_asked=draft.secrets_asked - given.keys()
            )
        self.session = Session(
            draft,
            self._session_changed,
            self._session_broke,
            dial=self._dial,
            package=self._package or PackageWork(self.base),
            plan_file=self._plan_file,
        )
        self.session.open()
        name = "install" if draft.run else TrialStep.NAME if start.trial else draft.step
        steps: tuple[type[WizardStep], ...] = (*STEPS, TrialStep)
        await self.go(next((step for step in steps if name == step.NAME), STEPS[0]))

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
        """Raised here, the error of background work ends the program like any other, with a log."""
        raise message.error

    async def go(self, step: type[WizardStep], path: str | None = None) -> None:
        """Show this step, with the cursor in the field of `path` if it has one."""
        assert self.session is not None
        await self._typed()
        current = self._current()
        if current is not None:
            current.leaving()
        screen = step(self.session)
        screen.wanted_path = path
        if len(self.screen_stack) > 1:
            await self.switch_screen(screen)
        else:
            await self.push_screen(screen)

    async def go_to_blocker(self) -> None:
        """To where the first thing that blocks can be mended."""
        assert self.session is not None
        blocking = self.session.judgement.blocking
        if blocking:
            await self.go_to(blocking[0])
        else:
            await self.go(PreflightStep)

    async def go_to(self, verdict: Verdict) -> None:
        """To the field whose answer mends it; what only a node can mend is in the preflight."""
        for path in verdict.paths:
            if await self.go_to_answer(path):
                return
        await self.go(PreflightStep)
        if isinstance(self.screen, PreflightStep):
            self.screen.call_after_refresh(self.screen.look_at, verdict)

    async def go_to_answer(self, path: str) -> bool:
        """To the field of this path, with the cursor on its node where it belongs to one. False: no step has it."""
        assert self.session is not None
        step = next((one for one in STEPS if one.SECTIONS and path.startswith(one.SECTIONS)), None)
        if step is None:
            return False
        await self.go(step, path)
        if found := re.match(r"nodes\[(\d+)\]", path):
            self.screen.call_after_refresh(self._to_node, self.session.plan.nodes[int(found[1])].address)
        return True

    def _to_node(self, address: str) -> None:
        for rows in self.screen.query("#nodes").results(Rows):
            rows.move_to(address)
            self.screen.set_focus(rows)

    async def write_bundle(self, folder: Path, keep: SecretsMode) -> Text:
        """The bundle into `folder`; what to tell the operator."""
        assert self.session is not None
        await self.session.nodes.look_now()
        await self.session.judge_now()
        session = self.session
        try:
            await bundle_for(session.plan, session.report(), session.draft.host_keys, folder, base=self.base, keep=keep)
        except StartError as failed:
            return Text(str(failed), "bold red")
        return Text(_("Bundle written to {folder}").format(folder=folder))

    async def action_next_step(self) -> None:
        await self._typed()
        current = self._current()
        if current is not None and await current.may_go_on() and (following := adjacent_step(current, 1)) is not None:
            await self.go(following)

    async def action_previous_step(self) -> None:
        current = self._current()
        if current is not None and (before := adjacent_step(current, -1)) is not None:
            await self.go(before)

    @work
    async def action_trial(self) -> None:
        """The short path for a single node; of several nodes one is kept, if the operator says so."""
        if self.session is None or self._current() is None:
            return
        if (count := len(self.session.plan.nodes)) > 1:
            question = _(
                "The plan has {count} nodes. The trial keeps the first control plane node alone, as its own endpoint."
            )
            ask = Confirm(_("One node for a trial"), question.format(count=count))
            if not await self.push_screen_wait(ask):
                return
        await self.go(TrialStep)

    async def action_field(self, by: int) -> None:
        """To the next or the previous field."""
        await self._typed()
        form = self._form()
        if form is not None:
            form.settle()
        field = form.beside(self.focused, by) if form is not None and self.focused is not None else None
        if field is not None:
            self.screen.set_focus(field)  # at once: `focus` of a widget waits for its turn
        elif by > 0:
            self.screen.focus_next()
        else:
            self.screen.focus_previous()

    async def action_line(self, by: int) -> None:
        """Up and down go from field to field; lists and texts have lines of their own."""
        if not isinstance(self.focused, Input | Choice) or isinstance(self.screen, Ask):
            raise SkipAction
        await self.action_field(by)

    async def action_done(self) -> None:
        """Enter in a field of a form: on to the next."""
        if self._form() is None:
            raise SkipAction
        await self.action_field(1)

    async def _typed(self) -> None:
        """Wait until the field under the cursor has taken the keys that were typed before this one."""
        taken = asyncio.Event()
        if self.focused is not None and self.focused.call_later(taken.set):
            await taken.wait()

    def _form(self) -> Form | None:
        """The form that the cursor is in."""
        around = self.focused.ancestors if self.focused is not None else ()
        return next((above for above in around if isinstance(above, Form)), None)

    def action_choose(self, by: int) -> None:
        if not isinstance(self.focused, Choice):
            raise SkipAction
        self.focused.step(by)

    @work
    async def action_menu(self) -> None:
        """Everything that is reachable without a control key."""
        if self._current() is None:
            return
        steps = [(str(number % 10), _(step.SHORT)) for number, step in enumerate(STEPS, 1)]
        options = [
            *steps,
            ("t", _("one node for a trial: the short path")),
            ("e", _("explain this field or finding")),
            ("q", _("save and quit")),
        ]
        picked = await self.push_screen_wait(Pick(_("Go to"), options))
        if picked == "q":
            await self.action_leave()
        elif picked == "e":
            self.action_explain()
        elif picked == "t":
            self.action_trial()
        elif picked is not None:
            await self.go(STEPS[(int(picked) - 1) % 10])

    def action_explain(self) -> None:
        """All that is not met on this step, and the requirement behind the field or finding under the cursor."""
        current = self._current()
        if current is not None and (text := explanation(current)):
            self.push_screen(Read(current.rule_under_cursor() or _(current.SHORT), text))

    async def action_leave(self) -> None:
        if self.session is None:
            self.exit(0)
            return
        if any(isinstance(screen, Confirm) for screen in self.screen_stack):
            return
        question = _("Everything but the secrets is saved; acp-tui offers to go on with it next time.")
        await self.push_screen(Confirm(_("Leave the wizard?"), question), self._left)

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

    def _current(self) -> WizardStep | None:
        return self.screen if isinstance(self.screen, WizardStep) else None

    def _handle_exception(self, error: Exception) -> None:
        """On the way out a screen loses its parts before it is gone itself; what still looks for one is no fault."""
        cause = error.error if isinstance(error, WorkerFailed) else error
        if self.is_running or not isinstance(cause, NoMatches):
            super()._handle_exception(error)

    def _fatal_error(self) -> None:
        """Textual would print local variables, secrets among them, to the terminal."""
        if self._exit_renderables:
            return  # one fault often breaks a second thing on its way; the first one tells
        secrets = secret_values(self.session.plan).values() if self.session else ()
        path = write_crash(self.home, self._exception, secrets)
        where = _("What went wrong is written to {path}").format(path=path) if path else repr(type(self._exception))
        said = _("acp-tui had to stop: a fault of its own. Your answers are saved.")
        self._exit_renderables.append(Text(f"{said}\n{where}"))
        self._close_messages_no_wait()
