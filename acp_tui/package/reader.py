"""Read a package once from start to end in a thread, with progress and cancellation.

Packages have several gigabytes. Progress is not reported for every read, but only in steps that are visible on a
terminal.
"""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import IO, Protocol, TypeVar

from acp_tui.core.events import Progress
from acp_tui.core.i18n import _
from acp_tui.core.units import duration, gigabytes, megabytes

T = TypeVar("T")
OnProgress = Callable[[Progress], None]

_STEPS = 200


class Cancelled(Exception):
    """The caller cancelled the work. No incomplete files remain."""


class PackageReader(Protocol):
    """A source of bytes that can only be read in order."""

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes; b"" at the end."""


def silent(_progress: Progress) -> None:
    """Ignore the progress. Callers without a screen use this function."""


def never() -> bool:
    """Return False. Callers that never cancel use this function."""
    return False


class Feed:
    """Reads a file to its end. `stopped` is True if the caller cancelled before the end of the file.

    A tar archive ends with zeros. `data_end` is the offset after the last byte that is not zero. If the parser
    stopped before `data_end`, it has not read the complete archive. `also`: a function that receives the same bytes
    in order."""

    CHUNK = 1 << 20

    def __init__(
        self,
        file: IO[bytes],
        label: str,
        size: int,
        on_progress: OnProgress = silent,
        cancelled: Callable[[], bool] = never,
        also: Callable[[bytes], None] | None = None,
    ) -> None:
        self._file, self._label, self.size = file, label, size
        self._on_progress, self._cancelled, self._also = on_progress, cancelled, also
        self._reported = 0
        self._started = time.monotonic()
        self.position = 0
        self.data_end = 0
        self.stopped = False
        on_progress(Progress(label, 0, size))

    def read(self, size: int = CHUNK) -> bytes:
        """Return the next bytes; b"" at the end or after cancellation. Raises OSError if the disk failed."""
        self.stopped = self.stopped or self._cancelled()
        if self.stopped:
            return b""
        data = self._file.read(size)
        filled = len(data.rstrip(b"\0"))
        if filled:
            self.data_end = self.position + filled
        self.position += len(data)
        if self._also is not None and data:
            self._also(data)
        step = max(self.size // _STEPS, self.CHUNK)
        if self.position - self._reported >= step or (data and self.position >= self.size):
            self._reported = self.position
            self._on_progress(Progress(self._label, self.position, self.size, time.monotonic() - self._started))
        return data

    def drain(self) -> None:
        """Read the rest of the file, so that the progress counts all bytes and the function `also` receives them."""
        while self.read(self.CHUNK):
            pass


class Relay:
    """Passes bytes from one thread to a second thread, in order.

    At most `AHEAD` pieces wait between the threads, so the memory use does not depend on the size of the package."""

    AHEAD = 16

    def __init__(self) -> None:
        self._pieces: deque[bytes] = deque()
        self._changed = threading.Condition()
        self._ended = False
        self._abandoned = False

    def give(self, piece: bytes) -> None:
        """Add a piece. The call waits while too many pieces are unread, unless the receiver has stopped reading."""
        with self._changed:
            self._changed.wait_for(lambda: self._abandoned or len(self._pieces) < self.AHEAD)
            if not self._abandoned:
                self._pieces.append(piece)
                self._changed.notify_all()

    def end(self) -> None:
        """Signal the end of the data to the receiver."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def abandon(self) -> None:
        """Discard all unread pieces, because the receiver has stopped reading."""
        with self._changed:
            self._abandoned = True
            self._pieces.clear()
            self._changed.notify_all()

    def read(self, _size: int = 0, /) -> bytes:
        """Return the next piece as it was added; b"" at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._pieces or self._ended)
            piece = self._pieces.popleft() if self._pieces else b""
            self._changed.notify_all()
            return piece


def pace(progress: Progress) -> str:
    """Return amount, speed and remaining time: `3.2 of 31.0 GB, 270 MB/s, 1:45 left`; "" until they are known."""
    speed, remaining = progress.speed, progress.left
    if speed is None or remaining is None:
        return ""
    return _("{done} of {total} GB, {speed} MB/s, {left} left").format(
        done=f"{gigabytes(progress.done):.1f}",
        total=f"{gigabytes(progress.total):.1f}",
        speed=round(megabytes(speed)),
        left=duration(remaining),
    )


async def in_thread(work: Callable[[OnProgress, Callable[[], bool]], T], on_progress: OnProgress) -> T:
    """Run `work(on_progress, cancelled)` in a thread; `on_progress` is called on the event loop.

    If the caller is cancelled, `cancelled()` returns True, and this function waits until the thread has cleaned up."""
    loop = asyncio.get_running_loop()
    stop = threading.Event()

    def report(progress: Progress) -> None:
        loop.call_soon_threadsafe(on_progress, progress)

    running = asyncio.ensure_future(asyncio.to_thread(work, report, stop.is_set))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        stop.set()
        await asyncio.wait({running})
        running.exception()  # the work was cancelled on request, so its error is ignored
        raise


async def in_daemon_thread(work: Callable[[], T]) -> T:
    """Run `work` in a daemon thread and return its result.

    `work` can hang on a mount whose server is lost. A daemon thread does not prevent the program from exiting."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def set_result(result: T) -> None:
        if not future.done():
            future.set_result(result)

    def run() -> None:
        result = work()
        with suppress(RuntimeError):  # the loop is closed already
            loop.call_soon_threadsafe(set_result, result)

    threading.Thread(target=run, name="acp-tui-daemon", daemon=True).start()
    return await future
