"""Collectors of addresses and routes, run by bash on test files."""

from pathlib import Path

from acp_tui.nodes.collectors import facts_from
from acp_tui.nodes.fact_types import Route
from acp_tui.nodes.script import CollectorOutput
from tests.support.collector_shell import facts_of, put


def test_proc_is_read_if_ip_is_broken(tmp_path: Path) -> None:
    row = "eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
    put(tmp_path, {"/proc/net/route": "Iface\tDestination\tGateway\tFlags\n" + row})
    facts = facts_of("routes", tmp_path, "/proc/net", tools={"ip": "echo 'default via 192.0.2.9 dev'; exit 1"})
    assert facts.routes == (Route("default", "eth0", "192.0.2.1"),)


def test_empty_list_of_addresses_is_unknown() -> None:
    """Every system has the loopback address, so an empty list proves nothing."""
    for text in ("", "RTNETLINK answers: Operation not permitted\n", "proc\n"):
        facts = facts_from("x", [CollectorOutput("interfaces", 0, text)])
        assert facts.interfaces is None
        assert "no network address" in facts.missing["interfaces"]
