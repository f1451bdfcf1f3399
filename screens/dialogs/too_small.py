"""The notice that the terminal is too small. The only key that works here quits."""

from textual.app import ComposeResult
from textual.screen import ModalScreen
from textual.widgets import Static

from acp_tui.core.i18n import _


class TooSmall(ModalScreen[None]):
    def compose(self) -> ComposeResult:
        yield Static(_("This window is too small.\nacp-tui needs 80 columns and 24 lines.\n^Q quits."), id="small")
