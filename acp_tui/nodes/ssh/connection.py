"""SSH to a node: connecting, logging in, running a command. With its `keys` and `sftp` the only speaker of asyncssh.

Every stage of connecting has its own deadline and its own plain words when it fails. Nothing of the operator's own SSH
set-up (configuration, agent, known hosts, default keys) is used unasked: the plan alone says how to log in.
"""

import asyncio
import os
import random
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress

import asyncssh

from acp_tui.core.i18n import _
from acp_tui.core.retry import with_backoff
from acp_tui.core.text import sanitize
from acp_tui.nodes.ssh.errors import PasswordFate, closed_early, denied, no_answer, no_method_in_common, quoted
from acp_tui.nodes.ssh.keys import client_key, host_key, key_line
from acp_tui.nodes.ssh.target import (
    DEADLINES,
    ConnectError,
    ConnectionDropped,
    ConnectionLost,
    Deadlines,
    OnStage,
    Target,
)
from acp_tui.nodes.state import NodeState

__all__ = ["DEADLINES", "ConnectError", "Connection", "ConnectionLost", "Deadlines", "Target", "connect"]

_HOST_KEY_ALGORITHMS = (
    "ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "rsa-sha2-512", "rsa-sha2-256",
    "ssh-rsa",
)  # fmt: skip
_RAW = dict.fromkeys(
    (
        asyncssh.PTY_ECHO, asyncssh.PTY_ICANON, asyncssh.PTY_ISIG, asyncssh.PTY_IEXTEN, asyncssh.PTY_OPOST,
        asyncssh.PTY_ICRNL, asyncssh.PTY_IXON,
    ),
    0,
)  # fmt: skip
_MOST_COMPLAINTS = 4 << 20
"""Bytes on standard error after which a command is not listened to any longer."""
_LINGER = 2.0  # seconds for a polite goodbye
_ALIVE_EVERY = 5  # seconds of silence after which a node is asked whether it is still there
_MISSED, _MISSED_AT_FIRST = 3, 8
"""So many of these may stay unanswered; at first more, so that the deadline of the session decides."""


class _Client(asyncssh.SSHClient):
    """Answers asyncssh's questions from the target, each credential once, and notes the stages passed."""

    def __init__(self, target: Target, key: asyncssh.SSHKey | None, pinned: asyncssh.SSHKey | None, at: OnStage):
        self._password = target.password
        self.password = PasswordFate.NONE if target.password is None else PasswordFate.NOT_ASKED
        self._key = key
        self._pinned = pinned
        self._at = at
        self.conn: asyncssh.SSHClientConnection | None = None
        self.shown: asyncssh.SSHKey | None = None
        self.expired = False
        self.question = ""
        """What the node asked that no password answers."""
        self._answered = ""
        self.banner = ""
        """What the node last said before it let us in."""

    @property
    def shown_line(self) -> str | None:
        return key_line(self.shown) if self.shown else None

    @property
    def greeted(self) -> bool:
        """Whether the node has told which SSH it speaks."""
        return self.conn is not None and bool(self.conn.get_extra_info("server_version"))

    def connection_made(self, conn: asyncssh.SSHClientConnection) -> None:
        self.conn = conn
        self._at("handshake")

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        self.shown = key
        return self._pinned is None or key.public_data == self._pinned.public_data

    def auth_banner_received(self, msg: str, lang: str) -> None:
        self.banner = msg[-1000:]

    def begin_auth(self, username: str) -> None:
        self._at("login")

    def public_key_auth_requested(self) -> asyncssh.SSHKey | None:
        key, self._key = self._key, None
        return key

    def password_auth_requested(self) -> str | None:
        secret, self._password = self._password, None
        if secret is None:
            return None
        self.password = PasswordFate.REFUSED
        return secret.get_secret_value()

    def password_change_requested(self, prompt: str, lang: str) -> tuple[str, str]:
        self.expired = True
        return super().password_change_requested(prompt, lang)  # type: ignore[return-value] # declines

    def kbdint_auth_requested(self) -> str | None:
        return "" if self._password else None

    def kbdint_challenge_received(
        self, name: str, instructions: str, lang: str, prompts: Sequence[tuple[str, bool]]
    ) -> list[str] | None:
        if not prompts:
            return []  # a message, no question
        secret = self.password_auth_requested() if len(prompts) == 1 and not prompts[0][1] else None
        if secret is not None:
            self._answered = prompts[0][0]
            return [secret]
        if [prompt for prompt, _echo in prompts] != [self._answered]:  # else the password was wrong
            self.question = " ".join((instructions, *(prompt for prompt, _echo in prompts)))
        return None  # not a question for the password: it stays here


class Connection:
    """An open connection. Channels are used one after another, so a node with MaxSessions 1 will do."""

    def __init__(self, inner: asyncssh.SSHClientConnection, host_key: str, fingerprint: str) -> None:
        self._inner = inner
        self.host_key = host_key
        """OpenSSH public key, `type base64`."""
        self.fingerprint = fingerprint
        """SHA256 of it, as OpenSSH prints it."""
        self.complaint = ""
        """The end of what the last command wrote to standard error."""
        self.asked_at = 0.0
        """When the last command was sent, seconds since the epoch."""

    async def run(
        self, command: str, program: str | bytes, on_open: OnStage, shell_deadline: float, *, terminal: bool = False
    ) -> AsyncGenerator[bytes, None]:
        """Run `command` with `program` on its stdin; yields its stdout as it comes, until it ends.

        `terminal`: on a terminal, that changes nothing on its way; there stdin has no end, so the program has to exit.

        ConnectFailed: the node opened no session. Lost: the connection broke. Deadlines of the whole are the caller's.
        """
        self.complaint = ""
        self.asked_at = time.time()
        self._inner.set_keepalive(count_max=_MISSED_AT_FIRST)
        try:
            async with asyncio.timeout(shell_deadline):
                process = await self._inner.create_process(
                    command,
                    encoding=None,
                    request_pty="force" if terminal else False,
                    term_type="dumb" if terminal else None,
                    term_modes=_RAW if terminal else {},
                )
        except TimeoutError:
            raise ConnectError(NodeState.TIMEOUT, "shell", no_answer("shell", shell_deadline)) from None
        except asyncssh.ChannelOpenError as error:
            await self._check()
            raise ConnectError(NodeState.AUTH_FAILED, "shell", _said(_("no session was opened"), error)) from None
        except (asyncssh.Error, OSError) as error:
            raise ConnectionLost(_said(_("the connection broke before a session was opened"), error)) from None
        self._inner.set_keepalive(count_max=_MISSED)
        on_open("script")
        complaints = asyncio.ensure_future(_complaints(process))
        try:
            with suppress(BrokenPipeError):  # a command that ends without reading tells why on stderr
                process.stdin.write(program.encode() if isinstance(program, str) else program)
                if not terminal:
                    process.stdin.write_eof()
            while chunk := await process.stdout.read(65536):
                yield chunk
            self.complaint = await complaints
            await process.wait_closed()
        except (asyncssh.Error, OSError) as error:
            raise ConnectionLost(_said(_("the connection broke while the node was asked"), error)) from None
        finally:
            complaints.cancel()
            process.close()

    async def sftp(self) -> asyncssh.SFTPClient:
        """The node's files. Raises `ConnectionLost`, and what asyncssh raises: only `probe/sftp.py` asks for it."""
        try:
            return await self._inner.start_sftp_client()
        except asyncssh.ChannelOpenError:
            await self._check()
            raise

    async def _check(self) -> None:
        """Lost: no channel was opened because the connection is gone; asyncssh has one error for both."""
        await asyncio.sleep(0)  # it tidies up in the next round of the loop
        if self._inner.is_closed():
            raise ConnectionLost(_("the connection broke before a session was opened"))

    async def close(self) -> None:
        self._inner.close()
        try:
            async with asyncio.timeout(_LINGER):
                await self._inner.wait_closed()
        except TimeoutError:
            self._inner.abort()


async def connect(
    target: Target, pinned: str | None, on_stage: OnStage, deadlines: Deadlines = DEADLINES
) -> Connection:
    """Connect and log in. `pinned`: the node's known public key, `type base64`; None: first contact, any key will do.

    `on_stage` hears `tcp`, `handshake`, `login` as each begins. ConnectFailed: it did not work, and why."""
    key = await asyncio.to_thread(client_key, target)
    expected = host_key(pinned)
    pauses = (random.uniform(*pause) for pause in deadlines.retry_pauses)  # noqa: S311 - it only spreads retries
    # MaxStartups drops connections at random while others log in, so a retry helps (sshd_config(5)).
    return await with_backoff(lambda: _connect(target, key, expected, on_stage, deadlines), pauses, ConnectionDropped)


async def _connect(
    target: Target,
    key: asyncssh.SSHKey | None,
    pinned: asyncssh.SSHKey | None,
    on_stage: OnStage,
    deadlines: Deadlines,
) -> Connection:
    loop = asyncio.get_running_loop()
    patience = {"tcp": deadlines.tcp, "handshake": deadlines.handshake, "login": deadlines.login}
    stage = "tcp"
    on_stage(stage)

    def at(reached: str) -> None:
        nonlocal stage
        stage = reached
        timer.reschedule(loop.time() + patience[reached])
        on_stage(reached)

    client = _Client(target, key, pinned, at)
    own = [name.decode() for name in pinned.sig_algorithms] if pinned else []
    try:
        async with asyncio.timeout(deadlines.tcp) as timer:
            inner = await asyncssh.connect(
                target.host,
                target.port,
                client_factory=lambda: client,
                username=target.username,
                config=None,
                known_hosts=lambda host, addr, port: ([], [], []),  # the client itself judges the key
                server_host_key_algs=list(dict.fromkeys([*own, *_HOST_KEY_ALGORITHMS])),
                client_keys=None,
                agent_path=None,
                gss_auth=False,
                gss_kex=False,
                host_based_auth=False,
                preferred_auth=("publickey", "password", "keyboard-interactive"),
                login_timeout=0,
                keepalive_interval=_ALIVE_EVERY,
            )
    except TimeoutError:
        # No answer to TCP is a node that cannot be reached; an answer that stops halfway is a node that hangs.
        state = NodeState.UNREACHABLE if stage == "tcp" else NodeState.TIMEOUT
        words = no_answer(stage, patience[stage], greeted=client.greeted)
        raise ConnectError(state, stage, words, client.shown_line) from None
    except (asyncssh.Error, OSError) as error:
        raise _failed(stage, error, client, pinned, target) from None
    shown = inner.get_server_host_key()
    if shown is None:
        inner.abort()
        raise ConnectError(NodeState.HOST_KEY_CHANGED, "handshake", _("the node showed no host key"))
    return Connection(inner, key_line(shown), shown.get_fingerprint())


def _failed(
    stage: str, error: asyncssh.Error | OSError, client: _Client, pinned: asyncssh.SSHKey | None, target: Target
) -> ConnectError:
    """What `error` at `stage` means to the operator."""
    if isinstance(error, asyncssh.HostKeyNotVerifiable) and client.shown and pinned:
        detail = _("the host key has changed: known is {known}, the node shows {shown}").format(
            known=pinned.get_fingerprint(), shown=client.shown.get_fingerprint()
        )
        return ConnectError(NodeState.HOST_KEY_CHANGED, stage, detail, client.shown_line)
    if isinstance(error, asyncssh.PermissionDenied):
        return ConnectError(
            NodeState.AUTH_FAILED,
            stage,
            denied(target.username, target.key_file, client.password, client.question, expired=client.expired),
            client.shown_line,
        )
    if stage == "login" and isinstance(error, asyncssh.DisconnectError):
        # PAM turns an account away (expired, locked) by a banner and a closed connection (sshd's do_pam_account).
        words = _("the node broke off the login of {user}").format(user=target.username)
        detail = quoted(words, client.banner or error.reason)
        return ConnectError(NodeState.AUTH_FAILED, stage, detail, client.shown_line)
    if isinstance(error, asyncssh.KeyExchangeFailed):
        detail = no_method_in_common(str(error.reason))
        return ConnectError(NodeState.UNREACHABLE, stage, detail, client.shown_line)
    if isinstance(error, ConnectionRefusedError):
        return ConnectError(
            NodeState.UNREACHABLE, stage, _("port {port} refused the connection").format(port=target.port)
        )
    if isinstance(error, asyncssh.ConnectionLost | ConnectionResetError) and stage == "handshake":
        return ConnectionDropped(NodeState.UNREACHABLE, stage, closed_early())
    if isinstance(error, asyncssh.Error):
        words = _("the login broke off") if stage == "login" else _("the SSH handshake failed")
        return ConnectError(NodeState.UNREACHABLE, stage, _said(words, error), client.shown_line)
    return ConnectError(NodeState.UNREACHABLE, stage, _said(_("no connection"), error), client.shown_line)


def _said(words: str, error: asyncssh.Error | OSError) -> str:
    if isinstance(error, asyncssh.Error):
        return quoted(words, error.reason)
    # asyncio puts "Connect call failed" in the place of the system's own words.
    number = error.errno or 0
    return quoted(words, os.strerror(number) if number > 0 else error.strerror or str(error))


async def _complaints(process: "asyncssh.SSHClientProcess[bytes]") -> str:
    """The last words on standard error. A command that never stops complaining is ended."""
    kept, count = b"", 0
    with suppress(asyncssh.Error, OSError):
        while chunk := await process.stderr.read(4096):
            kept, count = (kept + chunk)[-1000:], count + len(chunk)
            if count > _MOST_COMPLAINTS:
                process.close()
                break
    return " ".join(sanitize(kept.decode(errors="replace")).split())
