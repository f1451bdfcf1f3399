"""Files: written so that a crash, a kill or a full disk leaves the old or the new content, never a part; and read with
a bound.
"""

import os
import stat
import tempfile
from contextlib import suppress
from io import BufferedReader
from pathlib import Path

from acp_tui.core.i18n import _

READ_LIMIT = 1024 * 1024
"""Bytes of a file that is read whole: no key or certificate comes near it; a mistyped path to an image does."""


def write_atomically(path: Path, content: str | bytes, *, mode: int = 0o600) -> None:
    """Replace `path` whole: written beside it, flushed to disk, renamed. OSError: nothing was changed."""
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
    """A path as it was typed: relative to `base`, `~` the home. The home of nobody stays as typed: a file not found."""
    try:
        return base / Path(name).expanduser()
    except RuntimeError:
        return base / name


def open_regular_file(path: Path) -> BufferedReader:
    """A file to read. OSError: among others when it is a folder, a device, or a pipe whose writer we would wait for."""
    file = os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb")
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(_("no file, but a device or a pipe"))
    return file


def read_limited(path: Path) -> bytes:
    """A key, certificate or secret. OSError: not there, not readable, no plain file, or larger than READ_LIMIT."""
    with open_regular_file(path) as file:
        content = file.read(READ_LIMIT + 1)
    if len(content) > READ_LIMIT:
        raise OSError(_("larger than 1 MiB, so it is no key, certificate or secret"))
    return content


def why(error: OSError) -> str:
    """The reason without the path, which the message around it already names."""
    return error.strerror or str(error)


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def private_folder(path: Path) -> Path:
    """The folder, made with its parents if need be, readable by its owner alone."""
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(0o700)
    return path
