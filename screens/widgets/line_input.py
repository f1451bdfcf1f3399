"""An input line that takes its keys in the order in which they were typed, however fast they come.

Textual lets a widget insert printable characters at once, but runs its editing keys only after they have bubbled up to
the application. Over a slow link keys arrive in bursts, and `Backspace` would then strike what was typed after it.
"""

import re
from collections.abc import Callable

from textual.binding import NoBinding
from textual.events import Key, Paste
from textual.widgets import Input

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class Line(Input):
    """One line of text without a frame.

    `takes`: what Enter hands the text to, at once; True empties the line, so that the next one can be typed on. Of
    several pasted lines such a line takes all, with commas between, where another field takes the first."""

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
        """Take what was pasted, without the control characters that it may bring along."""
        event.stop()
        event.prevent_default()
        lines = [line for line in (_CONTROL.sub("", line) for line in event.text.splitlines()) if line.strip()]
        if lines:
            self.replace(", ".join(lines) if self._takes else lines[0], *self.selection)

    async def action_submit(self) -> None:
        if self._takes is None:
            self.post_message(self.Submitted(self, self.value))
        elif self._takes(self.value):
            self.value = ""
