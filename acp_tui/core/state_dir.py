"""The state folder, which contains drafts, reports, runs and host keys (XDG base directory specification)."""

import os
from contextlib import suppress
from pathlib import Path

from acp_tui.core.files import resolve_path
from acp_tui.core.ownership import UntrustedPath, require_trusted


def state_home() -> Path:
    """Return the state folder: `$XDG_STATE_HOME/acp-tui`, or `~/.local/state/acp-tui` if the variable is not set.

    Raises: UntrustedPath if another user can change the state folder or a folder in it."""
    base = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    home = resolve_path(Path(), base) / "acp-tui"
    for path in (home, *_entries(home)):
        try:
            require_trusted(path)
        except UntrustedPath:
            raise
        except OSError:  # not accessible; the caller that reads or writes it reports the reason
            continue
    _make_private(home)
    return home


def _make_private(home: Path) -> None:
    """Remove all permissions of other users from the state folder, for example if it was copied without its mode."""
    with suppress(OSError):
        found = home.stat()
        if found.st_uid == os.geteuid() and found.st_mode & 0o077:
            home.chmod(0o700)


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []
