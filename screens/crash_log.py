"""Write the traceback of a crash to a log file, with masked secrets."""

import traceback
from collections.abc import Iterable
from pathlib import Path

from acp_tui import __version__
from acp_tui.core.clock import now
from acp_tui.core.files import private_folder
from acp_tui.core.redaction import Masker
from acp_tui.core.text import sanitize


def write_crash(folder: Path, error: BaseException | None, secrets: Iterable[str]) -> Path | None:
    """Write a crash log without local variables (secrets). Return its path, or None if writing fails."""
    text = "".join(traceback.format_exception(error)) if error else "no traceback\n"
    text = sanitize(Masker(secrets)(text), limit=None)
    moment = now()
    path = folder / f"crash-{moment:%Y%m%d-%H%M%S}.log"
    try:
        private_folder(folder)
        path.touch(mode=0o600)
        path.write_text(f"acp-tui {__version__}, {moment.isoformat(timespec='seconds')}\n{text}", encoding="utf-8")
    except OSError:
        return None
    return path
