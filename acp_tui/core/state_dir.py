"""The state folder, which contains drafts, reports, runs and host keys (XDG base directory specification)."""

import os
from pathlib import Path

from acp_tui.core.files import resolve_path
from acp_tui.core.ownership import require_trusted


def state_home() -> Path:
    """Return the state folder: `$XDG_STATE_HOME/acp-tui`, or `~/.local/state/acp-tui` if the variable is not set.

    Raises: UntrustedPath if another user can change the state folder or a folder in it."""
    base = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    home = resolve_path(Path(), base) / "acp-tui"
    require_trusted(home)
    if home.is_dir() and os.access(home, os.R_OK | os.X_OK):
        for entry in home.iterdir():
            require_trusted(entry)
    return home
