"""The engine of acp-tui: no Textual, no print, no prompt. Screens and commands are two faces of it."""

__version__ = "0.1.0"
