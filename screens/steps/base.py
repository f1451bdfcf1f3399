"""What every step of the wizard shares: header, sidebar, body, help, problems, keys, the way back and on."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol, cast

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.reactive import Reactive
from textual.screen import Screen
from textual.widget import Widget

from acp_tui.checks.catalog import catalogue
from acp_tui.checks.verdict import Verdict
from acp_tui.core.i18n import _, ngettext
from acp_tui.core.local_host import LocalAddress
from acp_tui.plan.model import field_at, rule_of
from acp_tui.preflight.bundle import SecretsMode
from screens.formatting.glyphs import glyphs, outcome_mark
from screens.session.session import Changed, Session
from screens.widgets.form import Field, Form
from screens.widgets.panel import Panel
from screens.widgets.sidebar import Sidebar

if TYPE_CHECKING:
    from acp_tui.demo.cluster import Practice


class WizardApp(Protocol):
    """What a step needs of the application around it."""

    steps: tuple[type["WizardStep"], ...]
    practice: "Practice | None"
    """The practice cluster; None when it is in earnest."""
    home: Path
    """The state folder."""
    base: Path
    """The folder that the plan's relative paths start from."""
    own_addresses: Callable[[], Sequence[LocalAddress]]
    """Of this host, where it may be a node."""

    async def go_to_blocker(self) -> None: ...

    async def go_to(self, verdict: Verdict) -> None: ...

    async def go_to_answer(self, path: str) -> bool: ...

    async def write_bundle(self, folder: Path, keep: SecretsMode) -> Text: ...


class WizardStep(Screen[None]):
    """One step. A subclass says what it is called, which sections of the plan are its own, and what its body is."""

    NAME: ClassVar[str]
    SHORT: ClassVar[str]
    """Word in the sidebar, at most 10 columns."""
    TITLE_TEXT: ClassVar[str]
    SECTIONS: ClassVar[tuple[str, ...]] = ()
    """Plan paths (prefixes) whose rules this step answers for."""
    BETWEEN: ClassVar[tuple[str, str] | None] = None
    """Names of the steps before and after one that is not in the row; None: it is in the row."""
    KEYS: ClassVar[tuple[tuple[str, str], ...]] = ()
    """(key, word) pairs of the step's own keys, for the bottom line."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "app.menu", show=False),
        Binding("f1,ctrl+o", "app.explain", show=False),
        Binding("ctrl+r", "reveal", show=False),
    ]

    # Textual would send the whole screen when the cursor goes to another field; the fields repaint themselves.
    focused: Reactive[Widget | None] = Reactive(None, repaint=False)

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self.wanted_path: str | None = None
        """Plan path whose field the cursor is put into at first."""
        self._field: Field | None = None
        self._ready = False

    @property
    def wizard(self) -> WizardApp:
        """The application that walks through the steps."""
        return cast(WizardApp, self.app)

    @classmethod
    def owns(cls, verdict: Verdict) -> bool:
        """Whether an answer of this step would mend the verdict."""
        return any(path.startswith(cls.SECTIONS) for path in verdict.paths) if cls.SECTIONS else False

    @classmethod
    def has_problems(cls, session: Session) -> bool:
        refused = any(path.startswith(cls.SECTIONS) for path in session.refused) if cls.SECTIONS else False
        asked = any(path.startswith(cls.SECTIONS) for path in session.draft.secrets_asked) if cls.SECTIONS else False
        return refused or asked or any(cls.owns(verdict) for verdict in session.judgement.blocking)

    def fields(self) -> Sequence[Field]:
        return ()

    def body(self) -> Iterable[Widget]:
        """The widgets between title and help; by default the form."""
        yield Form(self.session, self.fields(), id="form")

    def compose(self) -> ComposeResult:
        yield Panel(self._header(), id="header")
        with Horizontal(id="middle"):
            yield Sidebar(self.session, self.NAME, self.wizard.steps)
            with Vertical(id="main"):
                yield Panel(_(self.TITLE_TEXT), id="title")
                with Vertical(id="body"):
                    yield from self.body()
                yield Panel(id="help")
                yield Panel(id="problems")
        yield Panel(self._keys(), id="keys")

    def on_mount(self) -> None:
        self.session.note(step=self.NAME, visited=self.session.draft.visited | {self.NAME})
        for form in self.query(Form):
            if self.wanted_path is None or not form.focus_path(self.wanted_path):
                form.focus_first()
        self._ready = True
        self.session_changed(Changed.ANSWERS)
        self.opened()

    def on_unmount(self) -> None:
        self._ready = False

    def opened(self) -> None:
        """The step is on the screen. Here, because Textual calls `on_mount` of every class by itself."""

    def session_changed(self, topic: Changed) -> None:
        """Something of the session is different; show it. Before and after the step is on the screen: nothing."""
        if not self._ready:
            return
        for sidebar in self.query(Sidebar):
            sidebar.tell()
        if topic is Changed.ANSWERS:
            for form in self.query(Form):
                form.refresh_fields()
        self._show_problems()
        self.show_body(topic)

    def show_body(self, topic: Changed) -> None:
        """Show in the body what is different now, for steps that have more than a form."""

    def on_form_focused(self, event: Form.Focused) -> None:
        self._field = event.field
        self._show_help()
        self._show_problems()

    def on_form_answered(self, event: Form.Answered) -> None:
        self._show_problems()

    def on_form_committed(self, event: Form.Committed) -> None:
        self.committed(event.field)

    async def may_go_on(self) -> bool:
        """Whether the next step may be shown."""
        return True

    def lead(self, field: Field) -> Text:
        """What the help says first, where a step knows something about this field."""
        return Text()

    def rule_under_cursor(self) -> str | None:
        """The requirement behind the field under the cursor."""
        return rule_of(self._field.path) if self._field is not None else None

    def unmet(self) -> tuple[Verdict, ...]:
        """What an answer of this step would mend, the field under the cursor first."""
        here = self._field.path if self._field is not None else ""
        own = [v for v in self.session.judgement.unmet if self.owns(v) and v.waived is None]
        return tuple(sorted(own, key=lambda verdict: here not in verdict.paths))

    def committed(self, field: Field) -> None:
        """A field was left with its final value. Login fields start probes here."""

    def leaving(self) -> None:
        """Another step is about to be shown: what was typed last is taken and counts as final."""
        for form in self.query(Form):
            form.settle()
        if self._field is not None:
            self.committed(self._field)

    def action_reveal(self) -> None:
        for form in self.query(Form):
            form.action_reveal()

    def tell(self, text: Text | str) -> None:
        """Use the help lines for something of the step's own."""
        self._set("#help", text if isinstance(text, Text) else Text(text))

    def _header(self) -> Text:
        text = Text(no_wrap=True, overflow="ellipsis")
        text.append(" acp-tui ", "bold reverse")
        if self.wizard.practice is not None:
            text.append(" " + _("PRACTICE") + " ", "bold black on yellow")
            text.append(" " + _("nothing here touches a real cluster"), "")
        else:
            text.append(
                " " + _("Alauda Container Platform {release}").format(release=self.session.plan.effective_release)
            )
        return text

    def _keys(self) -> Text:
        """The keys that fit on the line, whole; the menu leads to the rest."""
        text = Text(no_wrap=True, overflow="ellipsis")
        common = (("^N", _("next")), ("Esc", _("menu")), ("^P", _("back")), ("^O", _("explain")))
        for key, word in (*((key, _(word)) for key, word in self.KEYS), *common):
            if text.cell_len + len(key) + len(word) + 3 <= self.app.size.width:
                text.append(f" {key}", "bold reverse")
                text.append(f" {word} ")
        return text

    def _show_help(self) -> None:
        if self._field is None:
            return
        description = field_at(self._field.path).description or ""
        text = self.lead(self._field)
        text.append("\n" if text else "").append(_(description))
        row = catalogue(self.session.plan.effective_release).get(self.rule_under_cursor() or "")
        if row is not None:
            text.append("\n" + _("ACP: {rule}").format(rule=_(row.title)), "dim")
        if self._field.example:
            text.append("\n" + _("Example: {example}").format(example=_(self._field.example)), "dim")
        self._set("#help", text)

    def _show_problems(self) -> None:
        lines = list(self._problem_lines())
        text = joined(lines[:2])
        if len(lines) > 2:
            more = len(lines) - 1
            told = ngettext("and {count} more: ^O", "and {count} more: ^O", more).format(count=more)
            text = joined([lines[0], Text(told, "dim")])
        self._set("#problems", text)

    def _problem_lines(self) -> Iterable[Text]:
        g = glyphs()
        if self.session.save_error:
            yield Text(f"{g.failed} " + _("not saved: {why}").format(why=self.session.save_error), "bold red")
        if self._field is not None and self._field.path in self.session.refused:
            yield Text(
                f"{g.failed} {self.session.refused[self._field.path]}", "bold red", no_wrap=True, overflow="ellipsis"
            )
        for path, message in self.session.refused.items():
            if (self._field is None or path != self._field.path) and path.startswith(self.SECTIONS or ("?",)):
                yield Text(f"{g.failed} {path}: {message}", "red", no_wrap=True, overflow="ellipsis")
        if self._field is not None and self._field.path in self.session.draft.secrets_asked:
            yield Text("? " + _("Secrets are never saved: please give this one again."), "yellow")
        for verdict in self.unmet():
            if any(path in self.session.refused for path in verdict.paths):
                continue  # told above
            mark, style = outcome_mark(verdict.outcome)
            said = " — ".join(part for part in (verdict.observed, verdict.expected) if part)
            yield Text(f"{mark} {said}", style, no_wrap=True, overflow="ellipsis")

    def _set(self, selector: str, text: Text) -> None:
        # A step that is being left has lost its parts while its background work still tells something.
        for panel in self.query(selector).results(Panel):
            panel.show(text)


def joined(lines: Sequence[Text]) -> Text:
    """One line a text, cut at the edge and never wrapped: what is below stays where it is."""
    text = Text("\n").join(lines)
    text.no_wrap, text.overflow = True, "ellipsis"
    return text
