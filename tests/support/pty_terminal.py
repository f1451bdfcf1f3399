"""A program in a terminal of 80x24: time and size of its output, which is not interpreted."""

import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self


class NotWritten(Exception):
    """The expected output did not come in time."""


class Terminal:
    """A program that runs during the block. Times are seconds since its start."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self._command = command
        self._environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", **environment}
        self.written = bytearray()
        self._known = 0
        self._start = 0.0
        self._pid = 0
        self._file = -1

    def __enter__(self) -> Self:
        self._start = time.perf_counter()
        self._pid, self._file = pty.fork()
        if self._pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
            os.execvpe(self._command[0], list(self._command), self._environment)  # noqa: S606 - without a shell
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        os.close(self._file)

    @property
    def cpu(self) -> float:
        """CPU seconds that the program has used."""
        fields = Path(f"/proc/{self._pid}/stat").read_text(encoding="ascii").rpartition(") ")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def read(self, seconds: float) -> int:
        """Read the output for `seconds`, and return its size in bytes."""
        before, until = len(self.written), time.perf_counter() + seconds
        while (left := until - time.perf_counter()) > 0:
            self._take(left)
        return len(self.written) - before

    def until(self, mark: bytes, patience: float = 30.0) -> float:
        """Read until `mark` is written after the mark before; return the time. Raises NotWritten."""
        end = time.perf_counter() + patience
        while (position := self.written.find(mark, self._known)) < 0:
            if time.perf_counter() > end:
                raise NotWritten(f"{mark!r} was not written: {bytes(self.written[-2000:])!r}")
            self._take(0.1)
        self._known = position
        return time.perf_counter() - self._start

    def quiet(self, silence: float = 0.4, patience: float = 20.0) -> int:
        """Read until there is no output for `silence` seconds; return the bytes read. Raises NotWritten."""
        before, end = len(self.written), time.perf_counter() + patience
        while self.read(silence):
            if time.perf_counter() > end:
                raise NotWritten("the output did not stop")
        return len(self.written) - before

    def press(self, keys: bytes) -> None:
        os.write(self._file, keys)

    def _take(self, seconds: float) -> None:
        if select.select([self._file], [], [], seconds)[0]:
            try:
                self.written += os.read(self._file, 65536)
            except OSError:
                raise NotWritten(f"the program ended: {bytes(self.written[-2000:])!r}") from None
