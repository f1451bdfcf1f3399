"""Read pages of a log, and search the log. The memory use stays small, even if the log is very large.

A place is the byte offset at which a line starts. A log that has shrunk or disappeared is not an error: its pages are
empty. The log is read in pieces and not mapped into memory: the signal SIGBUS kills a process that reads a mapped file
after the file has shrunk.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from acp_tui.core.files import open_regular_file
from acp_tui.core.text import sanitize

MAX_LINE = 500
"""The largest number of characters of a line that are shown."""
_FIRST_PIECE, _PIECE = 4096, 1024 * 1024
"""Number of bytes of the first read, and the largest number of a later read. Most lines are short."""
_LONGEST = 4096  # bytes of a line that are read


@dataclass(frozen=True)
class Page:
    """Complete lines of a log, without control characters.

    `start`, `end`: byte offsets of the page in the log. `size`: bytes of the complete log."""

    start: int = 0
    end: int = 0
    size: int = 0
    lines: tuple[str, ...] = ()


def page(path: Path, start: int, count: int) -> Page:
    """Return a page of `count` lines from the place `start` on; fewer lines at the end of the log."""
    with _opened(path) as log:
        begin = offset = min(start, log.size)
        lines: list[str] = []
        while offset < log.size and len(lines) < count:
            newline = log.first(_NEWLINE, offset)
            after = newline + 1 if newline is not None else log.size
            lines.append(_shown(log.read(offset, min(after - offset, _LONGEST))))
            offset = after
        return Page(begin, offset, log.size, tuple(lines))


def before(path: Path, start: int, count: int) -> int:
    """Return the place that is `count` lines before the place `start`; 0 if fewer lines precede `start`."""
    with _opened(path) as log:
        offset = min(start, log.size)
        for _line in range(count):
            if offset == 0:
                break
            offset = log.line_at(offset - 1)
        return offset


def last(path: Path, count: int) -> int:
    """Return the place at which the last `count` lines start."""
    with _opened(path) as log:
        end = log.size
    return before(path, end, count)


def find(path: Path, text: str, start: int, *, backwards: bool = False) -> int | None:
    """Return the place of the next line that contains `text`. None: no line contains it.

    The search starts at `start`, and goes to earlier lines if `backwards` is true. It ignores the case of letters."""
    if not text:
        return None
    pattern = re.compile(re.escape(text.encode()), re.IGNORECASE)
    with _opened(path) as log:
        at = log.last(pattern, start) if backwards else log.first(pattern, start)
        return None if at is None else log.line_at(at)


_NEWLINE = re.compile(rb"\n")


@dataclass(frozen=True)
class _Log:
    """An open log. `size`: its size when it was opened. `handle`: None if the file could not be opened."""

    handle: int | None
    size: int

    def read(self, start: int, length: int) -> bytes:
        return os.pread(self.handle, length, start) if self.handle is not None else b""

    def first(self, pattern: "re.Pattern[bytes]", start: int) -> int | None:
        """Return the offset of the first match from `start` on. None: no match."""
        piece, overlap = _FIRST_PIECE, len(pattern.pattern)
        while start < self.size:
            found = pattern.search(self.read(start, piece + overlap))
            if found:
                return start + found.start()
            start, piece = start + piece, min(2 * piece, _PIECE)
        return None

    def last(self, pattern: "re.Pattern[bytes]", end: int) -> int | None:
        """Return the offset of the last match before `end`. None: no match."""
        piece, overlap = _FIRST_PIECE, len(pattern.pattern)
        limit = end = min(end, self.size)
        while end > 0:
            begin = max(0, end - piece)
            found = [match.start() for match in pattern.finditer(self.read(begin, min(end + overlap, limit) - begin))]
            if found:
                return begin + found[-1]
            end, piece = begin, min(2 * piece, _PIECE)
        return None

    def line_at(self, offset: int) -> int:
        """Return the offset at which the line that contains `offset` starts."""
        newline = self.last(_NEWLINE, offset)
        return 0 if newline is None else newline + 1


@contextmanager
def _opened(path: Path) -> Iterator[_Log]:
    try:
        file = open_regular_file(path)
    except OSError:
        yield _Log(None, 0)
        return
    with file:
        yield _Log(file.fileno(), os.fstat(file.fileno()).st_size)


def _shown(line: bytes) -> str:
    """Return a line as a terminal shows it: the text after the last carriage return."""
    text = line.rstrip(b"\r\n").rpartition(b"\r")[2].decode("utf-8", errors="replace")
    return sanitize(text, limit=MAX_LINE)
