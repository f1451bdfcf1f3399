"""The state folder, which contains drafts, reports, runs and host keys (XDG base directory specification)."""

import os
from pathlib import Path

from acp_tui.core.files import resolve_path


def state_home() -> Path:
    """Return the state folder: `$XDG_STATE_HOME/acp-tui`, or `~/.local/state/acp-tui` if the variable is not set."""
    base = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    return resolve_path(Path(), base) / "acp-tui"
