"""Collectors of addresses and routes, run by bash on test files."""

from pathlib import Path

from acp_tui.nodes.fact_types import Route
from tests.support.collector_shell import facts_of, put


def test_proc_is_read_if_ip_is_broken(tmp_path: Path) -> None:
    row = "eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
    put(tmp_path, {"/proc/net/route": "Iface\tDestination\tGateway\tFlags\n" + row})
    facts = facts_of("routes", tmp_path, "/proc/net", tools={"ip": "echo 'default via 192.0.2.9 dev'; exit 1"})
    assert facts.routes == (Route("default", "eth0", "192.0.2.1"),)
