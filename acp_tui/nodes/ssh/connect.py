"""Connect to a node over SSH, verify its host key, and log in.

Each stage has its own deadline and error message. The SSH configuration, agent and default keys of the operator are not
used, because the login comes only from the plan.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable

import asyncssh

from acp_tui.core.i18n import _, pgettext
from acp_tui.core.retry import with_backoff
from acp_tui.nodes.ssh.connection import Connection, with_error
from acp_tui.nodes.ssh.deadlines import DEADLINES, Deadlines
from acp_tui.nodes.ssh.errors import (
    ConnectError,
    ConnectionDropped,
    PasswordState,
    closed_before_login,
    invalid_ssh_data,
    key_changed,
    key_not_confirmed,
    login_denied,
    no_matching_algorithm,
    password_withheld,
    second_step_denied,
    stage_timed_out,
    with_message,
)
from acp_tui.nodes.ssh.keys import HOST_KEY_ALGORITHMS, client_key, host_key_algorithms, key_line
from acp_tui.nodes.ssh.login import LoginClient
from acp_tui.nodes.ssh.target import OnStage, Target
from acp_tui.nodes.state import NodeState
from acp_tui.plan.known_hosts import KnownHost, fingerprint

_WITHOUT_WEAK_KEY_EXCHANGE = "-*-sha1,gss-*"
_WITHOUT_WEAK_MACS = "-hmac-sha1*,umac-64*"
_WITHOUT_WEAK_SIGNATURES = "-ssh-rsa"
"""Patterns that remove weak algorithms from the defaults of asyncssh: those with SHA-1, and MACs with 64 bits."""
_KEEPALIVE_SECONDS = 5  # without data from the node before a keepalive request


async def connect(
    target: Target,
    known: KnownHost | None,
    on_stage: OnStage,
    deadlines: Deadlines = DEADLINES,
    *,
    changes: bool = False,
) -> Connection:
    """Connect to a node and log in.

    `known`: the host keys that are accepted; None if the node has no known host key. If the host key is not confirmed,
    only a login with a key works, and only if `changes` is False. `changes`: the caller changes the node or sends it
    something secret. `on_stage` is called with `tcp`, `handshake` and `login` when each stage begins. Raises
    ConnectError with the reason."""
    key = await asyncio.to_thread(client_key, target)
    return await _with_retries(lambda: _connect(target, key, known, on_stage, deadlines, changes=changes), deadlines)


async def read_host_key(target: Target, deadlines: Deadlines = DEADLINES) -> str:
    """Return the host key of a node as `type base64`. No credential is sent. Raises ConnectError with the reason."""
    try:
        await _with_retries(
            lambda: _connect(target, None, None, lambda stage: None, deadlines, log_in=False), deadlines
        )
    except ConnectError as error:
        if error.host_key is not None and error.state is NodeState.HOST_KEY_UNKNOWN:
            return error.host_key
        raise
    raise RuntimeError("a connection without a login ends with its host key")


async def _with_retries(attempt: Callable[[], Awaitable[Connection]], deadlines: Deadlines) -> Connection:
    """Repeat a connection that the node dropped: MaxStartups drops some at random while others log in."""
    pauses = (random.uniform(*pause) for pause in deadlines.retry_pauses)  # noqa: S311 - it only spreads retries
    return await with_backoff(attempt, pauses, ConnectionDropped)


async def _connect(
    target: Target,
    key: asyncssh.SSHKey | None,
    known: KnownHost | None,
    on_stage: OnStage,
    deadlines: Deadlines,
    *,
    changes: bool = False,
    log_in: bool = True,
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

    client = LoginClient(target, key, known, begin_stage, changes=changes, log_in=log_in)
    preferred = host_key_algorithms(known.keys) if known else []
    try:
        async with asyncio.timeout(deadlines.tcp) as timer:
            inner = await asyncssh.connect(
                target.host,
                target.port,
                client_factory=lambda: client,
                username=target.username,
                config=None,
                known_hosts=lambda host, addr, port: ([], [], []),  # LoginClient compares the key
                server_host_key_algs=list(dict.fromkeys([*preferred, *HOST_KEY_ALGORITHMS])),
                kex_algs=_WITHOUT_WEAK_KEY_EXCHANGE,
                mac_algs=_WITHOUT_WEAK_MACS,
                signature_algs=_WITHOUT_WEAK_SIGNATURES,
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
        raise _connect_error(stage, error, client, known, target) from None
    except Exception:  # whatever the parsers of asyncssh raise, such as UnicodeDecodeError
        raise ConnectError(NodeState.UNREACHABLE, stage, invalid_ssh_data(), client.server_key_line) from None
    server_key = inner.get_server_host_key()
    if server_key is None:
        inner.abort()
        raise ConnectError(NodeState.HOST_KEY_CHANGED, "handshake", _("the node did not send a host key"))
    return Connection(inner, key_line(server_key), server_key.get_fingerprint())


def _denied(client: LoginClient, target: Target) -> str:
    if client.key_accepted and not client.expired:
        return second_step_denied(target.username, target.key_file, client.password, client.prompt)
    return login_denied(target.username, target.key_file, client.password, client.prompt, expired=client.expired)


def _connect_error(
    stage: str,
    error: asyncssh.Error | OSError,
    client: LoginClient,
    known: KnownHost | None,
    target: Target,
) -> ConnectError:
    """Convert an error of asyncssh or of the system into a ConnectError with a message for the user."""
    if isinstance(error, asyncssh.HostKeyNotVerifiable) and client.server_key_line:
        sent = fingerprint(client.server_key_line)
        if known is not None and client.key_changed:
            detail = key_changed([fingerprint(key) for key in known.keys], sent)
            return ConnectError(NodeState.HOST_KEY_CHANGED, stage, detail, client.server_key_line)
        return ConnectError(NodeState.HOST_KEY_UNKNOWN, stage, key_not_confirmed(sent), client.server_key_line)
    if isinstance(error, asyncssh.PermissionDenied) and client.password is PasswordState.WITHHELD:
        sent = fingerprint(client.server_key_line or "")
        detail = password_withheld(target.username, target.key_file, sent, accepted=client.key_accepted)
        return ConnectError(NodeState.HOST_KEY_UNKNOWN, stage, detail, client.server_key_line)
    if isinstance(error, asyncssh.PermissionDenied):
        return ConnectError(
            NodeState.AUTH_FAILED,
            stage,
            _denied(client, target),
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
        detail = closed_before_login(greeted=client.greeted, host_key_algorithms=HOST_KEY_ALGORITHMS)
        return ConnectionDropped(NodeState.UNREACHABLE, stage, detail)
    if isinstance(error, asyncssh.Error):
        text = _("the SSH login failed") if stage == "login" else _("the SSH handshake failed")
        return ConnectError(NodeState.UNREACHABLE, stage, with_error(text, error), client.server_key_line)
    return ConnectError(
        NodeState.UNREACHABLE,
        stage,
        with_error(pgettext("error", "cannot connect to the node"), error),
        client.server_key_line,
    )
