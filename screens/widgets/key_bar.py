"""The key bar on the bottom line. It shows the keys that the current screen uses."""

from collections.abc import Iterable, Sequence

from rich.text import Text

from acp_tui.core.i18n import NC_, pgettext
from screens.widgets.panel import Panel

Key = tuple[str, str]
"""A key and its label. The label is a message ID with the context "key"."""

COMMON_KEYS: Sequence[Key] = (
    ("^N", NC_("key", "next")),
    ("Esc", NC_("key", "menu")),
    ("^P", NC_("key", "back")),
    ("^O", NC_("key", "explain")),
)
"""Keys that every step has. The key bar shows them after the keys of the step."""


class KeyBar(Panel):
    """Shows as many keys with their labels as the line has space for. The menu has the other actions."""

    def __init__(self, keys: Iterable[Key]) -> None:
        super().__init__(id="keys")
        self._keys = tuple(keys)

    def on_mount(self) -> None:
        self.show(key_text(self._keys, self.app.size.width))


def key_text(keys: Iterable[Key], width: int) -> Text:
    """Return a line with as many keys and labels as fit into `width` columns."""
    text = Text(no_wrap=True, overflow="ellipsis")
    for key, label in keys:
        label = pgettext("key", label)
        if text.cell_len + len(key) + len(label) + 3 <= width:
            text.append(f" {key}", "bold reverse").append(f" {label} ")
    return text
