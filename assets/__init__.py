"""Data files: catalogue, style, locales. Read through `acp_tui.resources` alone."""
