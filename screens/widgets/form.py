"""A form over the plan: each field is one line bound to a dotted path, and takes its rules and help from the plan.

Text goes to the session as it is typed; the message comes back from the plan's own field. Nothing is checked here.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args, get_origin

from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.events import DescendantBlur, DescendantFocus
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, Label

from acp_tui.core.i18n import N_, _
from acp_tui.plan.model import Plan, field_at, is_secret
from acp_tui.plan.paths import answer_at, answer_text, split_list
from screens.formatting.glyphs import glyphs
from screens.session.session import Session
from screens.widgets.choice import Choice
from screens.widgets.line_input import Line

_WORDS = {"true": N_("yes"), "false": N_("no"), "": N_("auto")}


def always(plan: Plan) -> bool:
    return True


@dataclass(frozen=True)
class Field:
    """One line of a form. `label` and `example` are message IDs."""

    path: str
    label: str
    example: str = ""
    shown: Callable[[Plan], bool] = always
    """Whether the answer means anything with the other answers as they are."""

    @property
    def widget_id(self) -> str:
        return "f-" + self.path.replace(".", "-").replace("[", "-").replace("]", "")


class Form(VerticalScroll, can_focus=False):
    """Fields under each other. Posts `Focused` when another field is entered and `Committed` when one is left."""

    @dataclass
    class Focused(Message):
        field: Field

    @dataclass
    class Answered(Message):
        """A value was typed or chosen."""

        field: Field

    @dataclass
    class Committed(Message):
        """A field was left."""

        field: Field

    def __init__(self, session: Session, fields: Sequence[Field], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._session = session
        self.fields = tuple(fields)
        self._by_id = {field.widget_id: field for field in fields}

    def compose(self) -> ComposeResult:
        for field in self.fields:
            with Horizontal(classes="field", id=f"row-{field.widget_id}"):
                yield Label(_(field.label), classes="label")
                yield self._control(field)
                yield Label(" ", classes="mark", id=f"mark-{field.widget_id}")

    def on_mount(self) -> None:
        self.refresh_fields()

    def focus_first(self) -> None:
        """Put the cursor into the first field that has something wrong, else into the first one."""
        wrong = [field for field in self.fields if field.path in self._session.refused]
        for field in (*wrong, *self.fields):
            row = self.query_one(f"#row-{field.widget_id}")
            if row.display:
                self.screen.set_focus(self.query_one(f"#{field.widget_id}"))
                return

    def beside(self, control: Widget, by: int) -> Widget | None:
        """The field next to this one, of those that are shown now; None at the end of the form.

        Textual's own order of focus learns of a field that has just appeared only when it has been laid out."""
        shown = [field for field in self.fields if self.query_one(f"#row-{field.widget_id}").display]
        ids = [field.widget_id for field in shown]
        place = ids.index(control.id) + by if control.id in ids else -1
        return self.query_one(f"#{ids[place]}") if 0 <= place < len(ids) else None

    def focus_path(self, path: str) -> bool:
        """Put the cursor into the field of this path. False: it is not in this form."""
        for field in self.fields:
            if field.path == path or field.path.startswith(path + "."):
                self.screen.set_focus(self.query_one(f"#{field.widget_id}"))
                return True
        return False

    def refresh_fields(self) -> None:
        """Show the fields that now mean something, and the marks of refused ones."""
        for field in self.fields:
            self.query_one(f"#row-{field.widget_id}").display = field.shown(self._session.plan)
            refused = field.path in self._session.refused
            asked = field.path in self._session.draft.secrets_asked
            mark = self.query_one(f"#mark-{field.widget_id}", Label)
            mark.update(glyphs().failed if refused else "?" if asked else " ", layout=False)

    def settle(self) -> None:
        """Take what was just typed, before the cursor goes on: it may bring another field into sight."""
        focused = self.screen.focused
        field = self._by_id.get(focused.id or "") if isinstance(focused, Input) else None
        if field is not None and isinstance(focused, Input) and focused.value != self._text(field):
            self._take(field, focused.value)

    def reload(self, *, focused: bool = False) -> None:
        """Take the values from the plan again, after something else than this form has changed them.

        `focused`: the field under the cursor, too, whatever was typed there."""
        for field in self.fields:
            control = self.query_one(f"#{field.widget_id}")
            text = self._text(field)
            if isinstance(control, Input) and control.value != text and (focused or not control.has_focus):
                with control.prevent(Input.Changed):
                    control.value = text
            elif isinstance(control, Choice):
                control.value = text

    def action_reveal(self) -> None:
        """Show or mask the secret under the cursor."""
        focused = self.screen.focused
        if isinstance(focused, Input) and focused.id in self._by_id and self._is_secret(self._by_id[focused.id]):
            focused.password = not focused.password

    def on_input_changed(self, event: Input.Changed) -> None:
        field = self._by_id.get(event.input.id or "")
        if field:
            self._take(field, event.value)

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        field = self._by_id.get(event.widget.id or "")
        if field:
            self.post_message(self.Focused(field))

    def on_descendant_blur(self, event: DescendantBlur) -> None:
        field = self._by_id.get(event.widget.id or "")
        if field:
            if isinstance(event.widget, Input) and self._is_secret(field):
                event.widget.password = True
            self.post_message(self.Committed(field))

    def _take(self, field: Field, text: str) -> None:
        value: object = text
        if _is_list(field.path):
            value = split_list(text)
        elif text == "" and (_may_be_unset(field.path) or self._is_secret(field)):
            value = None
        self._session.answer(field.path, value)
        self.refresh_fields()
        self.post_message(self.Answered(field))

    def _control(self, field: Field) -> Widget:
        text = self._text(field)
        options = choices_of(field.path)
        if options:
            words = [(value, _(_WORDS[value]) if value in _WORDS else value) for value in options]
            return Choice(words, text, lambda value: self._take(field, value), id=field.widget_id)
        secret = self._is_secret(field)
        return Line(text, placeholder="-", secret=secret, id=field.widget_id)

    def _text(self, field: Field) -> str:
        rough = self._session.draft.rough.get(field.path)
        return rough if rough is not None else answer_text(answer_at(self._session.plan, field.path))

    def _is_secret(self, field: Field) -> bool:
        return is_secret(field_at(field.path).annotation)


def choices_of(path: str) -> tuple[str, ...]:
    """The values to choose from, "" for unset; empty for a field that takes free text."""
    annotation = field_at(path).annotation
    parts = get_args(annotation) if type(None) in get_args(annotation) else (annotation,)
    unset = ("",) if type(None) in parts else ()
    for part in parts:
        if get_origin(part) is Literal:
            return (*unset, *(str(value) for value in get_args(part)))
        if part is bool or (get_args(part) and get_args(part)[0] is bool):
            return (*unset, "true", "false")
    return ()


def _is_list(path: str) -> bool:
    return get_origin(field_at(path).annotation) is tuple


def _may_be_unset(path: str) -> bool:
    return field_at(path).default is None
