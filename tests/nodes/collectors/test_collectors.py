"""The list of collectors covers every fact, and a fact without output is missing with a reason."""

from dataclasses import fields

from acp_tui.nodes.active.disk import disk_speed_collector
from acp_tui.nodes.active.vrrp import vrrp_collector
from acp_tui.nodes.collectors import COLLECTORS, facts_from
from acp_tui.nodes.collectors.connectivity import NodeTestSpec, collectors_for
from acp_tui.nodes.facts import Facts
from acp_tui.nodes.path_summary import Peer, peers_of
from acp_tui.nodes.script import TIMED_OUT, CollectorOutput


def test_the_collectors_cover_every_fact() -> None:
    peers = peers_of((Peer("10.0.0.1", 22, (22,)), Peer("10.0.0.2", 22, (22,))), 0.002)
    registry = ("10.0.0.8", 443)
    all_tests = NodeTestSpec(
        (), peers, names=("a.example",), vip="10.0.0.9", registry=registry, install_folder="/root/install"
    )
    on_request = (disk_speed_collector(), vrrp_collector("10.0.0.1"))
    collected = [
        name for collector in (*COLLECTORS, *collectors_for(all_tests), *on_request) for name in collector.fields
    ]
    assert len(collected) == len(set(collected))
    from_connection = {"address", "missing", "host_key", "clock", "sudo_terminal"}
    between_nodes = {
        "listener_results",
        "backends_reached",
        "wrong_ports_reached",
        "proxy_protocol_ports",
        "bandwidths",
        "path_test",
    }
    assert {f.name for f in fields(Facts)} - set(collected) == from_connection | between_nodes


def test_without_output_all_facts_are_missing() -> None:
    facts = facts_from("10.0.0.1", [], "the SSH connection to a node broke during the bandwidth test")
    assert {facts.missing_reason(name) for s in COLLECTORS for name in s.fields} == {
        "the SSH connection to a node broke during the bandwidth test"
    }
    early = facts_from("10.0.0.1", [])
    assert early.missing == {}
    assert early.missing_reason("swaps") == "the value was not collected"


def test_partial_output_after_a_timeout_is_not_used() -> None:
    facts = facts_from("10.0.0.1", [CollectorOutput("swaps", TIMED_OUT, "Filename Type\n")])
    assert facts.swaps is None
    assert "timed out after 10 s" in facts.missing_reason("swaps")
