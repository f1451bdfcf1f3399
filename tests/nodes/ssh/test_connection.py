"""Logins and connection errors with SSH servers on loopback that run the script in bash."""

import asyncio
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import asyncssh
import pytest
from pydantic import SecretStr

from acp_tui.nodes.collect import collect_facts
from acp_tui.nodes.collectors import COLLECTORS
from acp_tui.nodes.events import FactsUpdated, LocalFactsDone, NodeEvent, NodeFinished, NodeStage
from acp_tui.nodes.script import LAUNCH, Collector
from acp_tui.nodes.ssh.connection import DEADLINES, ConnectError, Deadlines, Target, connect
from acp_tui.nodes.state import NodeState

SECRET = "correct horse battery staple"
SHORT = Deadlines(tcp=0.5, handshake=0.5, login=2, session=2, script=20)
HOST_KEY = asyncssh.generate_private_key("ssh-ed25519")


@dataclass
class Behaviour:
    """Settings of a test server."""

    password: bool = True
    keyboard: bool = False
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


class _Server(asyncssh.SSHServer):
    def __init__(self, behaviour: Behaviour) -> None:
        self.behaviour = behaviour
        behaviour.connections += 1

    def begin_auth(self, username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return self.behaviour.password

    def validate_password(self, username: str, password: str) -> bool:
        return password == SECRET

    def public_key_auth_supported(self) -> bool:
        return self.behaviour.authorized is not None

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return key.export_public_key("openssh").decode().split()[:2] == (self.behaviour.authorized or "").split()[:2]

    def kbdint_auth_supported(self) -> bool:
        return self.behaviour.keyboard

    def get_kbdint_challenge(
        self, username: str, lang: str, submethods: str
    ) -> tuple[str, str, str, list[tuple[str, bool]]]:
        return "", "Two steps.", "", [(prompt, False) for prompt in self.behaviour.question]

    def validate_kbdint_response(self, username: str, responses: object) -> bool:
        return list(responses) == [SECRET] if isinstance(responses, (list, tuple)) else False


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


async def collect(
    target: Target, known_host_key: str | None = None, deadlines: Deadlines = DEADLINES
) -> list[NodeEvent]:
    return [event async for event in collect_facts(target, known_host_key, deadlines=deadlines)]


def finished_event(events: list[NodeEvent]) -> NodeFinished:
    last = events[-1]
    assert isinstance(last, NodeFinished)
    assert sum(isinstance(event, NodeFinished) for event in events) == 1
    assert SECRET not in repr(events)
    return last


def write_key(path: Path, passphrase: str | None = None, form: str = "pkcs8-pem") -> str:
    """Write a new private key to `path`; return its public key."""
    key = asyncssh.generate_private_key("ssh-ed25519")
    path.write_bytes(key.export_private_key(form, passphrase))
    return key.export_public_key("openssh").decode()


async def test_collection_emits_stages_then_facts_then_the_end() -> None:
    async with server(Behaviour()) as port:
        events = await collect(login_target(port))
    stages = [event.stage for event in events if isinstance(event, NodeStage)]
    assert stages == ["tcp", "handshake", "login", "shell", "script"]
    assert sum(isinstance(event, FactsUpdated) for event in events) > 3
    done = finished_event(events)
    assert (done.state, done.detail) == (NodeState.CHECKED, "")
    assert done.facts.hostname
    assert done.facts.host_key == HOST_KEY.get_fingerprint()
    assert done.host_key == " ".join(HOST_KEY.export_public_key("openssh").decode().split()[:2])
    assert done.facts.clock is not None
    assert abs(done.facts.clock.offset) <= done.facts.clock.uncertainty < 5


async def test_keyboard_interactive_gets_the_password() -> None:
    async with server(Behaviour(password=False, keyboard=True)) as port:
        assert finished_event(await collect(login_target(port))).state is NodeState.CHECKED


@pytest.mark.parametrize("passphrase", [None, SECRET])
async def test_login_with_a_key_and_its_passphrase(tmp_path: Path, passphrase: str | None) -> None:
    authorized = write_key(tmp_path / "key", passphrase)
    async with server(Behaviour(password=False, authorized=authorized)) as port:
        done = finished_event(
            await collect(login_target(port, password=None, key=tmp_path / "key", passphrase=passphrase))
        )
    assert done.state is NodeState.CHECKED, done.detail


async def test_login_with_an_encrypted_key_of_ssh_keygen(tmp_path: Path) -> None:
    pytest.importorskip("bcrypt", reason="the format of ssh-keygen is encrypted with bcrypt")
    authorized = write_key(tmp_path / "key", SECRET, "openssh")
    async with server(Behaviour(password=False, authorized=authorized)) as port:
        done = finished_event(await collect(login_target(port, password=None, key=tmp_path / "key", passphrase=SECRET)))
    assert done.state is NodeState.CHECKED, done.detail


async def test_a_rejected_key_falls_back_to_the_password(tmp_path: Path) -> None:
    write_key(tmp_path / "key")
    async with server(Behaviour(authorized="ssh-ed25519 AAAA")) as port:
        assert finished_event(await collect(login_target(port, key=tmp_path / "key"))).state is NodeState.CHECKED


@pytest.mark.parametrize(
    ("prepare", "passphrase", "message"),
    [
        (lambda path: None, None, "No such file"),
        (lambda path: path.write_text("hello"), None, "the file is not a supported private key"),
        (lambda path: write_key(path, "another"), SECRET, "the passphrase in the plan is wrong"),
        (lambda path: write_key(path, "another"), None, "the plan has no passphrase for it"),
        (lambda path: path.write_text("PuTTY-User-Key-File-3: ssh-ed25519\r\n"), None, "puttygen"),
        (lambda path: path.write_text("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 me"), None, "the file is a public key"),
        (lambda path: path.mkdir(), None, "Is a directory"),
        (os.mkfifo, None, "a device or a pipe"),
    ],
)
async def test_an_unusable_key_file_is_named_in_the_error(
    tmp_path: Path, prepare: Callable[[Path], object], passphrase: str | None, message: str
) -> None:
    prepare(tmp_path / "key")
    async with server(Behaviour()) as port:
        done = finished_event(await collect(login_target(port, key=tmp_path / "key", passphrase=passphrase)))
    assert done.state is NodeState.AUTH_FAILED
    assert message in done.detail
    assert str(tmp_path / "key") in done.detail


async def test_a_wrong_password_fails_without_a_retry() -> None:
    async with server(Behaviour(keyboard=True)) as port:
        done = finished_event(await collect(login_target(port, password="wrong")))
    assert done.state is NodeState.AUTH_FAILED
    assert "password of the user root" in done.detail
    assert "wrong" not in done.detail


@pytest.mark.parametrize(
    ("behaviour", "message"),
    [
        (Behaviour(), "a possible cause is that root login is disabled (PermitRootLogin)"),
        (Behaviour(password=False, authorized="ssh-ed25519 AAAA"), "does not allow password login for the user root"),
        (
            Behaviour(password=False, keyboard=True, question=("Password: ", "Code: ")),
            "the node requires a multi-factor login for the user root. Use a key instead. "
            "The prompt is: Two steps. Password: Code:",
        ),
    ],
)
async def test_a_rejected_login_names_the_setting_to_change(behaviour: Behaviour, message: str) -> None:
    async with server(behaviour) as port:
        done = finished_event(await collect(login_target(port, password="wrong")))
    assert done.state is NodeState.AUTH_FAILED
    assert message in done.detail


async def test_a_recorded_host_key_is_accepted_and_a_changed_one_prevents_the_login() -> None:
    other = asyncssh.generate_private_key("ssh-ed25519")
    known = HOST_KEY.export_public_key("openssh").decode()
    async with server(Behaviour()) as port:
        assert finished_event(await collect(login_target(port), known)).state is NodeState.CHECKED
    behaviour = Behaviour()
    async with server(behaviour, other) as port:
        events = await collect(login_target(port), known)
    done = finished_event(events)
    assert done.state is NodeState.HOST_KEY_CHANGED
    assert HOST_KEY.get_fingerprint() in done.detail
    assert other.get_fingerprint() in done.detail
    assert done.host_key == " ".join(other.export_public_key("openssh").decode().split()[:2])
    assert [e.stage for e in events if isinstance(e, NodeStage)] == ["tcp", "handshake"]
    assert behaviour.requested == []


async def test_a_recorded_host_key_of_a_removed_type_counts_as_changed() -> None:
    known = asyncssh.generate_private_key("ecdsa-sha2-nistp256").export_public_key("openssh").decode()
    async with server(Behaviour()) as port:
        assert finished_event(await collect(login_target(port), known)).state is NodeState.HOST_KEY_CHANGED


async def test_a_closed_port_is_unreachable() -> None:
    async with server(Behaviour()) as port:
        pass
    done = finished_event(await collect(login_target(port)))
    assert done.state is NodeState.UNREACHABLE
    assert f"the node refused the connection to port {port}" in done.detail
    assert done.facts.missing_reason("hostname") == done.detail


@asynccontextmanager
async def listener(answer: bytes, *, close: bool = False) -> AsyncIterator[tuple[int, list[int]]]:
    """A TCP server without SSH: sends `answer`, then closes the connection or stays silent."""
    connections: list[int] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(1)
        writer.write(answer)
        await writer.drain()
        if not close:
            await reader.read()
            await asyncio.sleep(0.05)
        writer.close()

    tcp = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield tcp.sockets[0].getsockname()[1], connections
    finally:
        tcp.close()


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b"", "no SSH reply within 0.5 s"),
        (
            b"SSH-2.0-OpenSSH_7.4\r\n",
            "did not finish within 0.5 s. The node hangs, or the network loses large packets (MTU)",
        ),
    ],
)
async def test_a_server_without_replies_times_out_and_the_stage_is_named(answer: bytes, message: str) -> None:
    async with listener(answer) as (port, _):
        events = await collect(login_target(port), deadlines=SHORT)
    done = finished_event(events)
    assert done.state is NodeState.TIMEOUT
    assert message in done.detail


async def test_a_connection_dropped_before_the_login_is_retried_three_times() -> None:
    async with listener(b"", close=True) as (port, connections):
        done = finished_event(
            await collect(login_target(port), deadlines=replace(DEADLINES, retry_pauses=((0, 0),) * 3))
        )
    assert done.state is NodeState.UNREACHABLE
    assert "before the login" in done.detail
    assert "MaxStartups" in done.detail
    assert len(connections) == 4


async def test_a_server_without_ssh_is_unreachable() -> None:
    async with listener(b"HTTP/1.1 400 Bad Request\r\n\x1b[31m\r\n\r\n", close=True) as (port, _):
        done = finished_event(await collect(login_target(port)))
    assert done.state is NodeState.UNREACHABLE
    assert "\x1b" not in done.detail


async def test_an_unused_address_times_out() -> None:
    # 192.0.2.1 is reserved for documentation, so it has no route or no host replies.
    done = finished_event(
        await collect(Target("192.0.2.1", "192.0.2.1", 22, "root", SecretStr(SECRET)), deadlines=SHORT)
    )
    assert done.state is NodeState.UNREACHABLE
    assert done.detail


async def test_no_matching_algorithm_lists_both_sides() -> None:
    listening = await asyncssh.listen(
        "127.0.0.1", 0, server_host_keys=[HOST_KEY], kex_algs=["diffie-hellman-group1-sha1"], config=None
    )
    async with listening:
        done = finished_event(await collect(login_target(listening.get_port())))
    assert done.state is NodeState.UNREACHABLE
    assert "diffie-hellman-group1-sha1" in done.detail
    assert "curve25519" in done.detail
    assert "KexAlgorithms" in done.detail


@pytest.mark.parametrize("kind", ["ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa"])
async def test_login_with_each_common_key_type(tmp_path: Path, kind: str) -> None:
    key = asyncssh.generate_private_key(kind)
    (tmp_path / "key").write_bytes(key.export_private_key())
    behaviour = Behaviour(password=False, authorized=key.export_public_key("openssh").decode(), command="echo no shell")
    async with server(behaviour) as port:
        done = finished_event(await collect(login_target(port, password=None, key=tmp_path / "key")))
    assert "bash did not run: no shell" in done.detail  # after the login


async def test_a_login_that_floods_output_is_aborted() -> None:
    async with server(Behaviour(command="yes a menu")) as port:
        done = finished_event(await collect(login_target(port)))
    assert done.state is NodeState.AUTH_FAILED
    assert "bash did not run: " in done.detail
    assert "a menu a menu" in done.detail


async def test_a_node_that_opens_no_session_is_reported() -> None:
    async with server(Behaviour(sessions=0)) as port:
        done = finished_event(await collect(login_target(port)))
    assert done.state in (NodeState.AUTH_FAILED, NodeState.LOST)
    assert done.detail


async def test_a_slow_banner_times_out() -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            for byte in b"SSH-2.0-" + b"x" * 100:
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(0.1)
        writer.close()

    async with await asyncio.start_server(drip, "127.0.0.1", 0) as tcp:
        done = finished_event(await collect(login_target(tcp.sockets[0].getsockname()[1]), deadlines=SHORT))
    assert done.state is NodeState.TIMEOUT
    assert "no SSH reply within 0.5 s" in done.detail


async def test_local_facts_are_emitted_while_connectivity_tests_run(tmp_path: Path) -> None:
    shell = f"until [ -e {tmp_path}/seen ]; do sleep 0.05; done"
    waiting = Collector(
        "waiting", ("vrids_seen",), shell, lambda output: {"vrids_seen": frozenset()}, timeout=60, early=True
    )
    events = []
    async with server(Behaviour()) as port:
        async for event in collect_facts(login_target(port), None, collectors=(*COLLECTORS, waiting)):
            events.append(event)
            if isinstance(event, LocalFactsDone):
                (tmp_path / "seen").touch()
    [local] = [event for event in events if isinstance(event, LocalFactsDone)]
    assert (local.state, local.detail) == (NodeState.CHECKED, "")
    assert local.facts.hostname
    assert local.facts.vrids_seen is None
    assert "the connectivity tests are still in progress" in local.facts.missing_reason("vrids_seen")
    done = finished_event(events)
    assert done.facts.vrids_seen == frozenset()
    assert not [e for e in await _quick() if isinstance(e, LocalFactsDone)]


async def _quick() -> list[NodeEvent]:
    """Collect without slow collectors."""
    async with server(Behaviour()) as port:
        return await collect(login_target(port))


async def test_facts_collected_before_a_broken_connection_remain() -> None:
    async with server(Behaviour(cut_after=4000)) as port:
        done = finished_event(await collect(login_target(port)))
    assert done.state is NodeState.LOST
    assert done.facts.hostname
    assert done.facts.snap_packages is None
    assert done.facts.missing_reason("snap_packages") == done.detail
    assert "while a command ran" in done.detail


async def test_facts_collected_before_a_timeout_remain() -> None:
    async with server(Behaviour(command="bash -s | { head -c 3000; sleep 30; }")) as port:
        done = finished_event(await collect(login_target(port), deadlines=Deadlines(script=2)))
    assert done.state is NodeState.TIMEOUT
    assert done.facts.hostname
    assert "within 2 s" in done.detail


async def test_a_disabled_shell_is_reported_with_its_message() -> None:
    async with server(Behaviour(command="echo 'This account is not available'; exit 1")) as port:
        done = finished_event(await collect(login_target(port)))
    assert done.state is NodeState.AUTH_FAILED
    assert "bash did not run: This account is not available" in done.detail


async def test_a_login_without_output_is_reported_with_likely_causes() -> None:
    async with server(Behaviour(command="cat >/dev/null")) as port:
        done = finished_event(await collect(login_target(port)))
    assert done.state is NodeState.AUTH_FAILED
    assert "printed nothing" in done.detail
    assert ".bashrc" in done.detail


async def test_one_session_is_enough_and_output_of_a_profile_is_ignored() -> None:
    async with server(Behaviour(sessions=1, noise=b"Welcome to m1!\n\x1b[1mLast login")) as port:
        done = finished_event(await collect(login_target(port)))
    assert done.state is NodeState.CHECKED
    assert done.facts.os_id


async def test_no_sudo_keeps_the_facts_that_need_no_root(tmp_path: Path) -> None:
    (tmp_path / "id").write_text("#!/bin/sh\necho 1000\n")
    (tmp_path / "sudo").write_text("#!/bin/sh\necho 'sudo: sorry, you must have a tty to run sudo' >&2\nexit 1\n")
    for tool in ("id", "sudo"):
        (tmp_path / tool).chmod(0o755)
    async with server(Behaviour(command=f"PATH={tmp_path}:$PATH; export PATH; {LAUNCH}")) as port:
        done = finished_event(await collect(login_target(port), deadlines=Deadlines(script=6)))
    assert done.state is NodeState.NO_SUDO
    assert "requiretty" in done.detail
    assert done.facts.os_id
    assert (done.facts.uid, done.facts.sudo) == (1000, False)


async def test_a_script_that_does_not_start_times_out_before_a_slow_one() -> None:
    short = Deadlines(start=2.5, script=20)
    async with server(Behaviour(command="sleep 30")) as port:
        silent = finished_event(await collect(login_target(port), deadlines=short))
    assert silent.state is NodeState.TIMEOUT
    assert "sent no output within 2.5 s" in silent.detail
    slow = Collector("slow", ("vrids_seen",), "sleep 4", lambda output: {"vrids_seen": frozenset()}, timeout=10)
    async with server(Behaviour()) as port:
        events = [event async for event in collect_facts(login_target(port), None, deadlines=short, collectors=(slow,))]
    assert finished_event(events).facts.vrids_seen == frozenset()


async def test_closing_the_events_closes_the_connection() -> None:
    behaviour = Behaviour(command="sleep 30")
    async with server(behaviour) as port:
        events = collect_facts(login_target(port), None)
        async for event in events:
            if isinstance(event, NodeStage) and event.stage == "script":
                break
        await asyncio.wait_for(events.aclose(), 5)


async def test_connect_errors_contain_no_secrets() -> None:
    async with server(Behaviour(password=False)) as port:
        with pytest.raises(ConnectError) as raised:
            await connect(login_target(port), None, lambda stage: None)
    assert SECRET not in repr(raised.value)
    assert SECRET not in repr(login_target(port))


async def test_all_collectors_work_on_this_host() -> None:
    async with server(Behaviour()) as port:
        done = finished_event(await collect(login_target(port)))
    requested = {name for collector in COLLECTORS for name in collector.fields}
    present = {name for name in requested if getattr(done.facts, name) is not None}
    assert len(present) > len(requested) * 0.8, done.facts.missing
    assert all(done.facts.missing[name] for name in requested - present)
