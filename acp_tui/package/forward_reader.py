"""Files as tarfile wants them: many small reads and skips, forward only, and no more at once than a header can need.

An archive is input: its headers say how much tarfile reads and where it goes, so neither is taken at its word.
Unpacking reads a feed through once (tarfile's own stream mode copies its whole buffer at each header: with many small
files that costs more than the unpacking); looking into an archive skips the files.
"""

import os
import tarfile
from collections.abc import Iterator
from typing import IO

from acp_tui.core.i18n import _
from acp_tui.package.reader import Feed

_MOST = 16 << 20
"""More than any header says of one member."""


class Forward:
    """Reads a `Feed` by whole chunks and passes them on without a copy."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._chunk = memoryview(b"")
        self._position = 0

    def tell(self) -> int:
        return self._position

    def seek(self, position: int, _whence: int = 0, /) -> int:
        """Forward to `position`, or to the end of the feed."""
        for _piece in self.pieces(_ahead(self._position, position)):
            pass
        return self._position

    def read(self, size: int, /) -> bytes:
        """The next `size` bytes; fewer at the end."""
        return b"".join(self.pieces(_little(size)))

    def pieces(self, size: int) -> Iterator[memoryview]:
        """The next `size` bytes as they come, fewer at the end. To be used up before anything else is read."""
        while size > 0:
            if not self._chunk:
                self._chunk = memoryview(self._feed.read(Feed.CHUNK))
                if not self._chunk:
                    return
            piece, self._chunk = self._chunk[:size], self._chunk[size:]
            self._position += len(piece)
            size -= len(piece)
            yield piece


class Skim:
    """Reads an open file here and there."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._end = file, os.fstat(file.fileno()).st_size

    def tell(self) -> int:
        return self._file.tell()

    def seek(self, position: int, _whence: int = 0, /) -> int:
        _ahead(self._file.tell(), position)
        return self._file.seek(min(position, self._end))  # no file is as long as a header may claim

    def read(self, size: int, /) -> bytes:
        return self._file.read(_little(size))


def _ahead(here: int, there: int) -> int:
    """How far it is from `here` on. tarfile.StreamError: the archive sends us back."""
    if there < here:
        raise tarfile.StreamError(_("a member begins before the one ahead of it ends"))
    return there - here


def _little(size: int) -> int:
    if not 0 <= size <= _MOST:
        raise tarfile.StreamError(_("a header of impossible length"))
    return size
