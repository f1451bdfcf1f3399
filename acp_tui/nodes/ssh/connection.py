"""SSH connections to nodes. This module connects, logs in and runs commands.

Only this package and the practice cluster import asyncssh. Each stage of a connection has its own deadline and error
message. The SSH configuration, agent, known hosts and default keys of the operator are not used, because the login
comes only from the plan.
"""

import asyncio
import os
import random
import time
from collections.abc import AsyncGenerator
from contextlib import suppress

import asyncssh

from acp_tui.core.i18n import _, pgettext
from acp_tui.core.retry import with_backoff
from acp_tui.core.text import sanitize
from acp_tui.nodes.ssh.deadlines import DEADLINES, Deadlines
from acp_tui.nodes.ssh.errors import (
    ConnectError,
    ConnectionDropped,
    ConnectionLost,
    closed_before_login,
    login_denied,
    no_matching_algorithm,
    stage_timed_out,
    with_message,
)
from acp_tui.nodes.ssh.keys import client_key, host_key, key_line
from acp_tui.nodes.ssh.login import LoginClient
from acp_tui.nodes.ssh.target import OnStage, Target
from acp_tui.nodes.state import NodeState

_HOST_KEY_ALGORITHMS = (
    "ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "rsa-sha2-512", "rsa-sha2-256",
    "ssh-rsa",
)  # fmt: skip
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
_KEEPALIVE_SECONDS = 5  # without data from the node before a keepalive request
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
            detail = _with_error(_("the login worked, but the node did not open a session"), error)
            raise ConnectError(NodeState.AUTH_FAILED, "shell", detail) from None
        except (asyncssh.Error, OSError) as error:
            raise ConnectionLost(_with_error(_("the SSH connection broke before the session opened"), error)) from None
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
            raise ConnectionLost(_with_error(_("the SSH connection broke while a command ran"), error)) from None
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


async def connect(
    target: Target, known_host_key: str | None, on_stage: OnStage, deadlines: Deadlines = DEADLINES
) -> Connection:
    """Connect to a node and log in.

    `known_host_key`: the recorded host key as `type base64`. None means a first connection, on which every key is
    accepted. `on_stage` is called with `tcp`, `handshake` and `login` when each stage begins. Raises ConnectError with
    the reason."""
    key = await asyncio.to_thread(client_key, target)
    expected = host_key(known_host_key)
    pauses = (random.uniform(*pause) for pause in deadlines.retry_pauses)  # noqa: S311 - it only spreads retries
    # MaxStartups drops connections at random while others log in, so a retry helps (sshd_config(5)).
    return await with_backoff(lambda: _connect(target, key, expected, on_stage, deadlines), pauses, ConnectionDropped)


async def _connect(
    target: Target,
    key: asyncssh.SSHKey | None,
    known_host_key: asyncssh.SSHKey | None,
    on_stage: OnStage,
    deadlines: Deadlines,
) -> Connection:
    loop = asyncio.get_running_loop()
    seconds = {"tcp": deadlines.tcp, "handshake": deadlines.handshake, "login": deadlines.login}
    stage = "tcp"
    on_stage(stage)

    def begin_stage(next_stage: str) -> None:
        nonlocal stage
        stage = next_stage
        timer.reschedule(loop.time() + seconds[next_stage])
        on_stage(next_stage)

    client = LoginClient(target, key, known_host_key, begin_stage)
    preferred = [name.decode() for name in known_host_key.sig_algorithms] if known_host_key else []
    try:
        async with asyncio.timeout(deadlines.tcp) as timer:
            inner = await asyncssh.connect(
                target.host,
                target.port,
                client_factory=lambda: client,
                username=target.username,
                config=None,
                known_hosts=lambda host, addr, port: ([], [], []),  # LoginClient compares the key
                server_host_key_algs=list(dict.fromkeys([*preferred, *_HOST_KEY_ALGORITHMS])),
                client_keys=None,
                agent_path=None,
                gss_auth=False,
                gss_kex=False,
                host_based_auth=False,
                preferred_auth=("publickey", "password", "keyboard-interactive"),
                login_timeout=0,
                keepalive_interval=_KEEPALIVE_SECONDS,
            )
    except TimeoutError:
        # A node without a TCP connection is unreachable. A node that hangs after the TCP connection timed out.
        state = NodeState.UNREACHABLE if stage == "tcp" else NodeState.TIMEOUT
        detail = stage_timed_out(stage, seconds[stage], greeted=client.greeted)
        raise ConnectError(state, stage, detail, client.server_key_line) from None
    except (asyncssh.Error, OSError) as error:
        raise _connect_error(stage, error, client, known_host_key, target) from None
    server_key = inner.get_server_host_key()
    if server_key is None:
        inner.abort()
        raise ConnectError(NodeState.HOST_KEY_CHANGED, "handshake", _("the node did not send a host key"))
    return Connection(inner, key_line(server_key), server_key.get_fingerprint())


def _connect_error(
    stage: str,
    error: asyncssh.Error | OSError,
    client: LoginClient,
    known_host_key: asyncssh.SSHKey | None,
    target: Target,
) -> ConnectError:
    """Convert an error of asyncssh or of the system into a ConnectError with a message for the user."""
    if isinstance(error, asyncssh.HostKeyNotVerifiable) and client.server_key and known_host_key:
        detail = _("the host key of the node has changed: the known host key is {known}, the node sent {sent}").format(
            known=known_host_key.get_fingerprint(), sent=client.server_key.get_fingerprint()
        )
        return ConnectError(NodeState.HOST_KEY_CHANGED, stage, detail, client.server_key_line)
    if isinstance(error, asyncssh.PermissionDenied):
        return ConnectError(
            NodeState.AUTH_FAILED,
            stage,
            login_denied(target.username, target.key_file, client.password, client.prompt, expired=client.expired),
            client.server_key_line,
        )
    if stage == "login" and isinstance(error, asyncssh.DisconnectError):
        # For an expired or locked account PAM sends a banner and closes the connection (sshd's do_pam_account).
        text = _("the node closed the connection during the login of the user {user}").format(user=target.username)
        detail = with_message(text, client.banner or error.reason)
        return ConnectError(NodeState.AUTH_FAILED, stage, detail, client.server_key_line)
    if isinstance(error, asyncssh.KeyExchangeFailed):
        detail = no_matching_algorithm(str(error.reason))
        return ConnectError(NodeState.UNREACHABLE, stage, detail, client.server_key_line)
    if isinstance(error, ConnectionRefusedError):
        return ConnectError(
            NodeState.UNREACHABLE, stage, _("the node refused the connection to port {port}").format(port=target.port)
        )
    if isinstance(error, asyncssh.ConnectionLost | ConnectionResetError) and stage == "handshake":
        return ConnectionDropped(NodeState.UNREACHABLE, stage, closed_before_login())
    if isinstance(error, asyncssh.Error):
        text = _("the SSH login failed") if stage == "login" else _("the SSH handshake failed")
        return ConnectError(NodeState.UNREACHABLE, stage, _with_error(text, error), client.server_key_line)
    return ConnectError(
        NodeState.UNREACHABLE,
        stage,
        _with_error(pgettext("error", "cannot connect to the node"), error),
        client.server_key_line,
    )


def _with_error(text: str, error: asyncssh.Error | OSError) -> str:
    if isinstance(error, asyncssh.Error):
        return with_message(text, error.reason)
    # asyncio replaces the system's message with "Connect call failed".
    number = error.errno or 0
    return with_message(text, os.strerror(number) if number > 0 else error.strerror or str(error))


async def _read_stderr(process: "asyncssh.SSHClientProcess[bytes]") -> str:
    """Return the end of the standard error of `process` as one line.

    If `process` writes more than `_MAX_STDERR` bytes, its channel is closed."""
    tail, count = b"", 0
    with suppress(asyncssh.Error, OSError):
        while chunk := await process.stderr.read(4096):
            tail, count = (tail + chunk)[-1000:], count + len(chunk)
            if count > _MAX_STDERR:
                process.close()
                break
    return " ".join(sanitize(tail.decode(errors="replace")).split())
