"""Connection errors and host keys of SSH servers on loopback."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import asyncssh
import pytest
from pydantic import SecretStr

from acp_tui.nodes.events import NodeStage
from acp_tui.nodes.ssh.connect import connect, read_host_key
from acp_tui.nodes.ssh.deadlines import DEADLINES, Deadlines
from acp_tui.nodes.ssh.errors import ConnectError, ConnectionLost
from acp_tui.nodes.ssh.keys import key_line
from acp_tui.nodes.ssh.target import Target
from acp_tui.nodes.state import NodeState
from acp_tui.plan.known_hosts import confirmed
from tests.support.ssh_server import HOST_KEY, KNOWN, SECRET, Behaviour, collect, finished_event, login_target, server

SHORT = Deadlines(tcp=0.5, handshake=0.5, login=2, session=2, script=20)


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


async def test_a_recorded_host_key_is_accepted_and_a_changed_one_prevents_the_login() -> None:
    other = asyncssh.generate_private_key("ssh-ed25519")
    async with server(Behaviour()) as port:
        assert finished_event(await collect(login_target(port), KNOWN)).state is NodeState.CHECKED
    behaviour = Behaviour()
    async with server(behaviour, other) as port:
        events = await collect(login_target(port), KNOWN)
    done = finished_event(events)
    assert done.state is NodeState.HOST_KEY_CHANGED
    assert HOST_KEY.get_fingerprint() in done.detail
    assert other.get_fingerprint() in done.detail
    assert done.host_key == " ".join(other.export_public_key("openssh").decode().split()[:2])
    assert [e.stage for e in events if isinstance(e, NodeStage)] == ["tcp", "handshake"]
    assert behaviour.requested == []


async def test_a_recorded_host_key_of_a_removed_type_counts_as_changed() -> None:
    known = confirmed(key_line(asyncssh.generate_private_key("ecdsa-sha2-nistp256")))
    async with server(Behaviour()) as port:
        assert finished_event(await collect(login_target(port), known)).state is NodeState.HOST_KEY_CHANGED


async def test_a_closed_port_is_unreachable() -> None:
    async with server(Behaviour()) as port:
        pass
    done = finished_event(await collect(login_target(port)))
    assert done.state is NodeState.UNREACHABLE
    assert f"the node refused the connection to port {port}" in done.detail
    assert done.facts.missing_reason("hostname") == done.detail


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


async def test_data_that_asyncssh_cannot_parse_is_an_error_of_this_node() -> None:
    """asyncssh raises UnicodeDecodeError for this version. It must not end the check of the other nodes."""
    async with listener(b"SSH-2.0-\xff\x9b31m\r\n") as (port, _):
        done = finished_event(await collect(login_target(port)))
        with pytest.raises(ConnectError, match="not valid in the SSH protocol"):
            await read_host_key(login_target(port))
    assert done.state is NodeState.UNREACHABLE
    assert "not valid in the SSH protocol" in done.detail


async def test_data_that_asyncssh_cannot_parse_during_a_command_breaks_the_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with server(Behaviour()) as port:
        connection = await connect(login_target(port), KNOWN, lambda stage: None)

        async def invalid(*arguments: object, **options: object) -> None:
            raise UnicodeDecodeError("ascii", b"\xff", 0, 1, "ordinal not in range")

        monkeypatch.setattr(asyncssh.SSHClientConnection, "create_process", invalid)
        with pytest.raises(ConnectionLost, match="not valid in the SSH protocol"):
            await anext(connection.run("true", "", lambda stage: None, 2.0))
        await connection.close()


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


async def test_connect_errors_contain_no_secrets() -> None:
    async with server(Behaviour(password=False)) as port:
        with pytest.raises(ConnectError) as raised:
            await connect(login_target(port), KNOWN, lambda stage: None)
    assert SECRET not in repr(raised.value)
    assert SECRET not in repr(login_target(port))
