"""A text in an area of fixed size. After a change, only the changed lines are repainted.

An ordinary Textual widget repeats the layout and sends the complete screen: 4 KB for one changed word.
"""

from rich.text import Text
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget


class Panel(Widget):
    """A text area. It wraps long lines at its width and cuts the text at its height."""

    def __init__(self, text: Text | str = "", *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._text = Text(text) if isinstance(text, str) else text
        self._lines: tuple[Text, ...] = ()
        self._width = 0

    @property
    def text(self) -> str:
        """The text of the panel, without styles."""
        return self._text.plain

    def show(self, text: Text) -> None:
        """Replace the text of the panel and repaint the changed lines."""
        before = self._wrapped()
        self._text, self._width = text, 0
        after = self._wrapped()
        for y in range(self.size.height):
            old, new = before[y : y + 1], after[y : y + 1]
            if old != new or any(a.spans != b.spans or a.style != b.style for a, b in zip(old, new, strict=True)):
                self.refresh(Region(0, y, self.size.width, 1))

    def render_line(self, y: int) -> Strip:
        width, base = self.size.width, self.rich_style
        lines = self._wrapped()
        if y >= len(lines):
            return Strip.blank(width, base.background_style)
        strip = Strip(lines[y].render(self.app.console), lines[y].cell_len).apply_style(base)
        return strip.adjust_cell_length(width, base.background_style)

    def _wrapped(self) -> tuple[Text, ...]:
        """Return the text, wrapped into lines of the current width."""
        width = self.size.width
        if width != self._width:
            self._width = width
            text = self._text
            lines = text.wrap(self.app.console, width, no_wrap=text.no_wrap, overflow=text.overflow) if width else ()
            for line in lines:
                line.end = ""
            self._lines = tuple(lines)
        return self._lines
