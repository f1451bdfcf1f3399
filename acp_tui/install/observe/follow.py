"""Follow an install run: its state and the new lines of its logs.

A follower only reads files. Several followers can follow the same run, and each can start and stop at any time.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic_core import from_json

from acp_tui.core.events import LogLine
from acp_tui.core.files import open_regular_file
from acp_tui.core.i18n import _
from acp_tui.core.text import sanitize
from acp_tui.install.observe.log_mask import log_mask
from acp_tui.install.run.state import (
    EVENTS_FILE,
    SETUP_LOG,
    RunState,
    status,
)

MAX_LINE = 500
"""The largest number of characters of a log line that are shown. The log file has the complete line."""

_INTERVAL = 0.3  # seconds between two polls
_CHUNK = 256 * 1024  # bytes of a log that one poll reads; if the log has grown more, older lines are skipped
_FIRST_READ = 64 * 1024  # bytes at the end of a log with which a late follower starts


@dataclass(frozen=True)
class RunUpdate:
    """The state of a run, and the log lines that are new since the previous update."""

    state: RunState
    lines: tuple[LogLine, ...] = ()


async def follow(run_dir: Path) -> AsyncIterator[RunUpdate]:
    """Yield updates until the run is at rest: ended, waiting for an answer, or interrupted.

    The source of a line is `setup.sh`, `installer`, or `acp-tui` for the events of the run. Raises: `RunNotFound`."""
    state = await asyncio.to_thread(status, run_dir)
    mask = await asyncio.to_thread(log_mask, state.spec)
    tails = (
        Tail("acp-tui", run_dir / EVENTS_FILE),
        Tail("setup.sh", run_dir / SETUP_LOG),
        Tail("installer", state.spec.installer_log, since=state.started.timestamp()),
    )
    shown: RunState | None = None
    while True:
        state = await asyncio.to_thread(status, run_dir)
        new = [line for tail in tails for line in await asyncio.to_thread(tail.more, state.at_rest)]
        lines = tuple(replace(line, text=mask(line.text)) for line in new)
        if lines or state != shown:
            yield RunUpdate(state, lines)
        shown = state
        if state.at_rest and not lines:
            return
        await asyncio.sleep(0 if state.at_rest else _INTERVAL)


class Tail:
    """Reads the new lines of a growing file. A missing file has no lines."""

    def __init__(self, source: str, path: Path, since: float = 0.0) -> None:
        self._source = source
        self._path = path
        self._since = since  # an older log belongs to another install
        self._offset: int | None = None
        self._rest = b""

    def more(self, at_end: bool) -> tuple[LogLine, ...]:
        """Return the new complete lines. With `at_end`, also return the last line if it has no newline yet."""
        try:
            with open_regular_file(self._path) as file:
                found = self._path.stat()
                if found.st_mtime < self._since:
                    return ()
                skipped = 0
                if self._offset is None or found.st_size < self._offset:
                    self._offset, self._rest = max(0, found.st_size - _FIRST_READ), b""
                elif found.st_size - self._offset > _CHUNK:
                    # The log grows faster than it can be shown: show the newest lines, the file has all.
                    skipped = found.st_size - _FIRST_READ - self._offset
                    self._offset, self._rest = self._offset + skipped, b""
                file.seek(self._offset)
                data = file.read(_CHUNK)
        except OSError:
            return ()
        self._offset += len(data)
        *lines, self._rest = (self._rest + data).split(b"\n")
        if self._rest and (at_end or len(self._rest) > _CHUNK):
            lines, self._rest = [*lines, self._rest], b""
        new = tuple(LogLine(self._source, self._text(line)) for line in lines)
        if not skipped:
            return new
        note = _("... {size:.1f} MB of the log are not shown. The file has all lines: {file}")
        return (LogLine(self._source, note.format(size=skipped / 1e6, file=self._path)), *new[1:])

    def _text(self, line: bytes) -> str:
        text = line.rstrip(b"\r").rpartition(b"\r")[2].decode("utf-8", errors="replace")
        if self._source == "acp-tui":
            try:
                text = str(from_json(text)["text"])
            except (ValueError, KeyError, TypeError):
                text = ""
        return sanitize(text, limit=MAX_LINE)
