"""The programs of the path test, run by a shell with each interpreter, and the parser of their output."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acp_tui.nodes.active.path_scripts import echo_program, sender_shell
from acp_tui.nodes.active.path_test import PathNode, _Echo, path_collector
from acp_tui.nodes.fact_types import EchoState, PathFailure, PathResult, PathTest
from acp_tui.nodes.script import LAUNCH_PLAIN, CollectorOutput
from acp_tui.nodes.ssh.deadlines import DEADLINES
from acp_tui.nodes.ssh.target import Target

RUN = "0123456789abcdef"
TOOLS = ("python3", "perl")
BOTH = [(echo, sender) for echo in TOOLS for sender in TOOLS]


def free_port(kind: int) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def folder_with(folder: Path, tool: str) -> Path:
    """Return a folder for PATH in which `tool` is the only interpreter."""
    bin_folder = folder / f"bin-{tool}"
    if not bin_folder.exists():
        bin_folder.mkdir()
        for name in ("sh", "bash", *([tool] if tool else [])):
            path = sys.executable if name == "python3" else shutil.which(name)
            if path is None:
                pytest.skip(f"needs {name}")
            (bin_folder / name).symlink_to(os.path.realpath(path))
    return bin_folder


def start(folder: Path, tool: str, program: str) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        ["/bin/sh", "-c", LAUNCH_PLAIN],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={"PATH": str(folder_with(folder, tool))},
    )
    assert process.stdin is not None
    process.stdin.write(program.replace(":/usr/sbin:/sbin", "").replace("/usr/libexec/platform-python", "absent"))
    process.stdin.close()
    process.stdin = None  # for `communicate`
    return process


@contextmanager
def echo(
    folder: Path, tool: str, *specs: str, life: float = 60, address: str = "127.0.0.1"
) -> Iterator["tuple[subprocess.Popen[str], list[str]]"]:
    """Run an echo, and yield it with the lines that it printed until it was ready."""
    process = start(folder, tool, echo_program(RUN, 7, (address,), specs, life=life))
    lines: list[str] = []
    try:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line.strip())
            if lines[-1] in ("ready", "lacking"):
                break
        yield process, lines
    finally:
        if process.stdout is not None:
            process.stdout.close()
        process.wait(timeout=20)


def send(folder: Path, tool: str, *specs: str, node: int = 7, seconds: float = 5) -> PathTest:
    shell = sender_shell(RUN, {"127.0.0.1": (node, specs)}, seconds=seconds)
    process = start(folder, tool, f"main() {{\n{shell}\n}}\nmain </dev/null\n")
    text = process.communicate(timeout=60)[0]
    collector = path_collector(RUN, {"127.0.0.1": (node, specs)})
    result = collector.parse(CollectorOutput("send", 0, text))["path_test"]
    assert isinstance(result, PathTest)
    return result


@pytest.mark.parametrize(("listener", "sender"), BOTH)
def test_each_interpreter_answers_and_sends(tmp_path: Path, listener: str, sender: str) -> None:
    tcp, udp, closed_tcp, closed_udp = (
        free_port(kind) for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_STREAM, socket.SOCK_DGRAM)
    )
    with echo(tmp_path, listener, f"t{tcp}", f"u{udp}") as (_process, lines):
        assert lines == [f"open t{tcp}", f"open u{udp}", "ready"]
        result = send(tmp_path, sender, f"t{tcp}", f"u{udp}", "l")
        assert result == PathTest(opened={"t": 1, "u": 1, "l": 1}, sources={"127.0.0.1": ("127.0.0.1",)})
        result = send(tmp_path, sender, f"t{closed_tcp}", f"u{udp}", f"u{closed_udp}")
        assert result.opened == {"u": 1}
        assert set(result.failures) == {
            PathFailure("127.0.0.1", f"t{closed_tcp}", PathResult.REFUSED),
            PathFailure("127.0.0.1", f"u{closed_udp}", PathResult.SILENT),
        }
        other = send(tmp_path, sender, f"t{tcp}", f"u{udp}", node=8)
        assert {failure.result for failure in other.failures} == {PathResult.OTHER}


@pytest.mark.parametrize("tool", TOOLS)
def test_port_in_use_is_busy(tmp_path: Path, tool: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken, socket.create_server(("127.0.0.1", 0)) as server:
        taken.bind(("", 0))  # as the kernel does for VXLAN
        busy, busy_tcp, free = taken.getsockname()[1], server.getsockname()[1], free_port(socket.SOCK_DGRAM)
        with echo(tmp_path, tool, f"u{busy}", f"t{busy_tcp}", f"u{free}") as (_process, lines):
            assert lines == [f"busy u{busy}", f"busy t{busy_tcp}", f"open u{free}", "ready"]


@pytest.mark.parametrize("tool", TOOLS)
def test_port_in_use_on_another_address_is_free(tmp_path: Path, tool: str) -> None:
    """systemd-resolved uses port 53 on 127.0.0.53 only."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stub:
        stub.bind(("127.0.0.53", 0))
        port = stub.getsockname()[1]
        with echo(tmp_path, tool, f"u{port}") as (_process, lines):
            assert lines[0] == f"open u{port}"


@pytest.mark.parametrize("tool", TOOLS)
def test_echo_answers_only_to_packets_of_its_run_and_never_with_more_bytes(tmp_path: Path, tool: str) -> None:
    port = free_port(socket.SOCK_DGRAM)
    with (
        echo(tmp_path, tool, f"u{port}"),
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client,
    ):
        client.settimeout(5)
        client.connect(("127.0.0.1", port))
        for noise in (b"", b"q", b"q fedcba9876543210 1", f"r {RUN} 1 1".encode(), f"q {RUN} x".encode(), b"\xff" * 99):
            client.send(noise)
        request = f"q {RUN} 65 ".encode().ljust(120, b".")
        client.send(request)
        reply = client.recv(1000)
        assert reply == f"r {RUN} 65 7 127.0.0.1".encode()
        assert len(reply) <= len(request)


@pytest.mark.parametrize("tool", TOOLS)
def test_echo_ends_when_its_connection_ends(tmp_path: Path, tool: str) -> None:
    port = free_port(socket.SOCK_DGRAM)
    with echo(tmp_path, tool, f"u{port}") as (process, _lines):
        assert process.stdout is not None
        process.stdout.close()
        process.wait(timeout=20)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as again:
        again.bind(("127.0.0.1", port))


@pytest.mark.parametrize("tool", TOOLS)
def test_echo_and_sender_end_by_themselves(tmp_path: Path, tool: str) -> None:
    port, began = free_port(socket.SOCK_DGRAM), time.monotonic()
    with echo(tmp_path, tool, f"u{port}", life=1) as (process, _lines):
        assert process.stdout is not None
        process.stdout.read()
        process.wait(timeout=20)
    result = send(tmp_path, tool, f"u{port}", "t1", seconds=1)
    assert {failure.spec for failure in result.failures} == {f"u{port}", "t1"}
    assert time.monotonic() - began < 30


def test_node_without_an_interpreter_reports_it(tmp_path: Path) -> None:
    with echo(tmp_path, "", "u9999") as (_process, lines):
        assert lines == ["lacking"]
    assert send(tmp_path, "", "u9999").problem.startswith("no program on the node can listen on UDP")


def test_interpreter_that_does_not_work_is_skipped(tmp_path: Path) -> None:
    """A Python without its library, and a perl that works."""
    folder = folder_with(tmp_path, "perl")
    (folder / "python3").write_text("#!/bin/sh\necho 'ModuleNotFoundError: No module named socket' >&2\nexit 1\n")
    (folder / "python3").chmod(0o755)
    with echo(tmp_path, "perl", "u1") as (_process, lines):
        assert lines[-1] == "ready"


def test_hundred_nodes_are_tested_by_one_process_within_seconds(tmp_path: Path) -> None:
    """One echo replaces a hundred nodes. Its address is not on this host, so it listens on all addresses."""
    tcp = [f"t{free_port(socket.SOCK_STREAM)}" for _ in range(10)]
    udp = [f"u{free_port(socket.SOCK_DGRAM)}" for _ in range(5)]
    hosts = {f"127.1.0.{number}": (7, (*tcp, *udp)) for number in range(1, 101)}
    with echo(tmp_path, "python3", *tcp, *udp, address="192.0.2.1"):
        began = time.monotonic()
        sender = start(tmp_path, "python3", f"main() {{\n{sender_shell(RUN, hosts, seconds=30)}\n}}\nmain </dev/null\n")
        text = sender.communicate(timeout=60)[0]
    assert "opened t 1000\nopened u 500\n" in text
    assert "path " not in text
    assert len(text) < 2000
    assert time.monotonic() - began < 40


def parsed(text: str) -> PathTest:
    result = path_collector(RUN, {"10.0.0.2": (2, ("u53",)), "fd00::2": (2, ("u53",))}).parse(
        CollectorOutput("send", 0, text)
    )["path_test"]
    assert isinstance(result, PathTest)
    return result


def test_all_lines_of_the_sender_are_parsed() -> None:
    text = (
        "opened t 12\nopened u 3\npath silent 10.0.0.2 u53,u6081\npath refused fd00::2 t443\n"
        "seen 10.0.0.1 14 10.0.0.2,fd00::2\nlost 10.0.0.2 9 4\ndone\n"
    )
    assert parsed(text) == PathTest(
        opened={"t": 12, "u": 3},
        failures=(
            PathFailure("10.0.0.2", "u53", PathResult.SILENT),
            PathFailure("10.0.0.2", "u6081", PathResult.SILENT),
            PathFailure("fd00::2", "t443", PathResult.REFUSED),
        ),
        sources={"10.0.0.1": ("10.0.0.2", "fd00::2")},
        lost={"10.0.0.2": (9, 4)},
    )


@pytest.mark.parametrize(
    "text", ["", "opened t 12\n", "path silent 10.0.0.2 u53\n", "Traceback (most recent call last)"]
)
def test_incomplete_output_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="ended early"):
        parsed(text)


@pytest.mark.parametrize(
    "line",
    [
        "path silent 10.9.9.9 u53",  # not a node of the test
        "path strange 10.0.0.2 u53",
        "path silent 10.0.0.2 u99999999",
        "path silent 10.0.0.2 x53",
        "seen nonsense 1 10.0.0.2",
        "seen ::::: 1 10.0.0.2",
        "lost 10.0.0.2 -1 4",
        "opened t 9999999999999",
        "opened x 1",
    ],
)
def test_other_lines_are_ignored(line: str) -> None:
    assert parsed(f"{line}\ndone\n") == PathTest()


@given(st.text(alphabet="abcdefghilnoprstu0123456789.,: \n-²", max_size=300))
def test_no_output_breaks_the_parser(text: str) -> None:
    result = parsed(f"{text}\ndone\n")
    assert all(re.fullmatch(r"[tuil][0-9]{1,5}", failure.spec) for failure in result.failures)


@pytest.mark.parametrize("line", ["open u9", "open", "open u53 x", "closed u53", "open ²", "9" * 5000])
def test_unknown_line_of_an_echo_is_ignored(line: str) -> None:
    node = PathNode(Target("10.0.0.1", "10.0.0.1", 22, "root", None), ("10.0.0.1",), ("u53",))
    one = _Echo(node, RUN, 1, DEADLINES)
    assert not one.handle_line(line)
    assert (one.ports, one.problem) == ({}, "the test program on the node did not start")
    one.handle_line("busy u53")
    assert one.handle_line("ready")
    assert (one.ports, one.problem) == ({"u53": EchoState.BUSY}, "")
    assert one.handle_line("lacking")
    assert one.problem.startswith("no program on the node can listen on UDP")
