"""Connectivity collectors: run by bash on loopback, and parsed from recorded output."""

import asyncio
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acp_tui.nodes.collectors import facts_from
from acp_tui.nodes.collectors.connectivity import NodeTestSpec, collectors_for
from acp_tui.nodes.fact_types import Ping, RegistryAnswer, TcpPath, TcpResult, Trust
from acp_tui.nodes.facts import Facts
from acp_tui.nodes.script import LAUNCH_PLAIN, CollectorOutput, Reader, build

MARKER = "0123456789abcdef"
EVERYTHING = NodeTestSpec(
    (("127.0.0.1", 1),), ("127.0.0.1",), ("localhost",), "127.0.0.1", ("127.0.0.1", 1), install_folder="/root/install"
)
LATE_READ = """
read() {
  builtin read "$@" || return
  if [ "$2" = -t ] && [ "$3" != 0 ]; then return 142; fi
}
"""
"""A `read` that returns a timeout although it has read the line, like that of bash on a busy host."""


def collect(spec: NodeTestSpec, before: str = "") -> Facts:
    collectors = tuple(replace(collector, shell=before + collector.shell) for collector in collectors_for(spec))
    program = build(collectors, MARKER).encode()
    completed = subprocess.run(
        ["/bin/sh", "-c", LAUNCH_PLAIN], input=program, capture_output=True, timeout=60, check=False
    )
    return facts_from("10.0.0.1", Reader(MARKER).feed(completed.stdout), "lost", collectors)


def read(name: str, text: str, status: int = 0, spec: NodeTestSpec = EVERYTHING) -> Facts:
    return facts_from("10.0.0.1", [CollectorOutput(name, status, text)], None, collectors_for(spec))


@contextmanager
def listener(address: str = "127.0.0.1", backlog: int = 5) -> Iterator[int]:
    with socket.create_server((address, 0), backlog=backlog) as server:
        yield server.getsockname()[1]


def test_no_tests_give_no_collectors() -> None:
    assert collectors_for(NodeTestSpec()) == ()


def test_connected_refused_and_unresolved() -> None:
    with listener() as port, listener() as other:
        closed = other
    with listener() as port:
        facts = collect(
            NodeTestSpec((("127.0.0.1", port), ("127.0.0.1", closed), ("::1", closed), ("no.such.invalid", 1)))
        )
    assert facts.paths is not None
    results = {(path.host, path.port): path.result for path in facts.paths}
    assert results["127.0.0.1", port] is TcpResult.CONNECTED
    assert results["127.0.0.1", closed] is TcpResult.REFUSED
    assert results["no.such.invalid", 1] in (TcpResult.UNRESOLVED, TcpResult.TIMEOUT)
    assert all(path.seconds is not None and path.seconds < 1 for path in facts.paths if path.open)


def test_hundreds_of_connects_take_the_time_of_one() -> None:
    with listener("", backlog=0) as full:
        waiting = [socket.socket() for _ in range(4)]
        for client in waiting:
            client.setblocking(False)
            client.connect_ex(("127.0.0.1", full))  # the queue is full, so the next connect gets no reply
        started = time.monotonic()
        facts = collect(NodeTestSpec(tuple((f"127.0.0.{n}", full) for n in range(1, 151))))
        seconds = time.monotonic() - started
        for client in waiting:
            client.close()
    assert facts.paths is not None
    assert {path.result for path in facts.paths} == {TcpResult.TIMEOUT}
    assert len(facts.paths) == 150
    assert seconds < 10


def test_all_timeouts_take_the_time_of_one_and_cover_a_lost_packet() -> None:
    with listener() as quick, listener("", backlog=0) as full:
        waiting = [socket.socket() for _ in range(4)]
        for client in waiting:
            client.setblocking(False)
            client.connect_ex(("127.0.0.1", full))
        started = time.monotonic()
        facts = collect(NodeTestSpec((("127.0.0.1", quick), *((f"127.0.0.{n}", full) for n in range(2, 12)))))
        seconds = time.monotonic() - started
        for client in waiting:
            client.close()
    results = {path.host: path.result for path in facts.paths or ()}
    assert results.pop("127.0.0.1") is TcpResult.CONNECTED
    assert list(results.values()) == [TcpResult.TIMEOUT] * 10
    assert 1.2 <= seconds < 5, "the kernel sends a lost packet again after a second"


def test_more_connects_than_children_all_get_a_result() -> None:
    with listener() as port:
        closed = port
    targets = tuple((f"127.0.{n // 200}.{n % 200 + 1}", closed) for n in range(450))
    facts = collect(NodeTestSpec(targets))
    assert facts.paths is not None
    assert {(path.host, path.port) for path in facts.paths} == set(targets)
    assert {path.result for path in facts.paths} == {TcpResult.REFUSED}


def test_a_line_with_a_lost_newline_is_parsed() -> None:
    with listener() as other:
        closed = other
    with listener() as open_port:
        targets = tuple((f"127.0.0.{n}", port) for n in range(1, 6) for port in (open_port, closed, 1, 2, 3))
        facts = collect(NodeTestSpec(targets), LATE_READ)
    expected = dict.fromkeys(targets, TcpResult.REFUSED) | {("127.0.0.1", open_port): TcpResult.CONNECTED}
    assert {(path.host, path.port): path.result for path in facts.paths or ()} == expected
    assert all(path.seconds is not None for path in facts.paths or ())


def test_names_resolved_by_the_node() -> None:
    facts = collect(NodeTestSpec(names=("localhost", "no.such.invalid")))
    assert facts.names is not None
    assert "127.0.0.1" in (facts.names["localhost"] or ())
    assert "localhost" in (facts.names_by_servers or {})  # it is in /etc/hosts
    assert not facts.names["no.such.invalid"]


def test_a_vip_that_replies_has_an_owner() -> None:
    assert collect(NodeTestSpec(vip="127.0.0.1")).vip_owner == "answers"


async def test_a_registry_over_plain_http() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first = await reader.readline()
        status = b"401 Unauthorized" if first.startswith(b"GET /v2/ ") else b"400 Bad Request"
        writer.write(b"HTTP/1.1 %b\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" % status)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    facts = await asyncio.to_thread(collect, NodeTestSpec(registry=("127.0.0.1", port)))
    server.close()
    assert facts.registry_answer == RegistryAnswer(401, "", Trust.PLAIN)


def test_names_with_quotes_run_no_commands() -> None:
    facts = collect(NodeTestSpec((("$(touch /tmp/acp-ran)", 1), ("a'b;id", 1)), names=("'; id; '",)))
    assert facts.paths is not None
    assert not any(path.open for path in facts.paths)


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        (
            "10.0.0.2 size 1500 PING 10.0.0.2 (10.0.0.2) 1472(1500) bytes of data.  --- 10.0.0.2 ping statistics --- "
            "5 packets transmitted, 5 received, 0% packet loss, time 91ms rtt min/avg/max/mdev = 0.065/0.108/0.2/0 ms ",
            Ping("10.0.0.2", 5, 5, 0.000108, 1500, True),
        ),
        (
            "10.0.0.2 size 9000 5 packets transmitted, 0 received, +5 errors, 100% packet loss, time 81ms "
            "again 5 packets transmitted, 5 received, 0% packet loss rtt min/avg/max/mdev = 0.4/0.5/0.6/0.1 ms",
            Ping("10.0.0.2", 5, 5, 0.0005, 9000, False),
        ),
        (
            "10.0.0.2 size 1500 99 packets transmitted, 4 received, 95% packet loss rtt min/avg/max/mdev = 1/2/3/4 ms "
            "again 5 packets transmitted, 3 received, 40% packet loss rtt min/avg/max/mdev = 11/12/13/1 ms",
            Ping("10.0.0.2", 99, 4, 0.002, 1500, True),
        ),
        (
            "10.0.0.2 size 1500 5 packets transmitted, 0 received, 100% packet loss again "
            "5 packets transmitted, 0 received, 100% packet loss",
            Ping("10.0.0.2", 5, 0, None, 1500, None),
        ),
        (
            "10.0.0.2 size 1500  again 5 packets transmitted, 5 packets received, 0% packet loss "
            "round-trip min/avg/max = 0.1/0.2/0.3 ms",
            Ping("10.0.0.2", 5, 5, 0.0002, 1500, None),
        ),
        (
            "10.0.0.2 size 1500 5 packets transmitted, 5 received, 0% packet loss rtt min/avg/max/mdev = 0.1/9/40/3 ms "
            "later 5 packets transmitted, 5 received, 0% packet loss rtt min/avg/max/mdev = 0.1/0.3/0.6/0.1 ms",
            Ping("10.0.0.2", 5, 5, 0.0003, 1500, True),
        ),
        (
            f"10.0.0.2 size ² 5 packets transmitted, 5 received rtt min/avg/max/mdev = 0.1/{'9' * 50_000}/0.2/0.1 ms",
            Ping("10.0.0.2", 5, 5, None, None, True),
        ),
        (
            "10.0.0.2 size 1500 5 packets transmitted, 5 received" + "min/avg/max" * 20_000,
            Ping("10.0.0.2", 5, 5, None, 1500, True),
        ),
    ],
    ids=["no loss", "jumbo frames cut", "loss", "no echo", "busybox", "busy for a moment", "digits", "many starts"],
)
def test_parsed_output_of_ping(report: str, expected: Ping) -> None:
    assert read("pings", report).pings == (expected,)


@pytest.mark.parametrize(
    ("message", "result"),
    [
        ("Connection refused 0.002", TcpResult.REFUSED),
        ("0.000 connected", TcpResult.CONNECTED),
        ("0,015 connected", TcpResult.CONNECTED),
        ("No route to host 3.056", TcpResult.NO_ROUTE),
        ("Network is unreachable 0.000", TcpResult.FORBIDDEN),
        ("Invalid argument 0.000", TcpResult.FORBIDDEN),
        ("Permission denied 0.000", TcpResult.FORBIDDEN),
        (" (silent)", TcpResult.TIMEOUT),
    ],
)
def test_parsed_messages_of_connects(message: str, result: TcpResult) -> None:
    (path,) = read("paths", f"10.0.0.2 6443 {message}\n", spec=NodeTestSpec((("10.0.0.2", 6443),))).paths or ()
    assert (path.host, path.port, path.result) == ("10.0.0.2", 6443, result)


def test_an_unknown_connect_result_has_a_reason() -> None:
    spec = NodeTestSpec(tuple(("10.0.0.2", port) for port in (22, 443, 6443)))
    facts = read("paths", "10.0.0.2 22 Connection refused 0.000\n10.0.0.2 443 No buffer space left\n", 0, spec)
    refused, unknown, missing = facts.paths or ()
    assert (refused.result, refused.detail) == (TcpResult.REFUSED, "")
    assert (unknown.result, unknown.detail) == (TcpResult.UNKNOWN, "No buffer space left")
    assert (missing.result, missing.detail) == (
        TcpResult.UNKNOWN,
        "the node did not report the result of the TCP connect",
    )


def test_an_unresolved_name_is_not_a_closed_port() -> None:
    spec = NodeTestSpec((("acp.example.com", 443),))
    assert read("paths", "acp.example.com 443 Invalid argument 4.004", spec=spec).paths == (
        TcpPath("acp.example.com", 443, TcpResult.UNRESOLVED, 4.004),
    )


def test_without_ping_or_getent_the_reason_is_reported() -> None:
    facts = read("pings", "", 127)
    assert facts.pings is None
    assert "reading the value requires a command that is not installed on the node" in facts.missing_reason("pings")


def test_invalid_link_speeds_are_ignored() -> None:
    assert read("speeds", "eth0 10000\neth1 -1\nbond0 4294967295\nrubbish\n").link_speeds == {"eth0": 10000}


@given(st.text())
def test_any_output_is_parsed_without_an_error(text: str) -> None:
    for collector in collectors_for(EVERYTHING):
        read(collector.name, text)
