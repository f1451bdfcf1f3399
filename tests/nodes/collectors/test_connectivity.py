"""Connectivity collectors: run by bash on loopback, and parsed from recorded output."""

import asyncio
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from acp_tui.nodes.collectors import facts_from
from acp_tui.nodes.collectors.connectivity import NodeTestSpec, collectors_for
from acp_tui.nodes.collectors.tcp_connect import attempts
from acp_tui.nodes.fact_types import RegistryAnswer, TcpPath, TcpResult, Trust
from acp_tui.nodes.facts import Facts
from acp_tui.nodes.path_summary import Peer, Spread, peers_of
from acp_tui.nodes.script import LAUNCH_PLAIN, CollectorOutput, Reader, build

MARKER = "0123456789abcdef"
PEERS = peers_of(tuple(Peer(f"127.0.0.{n}", 22, (22, 443)) for n in (1, 2, 3)), 0.002)
EVERYTHING = NodeTestSpec(
    (("127.0.0.9", 1),),
    PEERS,
    frozenset({"127.0.0.1"}),
    ("localhost",),
    "127.0.0.1",
    ("127.0.0.1", 1),
    install_folder="/root/install",
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


def listed(facts: Facts) -> tuple[TcpPath, ...]:
    assert facts.paths is not None
    return facts.paths.listed


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
    results = {(path.host, path.port): path.result for path in listed(facts)}
    assert results["127.0.0.1", port] is TcpResult.CONNECTED
    assert results["127.0.0.1", closed] is TcpResult.REFUSED
    assert results["no.such.invalid", 1] in (TcpResult.UNRESOLVED, TcpResult.TIMEOUT)
    assert all(path.seconds is not None and path.seconds < 1 for path in listed(facts) if path.open)


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
    assert {path.result for path in listed(facts)} == {TcpResult.TIMEOUT}
    assert len(listed(facts)) == 150
    assert seconds < 55, "the collector ends by itself"


def test_all_timeouts_take_the_time_of_one() -> None:
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
    results = {path.host: path.result for path in listed(facts)}
    assert results.pop("127.0.0.1") is TcpResult.CONNECTED
    assert list(results.values()) == [TcpResult.TIMEOUT] * 10
    assert 0.4 <= seconds < 50, "the hosts are silent, and many attempts at the same time show it"


def test_more_connects_than_children_all_get_a_result() -> None:
    with listener() as port:
        closed = port
    targets = tuple((f"127.0.{n // 200}.{n % 200 + 1}", closed) for n in range(450))
    facts = collect(NodeTestSpec(targets))
    assert {(path.host, path.port) for path in listed(facts)} == set(targets)
    assert {path.result for path in listed(facts)} == {TcpResult.REFUSED}


def test_a_line_with_a_lost_newline_is_parsed() -> None:
    with listener() as other:
        closed = other
    with listener() as open_port:
        targets = tuple((f"127.0.0.{n}", port) for n in range(1, 6) for port in (open_port, closed, 1, 2, 3))
        facts = collect(NodeTestSpec(targets), LATE_READ)
    expected = dict.fromkeys(targets, TcpResult.REFUSED) | {("127.0.0.1", open_port): TcpResult.CONNECTED}
    assert {(path.host, path.port): path.result for path in listed(facts)} == expected
    assert all(path.seconds is not None for path in listed(facts))


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
    assert not any(path.open for path in listed(facts))


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
    (path,) = listed(read("paths", f"10.0.0.2 6443 {message}\n", spec=NodeTestSpec((("10.0.0.2", 6443),))))
    assert (path.host, path.port, path.result) == ("10.0.0.2", 6443, result)


def test_an_unknown_connect_result_has_a_reason() -> None:
    spec = NodeTestSpec(tuple(("10.0.0.2", port) for port in (22, 443, 6443)))
    facts = read("paths", "10.0.0.2 22 Connection refused 0.000\n10.0.0.2 443 No buffer space left\n", 0, spec)
    refused, unknown, missing = listed(facts)
    assert (refused.result, refused.detail) == (TcpResult.REFUSED, "")
    assert (unknown.result, unknown.detail) == (TcpResult.UNKNOWN, "No buffer space left")
    assert (missing.result, missing.detail) == (
        TcpResult.UNKNOWN,
        "the node did not report the result of the TCP connect",
    )


PEER_PATHS = NodeTestSpec((("10.0.0.9", 443),), PEERS, frozenset({"127.0.0.1"}))
"""Two peers with two ports each, and an endpoint."""


def test_healthy_paths_between_nodes_are_only_counted() -> None:
    with listener() as port, listener() as other:
        closed = other
    with listener("") as port:
        peers = peers_of(tuple(Peer(f"127.0.0.{n}", port, (port, closed, 1, 2)) for n in (1, 2, 3)), 0.05)
        paths = collect(NodeTestSpec((("127.0.0.4", port),), peers, frozenset({"127.0.0.3"}))).paths
    assert paths is not None
    assert paths.listed == (TcpPath("127.0.0.4", port, TcpResult.CONNECTED, paths.listed[0].seconds),)
    assert (paths.connected, paths.refused, paths.slow) == (2, 6, {})
    assert paths.times is not None
    assert paths.times.high < 0.05
    assert paths.path("127.0.0.1", 1) == TcpPath("127.0.0.1", 1, TcpResult.REFUSED)
    assert paths.path("127.0.0.1", port) == TcpPath("127.0.0.1", port, TcpResult.CONNECTED)
    assert (paths.path("127.0.0.3", 1), paths.path("127.0.0.1", 9)) == (None, None)


def test_a_refused_ssh_port_is_listed() -> None:
    with listener() as port:
        closed = port
    peers = peers_of(tuple(Peer(f"127.0.0.{n}", closed, (closed, 1)) for n in (1, 2)), 0.05)
    paths = collect(NodeTestSpec(peers=peers, own=frozenset({"127.0.0.1"}))).paths
    assert paths is not None
    assert [(path.host, path.port, path.result) for path in paths.listed] == [("127.0.0.2", closed, TcpResult.REFUSED)]
    assert (paths.connected, paths.refused) == (0, 1)


def test_summary_of_healthy_paths() -> None:
    text = "127.0.0.3 443 (silent)\n10.0.0.9 443 connected 0.001\n= slow 127.0.0.2 7\n= healthy 2 1 0 3 7\n"
    paths = read("paths", text, spec=PEER_PATHS).paths
    assert paths is not None
    assert [path[:3] for path in paths.listed] == [
        ("127.0.0.3", 443, TcpResult.TIMEOUT),
        ("10.0.0.9", 443, TcpResult.CONNECTED),
    ]
    assert (paths.connected, paths.refused, paths.times) == (2, 1, Spread(0, 0.003, 0.007))
    assert paths.slow == {"127.0.0.2": 0.007}


@pytest.mark.parametrize(
    "summary",
    ["", "= healthy 2 0", "= healthy 2 2", "= healthy 2 x", "= healthy -1 4", "= healthy 2 1 0 0", "healthy 2 1"],
)
def test_a_wrong_number_of_healthy_paths_makes_the_unlisted_ones_unknown(summary: str) -> None:
    paths = read("paths", f"127.0.0.3 443 (silent)\n10.0.0.9 443 connected\n{summary}", spec=PEER_PATHS).paths
    assert paths is not None
    results = {path[:2]: path.result for path in paths.listed}
    assert results == {
        ("10.0.0.9", 443): TcpResult.CONNECTED,
        ("127.0.0.3", 443): TcpResult.TIMEOUT,
        **dict.fromkeys((("127.0.0.2", 22), ("127.0.0.2", 443), ("127.0.0.3", 22)), TcpResult.UNKNOWN),
    }
    assert (paths.connected, paths.refused, paths.times) == (0, 0, None)


@pytest.mark.parametrize("text", ["", "= slow 127.0.0.2 7", "= healthy 0 0", "10.9.9.9 22 connected", "rubbish"])
def test_output_without_any_result_is_no_fact(text: str) -> None:
    assert read("paths", text, spec=PEER_PATHS).paths is None


@pytest.mark.parametrize(("paths", "expected"), [(0, 14), (60, 20), (90_000, 31), (897_000, 35)])
def test_number_of_attempts_at_a_silent_port(paths: int, expected: int) -> None:
    assert attempts(paths) == expected
    assert max(1, paths) * 0.51**expected < 1e-4


def test_the_script_grows_with_the_nodes_and_not_with_their_ports() -> None:
    def size(nodes: int) -> int:
        peers = peers_of(
            tuple(Peer(f"10.0.{n // 250}.{n % 250}", 22, tuple(range(22, 32))) for n in range(nodes)), 0.002
        )
        return sum(len(collector.shell) for collector in collectors_for(NodeTestSpec(peers=peers)))

    assert size(300) - size(3) < 300 * 2 * 14


def test_an_unresolved_name_is_not_a_closed_port() -> None:
    spec = NodeTestSpec((("acp.example.com", 443),))
    assert listed(read("paths", "acp.example.com 443 Invalid argument 4.004", spec=spec)) == (
        TcpPath("acp.example.com", 443, TcpResult.UNRESOLVED, 4.004),
    )


def test_without_ping_or_getent_the_reason_is_reported() -> None:
    facts = read("pings", "", 127)
    assert facts.pings is None
    assert "reading the value requires a command that is not installed on the node" in facts.missing_reason("pings")


def test_invalid_link_speeds_are_ignored() -> None:
    assert read("speeds", "eth0 10000\neth1 -1\nbond0 4294967295\nrubbish\n").link_speeds == {"eth0": 10000}


def test_link_speeds_of_interfaces_on_devices() -> None:
    text = """eth0 10000 below eth0
eth1 -1 below eth1
bond0 20000 below eth0 eth2
bond0.7 -1 below bond0
br0 -1 below bond0.7
veth1 10000 below
"""
    facts = read("speeds", text)
    assert facts.link_devices == frozenset({"eth0", "eth1", "bond0", "bond0.7", "br0"})
    assert facts.link_speeds == {"eth0": 10000, "bond0": 20000, "veth1": 10000, "bond0.7": 20000, "br0": 20000}
