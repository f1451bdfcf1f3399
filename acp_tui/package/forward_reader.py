"""File objects for tarfile that read only forward and limit the size of each read.

An archive is untrusted input: its headers decide how many bytes tarfile reads, and at which position. `Forward` is for
unpacking, and reads the file once from start to end. The stream mode of tarfile is not used, because it copies its
complete buffer at each header and is too slow for many small files. `Skim` is for inspecting, and skips the content of
the files.
"""

import os
import tarfile
from collections.abc import Iterator
from typing import IO

from acp_tui.core.i18n import _
from acp_tui.package.reader import Feed

_MOST = 16 << 20
"""The maximum number of bytes that tarfile can request in one read. Valid headers are always shorter."""


class Forward:
    """Reads a `Feed` in complete chunks and returns the bytes without copying them."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._chunk = memoryview(b"")
        self._position = 0

    def tell(self) -> int:
        return self._position

    def seek(self, position: int, _whence: int = 0, /) -> int:
        """Skip forward to `position`, or to the end of the feed if the feed ends before `position`."""
        for _piece in self.pieces(_ahead(self._position, position)):
            pass
        return self._position

    def read(self, size: int, /) -> bytes:
        """Return the next `size` bytes, or fewer bytes at the end of the feed."""
        return b"".join(self.pieces(_limited(size)))

    def pieces(self, size: int) -> Iterator[memoryview]:
        """Yield the next `size` bytes in pieces. The caller must consume all pieces before the next read."""
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
    """Reads an open file and skips the parts that are not needed."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._end = file, os.fstat(file.fileno()).st_size

    def tell(self) -> int:
        return self._file.tell()

    def seek(self, position: int, _whence: int = 0, /) -> int:
        _ahead(self._file.tell(), position)
        return self._file.seek(min(position, self._end))  # a header can state more bytes than the file has

    def read(self, size: int, /) -> bytes:
        return self._file.read(_limited(size))


def _ahead(position: int, new: int) -> int:
    """Return the number of bytes from `position` to `new`.

    Raises tarfile.StreamError if the archive seeks backwards."""
    if new < position:
        raise tarfile.StreamError(_("a member of the archive starts before the end of the previous member"))
    return new - position


def _limited(size: int) -> int:
    if not 0 <= size <= _MOST:
        raise tarfile.StreamError(_("the length in a header of the archive is invalid"))
    return size
