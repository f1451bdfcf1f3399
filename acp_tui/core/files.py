"""Write files atomically, and read small files with a limit on their size."""

import errno
import os
import stat
import tempfile
from contextlib import suppress
from io import BufferedReader
from pathlib import Path

from acp_tui.core.i18n import _
from acp_tui.core.ownership import require_trusted

READ_LIMIT = 1024 * 1024
"""Maximum size, in bytes, of a key, a certificate, a secret or another small file."""
_PIECE = 64 * 1024
"""Number of bytes that are read at once."""


def write_atomically(path: Path, content: str | bytes, *, mode: int = 0o600) -> None:
    """Replace the content of the file `path` in one step.

    After a crash or on a full disk, the file has either the old or the new content, never a part of it.

    Raises: OSError. The file is then unchanged."""
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
    """Return the full path of a file name that the operator typed.

    A relative name is relative to `base`. `~` and `~user` are replaced with a home folder, if the user is known."""
    try:
        return base / Path(name).expanduser()
    except RuntimeError:
        return base / name


def open_regular_file(path: Path) -> BufferedReader:
    """Open a regular file for reading. If `path` is a named pipe, the call fails and does not wait for a writer.

    Raises: OSError, also if `path` is a folder, a device or a pipe."""
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    mode = os.fstat(handle).st_mode
    if stat.S_ISREG(mode):
        return os.fdopen(handle, "rb")
    os.close(handle)
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    raise OSError(_("the file is a device or a pipe; a regular file is required"))


def read_limited(path: Path, limit: int = READ_LIMIT) -> bytes:
    """Return the content of a file. `limit`: the maximum size in bytes.

    Raises: OSError if the file is missing, is not readable, is not a regular file, or is larger than `limit`."""
    content = _first_bytes(path, limit + 1)
    if len(content) > limit:
        raise OSError(_("the file is larger than {limit} MiB").format(limit=limit >> 20))
    return content


def _first_bytes(path: Path, most: int) -> bytes:
    """Return at most the first `most` bytes of a file.

    The file is read in pieces, because one read of `most` bytes would reserve this memory also for a short file."""
    content = bytearray()
    with open_regular_file(path) as file:
        while piece := file.read(min(most - len(content), _PIECE)):
            content += piece
    return bytes(content)


def error_reason(error: OSError) -> str:
    """Return the reason of an OSError without the path, for a message that already contains the path."""
    return error.strerror or str(error)


def sync_folder(folder: Path) -> None:
    """Write the directory entries of `folder` to disk, so that a new file name survives a crash."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def private_folder(path: Path) -> Path:
    """Return the folder `path`. If it is missing, create it and its parents, accessible only to their owner.

    An existing folder keeps its mode, because other programs can need it. Raises: UntrustedPath if another user can
    change the folder or one of its parents; OSError."""
    require_trusted(path)
    make_folders(path, mode=0o700)
    require_trusted(path)  # in a shared folder such as /tmp, another user can be faster
    return path


def make_folders(path: Path, *, mode: int = 0o755) -> None:
    """Create the folder `path` and its parents if they are missing. Raises: OSError.

    `mode`: the mode of each new folder. A umask removes bits from it, so other users get no write access by mistake."""
    for folder in reversed((path, *path.parents)):
        if not folder.exists():
            folder.mkdir(mode=mode, exist_ok=True)


def read_trusted(path: Path, limit: int = READ_LIMIT) -> bytes:
    """Return the content of a file of the state folder. `limit`: the maximum size in bytes.

    Raises: UntrustedPath if another user can change the file or one of its parents; OSError, also if the file is larger
    than `limit`."""
    require_trusted(path)
    return read_limited(path, limit)
