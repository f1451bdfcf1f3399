"""Files to a node over SFTP: gigabytes with progress, taken up again where a connection broke, proved by their sum.

A file grows under the name NAME.part and has its own name only once the node's sum of it is ours.
"""

import asyncio
import hashlib
import re
import time
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from shlex import quote

import asyncssh

from acp_tui.core.errors import AcpError
from acp_tui.core.events import Progress
from acp_tui.core.i18n import _
from acp_tui.core.text import sanitize
from acp_tui.core.units import megabytes
from acp_tui.nodes.script import LAUNCH_PLAIN
from acp_tui.nodes.ssh.connection import Connection, ConnectionLost

_CHUNK = 4 * 1024 * 1024
_BLOCK = 32 * 1024  # bytes of a write that every server takes
_SESSION = 25.0  # seconds to open a channel

OnProgress = Callable[[Progress], None]


class SendFailed(AcpError):
    """The node does not take the file; the text says which and why, cleaned of control characters."""


@dataclass(frozen=True)
class Upload:
    """A file on its way. `remote`: absolute path on the node."""

    local: Path
    remote: str

    @property
    def part(self) -> str:
        return f"{self.remote}.part"


class Files:
    """A node's files, over an open connection. Lost: it broke, and what was sent by then stays there."""

    def __init__(self, connection: Connection, sftp: asyncssh.SFTPClient) -> None:
        self._connection = connection
        self._sftp = sftp

    @classmethod
    async def of(cls, connection: Connection) -> "Files":
        """SendFailed: the node offers no SFTP."""
        try:
            return cls(connection, await connection.sftp())
        except (asyncssh.Error, OSError) as error:
            raise _failure(_("the node offers no SFTP"), error) from None

    async def home(self) -> str:
        """Absolute path of the login's home folder."""
        try:
            return str(await self._sftp.realpath("."))
        except (asyncssh.Error, OSError) as error:
            raise _failure(_("the home folder is not known"), error) from None

    async def folder(self, path: str) -> None:
        """Make a folder that its owner alone may enter, with its parents."""
        try:
            await self._sftp.makedirs(path, asyncssh.SFTPAttrs(permissions=0o700), exist_ok=True)
        except (asyncssh.Error, OSError) as error:
            raise _failure(path, error) from None

    async def send(self, sending: Upload, on_progress: OnProgress) -> None:
        """Bring a file over, from where an earlier try stopped. One that is there already is only summed up.

        SendFailed: it cannot be written, or its sum is another one even when sent anew. OSError: it cannot be read."""
        size = (await asyncio.to_thread(sending.local.stat)).st_size
        try:
            if await self._size(sending.remote) == size:
                digest = await asyncio.to_thread(_digest, sending.local, size)
                if await self._digest(sending.remote) == digest:
                    on_progress(Progress(sending.local.name, size, size))
                    return
            for _attempt in range(2):
                digest = await self._grow(sending, size, on_progress)
                if await self._digest(sending.part) == digest:
                    await self._sftp.posix_rename(sending.part, sending.remote)
                    return
                # What lay there came from another file, or was damaged on the way.
                await self._sftp.remove(sending.part)
        except (asyncssh.Error, BrokenPipeError, ConnectionError) as error:
            raise _failure(sending.remote, error) from None
        raise SendFailed(_("{path}: arrives damaged, its SHA-256 is another one").format(path=sending.remote))

    async def _grow(self, sending: Upload, size: int, on_progress: OnProgress) -> str:
        """Send what the node does not have yet; SHA-256 of the whole file as it was read here."""
        there = await self._size(sending.part) or 0
        # Blocks of a chunk are sent side by side: where the connection broke, the last chunk may have holes.
        offset = max(0, there - _CHUNK) if there <= size else 0
        await self._check_room(sending, size - offset)
        total = hashlib.sha256()
        began = time.monotonic()
        with sending.local.open("rb") as source:
            await asyncio.to_thread(_take, source.read, total, offset)
            flags = asyncssh.FXF_WRITE | asyncssh.FXF_CREAT | (asyncssh.FXF_TRUNC if not offset else 0)
            attributes = asyncssh.SFTPAttrs(permissions=0o600)
            async with self._sftp.open(sending.part, flags, attributes, encoding=None, block_size=0) as target:
                while chunk := await asyncio.to_thread(source.read, _CHUNK):
                    total.update(chunk)
                    await self._write(target, chunk, offset)
                    offset += len(chunk)
                    on_progress(Progress(sending.local.name, offset, size, time.monotonic() - began))
        return total.hexdigest()

    async def _write(self, target: asyncssh.SFTPClientFile, chunk: bytes, offset: int) -> None:
        """All blocks of a chunk side by side. asyncssh alone would leave the errors of the others lying about."""
        block = min(self._sftp.limits.max_write_len or _BLOCK, _CHUNK)
        starts = range(0, len(chunk), block)
        writes = [target.write(chunk[start : start + block], offset + start) for start in starts]
        for done in await asyncio.gather(*writes, return_exceptions=True):
            if isinstance(done, BaseException):
                raise done

    async def _check_room(self, sending: Upload, wanted: int) -> None:
        folder = sending.remote.rpartition("/")[0]
        try:
            room = await self._sftp.statvfs(folder)
        except asyncssh.SFTPOpUnsupported:
            return
        free = room.bavail * room.frsize
        if free < wanted:
            words = _("{folder} on the node has {free} MB free, and {file} needs {wanted} MB more")
            raise SendFailed(
                words.format(
                    folder=folder,
                    free=int(megabytes(free)),
                    file=sending.local.name,
                    wanted=ceil(megabytes(wanted)),
                )
            )

    async def _size(self, path: str) -> int | None:
        try:
            return (await self._sftp.stat(path)).size
        except asyncssh.SFTPNoSuchFile:
            return None

    async def _digest(self, path: str) -> str:
        """SHA-256 as the node counts it; "" where it does not."""
        said = b""
        answer = self._connection.run(LAUNCH_PLAIN, f"sha256sum <{quote(path)}\n", lambda stage: None, _SESSION)
        async with aclosing(answer):
            async for chunk in answer:
                said = (said + chunk)[:1000]
        found = re.match(r"[0-9a-f]{64}\b", said.decode(errors="replace"))
        return found[0] if found else ""


def _failure(what: str, error: asyncssh.Error | OSError) -> Exception:
    """Lost where the connection broke, else SendFailed."""
    said = sanitize(error.reason if isinstance(error, asyncssh.Error) else error.strerror or str(error))
    if isinstance(
        error, asyncssh.ConnectionLost | asyncssh.SFTPConnectionLost | asyncssh.SFTPNoConnection | ConnectionError
    ):
        return ConnectionLost(_("the connection broke"))
    return SendFailed(f"{what}: {' '.join(said.split())[:300]}")


def _digest(file: Path, size: int) -> str:
    total = hashlib.sha256()
    with file.open("rb") as source:
        _take(source.read, total, size)
    return total.hexdigest()


def _take(read: Callable[[int], bytes], total: "hashlib._Hash", size: int) -> None:
    """Sum up the next `size` bytes."""
    while size > 0 and (data := read(min(_CHUNK, size))):
        total.update(data)
        size -= len(data)
