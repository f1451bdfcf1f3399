"""Advisory locks on open files and folders (flock(2)).

A lock belongs to the open file, not to the path. It ends when the last descriptor of that open file is closed, so the
kernel releases it when its process dies. A forked child shares the lock; a program that is executed does not, because
Python opens files with O_CLOEXEC.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

_INTERVAL = 0.1
"""Seconds between two attempts of `try_lock`: flock(2) that waits has no time limit."""


class HasFileno(Protocol):
    def fileno(self) -> int: ...


def wait_for_lock(file: int | HasFileno) -> None:
    """Lock `file` exclusively; wait without limit while another process holds the lock."""
    fcntl.flock(file, fcntl.LOCK_EX)


def try_lock(file: int | HasFileno, *, attempts: int = 1) -> bool:
    """Lock `file` exclusively. False: another process still held the lock at the last attempt."""
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
    """Try to lock `folder`; yield its descriptor, or None while another process holds the lock.

    Raises: OSError if it is not a folder, or a link although `follow_link` is false."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | (0 if follow_link else os.O_NOFOLLOW))
    try:
        yield handle if try_lock(handle) else None
    finally:
        os.close(handle)
