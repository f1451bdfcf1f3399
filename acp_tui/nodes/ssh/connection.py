"""A connection to a node over SSH: run commands and open SFTP sessions. The module `connect` opens connections.

Only this package and the practice cluster import asyncssh.
"""

import asyncio
import os
import time
from collections.abc import AsyncGenerator
from contextlib import suppress

import asyncssh

from acp_tui.core.i18n import _
from acp_tui.core.text import one_line
from acp_tui.nodes.ssh.errors import (
    ConnectError,
    ConnectionLost,
    invalid_ssh_data,
    stage_timed_out,
    with_message,
)
from acp_tui.nodes.ssh.target import OnStage
from acp_tui.nodes.state import NodeState

_RAW_TERMINAL = dict.fromkeys(
    (
        asyncssh.PTY_ECHO, asyncssh.PTY_ICANON, asyncssh.PTY_ISIG, asyncssh.PTY_IEXTEN, asyncssh.PTY_OPOST,
        asyncssh.PTY_ICRNL, asyncssh.PTY_IXON,
    ),
    0,
)  # fmt: skip
_MAX_STDERR = 4 << 20
"""The number of bytes that a command can write to standard error before acp-tui closes the channel."""
_CLOSE_SECONDS = 2.0  # for an orderly disconnect
_KEEPALIVE_MISSED, _KEEPALIVE_MISSED_AT_FIRST = 3, 8
"""Two limits for unanswered keepalive requests. The first applies to an open session, the second before it is open.

The second limit is higher, so that the deadline for opening the session expires first."""


class Connection:
    """An open SSH connection. It uses one channel at a time, so `MaxSessions 1` in sshd_config is sufficient."""

    def __init__(self, inner: asyncssh.SSHClientConnection, host_key: str, fingerprint: str) -> None:
        self._inner = inner
        self.host_key = host_key
        """The OpenSSH public key of the node, as `type base64`."""
        self.fingerprint = fingerprint
        """The SHA256 fingerprint of the host key, as OpenSSH prints it."""
        self.stderr = ""
        """The end of the standard error of the last command, as one line."""
        self.sent_at = 0.0
        """The time when the last command was sent, in seconds since 1970."""

    async def run(
        self, command: str, program: str | bytes, on_open: OnStage, shell_deadline: float, *, terminal: bool = False
    ) -> AsyncGenerator[bytes, None]:
        """Run `command` with `program` on its stdin. Yield the stdout of `command` until the end of the output.

        `terminal`: run on a raw terminal. stdin then has no end, so the program must exit by itself. The caller must
        limit the total time.

        Raises:
            ConnectError: the node opened no session.
            ConnectionLost: the connection broke.
        """
        self.stderr = ""
        self.sent_at = time.time()
        self._inner.set_keepalive(count_max=_KEEPALIVE_MISSED_AT_FIRST)
        try:
            async with asyncio.timeout(shell_deadline):
                process = await self._inner.create_process(
                    command,
                    encoding=None,
                    request_pty="force" if terminal else False,
                    term_type="dumb" if terminal else None,
                    term_modes=_RAW_TERMINAL if terminal else {},
                )
        except TimeoutError:
            raise ConnectError(NodeState.TIMEOUT, "shell", stage_timed_out("shell", shell_deadline)) from None
        except asyncssh.ChannelOpenError as error:
            await self._raise_if_lost()
            detail = with_error(_("the login worked, but the node did not open a session"), error)
            raise ConnectError(NodeState.AUTH_FAILED, "shell", detail) from None
        except (asyncssh.Error, OSError) as error:
            raise ConnectionLost(with_error(_("the SSH connection broke before the session opened"), error)) from None
        except Exception:  # whatever the parsers of asyncssh raise; see `connect`
            raise ConnectionLost(invalid_ssh_data()) from None
        self._inner.set_keepalive(count_max=_KEEPALIVE_MISSED)
        on_open("script")
        stderr = asyncio.ensure_future(_read_stderr(process))
        try:
            with suppress(BrokenPipeError):  # a command that ends without reading its input prints the reason on stderr
                process.stdin.write(program.encode() if isinstance(program, str) else program)
                if not terminal:
                    process.stdin.write_eof()
            while chunk := await process.stdout.read(65536):
                yield chunk
            self.stderr = await stderr
            await process.wait_closed()
        except (asyncssh.Error, OSError) as error:
            raise ConnectionLost(with_error(_("the SSH connection broke while a command ran"), error)) from None
        except Exception:  # whatever the parsers of asyncssh raise; see `connect`
            raise ConnectionLost(invalid_ssh_data()) from None
        finally:
            stderr.cancel()
            process.close()

    async def sftp(self) -> asyncssh.SFTPClient:
        """Open an SFTP session. Raises ConnectionLost, and the errors of asyncssh that `sftp.py` handles."""
        try:
            return await self._inner.start_sftp_client()
        except asyncssh.ChannelOpenError:
            await self._raise_if_lost()
            raise

    async def _raise_if_lost(self) -> None:
        """Raise ConnectionLost if the connection broke before a channel opened.

        asyncssh reports a broken connection with the same error as a rejected channel."""
        await asyncio.sleep(0)  # asyncssh updates its state in the next iteration of the loop
        if self._inner.is_closed():
            raise ConnectionLost(_("the SSH connection broke before the session opened"))

    async def close(self) -> None:
        """Close the connection within two seconds."""
        self._inner.close()
        try:
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self._inner.wait_closed()
        except TimeoutError:
            self._inner.abort()


def with_error(text: str, error: asyncssh.Error | OSError) -> str:
    """Return `text`, a colon and the reason of an error of asyncssh or of the system."""
    if isinstance(error, asyncssh.Error):
        return with_message(text, error.reason)
    # asyncio replaces the system's message with "Connect call failed".
    number = error.errno or 0
    return with_message(text, os.strerror(number) if number > 0 else error.strerror or str(error))


async def _read_stderr(process: "asyncssh.SSHClientProcess[bytes]") -> str:
    """Return the end of the standard error of `process` as one line.

    If `process` writes more than `_MAX_STDERR` bytes, its channel is closed."""
    tail, count = b"", 0
    with suppress(Exception):  # the reader of stdout reports the error
        while chunk := await process.stderr.read(4096):
            tail, count = (tail + chunk)[-1000:], count + len(chunk)
            if count > _MAX_STDERR:
                process.close()
                break
    return one_line(tail.decode(errors="replace"), limit=1000)
