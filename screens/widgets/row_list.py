"""A list of lines with a cursor. It repaints only changed lines. A Textual table sends 70 times more data over SSH."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip


@dataclass(frozen=True)
class Row:
    """One line of a list. `key` identifies the line. The cursor skips headings, which have an empty key."""

    key: str
    text: Text


class Rows(ScrollView, can_focus=True):
    """A list of lines. The arrow keys move the cursor."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", show=False),
        Binding("down,j", "move(1)", show=False),
        Binding("pageup", "move(-10)", show=False),
        Binding("pagedown", "move(10)", show=False),
        Binding("home", "move(-100000)", show=False),
        Binding("end", "move(100000)", show=False),
        Binding("enter", "choose", show=False),
    ]

    cursor: reactive[int] = reactive(0, repaint=False)

    @dataclass
    class Highlighted(Message):
        """Message: the cursor moved to the row `key`."""

        rows: "Rows"
        key: str

        @property
        def control(self) -> "Rows":
            return self.rows

    @dataclass
    class Chosen(Message):
        """Message: the operator pressed Enter on the row `key`."""

        rows: "Rows"
        key: str

        @property
        def control(self) -> "Rows":
            return self.rows

    def __init__(self, *, id: str | None = None, empty: str = "") -> None:
        super().__init__(id=id)
        self._rows: tuple[Row, ...] = ()
        self._empty = empty

    @property
    def key(self) -> str:
        """The key of the row under the cursor. "" for an empty list."""
        return self._rows[self.cursor].key if 0 <= self.cursor < len(self._rows) else ""

    def show(self, rows: Sequence[Row], *, empty: str | None = None) -> None:
        """Show these rows, or the text `empty` if there are no rows. The cursor stays on the row with the same key."""
        before, key = self._rows, self.key
        if empty is not None and empty != self._empty:
            self._empty = empty
            self.refresh()
        self._rows = tuple(rows)
        keys = [row.key for row in self._rows]
        self.virtual_size = Size(self.size.width, len(self._rows))
        if key in keys and key:
            self.set_reactive(Rows.cursor, keys.index(key))
        else:
            self.set_reactive(Rows.cursor, self._nearest(self.cursor, 1))
        if len(before) != len(self._rows):
            self.refresh()
        else:
            for index, (old, new) in enumerate(zip(before, self._rows, strict=True)):
                if old.text != new.text or old.text.spans != new.text.spans:
                    self._refresh_line(index)
        if self.key != key:
            self.post_message(self.Highlighted(self, self.key))

    def move_to(self, key: str) -> None:
        """Put the cursor on the row with this key. Do nothing if the list does not have the key."""
        for index, row in enumerate(self._rows):
            if row.key == key:
                self.cursor = index

    def render_line(self, y: int) -> Strip:
        index = y + self.scroll_offset.y
        width = self.scrollable_content_region.width
        base = self.rich_style
        if not self._rows and y == 0:
            return Strip(Text(self._empty, style="dim").render(self.app.console), len(self._empty)).adjust_cell_length(
                width, base
            )
        if index >= len(self._rows):
            return Strip.blank(width, base)
        row = self._rows[index]
        text = row.text.copy()
        text.truncate(width, overflow="ellipsis", pad=True)
        if index == self.cursor and row.key:
            text.stylize("reverse" if self.has_focus else "underline")
        text.end = ""
        return Strip(text.render(self.app.console), width).adjust_cell_length(width, base).apply_style(base)

    def watch_cursor(self, before: int, after: int) -> None:
        self._refresh_line(before)
        self._refresh_line(after)
        self._show_line(after)
        self.post_message(self.Highlighted(self, self.key))

    def _show_line(self, index: int) -> None:
        """Scroll half a page when the cursor leaves the visible lines, because each scroll sends all lines again."""
        top, height = self.scroll_offset.y, self.size.height
        if not top <= index < top + height:
            self.scroll_to(y=max(0, index - height // 2), animate=False)

    def action_move(self, by: int) -> None:
        target = min(max(self.cursor + by, 0), max(len(self._rows) - 1, 0))
        self.cursor = self._nearest(target, 1 if by > 0 else -1)

    def action_choose(self) -> None:
        if self.key:
            self.post_message(self.Chosen(self, self.key))

    def on_focus(self) -> None:
        self._refresh_line(self.cursor)

    def on_blur(self) -> None:
        self._refresh_line(self.cursor)

    def _nearest(self, index: int, direction: int) -> int:
        """Return the nearest index that is not a heading. Search in `direction` first, then in the other direction."""
        index = min(max(index, 0), max(len(self._rows) - 1, 0))
        for step in (direction, -direction):
            current = index
            while 0 <= current < len(self._rows):
                if self._rows[current].key:
                    return current
                current += step
        return index

    def _refresh_line(self, index: int) -> None:
        y = index - self.scroll_offset.y
        if 0 <= y < self.size.height:
            self.refresh(Region(0, y, self.size.width, 1))
