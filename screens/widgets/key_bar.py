"""The key bar: the keys that work here, on the bottom line."""

from collections.abc import Iterable, Sequence

from rich.text import Text

from acp_tui.core.i18n import NC_, pgettext
from screens.widgets.panel import Panel

Key = tuple[str, str]
"""(key, label). The label is a message ID with the context "key"."""

COMMON_KEYS: Sequence[Key] = (
    ("^N", NC_("key", "next")),
    ("Esc", NC_("key", "menu")),
    ("^P", NC_("key", "back")),
    ("^O", NC_("key", "explain")),
)
"""Keys of every step, shown after its own."""


class KeyBar(Panel):
    """Shows the keys that fit on the line, none of them cut; the menu leads to the others."""

    def __init__(self, keys: Iterable[Key]) -> None:
        super().__init__(id="keys")
        self._keys = tuple(keys)

    def on_mount(self) -> None:
        self.show(key_text(self._keys, self.app.size.width))


def key_text(keys: Iterable[Key], width: int) -> Text:
    """Return those of the keys that fit into `width` columns."""
    text = Text(no_wrap=True, overflow="ellipsis")
    for key, label in keys:
        label = pgettext("key", label)
        if text.cell_len + len(key) + len(label) + 3 <= width:
            text.append(f" {key}", "bold reverse").append(f" {label} ")
    return text
