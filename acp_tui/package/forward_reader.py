"""File objects for tarfile that read only forward and limit the size of each read.

An archive is untrusted input: its headers decide how many bytes tarfile reads, and at which position. tarfile calls
`read` only for headers, so `HeaderLimits` counts these bytes. `Forward` is for unpacking, and reads the file once from
start to end. The stream mode of tarfile is not used, because it copies its complete buffer at each header and is too
slow for many small files. `Skim` is for inspecting, and skips the content of the files.
"""

import os
import tarfile
from collections import deque
from collections.abc import Iterator
from typing import IO

from acp_tui.core.i18n import _
from acp_tui.package.archive_headers import HeaderLimits
from acp_tui.package.reader import Feed


class Forward:
    """Reads a `Feed` in complete chunks and returns the bytes without copying them."""

    def __init__(self, feed: Feed) -> None:
        self.limits = HeaderLimits()
        self._feed = feed
        self._chunks: deque[memoryview] = deque()
        self._position = 0

    def tell(self) -> int:
        return self._position

    def seek(self, position: int, _whence: int = 0, /) -> int:
        """Skip forward to `position`, or to the end of the feed if the feed ends before `position`."""
        for _piece in self.pieces(_ahead(self._position, position)):
            pass
        return self._position

    def read(self, size: int, /) -> bytes:
        """Return the next `size` bytes, or fewer bytes at the end of the feed. Raises PackageRefused above a limit."""
        self.limits.count_bytes(size)
        return b"".join(self.pieces(size))

    def peek(self, size: int, /) -> bytes:
        """Return the next `size` bytes, or fewer at the end of the feed. The next read returns them again."""
        data = b"".join(self.pieces(size))
        if data:
            self._chunks.appendleft(memoryview(data))
        self._position -= len(data)
        return data

    def pieces(self, size: int) -> Iterator[memoryview]:
        """Yield the next `size` bytes in pieces. The caller must consume all pieces before the next read."""
        while size > 0:
            chunk = self._chunks.popleft() if self._chunks else memoryview(self._feed.read(Feed.CHUNK))
            if not chunk:
                return
            piece = chunk[:size]
            if len(chunk) > size:
                self._chunks.appendleft(chunk[size:])
            self._position += len(piece)
            size -= len(piece)
            yield piece


class Skim:
    """Reads an open file and skips the parts that are not needed."""

    def __init__(self, file: IO[bytes]) -> None:
        self.limits = HeaderLimits()
        self._file, self._end = file, os.fstat(file.fileno()).st_size

    def tell(self) -> int:
        return self._file.tell()

    def seek(self, position: int, _whence: int = 0, /) -> int:
        _ahead(self._file.tell(), position)
        return self._file.seek(min(position, self._end))  # a header can state more bytes than the file has

    def read(self, size: int, /) -> bytes:
        """Return the next `size` bytes, or fewer bytes at the end of the file. Raises PackageRefused above a limit."""
        self.limits.count_bytes(size)
        return self._file.read(size)

    def peek(self, size: int, /) -> bytes:
        """Return the next `size` bytes, or fewer at the end of the file. The next read returns them again."""
        data = self._file.read(size)
        self._file.seek(-len(data), os.SEEK_CUR)
        return data


def _ahead(position: int, new: int) -> int:
    """Return the number of bytes from `position` to `new`.

    Raises tarfile.StreamError if the archive seeks backwards."""
    if new < position:
        raise tarfile.StreamError(_("a member of the archive starts before the end of the previous member"))
    return new - position
