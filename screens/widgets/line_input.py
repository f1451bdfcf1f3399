"""An input line that handles keys in the order in which they were typed, at any speed.

A Textual widget inserts printable characters immediately, but handles editing keys such as `Backspace` later. Over a
slow connection several keys arrive together. Then `Backspace` would delete text that was typed after it.
"""

import re
from collections.abc import Callable

from textual.binding import NoBinding
from textual.events import Key, Paste
from textual.selection import Selection
from textual.widgets import Input

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_LINE_SEPARATOR = "\u2028"
"""Takes the place of a control character in a pasted secret. It does nothing on a screen, and no secret can have it."""


class Line(Input):
    """An input line without a frame. `secret`: its text is masked, and cannot be copied.

    When Enter is pressed, the line calls `takes` with its text. If the result is True, the line becomes empty. A line
    with `takes` joins several pasted lines with commas. A line without `takes` inserts only the first pasted line.
    A secret is not changed: if it has several lines or control characters, it is invalid."""

    def __init__(
        self,
        value: str = "",
        *,
        placeholder: str = "",
        secret: bool = False,
        takes: Callable[[str], bool] | None = None,
        id: str | None = None,
    ) -> None:
        super().__init__(value, placeholder=placeholder, password=secret, id=id, compact=True, select_on_focus=False)
        self.cursor_blink = False
        self._takes = takes
        self._secret = secret

    async def _on_key(self, event: Key) -> None:
        try:
            own = self._bindings.get_bindings_for_key(event.key)
        except NoBinding:
            await super()._on_key(event)
            return
        event.stop()
        event.prevent_default()
        for binding in own:
            await self.run_action(binding.action)

    def _on_paste(self, event: Paste) -> None:
        """Insert pasted text, but remove its control characters."""
        event.stop()
        event.prevent_default()
        if self._secret:
            self.replace(_CONTROL.sub(_LINE_SEPARATOR, event.text.rstrip("\r\n")), *self.selection)
            return
        lines = [line for line in (_CONTROL.sub("", line) for line in event.text.splitlines()) if line.strip()]
        if lines:
            self.replace(", ".join(lines) if self._takes else lines[0], *self.selection)

    def action_copy(self) -> None:
        """Copy the selected text to the clipboard, but not from a secret, even if it is revealed.

        The clipboard of a terminal is open to other programs, and to other people on a shared screen session."""
        if not self._secret:
            super().action_copy()

    def action_cut(self) -> None:
        """Cut the selected text to the clipboard. For a secret, do nothing; see `action_copy`."""
        if not self._secret:
            super().action_cut()

    @property
    def allow_select(self) -> bool:
        """Return True if the mouse can select text of the line for a copy of the screen."""
        return super().allow_select and not self._secret

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """Return the text of the line in a selection of the screen. For a secret, return None; see `action_copy`."""
        return None if self._secret else super().get_selection(selection)

    async def action_submit(self) -> None:
        if self._takes is None:
            self.post_message(self.Submitted(self, self.value))
        elif self._takes(self.value):
            self.value = ""
