"""Practice nodes: SSH servers on loopback. Each replies to scripts with the output that its machine profile defines.

acp-tui connects to them as to any node, with a generated host key and a password. You can also log in with an OpenSSH
client and try the commands of fixes. No command is executed on this host.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncssh

from acp_tui.core.files import private_folder, write_atomically
from acp_tui.demo.machine_profile import Machine, Profile
from acp_tui.nodes.script import CollectorOutput, reply, split
from acp_tui.preflight.fixes import script as remedy

USERNAME = "root"
PASSWORD = "Practice-Only-2"
"""The password must not be part of a host name, because known secrets are masked in the output of the nodes."""
_LOOPBACK = "127.0.0.1"
_GROUPS = 6
_MAX_SCRIPT = 1 << 20


@dataclass(frozen=True)
class PracticeNode:
    address: str
    """The address in the plan. It is from TEST-NET-1 (192.0.2.0/24), which no real host uses."""
    port: int
    """The port of the node on loopback."""
    profile: Profile


class _Login(asyncssh.SSHServer):
    def __init__(self, connections: set[asyncssh.SSHServerConnection]) -> None:
        self._connections = connections

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn
        self._connections.add(conn)

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.discard(self._connection)

    def begin_auth(self, username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return username == USERNAME and password == PASSWORD


@asynccontextmanager
async def serve(
    machines: Iterable[Machine],
    folder: Path,
    *,
    faults: bool,
    seconds: float,
    installing: Callable[[], bool] = lambda: False,
) -> AsyncIterator[Mapping[str, PracticeNode]]:
    """Run the nodes until the block ends, and yield them by plan address.

    `seconds`: duration of the collection on each node.
    `installing`: a function that returns True while the practice installer runs. It is called at each request.
    `folder`: the folder of the host keys and the applied fixes, which the next start uses."""
    private_folder(folder)
    async with AsyncExitStack() as stack:
        nodes = {}
        for machine in machines:
            profile = Profile.of(machine, folder / f"{machine.address}.json", faults=faults, installing=installing)
            listener = await stack.enter_async_context(_listen(profile, _host_key(folder, machine.address), seconds))
            nodes[machine.address] = PracticeNode(machine.address, listener.get_port(), profile)
        yield nodes


def forget(folder: Path) -> None:
    """Restore the faults of the nodes whose state is saved in `folder`. Their host keys stay."""
    for state in folder.glob("*.json"):
        state.unlink()


def _host_key(folder: Path, address: str) -> asyncssh.SSHKey:
    path = folder / f"{address}.key"
    if not path.exists():
        write_atomically(path, asyncssh.generate_private_key("ssh-ed25519").export_private_key(), mode=0o600)
    return asyncssh.read_private_key(path)


@asynccontextmanager
async def _listen(profile: Profile, host_key: asyncssh.SSHKey, seconds: float) -> AsyncIterator[asyncssh.SSHAcceptor]:
    connections: set[asyncssh.SSHServerConnection] = set()

    async def session(process: asyncssh.SSHServerProcess[str]) -> None:
        process.exit(await _session(process, profile, seconds))

    listener = await asyncssh.listen(
        _LOOPBACK,
        0,
        server_factory=lambda: _Login(connections),
        server_host_keys=[host_key],
        process_factory=session,
        errors="replace",
        config=None,
    )
    try:
        yield listener
    finally:
        listener.close()
        for connection in tuple(connections):  # a shell may still be open
            connection.abort()
        await listener.wait_closed()


async def _session(process: asyncssh.SSHServerProcess[str], profile: Profile, seconds: float) -> int:
    command = process.command
    if command is None:
        return await _shell(process, profile)
    if re.search(r"\bbash\b.* -s\b", command) is None:
        return _run(process, profile, command)
    script = ""
    while len(script) < _MAX_SCRIPT and (part := await process.stdin.read(_MAX_SCRIPT)):
        script += part
    try:
        marker, names = split(script)
    except ValueError:
        return await _apply_fix(process, profile, script, seconds)
    await _answer(process, profile, marker, names, seconds)
    return 0


async def _answer(
    process: asyncssh.SSHServerProcess[str], profile: Profile, marker: str, names: tuple[str, ...], seconds: float
) -> None:
    """Send the first output immediately: it can be the clock of the node, and a delay would make the clock inaccurate.

    Send the other outputs in groups, with pauses."""
    size = max(1, -(-len(names) // _GROUPS))
    for group in (names[:1], *(names[start : start + size] for start in range(1, len(names), size))):
        for name in group:
            recorded = profile.answer(name)
            process.stdout.write(reply(marker, CollectorOutput(name, recorded.status, recorded.text)).decode())
        await asyncio.sleep(seconds / _GROUPS)


async def _apply_fix(process: asyncssh.SSHServerProcess[str], profile: Profile, script: str, seconds: float) -> int:
    """Simulate a fix script that acp-tui generated, and print the output of each step between markers.

    Any other script is simulated line by line."""
    try:
        marker, steps = remedy.split(script)
    except ValueError:
        return _run(process, profile, script)
    for name, commands in steps.items():
        status, output = profile.run_all(commands)
        await asyncio.sleep(seconds / _GROUPS)
        process.stdout.write(reply(marker, CollectorOutput(name, status, output)).decode())
    return 0


async def _shell(process: asyncssh.SSHServerProcess[str], profile: Profile) -> int:
    """Serve an interactive shell of a practice node until logout. Each line is one command. Return exit status 0."""
    process.stdout.write("PRACTICE node: supports only the commands of the practice fixes. Type `exit` to log out.\n")
    while True:
        process.stdout.write(f"{USERNAME}@{profile.settings['hostname']}:~# ")
        line = await process.stdin.readline()
        if not line or line.strip() in ("exit", "logout"):
            return 0
        _run(process, profile, line)


def _run(process: asyncssh.SSHServerProcess[str], profile: Profile, commands: str) -> int:
    """Simulate the commands until one fails, like `bash -e`. Return the exit status."""
    status, output = profile.run_all(commands)
    process.stdout.write(output)
    return status
