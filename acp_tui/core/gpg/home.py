"""A temporary GnuPG home for one call, removed by a later call if its process was killed.

Its owner locks the folder, so that a later call removes only unused ones.
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

PLACES = (Path("/run"), Path("/tmp"), Path("/var/tmp"))  # noqa: S108 - mkdtemp makes it private
"""Folders to try in order. They are short, because the path of a Unix socket is limited to 108 bytes."""
_NAME = "acp-tui-gpg-"
_RESERVE = 4 << 20
"""Bytes; more than gpg writes."""


class GpgHomeError(AcpError):
    """No temporary folder has room for gpg's files."""


@contextmanager
def gpg_home() -> Iterator[Path]:
    """Yield a new folder and remove it at the end.

    Raises: GpgHomeError if no place has room."""
    home, lock = _create()
    try:
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)
        os.close(lock)


def _create() -> tuple[Path, int]:
    """Create and lock a new folder; return it with the descriptor that holds the lock."""
    reason = ""
    other = os.environ.get("TMPDIR")
    for place in (*PLACES, *([Path(other)] if other else [])):
        _remove_leftovers(place)
        try:
            home = Path(tempfile.mkdtemp(prefix=_NAME, dir=place))
        except OSError as error:
            reason = f"{place}: {error.strerror}"
            continue
        lock = os.open(home, os.O_RDONLY | os.O_DIRECTORY)
        wait_for_lock(lock)
        if _has_room(home):
            return home, lock
        reason = _("{folder}: no space left").format(folder=place)
        shutil.rmtree(home, ignore_errors=True)
        os.close(lock)
    raise GpgHomeError(reason)


def _has_room(home: Path) -> bool:
    """Whether the file system has room for gpg's keyring."""
    try:
        (home / "room").write_bytes(bytes(_RESERVE))
        (home / "room").unlink()
    except OSError:
        return False
    return True


def _remove_leftovers(place: Path) -> None:
    """Remove the folders of killed processes: owned by this user, old enough to be locked, and not locked."""
    for folder in place.glob(f"{_NAME}*"):
        with suppress(OSError):
            status = folder.lstat()
            if status.st_uid != os.geteuid() or not folder.is_dir() or folder.is_symlink() or _is_new(status.st_mtime):
                continue
            with locked_folder(folder, follow_link=False) as lock:
                if lock is not None:
                    shutil.rmtree(folder, ignore_errors=True)


def _is_new(modified: float) -> bool:
    """Whether the owner may not have locked the folder yet."""
    return time.time() - modified < 5
