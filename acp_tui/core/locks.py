"""Lock files and folders with flock(2). Only processes that also use flock(2) respect these locks.

A lock belongs to an open file, not to a path. The kernel releases the lock when the last descriptor of the open file is
closed, at the latest when the process ends. A forked child process shares the lock. A program that the process executes
does not share the lock, because Python opens files with O_CLOEXEC.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

_INTERVAL = 0.1
"""Seconds between two attempts of `try_lock`."""


class HasFileno(Protocol):
    def fileno(self) -> int: ...


def wait_for_lock(file: int | HasFileno) -> None:
    """Lock `file` exclusively. Wait without a time limit while another process holds the lock."""
    fcntl.flock(file, fcntl.LOCK_EX)


def try_lock(file: int | HasFileno, *, attempts: int = 1) -> bool:
    """Lock `file` exclusively, and return True. Try up to `attempts` times.

    Return False if another process holds the lock at every attempt."""
    for attempt in range(attempts):
        if attempt:
            time.sleep(_INTERVAL)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        return True
    return False


@contextmanager
def locked_folder(folder: Path, *, follow_link: bool = True) -> Iterator[int | None]:
    """Try to lock `folder`. Yield its file descriptor, or None if another process holds the lock.

    Raises: OSError if `folder` is not a folder, or if it is a symbolic link and `follow_link` is False."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | (0 if follow_link else os.O_NOFOLLOW))
    try:
        yield handle if try_lock(handle) else None
    finally:
        os.close(handle)
