"""The base class of every step of the wizard: header, step list, body, detail and key bar."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.reactive import Reactive
from textual.screen import Screen
from textual.widget import Widget

from acp_tui.checks.verdict import Verdict
from acp_tui.core.i18n import pgettext
from acp_tui.core.local_host import LocalAddress
from acp_tui.plan.model import rule_of
from acp_tui.preflight.bundle import SecretsMode
from screens.dialogs.host_keys import hosts_not_confirmed, require_confirmed_hosts
from screens.formatting.header import header
from screens.session.wizard_session import Changed, Session
from screens.widgets.answer_line import AnswerLine
from screens.widgets.detail import Detail, field_help, problem_lines
from screens.widgets.form import Field, Form
from screens.widgets.key_bar import COMMON_KEYS, Key, KeyBar
from screens.widgets.panel import Panel
from screens.widgets.sidebar import Sidebar

if TYPE_CHECKING:
    from acp_tui.demo.cluster import Practice


class WizardApp(Protocol):
    """The attributes and methods of the application that a step may use. Steps use nothing else of the application."""

    steps: Sequence[type["WizardStep"]]
    practice: "Practice | None"
    """The simulated practice cluster. None if the cluster is real."""
    home: Path
    """The state folder of acp-tui."""
    plan_dir: Path
    """The folder from which relative paths of the plan are resolved."""
    own_addresses: Callable[[], Sequence[LocalAddress]]
    """Returns the addresses of this host. With a practice cluster, it returns none, because this host is not a node."""

    async def go_to_blocker(self) -> None: ...

    async def go_to(self, verdict: Verdict) -> None: ...

    async def go_to_answer(self, path: str) -> bool: ...

    async def write_bundle(self, folder: Path, keep: SecretsMode) -> Text: ...


class WizardStep(Screen[None]):
    """A step of the wizard. A subclass defines its names, its body, and the sections of the plan that it edits."""

    NAME: ClassVar[str]
    SHORT: ClassVar[str]
    """Name in the step list, at most 10 columns. It is a message ID with the context "step"."""
    TITLE_TEXT: ClassVar[str]
    SECTIONS: ClassVar[tuple[str, ...]] = ()
    """Prefixes of the plan keys that this step edits."""
    BETWEEN: ClassVar[tuple[str, str] | None] = None
    """Names of the previous and the next step. Set only for a step that is not in the step list."""
    KEYS: ClassVar[tuple[Key, ...]] = ()
    """Keys that only this step has. The key bar shows them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "app.menu", show=False),
        Binding("f1,ctrl+o", "app.explain", show=False),
        Binding("ctrl+r", "reveal", show=False),
    ]

    # No repaint: when the focus moves, Textual would send the complete screen. The fields repaint themselves.
    focused: Reactive[Widget | None] = Reactive(None, repaint=False)

    def __init__(self, session: Session, wizard: WizardApp) -> None:
        super().__init__()
        self.session = session
        self.wizard = wizard
        self.initial_path: str | None = None
        """Plan key of the field on which the cursor starts. None for the first field."""
        self._field: Field | None = None
        self._ready = False

    @classmethod
    def owns(cls, verdict: Verdict) -> bool:
        """Return True if the verdict belongs to a plan key that this step edits."""
        return any(path.startswith(cls.SECTIONS) for path in verdict.paths) if cls.SECTIONS else False

    @classmethod
    def has_problems(cls, session: Session) -> bool:
        open_paths = (*session.field_errors, *session.draft.secrets_asked)
        missing = any(path.startswith(cls.SECTIONS) for path in open_paths) if cls.SECTIONS else False
        return missing or any(cls.owns(verdict) for verdict in session.verdict_view.blockers)

    def fields(self) -> Sequence[Field]:
        return ()

    def body(self) -> Iterable[Widget]:
        """Yield the widgets between title and detail: by default, the form."""
        yield Form(self.session, self.fields(), id="form")

    def compose(self) -> ComposeResult:
        yield Panel(header(self.session.plan.effective_release, practice=self.wizard.practice is not None), id="header")
        with Horizontal(id="middle"):
            yield Sidebar(self.session, self.NAME, self.wizard.steps)
            with Vertical(id="main"):
                yield Panel(pgettext("title", self.TITLE_TEXT), id="title")
                with Vertical(id="body"):
                    yield from self.body()
                yield Detail()
        yield KeyBar((*self.KEYS, *COMMON_KEYS))

    def on_mount(self) -> None:
        self.session.update_draft(step=self.NAME, visited=self.session.draft.visited | {self.NAME})
        for form in self.query(Form):
            if self.initial_path is None or not form.focus_path(self.initial_path):
                form.focus_first()
        self._ready = True
        self.session_changed(Changed.ANSWERS)
        self.opened()

    def on_unmount(self) -> None:
        self._ready = False

    def opened(self) -> None:
        """Hook for subclasses. The step calls it once, after its widgets are on the screen."""

    def session_changed(self, topic: Changed) -> None:
        """Update the step after a change of the session. Do nothing while the step is not on the screen."""
        if not self._ready:
            return
        for sidebar in self.query(Sidebar):
            sidebar.update_state()
        if topic is Changed.ANSWERS:
            for form in self.query(Form):
                form.refresh_fields()
        self.show_problems()
        self.show_body(topic)

    def show_body(self, topic: Changed) -> None:
        """Hook for subclasses whose body is more than a form. They update the body after a change of the session."""

    def on_form_focused(self, event: Form.Focused) -> None:
        self._field = event.field
        self.show_help()
        self.show_problems()

    def on_form_answered(self, event: Form.Answered) -> None:
        self.show_problems()

    def on_form_committed(self, event: Form.Committed) -> None:
        self.committed(event.field)

    async def may_continue(self) -> bool:
        """Return True if the wizard may show the next step."""
        return True

    def lead(self, field: Field) -> Text:
        """Return a text to show before the help of a field, such as a suggested value."""
        return Text()

    def rule_under_cursor(self) -> str | None:
        """Return the ID of the requirement for the field under the cursor. None if the field has no requirement."""
        return rule_of(self._field.path) if self._field is not None else None

    def open_findings(self) -> tuple[Verdict, ...]:
        """Return the blockers and advice on the plan keys of this step. Those of the focused field are first."""
        here = self._field.path if self._field is not None else ""
        own = [v for v in self.session.verdict_view.open if self.owns(v) and v.waived is None]
        return tuple(sorted(own, key=lambda verdict: here not in verdict.paths))

    def committed(self, field: Field) -> None:
        """Hook for subclasses. The step calls it after the cursor leaves a field, for example to start node checks."""

    def leaving(self) -> None:
        """Store the text of the focused field. The wizard calls this function before it shows a different step."""
        for form in self.query(Form):
            form.settle()
        if self._field is not None:
            self.committed(self._field)

    async def hosts_confirmed(self) -> bool:
        """Return True if all host keys are confirmed. Ask first, and show a message if the operator declines.

        Call this before acp-tui changes nodes or sends them something secret."""
        if await require_confirmed_hosts(self.app, self.session):
            return True
        self.show_failure(hosts_not_confirmed())
        return False

    def action_reveal(self) -> None:
        for form in self.query(Form):
            form.action_reveal()

    def show_detail(self, text: Text | str) -> None:
        """Show facts about the focused field or row in the detail area."""
        for detail in self.query(Detail):
            detail.show(text)

    def show_answer(self, text: Text | str) -> None:
        """Show the result of a key press."""
        for line in self.query(AnswerLine):
            line.answer(text)

    def show_failure(self, text: str) -> None:
        """Show why a key press had no effect."""
        for line in self.query(AnswerLine):
            line.fail(text)

    def show_help(self) -> None:
        """Show the help of the focused field."""
        if self._field is not None:
            self.show_detail(field_help(self.session, self._field, self.lead(self._field)))

    def show_problems(self) -> None:
        for detail in self.query(Detail):
            detail.show_problems(self.problems())

    def problems(self) -> Iterable[Text]:
        """Return the problems of the step, one per line. The most urgent problem is first."""
        return problem_lines(self.session, self._field, self.SECTIONS, self.open_findings())

    def set_panel(self, selector: str, text: Text) -> None:
        # A closed step has no widgets, but its background tasks can still send results.
        for panel in self.query(selector).results(Panel):
            panel.show(text)
