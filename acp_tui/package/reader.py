"""A package is read once from front to back, by whoever needs its bytes; this reader tells how far and can be stopped.

Packages have gigabytes: the work runs in a thread, progress comes back in steps that a terminal can show.
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
    """The caller wanted no more; nothing is left half made."""


class PackageReader(Protocol):
    """Where bytes come from, in order."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes; none at the end."""


def silent(_progress: Progress) -> None:
    """For callers without a screen."""


def never() -> bool:
    """Nobody cancels."""
    return False


class Feed:
    """A file that is read to its end. `stopped`: the caller cancelled, so the end that a reader saw was not the real.

    Zeros at the end are what closes a tar archive, so `data_end` (the byte after the last one that is not zero) tells
    whether all of it has been understood. `also` is given the same bytes, in order."""

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
        self._told = 0
        self._begun = time.monotonic()
        self.position = 0
        self.data_end = 0
        self.stopped = False
        on_progress(Progress(label, 0, size))

    def read(self, size: int = CHUNK) -> bytes:
        """The next bytes; none at the end, and none once cancelled. OSError: the disk failed."""
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
        if self.position - self._told >= max(self.size // _STEPS, self.CHUNK) or (data and self.position >= self.size):
            self._told = self.position
            self._on_progress(Progress(self._label, self.position, self.size, time.monotonic() - self._begun))
        return data

    def drain(self) -> None:
        """Read what is left, for whoever counts the bytes."""
        while self.read(self.CHUNK):
            pass


class Relay:
    """Hands what one thread reads to a second one, in order. Neither waits while the other is a little ahead or behind.

    At most `AHEAD` pieces wait in between, so memory stays as it is however big the package is."""

    AHEAD = 16

    def __init__(self) -> None:
        self._pieces: deque[bytes] = deque()
        self._changed = threading.Condition()
        self._ended = False
        self._abandoned = False

    def give(self, piece: bytes) -> None:
        """Waits while the receiver is too far behind, but not for one that has gone."""
        with self._changed:
            self._changed.wait_for(lambda: self._abandoned or len(self._pieces) < self.AHEAD)
            if not self._abandoned:
                self._pieces.append(piece)
                self._changed.notify_all()

    def end(self) -> None:
        """Nothing more comes."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def abandon(self) -> None:
        """Nobody reads any more."""
        with self._changed:
            self._abandoned = True
            self._pieces.clear()
            self._changed.notify_all()

    def read(self, _size: int = 0, /) -> bytes:
        """The next piece as it was given; none at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._pieces or self._ended)
            piece = self._pieces.popleft() if self._pieces else b""
            self._changed.notify_all()
            return piece


def pace(progress: Progress) -> str:
    """How far, how fast, how long still: `3.2 of 31.0 GB, 270 MB/s, 1:45 left`; "" before that can be told."""
    speed, left = progress.speed, progress.left
    if speed is None or left is None:
        return ""
    return _("{done} of {total} GB, {speed} MB/s, {left} left").format(
        done=f"{gigabytes(progress.done):.1f}",
        total=f"{gigabytes(progress.total):.1f}",
        speed=round(megabytes(speed)),
        left=duration(left),
    )


async def in_thread(work: Callable[[OnProgress, Callable[[], bool]], T], on_progress: OnProgress) -> T:
    """Run `work(on_progress, cancelled)` in a thread; `on_progress` is called on the event loop.

    Cancelling the caller makes `cancelled` true and waits until the thread has cleaned up behind itself."""
    loop = asyncio.get_running_loop()
    stop = threading.Event()

    def tell(progress: Progress) -> None:
        loop.call_soon_threadsafe(on_progress, progress)

    running = asyncio.ensure_future(asyncio.to_thread(work, tell, stop.is_set))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        stop.set()
        await asyncio.wait({running})
        running.exception()  # it was told to stop; how it stopped matters to nobody
        raise


async def aside(work: Callable[[], T]) -> T:
    """Run `work` in a thread that nobody has to wait for: it may touch a mount whose server is gone, and hang."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[T] = loop.create_future()

    def tell(result: T) -> None:
        if not answer.done():
            answer.set_result(result)

    def run() -> None:
        result = work()
        with suppress(RuntimeError):  # the loop is closed: too late
            loop.call_soon_threadsafe(tell, result)

    threading.Thread(target=run, name="aside", daemon=True).start()
    return await answer
