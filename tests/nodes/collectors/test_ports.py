"""Collectors of used ports, run by bash on test files."""

from pathlib import Path

from tests.support.collector_shell import facts_of, put


def test_listeners_without_ss(tmp_path: Path) -> None:
    row = "   0: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1\n"
    put(tmp_path, {"/proc/net/tcp": "  sl  local_address rem_address   st\n" + row + row.replace(" 0A ", " 01 ")})
    facts = facts_of("listeners", tmp_path, "/proc/net", tools={"ss": "exit 1"})
    assert [listener.port for listener in facts.listeners or ()] == [8080]


def test_many_connections_are_read_in_one_call(tmp_path: Path) -> None:
    row = "{n:4}: 0100007F:{port:04X} 00000000:0000 {state} 00000000:00000000 00:00000000 00000000  0  0 0 1\n"
    rows = "".join(row.format(n=n, port=10250 + n % 20000, state="01") for n in range(5000))
    listening = row.format(n=5000, port=6443, state="0A")
    put(tmp_path, {"/proc/net/tcp": "  sl  local_address rem_address   st\n" + rows + listening})
    facts = facts_of("listeners", tmp_path, "/proc/net", tools={"ss": "exit 1"})
    assert [listener.port for listener in facts.listeners or ()] == [6443]


def test_connected_udp_sockets_are_ignored(tmp_path: Path) -> None:
    row = "  {n}: 0100007F:{port:04X} 00000000:0000 {state} 00000000:00000000 00:00000000 00000000  0  0 1 2 0 0\n"
    rows = row.format(n=1, port=10250, state="01") + row.format(n=2, port=6641, state="07")
    put(tmp_path, {"/proc/net/udp": "  sl  local_address rem_address   st\n" + rows})
    assert facts_of("udp", tmp_path, "/proc/net").udp_ports == frozenset({6641})


def test_empty_lists_of_sockets_give_no_value(tmp_path: Path) -> None:
    """The kernel always writes a heading. A list without it proves nothing."""
    put(tmp_path, {"/proc/net/tcp": "", "/proc/net/udp": ""})
    assert facts_of("listeners", tmp_path, "/proc/net", tools={"ss": "exit 0"}).listeners is None
    assert facts_of("udp", tmp_path, "/proc/net").udp_ports is None
