"""The notice that the terminal window is too small. While the notice is open, only the key ^Q works."""

from textual.app import ComposeResult
from textual.screen import ModalScreen
from textual.widgets import Static

from acp_tui.core.i18n import _


class TooSmall(ModalScreen[None]):
    def compose(self) -> ComposeResult:
        yield Static(
            _("This window is too small.\nacp-tui needs 80 columns and 24 lines.\nPress ^Q to quit."), id="small"
        )
