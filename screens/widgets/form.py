"""A form to enter values of the plan. Each field is one line and belongs to one plan key.

The form passes each typed text to the session. The session validates it and returns the error message.
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

from acp_tui.core.i18n import NC_, pgettext
from acp_tui.plan.model import Plan, field_at
from acp_tui.plan.paths import answer_at, answer_text, split_list
from acp_tui.plan.sections.section import is_secret
from screens.formatting.glyphs import glyphs
from screens.session.wizard_session import Session
from screens.widgets.choice import Choice
from screens.widgets.line_input import Line

_WORDS = {"true": NC_("choice", "yes"), "false": NC_("choice", "no"), "": NC_("choice", "auto")}


def always(plan: Plan) -> bool:
    return True


@dataclass(frozen=True)
class Field:
    """A field of a form. `path` is its plan key.

    `label` and `example` are message IDs. The message ID `label` has the context "field"."""

    path: str
    label: str
    example: str = ""
    shown: Callable[[Plan], bool] = always
    """Returns True if the field is visible with the values of the given plan."""

    @property
    def widget_id(self) -> str:
        return "f-" + self.path.replace(".", "-").replace("[", "-").replace("]", "")


class Form(VerticalScroll, can_focus=False):
    """A column of fields. It posts `Focused` when the cursor enters a field, `Committed` when the cursor leaves it."""

    @dataclass
    class Focused(Message):
        field: Field

    @dataclass
    class Answered(Message):
        """Message: the operator typed or chose a value in `field`."""

        field: Field

    @dataclass
    class Committed(Message):
        """Message: the cursor left `field`."""

        field: Field

    def __init__(self, session: Session, fields: Sequence[Field], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._session = session
        self.fields = tuple(fields)
        self._by_id = {field.widget_id: field for field in fields}

    def compose(self) -> ComposeResult:
        for field in self.fields:
            with Horizontal(classes="field", id=f"row-{field.widget_id}"):
                yield Label(pgettext("field", field.label), classes="label")
                yield self._control(field)
                yield Label(" ", classes="mark", id=f"mark-{field.widget_id}")

    def on_mount(self) -> None:
        self.refresh_fields()

    def focus_first(self) -> None:
        """Put the cursor into the first invalid field. If no field is invalid, use the first field."""
        invalid = [field for field in self.fields if field.path in self._session.field_errors]
        for field in (*invalid, *self.fields):
            row = self.query_one(f"#row-{field.widget_id}")
            if row.display:
                self.screen.set_focus(self.query_one(f"#{field.widget_id}"))
                return

    def neighbour(self, control: Widget, by: int) -> Widget | None:
        """Return the visible field after `control` (`by` is 1) or before it (`by` is -1). None at the end of the form.

        The focus order of Textual is not used: it does not contain a newly shown field before the next layout."""
        shown = [field for field in self.fields if self.query_one(f"#row-{field.widget_id}").display]
        ids = [field.widget_id for field in shown]
        position = ids.index(control.id) + by if control.id in ids else -1
        return self.query_one(f"#{ids[position]}") if 0 <= position < len(ids) else None

    def focus_path(self, path: str) -> bool:
        """Put the cursor into the field of the plan key `path`. Return False if the form does not have it."""
        for field in self.fields:
            if field.path == path or field.path.startswith(path + "."):
                self.screen.set_focus(self.query_one(f"#{field.widget_id}"))
                return True
        return False

    def refresh_fields(self) -> None:
        """Show or hide each field, and mark fields that are invalid or have a missing secret."""
        for field in self.fields:
            self.query_one(f"#row-{field.widget_id}").display = field.shown(self._session.plan)
            invalid = field.path in self._session.field_errors
            asked = field.path in self._session.draft.secrets_asked
            mark = self.query_one(f"#mark-{field.widget_id}", Label)
            mark.update(glyphs().failed if invalid else "?" if asked else " ", layout=False)

    def settle(self) -> None:
        """Store the typed text before the cursor moves. The text can make a different field visible."""
        focused = self.screen.focused
        field = self._by_id.get(focused.id or "") if isinstance(focused, Input) else None
        if field is not None and isinstance(focused, Input) and focused.value != self._text(field):
            self._take(field, focused.value)

    def reload(self, *, focused: bool = False) -> None:
        """Load the values from the plan again. Call this after other code has changed the plan.

        If `focused` is True, also replace the text in the field under the cursor."""
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
            labelled = [(value, pgettext("choice", _WORDS[value]) if value in _WORDS else value) for value in options]
            return Choice(labelled, text, lambda value: self._take(field, value), id=field.widget_id)
        secret = self._is_secret(field)
        return Line(text, placeholder="-", secret=secret, id=field.widget_id)

    def _text(self, field: Field) -> str:
        invalid = self._session.draft.invalid_input.get(field.path)
        return invalid if invalid is not None else answer_text(answer_at(self._session.plan, field.path))

    def _is_secret(self, field: Field) -> bool:
        return is_secret(field_at(field.path).annotation)


def choices_of(path: str) -> tuple[str, ...]:
    """Return the values that the plan key allows. "" means not set. The result is empty for a field with free text."""
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
