"""Upload large files to a node over SFTP, with progress, resume and a checksum.

A file is uploaded as NAME.part. It is renamed to NAME when the SHA-256 that the node computes is correct.
"""

import asyncio
import hashlib
import re
import time
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

import asyncssh

from acp_tui.core.errors import AcpError
from acp_tui.core.events import Progress
from acp_tui.core.i18n import _
from acp_tui.core.text import one_line
from acp_tui.nodes.script import LAUNCH_PLAIN
from acp_tui.nodes.ssh.connection import Connection
from acp_tui.nodes.ssh.errors import ConnectionLost

_CHUNK = 4 * 1024 * 1024
_BLOCK = 32 * 1024  # the bytes per write that every SFTP server accepts
_SESSION_SECONDS = 25.0  # to open a channel

OnProgress = Callable[[Progress], None]


class UploadError(AcpError):
    """An upload failed. The message has the file and the reason, without control characters."""


@dataclass(frozen=True)
class Upload:
    """A file to upload. `remote`: its absolute path on the node."""

    local: Path
    remote: str

    @property
    def part(self) -> str:
        """Return the path of the partial file on the node."""
        return f"{self.remote}.part"


class Files:
    """Access to the files of a node over an open connection.

    Raises ConnectionLost if the connection breaks; partial files remain on the node."""

    def __init__(self, connection: Connection, sftp: asyncssh.SFTPClient) -> None:
        self._connection = connection
        self._sftp = sftp

    @classmethod
    async def of(cls, connection: Connection) -> "Files":
        """Open an SFTP session. Raises UploadError if the node does not support SFTP."""
        try:
            return cls(connection, await connection.sftp())
        except asyncssh.SFTPBadMessage as error:
            text = _("SFTP does not work on the node. Probably a start-up file of the shell (.bashrc) prints text")
            raise _failure(text, error) from None
        except (asyncssh.Error, OSError) as error:
            raise _failure(_("the node does not support SFTP"), error) from None

    async def home(self) -> str:
        """Return the absolute path of the home folder of the user."""
        try:
            return str(await self._sftp.realpath("."))
        except (asyncssh.Error, OSError) as error:
            raise _failure(_("cannot read the path of the home folder on the node"), error) from None

    async def folder(self, path: str) -> None:
        """Create a folder on the node, and each parent folder that is missing. All new folders have mode 0700."""
        try:
            await self._sftp.makedirs(path, asyncssh.SFTPAttrs(permissions=0o700), exist_ok=True)
        except (asyncssh.Error, OSError) as error:
            raise _failure(path, error) from None

    async def send(self, upload: Upload, on_progress: OnProgress) -> None:
        """Upload a file, or resume an earlier upload. A file that is already on the node is only verified.

        Raises:
            UploadError: the file cannot be written, or the checksum differs even after a second upload.
            OSError: the local file cannot be read.
        """
        size = (await asyncio.to_thread(upload.local.stat)).st_size
        try:
            if await self._size(upload.remote) == size:
                digest = await asyncio.to_thread(_digest, upload.local, size)
                if await self._digest(upload.remote) == digest:
                    on_progress(Progress(upload.local.name, size, size))
                    return
            for _attempt in range(2):
                digest = await self._grow(upload, size, on_progress)
                if await self._digest(upload.part) == digest:
                    await self._sftp.posix_rename(upload.part, upload.remote)
                    return
                # The partial file belongs to a different file, or was damaged during the upload.
                await self._sftp.remove(upload.part)
        except (asyncssh.Error, BrokenPipeError, ConnectionError) as error:
            raise _failure(upload.remote, error) from None
        raise UploadError(
            _("the uploaded file {path} is damaged, because its SHA-256 does not match").format(path=upload.remote)
        )

    async def _grow(self, upload: Upload, size: int, on_progress: OnProgress) -> str:
        """Upload the missing part of the file. Return the SHA-256 of the complete local file."""
        present = await self._size(upload.part) or 0
        # Blocks of a chunk are sent in parallel, so the last chunk before a broken connection may have holes.
        offset = max(0, present - _CHUNK) if present <= size else 0
        await self._check_free_space(upload, size - offset)
        total = hashlib.sha256()
        started = time.monotonic()
        with upload.local.open("rb") as source:
            await asyncio.to_thread(_hash_next, source.read, total, offset)
            flags = asyncssh.FXF_WRITE | asyncssh.FXF_CREAT | (asyncssh.FXF_TRUNC if not offset else 0)
            attributes = asyncssh.SFTPAttrs(permissions=0o600)
            async with self._sftp.open(upload.part, flags, attributes, encoding=None, block_size=0) as target:
                while chunk := await asyncio.to_thread(source.read, _CHUNK):
                    total.update(chunk)
                    await self._write(target, chunk, offset)
                    offset += len(chunk)
                    on_progress(Progress(upload.local.name, offset, size, time.monotonic() - started))
        return total.hexdigest()

    async def _write(self, target: asyncssh.SFTPClientFile, chunk: bytes, offset: int) -> None:
        """Write all blocks of a chunk in parallel, and raise the first error when all writes have ended."""
        block = min(self._sftp.limits.max_write_len or _BLOCK, _CHUNK)
        starts = range(0, len(chunk), block)
        writes = [target.write(chunk[start : start + block], offset + start) for start in starts]
        for done in await asyncio.gather(*writes, return_exceptions=True):
            if isinstance(done, BaseException):
                raise done

    async def _check_free_space(self, upload: Upload, needed: int) -> None:
        folder = upload.remote.rpartition("/")[0]
        try:
            space = await self._sftp.statvfs(folder)
        except asyncssh.SFTPOpUnsupported:
            return
        free = space.bavail * space.frsize
        if free < needed:
            text = _(
                "the upload of {file} needs {needed} MB, but the folder {folder} on the node has "
                "{free} MB of free space"
            )
            raise UploadError(
                text.format(folder=folder, free=free // 10**6, file=upload.local.name, needed=-(-needed // 10**6))
            )

    async def _size(self, path: str) -> int | None:
        try:
            return (await self._sftp.stat(path)).size
        except asyncssh.SFTPNoSuchFile:
            return None

    async def _digest(self, path: str) -> str:
        """Return the SHA-256 that the node computes for a file; "" if the node cannot compute it."""
        output = b""
        chunks = self._connection.run(LAUNCH_PLAIN, f"sha256sum <{quote(path)}\n", lambda stage: None, _SESSION_SECONDS)
        async with aclosing(chunks):
            async for chunk in chunks:
                output = (output + chunk)[:1000]
        match = re.match(r"[0-9a-f]{64}\b", output.decode(errors="replace"))
        return match[0] if match else ""


def _failure(subject: str, error: asyncssh.Error | OSError) -> Exception:
    """Return ConnectionLost if the connection broke, else UploadError. `subject`: the start of the message."""
    reason = error.reason if isinstance(error, asyncssh.Error) else error.strerror or str(error)
    if isinstance(
        error, asyncssh.ConnectionLost | asyncssh.SFTPConnectionLost | asyncssh.SFTPNoConnection | ConnectionError
    ):
        return ConnectionLost(_("the SSH connection to the node broke"))
    return UploadError(f"{subject}: {one_line(reason, limit=300)}")


def _digest(file: Path, size: int) -> str:
    total = hashlib.sha256()
    with file.open("rb") as source:
        _hash_next(source.read, total, size)
    return total.hexdigest()


def _hash_next(read: Callable[[int], bytes], total: "hashlib._Hash", size: int) -> None:
    """Add the next `size` bytes of a file to the hash."""
    while size > 0 and (data := read(min(_CHUNK, size))):
        total.update(data)
        size -= len(data)
