"""Shown while the terminal is too small to be safe: nothing can be triggered from here but leaving."""

from textual.app import ComposeResult
from textual.screen import ModalScreen
from textual.widgets import Static

from acp_tui.core.i18n import _


class TooSmall(ModalScreen[None]):
    def compose(self) -> ComposeResult:
        yield Static(_("This window is too small.\n80 columns and 24 lines are needed.\n^Q leaves."), id="small")
