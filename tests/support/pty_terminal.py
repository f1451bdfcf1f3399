"""A program in a terminal of 80x24: when it writes, and how much. What it shows is not interpreted."""

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


class Silent(Exception):
    """The program did not write what it should."""


class Terminal:
    """The program runs as long as the block. Times are seconds since its start."""

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
            os.execvpe(self._command[0], list(self._command), self._environment)  # noqa: S606 - no shell is wanted
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        os.close(self._file)

    @property
    def cpu(self) -> float:
        """CPU seconds that the program has used."""
        words = Path(f"/proc/{self._pid}/stat").read_text(encoding="ascii").rpartition(") ")[2].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    def read(self, seconds: float) -> int:
        """Read what is written within `seconds`; how many bytes that is."""
        before, until = len(self.written), time.perf_counter() + seconds
        while (left := until - time.perf_counter()) > 0:
            self._take(left)
        return len(self.written) - before

    def until(self, mark: bytes, patience: float = 30.0) -> float:
        """Read until `mark` is written, after what was waited for last; when that was. `Silent`: it never was."""
        end = time.perf_counter() + patience
        while (found := self.written.find(mark, self._known)) < 0:
            if time.perf_counter() > end:
                raise Silent(f"{mark!r} never came: {bytes(self.written[-2000:])!r}")
            self._take(0.1)
        self._known = found
        return time.perf_counter() - self._start

    def quiet(self, silence: float = 0.4, patience: float = 20.0) -> int:
        """Read until nothing comes for `silence` seconds; how many bytes came. `Silent`: it never stopped."""
        before, end = len(self.written), time.perf_counter() + patience
        while self.read(silence):
            if time.perf_counter() > end:
                raise Silent("it never became quiet")
        return len(self.written) - before

    def press(self, keys: bytes) -> None:
        os.write(self._file, keys)

    def _take(self, seconds: float) -> None:
        if select.select([self._file], [], [], seconds)[0]:
            try:
                self.written += os.read(self._file, 65536)
            except OSError:
                raise Silent(f"the program ended: {bytes(self.written[-2000:])!r}") from None
