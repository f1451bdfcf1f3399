"""Programs of the temporary listeners and the VRRP listener, run by a shell."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from acp_tui.nodes.active.listener_scripts import listening_program
from acp_tui.nodes.active.listeners import ListenerPlan, _ListenerSession
from acp_tui.nodes.active.vrrp import vrrp_collector
from acp_tui.nodes.script import LAUNCH_PLAIN, CollectorOutput
from acp_tui.nodes.ssh.deadlines import DEADLINES
from acp_tui.nodes.ssh.target import Target

TOKEN = "0123456789abcdef"


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [server.getsockname()[1] for server in sockets]
    for server in sockets:
        server.close()
    return ports


@contextmanager
def listening(folder: Path, tool: str, *ports: int) -> Iterator["subprocess.Popen[str]"]:
    """Run the listener program with `tool` as the only program that can listen."""
    for name in ("sh", "bash", "sleep", "timeout", tool):
        path = sys.executable if name == "python3" else shutil.which(name)
        assert path is not None
        (folder / name).symlink_to(os.path.realpath(path))
    environment = {"PATH": str(folder)}
    process = subprocess.Popen(
        ["/bin/sh", "-c", LAUNCH_PLAIN],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
    assert process.stdin is not None
    process.stdin.write(listening_program(TOKEN, ports, six=False).replace(":/usr/sbin:/sbin", ""))
    process.stdin.close()
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def read_lines(process: "subprocess.Popen[str]") -> list[str]:
    """Return the lines that the program prints until it is ready."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line.strip())
        if line.strip() in ("ready", "lacking"):
            break
    return lines


def read_answer(port: int) -> str:
    with socket.create_connection(("127.0.0.1", port), 5) as client:
        client.settimeout(5)
        return client.makefile().readline().strip()


@pytest.mark.parametrize("tool", ["python3", "perl", "socat"])
def test_each_tool_sends_the_token_and_skips_a_port_in_use(tmp_path: Path, tool: str) -> None:
    if shutil.which(tool) is None:
        pytest.skip(f"needs {tool}")
    port, other = free_ports(2)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        busy = taken.getsockname()[1]
        with listening(tmp_path, tool, port, busy, other) as process:
            assert sorted(read_lines(process)) == sorted(
                [f"listening {port}", f"busy {busy}", f"listening {other}", "ready"]
            )
            assert [read_answer(port), read_answer(port), read_answer(other)] == [
                f"{TOKEN} {port}",
                f"{TOKEN} {port}",
                f"{TOKEN} {other}",
            ]


@pytest.mark.parametrize("header", [b"PROXY TCP4 10.0.0.9 10.0.0.10 1 6443\r\n", b"\r\n\r\n\0\r\nQUIT\n!\x11\0\x0c"])
def test_a_proxy_protocol_client_gets_the_token_too(tmp_path: Path, header: bytes) -> None:
    (port,) = free_ports(1)
    with listening(tmp_path, "python3", port) as process:
        read_lines(process)
        assert process.stdout is not None
        with socket.create_connection(("127.0.0.1", port), 5) as client:
            client.settimeout(5)
            client.sendall(header)
            assert client.makefile().readline().strip() == f"{TOKEN} {port}"
            assert any(line.strip() == f"proxied {port}" for line in process.stdout)
        read_answer(port)
        for _ in range(3):
            assert "proxy_protocol_ports" not in process.stdout.readline()


@pytest.mark.parametrize("tool", ["python3", "perl"])
def test_a_closed_connection_ends_the_listener(tmp_path: Path, tool: str) -> None:
    (port,) = free_ports(1)
    with listening(tmp_path, tool, port) as process:
        assert read_lines(process) == [f"listening {port}", "ready"]
        assert process.stdout is not None
        process.stdout.close()
        process.wait(timeout=10)
    with pytest.raises(ConnectionRefusedError):
        read_answer(port)


def test_a_node_without_any_tool_reports_it(tmp_path: Path) -> None:
    with listening(tmp_path, "true", 7443) as process:
        assert read_lines(process) == ["lacking"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("vrid 51\nvrid 137\ndone\n", {51, 137}),
        ("done\n", set()),
        (
            "12:00:00.000000 IP 10.0.0.5 > 224.0.0.18: VRRPv2, Advertisement, vrid 77, prio 100, authtype none, "
            "intvl 1s, length 20\ndone",
            {77},
        ),
    ],
)
def test_parsed_vrrp_groups(text: str, expected: set[int]) -> None:
    assert vrrp_collector("10.0.0.1").parse(CollectorOutput("vrrp", 0, text)) == {"vrids_seen": frozenset(expected)}


def test_a_failed_vrrp_listener_gives_no_result() -> None:
    with pytest.raises(ValueError, match="cannot listen"):
        vrrp_collector("10.0.0.1").parse(CollectorOutput("vrrp", 0, "vrid 51"))


def test_a_listener_ends_by_itself(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    program = listening_program(TOKEN, (port,), six=False, life=1)
    began = time.monotonic()
    subprocess.run(["bash", "--norc"], input=program, text=True, capture_output=True, timeout=20, check=False)
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("port", ["²", "9" * 5000, "-1", "8080 8081", ""], ids=lambda port: port[:10])
def test_line_without_a_port_is_ignored(port: str) -> None:
    plan = ListenerPlan(Target("10.0.0.1", "10.0.0.1", 22, "root", None), ports=(8080,))
    session = _ListenerSession(plan, "token", DEADLINES)
    before = dict(session.ports)
    for keyword in ("listening", "proxied", "busy"):
        session._handle_line(f"{keyword} {port}")
    assert (session.ports, session.proxy_protocol_ports) == (before, set())
    session._handle_line("listening 8080")
    session._handle_line("proxied 8080")
    assert (session.ports, session.proxy_protocol_ports) == ({8080: ""}, {8080})
