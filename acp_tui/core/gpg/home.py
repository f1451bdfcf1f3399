"""A folder for gpg that lives for one question, and what becomes of it when its owner is killed.

Each is locked by whoever made it, so the next question can tell what was left behind from what is in use.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from acp_tui.core.errors import AcpError
from acp_tui.core.i18n import _
from acp_tui.core.locks import locked_folder, wait_for_lock

_HOMES = (Path("/run"), Path("/tmp"), Path("/var/tmp"))  # noqa: S108 - mkdtemp makes it private
"""Short, so that a socket's path fits; the first that takes a folder is taken."""
_NAME = "acp-tui-gpg-"
_ROOM = 4 << 20
"""Bytes: more than gpg writes there."""


class GpgHomeError(AcpError):
    """There is no room for gpg's few files."""


@contextmanager
def gpg_home() -> Iterator[Path]:
    """A new folder that is gone at the end. NoHome: no place takes it."""
    home, lock = _made()
    try:
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)
        os.close(lock)


def _made() -> tuple[Path, int]:
    """A new folder, with the lock that tells it from one whose owner was killed."""
    trouble = ""
    other = os.environ.get("TMPDIR")
    for place in (*_HOMES, *([Path(other)] if other else [])):
        _sweep(place)
        try:
            home = Path(tempfile.mkdtemp(prefix=_NAME, dir=place))
        except OSError as error:
            trouble = f"{place}: {error.strerror}"
            continue
        lock = os.open(home, os.O_RDONLY | os.O_DIRECTORY)
        wait_for_lock(lock)
        if _room(home):
            return home, lock
        trouble = _("{folder}: no space left").format(folder=place)
        shutil.rmtree(home, ignore_errors=True)
        os.close(lock)
    raise GpgHomeError(trouble)


def _room(home: Path) -> bool:
    """Whether gpg's keyring will fit."""
    try:
        (home / "room").write_bytes(bytes(_ROOM))
        (home / "room").unlink()
    except OSError:
        return False
    return True


def _sweep(place: Path) -> None:
    """Remove what a run left there that was killed: it is ours, old enough to be locked, and nobody holds it."""
    for left in place.glob(f"{_NAME}*"):
        with suppress(OSError):
            about = left.lstat()
            if about.st_uid != os.geteuid() or not left.is_dir() or left.is_symlink() or _young(about.st_mtime):
                continue
            with locked_folder(left, follow_link=False) as lock:
                if lock is not None:
                    shutil.rmtree(left, ignore_errors=True)


def _young(modified: float) -> bool:
    """Between being made and being locked there is a moment."""
    return time.time() - modified < 5
