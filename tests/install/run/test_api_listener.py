"""Who may receive the configuration: the owner of the listener at the API's address, and the published ports."""

import asyncio
import os
import pwd
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from acp_tui.demo.simulated_install import posts
from acp_tui.install.api.client import post_config
from acp_tui.install.api.endpoint import Endpoint
from acp_tui.install.run.api_listener import (
    UntrustedListener,
    connection,
    is_published,
    parse_sockets,
    require_trusted_listener,
)
from acp_tui.install.run.start_resume_abort import resume, start
from acp_tui.install.run.state import Phase, read_state, write_state
from tests.support.install_harness import InstallHarness, wait_until_at_rest

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
OTHER = os.geteuid() + 65534
"""Another user than the one of this process. For root, this is nobody."""

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs another user")


def row(local: str, uid: int, *, remote: str = "00000000:0000", state: str = "0A", inode: int = 27311) -> str:
    return (
        f"   0: {local} {remote} {state} 00000000:00000000 00:00000000 00000000 {uid:5}        0 {inode} 1 0 100 0 0\n"
    )


ROOT_LOOPBACK = row("0100007F:1F90", 0)
ROOT_ANY = row("00000000:1F90", 0)
ROOT_ANY6 = row("0" * 32 + ":1F90", 0, remote="0" * 32 + ":0000")
OTHER_LOOPBACK = row("0100007F:1F90", OTHER)
OTHER_ANY6 = row("0" * 32 + ":1F90", OTHER, remote="0" * 32 + ":0000")
OTHER_PORT = row("0100007F:1F91", OTHER)
OTHER_ADDRESS = row("0200007F:1F90", OTHER)
OTHER_CLIENT = row("0100007F:1F90", OTHER, remote="0100007F:9C40", state="01")
"""A connection of the other user to a second server of its own. It does not serve the connection of the test."""
ROOT_ACCEPTED = row("0100007F:1F90", 0, remote="0100007F:C000", state="01")
OTHER_ACCEPTED = row("0100007F:1F90", OTHER, remote="0100007F:C000", state="01")
OTHER_ACCEPTED6 = row(
    "0000000000000000FFFF00000100007F:1F90", OTHER, remote="0000000000000000FFFF00000100007F:C000", state="01"
)
NOT_ACCEPTED = row("0100007F:1F90", 0, remote="0100007F:C000", state="01", inode=0)

LOOPBACK = (("127.0.0.1", 0xC000), ("127.0.0.1", 8080))
LOOPBACK6 = (("::1", 0xC000, 0, 0), ("::1", 8080, 0, 0))
PUBLISHED = "6443/tcp -> 127.0.0.1:41231\n8080/tcp -> 0.0.0.0:8080\n8080/tcp -> [::]:8080"


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Replace the container tool. The returned file has its output; without this file, the tool fails."""
    program, output = tmp_path / "bin" / "docker", tmp_path / "ports"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\n[ "$*" = "port minialauda-control-plane" ] && exec cat {output}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    return output


def kernel(folder: Path, tcp: str, tcp6: str | None = "") -> Path:
    """Write the socket tables of a /proc folder. `tcp6` None: a kernel without IPv6."""
    (folder / "proc" / "net").mkdir(parents=True)
    (folder / "proc" / "net" / "tcp").write_text(HEAD + tcp)
    if tcp6 is not None:
        (folder / "proc" / "net" / "tcp6").write_text(HEAD + tcp6)
    return folder / "proc"


@pytest.mark.parametrize(
    ("tcp", "tcp6", "ports", "trusted"),
    [
        (ROOT_LOOPBACK, "", None, True),
        (ROOT_ANY, None, None, True),
        ("", ROOT_ANY6, None, True),
        (ROOT_LOOPBACK + OTHER_PORT + OTHER_ADDRESS + OTHER_CLIENT, "", None, True),
        (ROOT_LOOPBACK + ROOT_ACCEPTED, "", None, True),
        (ROOT_LOOPBACK + NOT_ACCEPTED, "", None, True),
        (OTHER_LOOPBACK, "", None, False),
        (OTHER_LOOPBACK, "", PUBLISHED, False),
        ("", OTHER_ANY6, None, False),
        (ROOT_ANY, OTHER_ANY6, None, False),
        (OTHER_ACCEPTED, "", PUBLISHED, False),
        ("", OTHER_ACCEPTED6, PUBLISHED, False),
        ("", "", PUBLISHED, True),
        (NOT_ACCEPTED, "", None, False),
        ("", "", "8080/tcp -> 0.0.0.0:8081", False),
        ("", "", None, False),
    ],
    ids=[
        "root on loopback",
        "root on all addresses, no IPv6",
        "root on the IPv6 wildcard",
        "root, and other sockets of another user",
        "root accepted the connection",
        "the connection waits at the listener of root",
        "another user",
        "another user, and the port is published",
        "another user on the IPv6 wildcard",
        "root, and another user on the IPv6 wildcard",
        "another user accepted the connection and closed the listener",
        "the same over IPv6",
        "no listener, published",
        "no listener, and nobody accepted the connection",
        "no listener, another port is published",
        "no listener, no container",
    ],
)
def test_listener_at_loopback(
    tmp_path: Path, docker: Path, tcp: str, tcp6: str | None, ports: str | None, trusted: bool
) -> None:
    proc = kernel(tmp_path, tcp, tcp6)
    if ports is not None:
        docker.write_text(ports)
    if trusted:
        require_trusted_listener(connection(*LOOPBACK), "4.0", proc)
    else:
        with pytest.raises(UntrustedListener, match=r"127\.0\.0\.1:8080"):
            require_trusted_listener(connection(*LOOPBACK), "4.0", proc)


def test_listener_of_another_user_at_the_ipv6_loopback(tmp_path: Path) -> None:
    local = row("0" * 24 + "01000000:1F90", OTHER, remote="0" * 32 + ":0000")
    with pytest.raises(UntrustedListener, match=r"\[::1\]:8080"):
        require_trusted_listener(connection(*LOOPBACK6), "4.0", kernel(tmp_path, ROOT_ANY, local))


def test_address_of_another_host_is_not_trusted(tmp_path: Path) -> None:
    with pytest.raises(UntrustedListener, match="another host"):
        require_trusted_listener(connection(("192.0.2.7", 1), ("192.0.2.1", 8080)), "4.0", kernel(tmp_path, ROOT_ANY))


def test_rows_of_this_kernel_are_parsed() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]
        sockets = parse_sockets(Path("/proc/net/tcp").read_text())
        listening = next(found for found in sockets if found.local[1] == port and found.state == "0A")
        assert (str(listening.local[0]), listening.uid) == ("127.0.0.1", os.geteuid())
        assert listening.inode == os.fstat(server.fileno()).st_ino


@pytest.mark.parametrize(
    ("ports", "published"),
    [
        ("8080/tcp -> 127.0.0.1:8080", True),
        ("8080/tcp -> 0.0.0.0:8080", True),
        ("8080/tcp -> [::]:8080", True),
        ("8080/tcp -> :::8080", True),
        ("8080/tcp -> 192.0.2.1:8080", False),
        ("8080/tcp -> 0.0.0.0:18080", False),
        ("Error: No public port '8080/tcp' published", False),
        ("", False),
    ],
)
def test_published_port(ports: str, published: bool) -> None:
    assert is_published(ports, connection(*LOOPBACK).server) is published


_FOREIGN_INSTALLER = """\
import encodings.idna, os, sys  # the server uses the codec, and another user cannot import it
from pathlib import Path
from acp_tui.demo.fake_installer import console
from acp_tui.demo.installer_behaviour import Behaviour
from acp_tui.demo.simulated_install import PracticeInstaller

os.seteuid(65534)  # the user who owns the listener; only root can import the rest
server = console(PracticeInstaller(Path(sys.argv[1]), Behaviour(seconds=0.2)))
os.seteuid(0)
print(server.server_address[1], flush=True)
server.serve_forever(0.02)
"""


@dataclass(frozen=True)
class Foreign:
    """An installer of another user. `folder`: the folder with its state."""

    address: str
    pid: int
    folder: Path


@pytest.fixture
def foreign(tmp_path: Path) -> Iterator[Foreign]:
    command = [sys.executable, "-c", _FOREIGN_INSTALLER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        yield Foreign(f"http://127.0.0.1:{port}", process.pid, tmp_path)
        process.kill()


def test_unreadable_socket_table_is_not_trusted(tmp_path: Path) -> None:
    with pytest.raises(UntrustedListener, match="cannot check who listens"):
        require_trusted_listener(connection(*LOOPBACK), "4.0", tmp_path)


async def test_rejected_connection_is_closed_before_anything_is_sent() -> None:
    received: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.set_result(await reader.read())
        writer.close()

    async def reject(client: Sequence[object], server: Sequence[object]) -> None:
        assert connection(client, server).shown_server == f"127.0.0.1:{port}"
        raise UntrustedListener("listener", "rejected")

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        with pytest.raises(UntrustedListener, match="rejected"):
            await post_config(Endpoint(f"http://127.0.0.1:{port}"), b"{}", on_connect=reject)
        assert await received == b""


@needs_root
def test_listener_of_another_user_receives_nothing_without_consent(harness: InstallHarness, foreign: Foreign) -> None:
    run_dir = waiting_run(harness, foreign.address)
    state = wait_until_at_rest(run_dir)
    assert state.phase is Phase.FOREIGN_LISTENER
    user = pwd.getpwuid(OTHER).pw_name
    assert f"A program of the user {user} listens" in state.message
    assert f", PID {foreign.pid}." in state.message
    resume(run_dir)
    assert wait_until_at_rest(run_dir).phase is Phase.FOREIGN_LISTENER, "it is still the same listener"
    assert posts(foreign.folder).count == 0

    resume(run_dir, accept_listener=True)
    assert wait_until_at_rest(run_dir).phase is Phase.SUCCESS
    assert posts(foreign.folder).count == 1


@needs_root
def test_consent_holds_only_for_the_reported_listener(harness: InstallHarness, foreign: Foreign) -> None:
    run_dir = waiting_run(harness, foreign.address)
    wait_until_at_rest(run_dir)
    state = read_state(run_dir)
    reported = state.foreign_listener.replace(f"uid {OTHER}", "uid 1000")
    assert reported != state.foreign_listener
    write_state(replace(state, foreign_listener=reported))
    resume(run_dir, accept_listener=True)
    assert wait_until_at_rest(run_dir).phase is Phase.FOREIGN_LISTENER
    assert posts(foreign.folder).count == 0


def waiting_run(harness: InstallHarness, address: str) -> Path:
    """Start a run whose API is at `address`. The operator states that it has not received the configuration."""
    spec = replace(harness.spec(), endpoint=address)
    start(spec)
    harness.runs.append(spec.run_dir)
    assert wait_until_at_rest(spec.run_dir).phase is Phase.POST_UNKNOWN
    resume(spec.run_dir, config_received=False)
    return spec.run_dir
