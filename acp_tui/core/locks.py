"""Lock files and folders with flock(2). Only processes that also use flock(2) respect these locks.

A lock belongs to an open file, not to a path. The kernel releases the lock when the last descriptor of the open file is
closed, at the latest when the process ends. A forked child process shares the lock. A program that the process executes
does not share the lock, because Python opens files with O_CLOEXEC.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
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
def locked_folder(folder: Path) -> Iterator[int | None]:
    """Try to lock the private folder `folder`. Yield its file descriptor, or None if another process holds the lock.

    Every user who can read a folder can lock it, so `folder` must have the mode 0700.
    Raises: OSError if `folder` is not a folder, or if it is a symbolic link."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        yield handle if try_lock(handle) else None
    finally:
        os.close(handle)


@contextmanager
def new_locked_folder(folder: Path) -> Iterator[bool]:
    """Create the private folder `folder` if it is missing, and lock it. Yield False if another process holds the lock.

    The process that holds the lock can remove the folder. Raises: OSError."""
    handle = _new_locked(folder)
    try:
        yield handle is not None
    finally:
        if handle is not None:
            os.close(handle)


def _new_locked(folder: Path) -> int | None:
    while True:
        folder.mkdir(mode=0o700, exist_ok=True)
        with suppress(FileNotFoundError):  # another process has removed the folder in the meantime
            handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            if not try_lock(handle):
                os.close(handle)
                return None
            if _is_open(folder, handle):
                return handle
            os.close(handle)


def _is_open(folder: Path, handle: int) -> bool:
    """Return True if `handle` is still the descriptor of the folder at the path `folder`."""
    try:
        return os.path.samestat(os.fstat(handle), folder.lstat())
    except FileNotFoundError:
        return False
