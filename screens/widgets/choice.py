"""A widget to choose one of a few values on one line with the arrow keys. It does not open a list."""

from collections.abc import Callable, Sequence

from rich.text import Text
from textual.reactive import reactive
from textual.widget import Widget


class Choice(Widget, can_focus=True):
    """A choice on one line. The chosen value is in brackets, so it is visible without colour."""

    value: reactive[str] = reactive("")

    def __init__(
        self, options: Sequence[tuple[str, str]], value: str, chosen: Callable[[str], None], *, id: str | None = None
    ) -> None:
        """`options` has (value, label) pairs. The widget calls `chosen` with each value that the operator chooses."""
        super().__init__(id=id)
        self._options = tuple(options)
        self._chosen = chosen
        self.set_reactive(Choice.value, value)

    def render(self) -> Text:
        text = Text(no_wrap=True, overflow="ellipsis")
        for value, label in self._options:
            chosen = value == self.value
            style = ("reverse" if self.has_focus else "bold") if chosen else "dim"
            text.append(" " if text else "")
            text.append(f"[{label}]" if chosen else label, style)
        return text

    def step(self, by: int) -> None:
        """Choose the value that is `by` places after the current one. After the last value comes the first one."""
        values = [value for value, _label in self._options]
        here = values.index(self.value) if self.value in values else 0
        self.value = values[(here + by) % len(values)]
        self._chosen(self.value)
