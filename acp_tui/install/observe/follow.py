"""Following an install run: the rule by which answers become an outcome, and the view that any number may have of it.

A follower only reads. It may come and go, start late, or be one of several; the run does not know of it.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from acp_tui.core.events import LogLine
from acp_tui.core.i18n import _
from acp_tui.core.text import sanitize
from acp_tui.core.units import megabytes
from acp_tui.install.run.state import (
    EVENTS_FILE,
    SETUP_LOG,
    RunState,
    status,
)

MAX_LINE = 500
"""Characters of a log line that are shown; the file keeps it whole."""

_INTERVAL = 0.3  # seconds between two looks
_CHUNK = 256 * 1024  # bytes of a log taken in at one look; a log that is further ahead is jumped after
_FIRST_LOOK = 64 * 1024  # a late follower begins with the end of a long log


@dataclass(frozen=True)
class RunUpdate:
    """The run as it is now, and the lines that its logs gained since the last update."""

    state: RunState
    lines: tuple[LogLine, ...] = ()


async def follow(run_dir: Path) -> AsyncIterator[RunUpdate]:
    """Updates of the run until it is at rest: ended, asking, or interrupted. The last one has everything.

    Sources of the lines: `setup.sh`, `installer`, and `acp-tui` for what the run itself did. Raises `NoRun`."""
    state = await asyncio.to_thread(status, run_dir)
    tails = (
        Tail("acp-tui", run_dir / EVENTS_FILE),
        Tail("setup.sh", run_dir / SETUP_LOG),
        Tail("installer", state.spec.installer_log, since=state.started.timestamp()),
    )
    shown: RunState | None = None
    while True:
        state = await asyncio.to_thread(status, run_dir)
        lines = tuple([line for tail in tails for line in await asyncio.to_thread(tail.more, state.at_rest)])
        if lines or state != shown:
            yield RunUpdate(state, lines)
        shown = state
        if state.at_rest and not lines:
            return
        await asyncio.sleep(0 if state.at_rest else _INTERVAL)


class Tail:
    """The lines that a growing file gained since the last look. A file that is not there has none."""

    def __init__(self, source: str, path: Path, since: float = 0.0) -> None:
        self._source = source
        self._path = path
        self._since = since  # a log that was last written before the run tells of another install
        self._offset: int | None = None
        self._rest = b""

    def more(self, at_end: bool) -> tuple[LogLine, ...]:
        """New whole lines; with `at_end` an unfinished last one too."""
        try:
            with self._path.open("rb") as file:
                found = self._path.stat()
                if found.st_mtime < self._since:
                    return ()
                passed_over = 0
                if self._offset is None or found.st_size < self._offset:
                    self._offset, self._rest = max(0, found.st_size - _FIRST_LOOK), b""
                elif found.st_size - self._offset > _CHUNK:
                    # It is written faster than anybody reads: a follower shows what is new, the file has all.
                    passed_over = found.st_size - _FIRST_LOOK - self._offset
                    self._offset, self._rest = self._offset + passed_over, b""
                file.seek(self._offset)
                data = file.read(_CHUNK)
        except OSError:
            return ()
        self._offset += len(data)
        *lines, self._rest = (self._rest + data).split(b"\n")
        if self._rest and (at_end or len(self._rest) > _CHUNK):
            lines, self._rest = [*lines, self._rest], b""
        told = tuple(LogLine(self._source, self._text(line)) for line in lines)
        if not passed_over:
            return told
        words = _("... {size:.1f} MB passed over, all of it is in {file}")
        return (LogLine(self._source, words.format(size=megabytes(passed_over), file=self._path)), *told[1:])

    def _text(self, line: bytes) -> str:
        text = line.rstrip(b"\r").rpartition(b"\r")[2].decode("utf-8", errors="replace")
        if self._source == "acp-tui":
            try:
                text = str(json.loads(text)["text"])
            except (ValueError, KeyError, TypeError):
                text = ""
        return sanitize(text)[:MAX_LINE]
