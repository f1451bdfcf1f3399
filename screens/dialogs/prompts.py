"""Small dialogs: confirm a question, enter a text, choose a line, and read a text."""

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Input, Label, Static

from acp_tui.core.i18n import _
from screens.widgets.line_input import Line
from screens.widgets.row_list import Row, Rows


class Confirm(ModalScreen[bool]):
    """A question that only the key `y` confirms. Enter does nothing, because operators easily press it by accident."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", show=False),
        Binding("n,escape", "answer(False)", show=False),
    ]

    def __init__(self, title: str, question: str) -> None:
        super().__init__()
        self._title = title
        self._question = question

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Label(self._title, classes="dialog-title", markup=False)
            yield Static(Text(self._question), classes="dialog-text")
            yield Static(Text(_("y: yes   n: no")), classes="dialog-keys")

    def action_answer(self, answer: bool) -> None:
        self.dismiss(answer)


class Ask(ModalScreen[str | None]):
    """A dialog that returns one line of text. It returns None if the operator cancels."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", show=False)]

    def __init__(self, title: str, question: str, value: str = "", *, secret: bool = False) -> None:
        super().__init__()
        self._title = title
        self._question = question
        self._value = value
        self._secret = secret

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Label(self._title, classes="dialog-title", markup=False)
            yield Static(Text(self._question), classes="dialog-text")
            yield Line(self._value, secret=self._secret, id="ask")
            yield Static(Text(_("Enter: OK   Esc: cancel")), classes="dialog-keys")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.dismiss(event.value)

    def action_leave(self) -> None:
        self.dismiss(None)


class Pick(ModalScreen[str | None]):
    """A dialog that returns the key of the chosen line. It returns None if the operator cancels."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", show=False)]

    def __init__(self, title: str, options: Sequence[tuple[str, str]], text: str = "") -> None:
        """`options` has a (key, label) pair for each line. A key of one character chooses its line when pressed."""
        super().__init__()
        self._title = title
        self._options = tuple(options)
        self._text = text

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Label(self._title, classes="dialog-title", markup=False)
            if self._text:
                yield Static(Text(self._text), classes="dialog-text")
            yield Rows(id="options")
            yield Static(Text(_("Enter: choose   Esc: cancel")), classes="dialog-keys")

    def on_mount(self) -> None:
        rows = self.query_one(Rows)
        rows.styles.height = min(len(self._options), 14)
        rows.show(
            [Row(key, Text(f" {key}  {label}" if len(key) == 1 else f" {label}")) for key, label in self._options]
        )
        self.set_focus(rows)

    def on_key(self, event: object) -> None:
        character = getattr(event, "character", None)
        if character and any(key == character for key, _label in self._options):
            self.dismiss(character)

    def on_rows_chosen(self, event: Rows.Chosen) -> None:
        self.dismiss(event.key)

    def action_leave(self) -> None:
        self.dismiss(None)


class Read(ModalScreen[None]):
    """A dialog that shows a text, which the operator can scroll."""

    WIDE: ClassVar[int] = 73
    """Number of columns of a text line in a wide dialog. The scroll bar is not included."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,enter", "leave", show=False)]

    def __init__(self, title: str, text: Text, *, wide: bool = False) -> None:
        super().__init__()
        self._title = title
        self._text = text
        self._wide = wide

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog tall wide" if self._wide else "dialog tall"):
            yield Label(self._title, classes="dialog-title", markup=False)
            with VerticalScroll(id="reading"):
                yield Static(self._text)
            yield Static(Text(_("Up/Down: scroll   Esc: close")), classes="dialog-keys")

    def on_mount(self) -> None:
        self.set_focus(self.query_one("#reading"))

    def action_leave(self) -> None:
        self.dismiss(None)
