"""Sender and receiver of a bandwidth test, run by shells."""

import socket
import subprocess

import pytest

from acp_tui.nodes.active.bandwidth import pairs, parse_line, receiving_program, sending_program
from acp_tui.nodes.script import LAUNCH_PLAIN

TOKEN = "0123456789abcdef"


def run(program: str) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        ["/bin/sh", "-c", LAUNCH_PLAIN], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    process.stdin.write(program)
    process.stdin.close()
    process.stdin = None
    return process


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


def test_the_first_free_port_receives_zeros_and_other_clients_do_not_count() -> None:
    port = free_port()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        busy = taken.getsockname()[1]
        receiver = run(receiving_program(TOKEN, "127.0.0.1", (busy, port)))
        assert receiver.stdout is not None
        assert receiver.stdout.readline() == f"listening {port}\n"
        with socket.create_connection(("127.0.0.1", port)) as stranger:
            stranger.sendall(b"x" * 1000)
        run(sending_program(TOKEN, "127.0.0.1", port)).communicate(timeout=20)
        result, size, seconds = receiver.communicate(timeout=20)[0].split()
    assert result == "received"
    assert 0 < int(size) <= 512 << 20
    assert 0 < float(seconds) < 5


def test_a_receiver_without_a_port_or_a_sender_ends() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        receiver = run(receiving_program(TOKEN, "127.0.0.1", (taken.getsockname()[1],)))
        assert receiver.communicate(timeout=20)[0] == "busy\n"
    port = free_port()
    assert run(receiving_program(TOKEN, "127.0.0.1", (port,))).communicate(timeout=20)[0].split() == [
        "listening", str(port), "received", "0", "0.000000",
    ]  # fmt: skip


@pytest.mark.parametrize(("nodes", "count"), [(2, 2), (3, 6), (5, 20), (6, 12), (100, 200)])
def test_each_node_sends_and_receives_and_transfers_grow_linearly(nodes: int, count: int) -> None:
    names = [str(number) for number in range(nodes)]
    transfers = list(pairs(names))
    assert len(transfers) == len(set(transfers)) == count
    assert {source for source, _target in transfers} == {target for _source, target in transfers} == set(names)
    assert all((target, source) in transfers for source, target in transfers)


@pytest.mark.parametrize(
    ("line", "arguments"),
    [
        ("received 268435456 0.25", ["268435456", "0.25"]),
        ("listening 30000", ["30000"]),
        ("busy", []),
        ("received 1.5 0.25", None),
        ("received " + "9" * 4000 + " 1", None),
        ("received 1 " + "9" * 400, None),
        ("listening \u00b2", None),
        ("listening \u0663", None),
        ("other 1", None),
    ],
    ids=lambda value: str(value)[:30],
)
def test_lines_of_the_receiver_are_numbers_of_a_usual_length(line: str, arguments: list[str] | None) -> None:
    parsed = parse_line(line)
    assert parsed == (None if arguments is None else (line.split()[0], arguments))
