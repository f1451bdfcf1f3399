"""Atomic file writes and bounded reads."""

import os
import stat
import tempfile
from contextlib import suppress
from io import BufferedReader
from pathlib import Path

from acp_tui.core.i18n import _

READ_LIMIT = 1024 * 1024
"""Bytes. Keys and certificates are far smaller; a mistyped path to a disk image is larger."""


def write_atomically(path: Path, content: str | bytes, *, mode: int = 0o600) -> None:
    """Replace the content of `path`; after a crash or on a full disk it has the old or the new content, never a part.

    Raises: OSError; then nothing has changed."""
    data = content.encode("utf-8") if isinstance(content, str) else content
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        with suppress(FileNotFoundError):
            Path(name).unlink()
        raise
    sync_folder(path.parent)


def resolve_path(base: Path, name: str) -> Path:
    """Resolve a typed path: relative to `base`, with `~` and `~user`. An unknown user stays as typed."""
    try:
        return base / Path(name).expanduser()
    except RuntimeError:
        return base / name


def open_regular_file(path: Path) -> BufferedReader:
    """Open a regular file for reading, without waiting for the writer of a pipe.

    Raises: OSError, also for a folder, a device or a pipe."""
    file = os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb")
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(_("a device or a pipe, not a regular file"))
    return file


def read_limited(path: Path) -> bytes:
    """Return the content of a key, certificate or secret file.

    Raises: OSError if it is missing, not readable, not a regular file, or larger than READ_LIMIT."""
    with open_regular_file(path) as file:
        content = file.read(READ_LIMIT + 1)
    if len(content) > READ_LIMIT:
        raise OSError(_("larger than 1 MiB: not a key, certificate or secret"))
    return content


def error_reason(error: OSError) -> str:
    """Return the reason without the path, for messages that name the path themselves."""
    return error.strerror or str(error)


def sync_folder(folder: Path) -> None:
    """Flush the directory entries of `folder` to disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def private_folder(path: Path) -> Path:
    """Create the folder and its parents if missing, make it accessible only to its owner, and return it."""
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(0o700)
    return path
