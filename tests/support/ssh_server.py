"""An SSH server on loopback that runs the script in bash, and the collection of facts from it."""

import asyncio
import os
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import asyncssh
from pydantic import SecretStr

from acp_tui.nodes.collect import collect_facts
from acp_tui.nodes.events import NodeEvent, NodeFinished
from acp_tui.nodes.ssh.deadlines import DEADLINES, Deadlines
from acp_tui.nodes.ssh.keys import key_line
from acp_tui.nodes.ssh.target import Target
from acp_tui.plan.known_hosts import KnownHost, confirmed

SECRET = "correct horse battery staple"


HOST_KEY = asyncssh.generate_private_key("ssh-ed25519")
KNOWN = confirmed(key_line(HOST_KEY))
"""The known host of a test server with `HOST_KEY`."""


@dataclass
class Behaviour:
    """Settings of a test server."""

    password: bool = True
    keyboard: bool = False
    both: bool = False
    """Require the key, and after it one of the other methods."""
    question: tuple[str, ...] = ("Password: ",)
    authorized: str | None = None
    noise: bytes = b""
    sessions: int = 99
    cut_after: int | None = None
    """Close the connection after this number of bytes of output."""
    command: str | None = None
    """Run this instead of the requested command."""
    requested: list[str] = field(default_factory=list)
    connections: int = 0
    attempts: list[str] = field(default_factory=list)
    """Each credential that a client offered: `password` or `key`."""
    logins: int = 0
    """Number of connections on which the client began to log in."""
    passwords: int = 0
    """Number of passwords that the client sent."""


class _Server(asyncssh.SSHServer):
    def __init__(self, behaviour: Behaviour) -> None:
        self.behaviour = behaviour
        self.second_step = not behaviour.both
        behaviour.connections += 1

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        """Let the first step of a login end with a partial success. The library's server has no such setting."""
        succeed = conn.send_userauth_success

        async def next_step() -> None:
            if self.second_step:
                await succeed()
            else:
                self.second_step = True
                conn.send_userauth_failure(partial_success=True)

        conn.send_userauth_success = next_step  # type: ignore[method-assign]

    def begin_auth(self, username: str) -> bool:
        self.behaviour.logins += 1
        return True

    def password_auth_supported(self) -> bool:
        return self.behaviour.password and self.second_step

    def validate_password(self, username: str, password: str) -> bool:
        self.behaviour.attempts.append("password")
        self.behaviour.passwords += 1
        return password == SECRET

    def public_key_auth_supported(self) -> bool:
        return self.behaviour.authorized is not None and not (self.behaviour.both and self.second_step)

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        self.behaviour.attempts.append("key")
        return key.export_public_key("openssh").decode().split()[:2] == (self.behaviour.authorized or "").split()[:2]

    def kbdint_auth_supported(self) -> bool:
        return self.behaviour.keyboard and self.second_step

    def get_kbdint_challenge(
        self, username: str, lang: str, submethods: str
    ) -> tuple[str, str, str, list[tuple[str, bool]]]:
        return "", "Two steps.", "", [(prompt, False) for prompt in self.behaviour.question]

    def validate_kbdint_response(self, username: str, responses: object) -> bool:
        self.behaviour.attempts.append("password")
        right = [SECRET] if self.behaviour.question else []
        return list(responses) == right if isinstance(responses, (list, tuple)) else False


@asynccontextmanager
async def server(behaviour: Behaviour, host_key: asyncssh.SSHKey = HOST_KEY) -> AsyncIterator[int]:
    sessions: set[asyncio.Task[None]] = set()

    def start(process: "asyncssh.SSHServerProcess[bytes]") -> None:
        sessions.add(asyncio.create_task(session(process)))

    async def session(process: "asyncssh.SSHServerProcess[bytes]") -> None:
        behaviour.sessions -= 1
        if behaviour.sessions < 0:
            process.close()
            return
        behaviour.requested.append(process.command or "")
        child = await asyncio.create_subprocess_exec(
            "/bin/sh",
            "-c",
            behaviour.command or process.command or "",
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            process.stdout.write(behaviour.noise)
            child.stdin.write(await process.stdin.read())
            child.stdin.close()
            sent = 0
            while chunk := await child.stdout.read(1000):
                sent += len(chunk)
                if behaviour.cut_after is not None and sent > behaviour.cut_after:
                    await asyncio.sleep(0.05)
                    process.channel.get_connection().abort()
                    return
                process.stdout.write(chunk)
            process.exit(await child.wait())
        finally:
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            await child.wait()

    listener = await asyncssh.listen(
        "127.0.0.1",
        0,
        server_factory=lambda: _Server(behaviour),
        server_host_keys=[host_key],
        process_factory=start,
        encoding=None,
        config=None,
    )
    try:
        yield listener.get_port()
    finally:
        listener.close()
        await listener.wait_closed()
        for task in sessions:
            task.cancel()
        await asyncio.gather(*sessions, return_exceptions=True)


def login_target(
    port: int, *, password: str | None = SECRET, key: Path | None = None, passphrase: str | None = None
) -> Target:
    return Target(
        "192.0.2.1",
        "127.0.0.1",
        port,
        "root",
        SecretStr(password) if password else None,
        key,
        SecretStr(passphrase) if passphrase else None,
    )


async def collect(target: Target, known: KnownHost | None = KNOWN, deadlines: Deadlines = DEADLINES) -> list[NodeEvent]:
    return [event async for event in collect_facts(target, known, deadlines=deadlines)]


def finished_event(events: list[NodeEvent]) -> NodeFinished:
    last = events[-1]
    assert isinstance(last, NodeFinished)
    assert sum(isinstance(event, NodeFinished) for event in events) == 1
    assert SECRET not in repr(events)
    return last
