"""Looking into a log of any size: a page of lines around a place, and a search, without ever holding all of it.

Places are byte offsets at which a line begins. A log that grows, shrinks or is gone meanwhile is no error: it is an
empty page. That is why it is read in pieces and not mapped: a mapped file that shrinks kills whoever looks at it.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from acp_tui.core.text import sanitize

MAX_LINE = 500
"""Characters of a line that are shown."""
_FIRST_PIECE, _PIECE = 4096, 1024 * 1024
"""Bytes read at a time: a line's end is near, and other threads have their turn in between."""
_LONGEST = 4096  # bytes of a line that are looked at


@dataclass(frozen=True)
class Page:
    """Whole lines of a log, cleaned of control characters. `start`, `end`: bytes; `size`: of the whole log."""

    start: int = 0
    end: int = 0
    size: int = 0
    lines: tuple[str, ...] = ()


def page(path: Path, start: int, count: int) -> Page:
    """The `count` lines from `start` on; fewer at the end of the log."""
    with _opened(path) as log:
        begin = place = min(start, log.size)
        lines: list[str] = []
        while place < log.size and len(lines) < count:
            newline = log.first(_NEWLINE, place)
            after = newline + 1 if newline is not None else log.size
            lines.append(_shown(log.read(place, min(after - place, _LONGEST))))
            place = after
        return Page(begin, place, log.size, tuple(lines))


def before(path: Path, start: int, count: int) -> int:
    """Where the line begins that is `count` lines before the one at `start`; 0 where there are not so many."""
    with _opened(path) as log:
        place = min(start, log.size)
        for _line in range(count):
            if place == 0:
                break
            place = log.line_at(place - 1)
        return place


def last(path: Path, count: int) -> int:
    """Where the last `count` lines begin."""
    with _opened(path) as log:
        end = log.size
    return before(path, end, count)


def find(path: Path, words: str, start: int, *, backwards: bool = False) -> int | None:
    """Where the next line begins, from `start` on, or before it, that holds `words`; None: there is none.

    Letters of the alphabet count in any case."""
    if not words:
        return None
    pattern = re.compile(re.escape(words.encode()), re.IGNORECASE)
    with _opened(path) as log:
        at = log.last(pattern, start) if backwards else log.first(pattern, start)
        return None if at is None else log.line_at(at)


_NEWLINE = re.compile(rb"\n")


@dataclass(frozen=True)
class _Log:
    """A file as long as it was when it was opened. `handle` None: there is none."""

    handle: int | None
    size: int

    def read(self, start: int, length: int) -> bytes:
        return os.pread(self.handle, length, start) if self.handle is not None else b""

    def first(self, pattern: "re.Pattern[bytes]", start: int) -> int | None:
        """Of the matches from `start` on."""
        piece, overlap = _FIRST_PIECE, len(pattern.pattern)
        while start < self.size:
            found = pattern.search(self.read(start, piece + overlap))
            if found:
                return start + found.start()
            start, piece = start + piece, min(2 * piece, _PIECE)
        return None

    def last(self, pattern: "re.Pattern[bytes]", end: int) -> int | None:
        """Of the matches before `end`."""
        piece, overlap = _FIRST_PIECE, len(pattern.pattern)
        limit = end = min(end, self.size)
        while end > 0:
            begin = max(0, end - piece)
            found = [match.start() for match in pattern.finditer(self.read(begin, min(end + overlap, limit) - begin))]
            if found:
                return begin + found[-1]
            end, piece = begin, min(2 * piece, _PIECE)
        return None

    def line_at(self, place: int) -> int:
        """Where the line begins that `place` lies in."""
        newline = self.last(_NEWLINE, place)
        return 0 if newline is None else newline + 1


@contextmanager
def _opened(path: Path) -> Iterator[_Log]:
    try:
        file = path.open("rb")
    except OSError:
        yield _Log(None, 0)
        return
    with file:
        yield _Log(file.fileno(), os.fstat(file.fileno()).st_size)


def _shown(line: bytes) -> str:
    """A line as a terminal would leave it: what stands behind the last carriage return."""
    text = line.rstrip(b"\r\n").rpartition(b"\r")[2].decode("utf-8", errors="replace")
    return sanitize(text)[:MAX_LINE]
