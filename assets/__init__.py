"""Data files: catalogue, style, locales. Read through `acp_tui.core.assets` alone."""
