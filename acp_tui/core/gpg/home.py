"""Temporary home folders for gpg, one for each call of `gpg_home`.

The process that uses a folder locks it. If this process is killed, a later call removes the unlocked folder.
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
from acp_tui.core.ownership import require_trusted

PLACES = (Path("/run"), Path("/tmp"), Path("/var/tmp"))  # noqa: S108 - mkdtemp makes it private
"""Folders in which a temporary home folder for gpg can be created, in order of preference.

Their paths are short, because gpg creates sockets in its home folder, and a socket path has at most 108 bytes."""
_NAME = "acp-tui-gpg-"
_RESERVE = 4 << 20
"""Number of bytes that must be free in a home folder for gpg. gpg writes less than this."""


class GpgHomeError(AcpError):
    """No temporary folder has enough space for the files of gpg."""


@contextmanager
def gpg_home() -> Iterator[Path]:
    """Yield a new home folder for gpg, and remove it at the end.

    Raises: GpgHomeError if no temporary folder has enough space."""
    home, lock = _create()
    try:
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)
        os.close(lock)


def _create() -> tuple[Path, int]:
    """Create a home folder for gpg and lock it. Return the folder, and the file descriptor that holds the lock."""
    reason = ""
    other = os.environ.get("TMPDIR")
    for place in (*PLACES, *([Path(other)] if other else [])):
        try:
            require_trusted(place / _NAME)  # gpg obeys the configuration files in its home folder
            _remove_leftovers(place)
            home = Path(tempfile.mkdtemp(prefix=_NAME, dir=place))
        except OSError as error:
            reason = f"{place}: {error.strerror}"
            continue
        lock = os.open(home, os.O_RDONLY | os.O_DIRECTORY)
        wait_for_lock(lock)
        if _has_room(home):
            return home, lock
        reason = _("{folder} has no free space").format(folder=place)
        shutil.rmtree(home, ignore_errors=True)
        os.close(lock)
    raise GpgHomeError(reason)


def _has_room(home: Path) -> bool:
    """Return True if the file system of `home` has enough space for the keyring of gpg."""
    try:
        (home / "room").write_bytes(bytes(_RESERVE))
        (home / "room").unlink()
    except OSError:
        return False
    return True


def _remove_leftovers(place: Path) -> None:
    """Remove from `place` the home folders for gpg whose processes were killed.

    Such a folder belongs to the current user, is at least five seconds old, and is not locked."""
    for folder in place.glob(f"{_NAME}*"):
        with suppress(OSError):
            status = folder.lstat()
            if status.st_uid != os.geteuid() or not folder.is_dir() or folder.is_symlink() or _is_new(status.st_mtime):
                continue
            with locked_folder(folder) as lock:
                if lock is not None:
                    shutil.rmtree(folder, ignore_errors=True)


def _is_new(modified: float) -> bool:
    """Return True if the folder is so new that the process that created it has possibly not locked it yet.

    `modified`: the modification time of the folder, in seconds since 1970."""
    return time.time() - modified < 5
