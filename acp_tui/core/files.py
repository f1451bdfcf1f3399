"""Write files atomically, and read small files with a limit on their size."""

import errno
import os
import secrets
import stat
from contextlib import suppress
from io import BufferedReader, BufferedWriter
from pathlib import Path

from acp_tui.core.i18n import _
from acp_tui.core.ownership import require_own_links, require_trusted, require_trusted_status

READ_LIMIT = 1024 * 1024
"""Maximum size, in bytes, of a key, a certificate, a secret or another small file."""
_PIECE = 64 * 1024
"""Number of bytes that are read at once."""


def write_atomically(path: Path, content: str | bytes, *, mode: int = 0o600) -> None:
    """Replace the content of the file `path` in one step.

    After a crash or on a full disk, the file has either the old or the new content, never a part of it. A symbolic link
    at `path` is replaced. Links of other users on the way to it are not followed.

    Raises: OSError. The file is then unchanged."""
    data = content.encode("utf-8") if isinstance(content, str) else content
    require_own_links(path.parent)
    # All steps use this descriptor: in a folder of another user, its path could lead to a different folder meanwhile.
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        _replace(folder, path.name, data, mode)
        os.fsync(folder)
    finally:
        os.close(folder)


def _replace(folder: int, name: str, data: bytes, mode: int) -> None:
    """Write a temporary file in the open folder, and rename it to `name`."""
    temporary = f".{name}.{secrets.token_hex(4)}"
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600, dir_fd=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(temporary, dir_fd=folder)
        raise


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


def create_file(path: Path, *, mode: int = 0o600) -> BufferedWriter:
    """Create the file `path` and open it for writing. Raises: OSError, also if `path` exists."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    os.fchmod(handle, mode)
    return os.fdopen(handle, "wb")


def read_limited(path: Path, limit: int = READ_LIMIT) -> bytes:
    """Return the content of a file. `limit`: the maximum size in bytes.

    Raises: OSError if the file is missing, is not readable, is not a regular file, or is larger than `limit`."""
    with open_regular_file(path) as file:
        return _limited(file, limit)


def _limited(file: BufferedReader, limit: int) -> bytes:
    """Return the content of an open file, as `read_limited` does.

    The file is read in pieces, because one read of `limit` bytes would reserve this memory also for a short file."""
    content = bytearray()
    while piece := file.read(_PIECE):
        content += piece
        if len(content) > limit:
            raise OSError(_("the file is larger than {limit} MiB").format(limit=limit >> 20))
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
    """Return the content of a file that must be trusted. `limit`: the maximum size in bytes.

    Raises: UntrustedPath if another user can change the file or one of its parents; OSError, also if the file is larger
    than `limit`."""
    require_trusted(path)
    with open_regular_file(path) as file:
        require_trusted_status(path, os.fstat(file.fileno()))
        return _limited(file, limit)
