"""The connectivity table of the report: the text of each cell."""

from dataclasses import replace

from acp_tui.checks.topology import topology_of
from acp_tui.nodes.fact_types import PathFailure, PathResult, Ping, TcpResult
from acp_tui.nodes.facts import Facts
from acp_tui.nodes.path_summary import Spread
from acp_tui.nodes.state import NodeState
from acp_tui.plan.model import Plan
from acp_tui.preflight.report.connectivity import LinkState, matrix
from acp_tui.preflight.report.node_summary import node_records
from tests.support.factories.plans import CONTROL_PLANES, nodes, valid_plan
from tests.support.factories.verdicts import cluster, passed_path_test, ping, with_paths, with_pings

ONE, TWO, THREE = CONTROL_PLANES
PLAN = valid_plan(nodes=nodes(3, 0))


def cell_texts(facts: dict[str, Facts], plan: Plan = PLAN) -> list[list[str]]:
    return [[cell.text for cell in row.cells] for row in matrix(topology_of(plan), facts)]


def closed(facts: Facts, host: str, *ports: int) -> Facts:
    return with_paths(
        facts, lambda p: p._replace(result=TcpResult.TIMEOUT) if p.host == host and p.port in ports else p
    )


def test_healthy_cluster_is_ok_with_round_trip_times() -> None:
    facts = cluster(PLAN)
    assert cell_texts(facts) == [["-", "ok", "ok"], ["ok", "-", "ok"], ["ok", "ok", "-"]]
    assert {row.times for row in matrix(topology_of(PLAN), facts)} == {Spread(0.0003, 0.0004, 0.0005)}
    records = node_records(PLAN, topology_of(PLAN), facts, dict.fromkeys(facts, NodeState.CHECKED), {})
    assert [(record.round_trips, [link.text for link in record.links]) for record in records] == [
        ("0.3-0.5 ms", ["ok", "ok"])
    ] * 3


def test_closed_ports_are_named_and_a_node_without_paths_is_closed() -> None:
    facts = cluster(PLAN)
    facts[ONE] = closed(facts[ONE], TWO, 2379, 2380)
    facts[TWO] = with_paths(facts[TWO], lambda p: p._replace(result=TcpResult.NO_ROUTE))
    facts[THREE] = with_pings(facts[THREE], ping(ONE, 5, 5, 2, 9000, False))
    table = cell_texts(facts)
    assert table[0][1] == "2379 2380"
    assert table[1] == ["closed", "-", "closed"]
    assert table[2] == ["ok 2 ms cut", "ok", "-"]


def test_ports_of_the_other_network_plugin_are_ignored() -> None:
    facts = cluster(PLAN)
    facts[ONE] = closed(facts[ONE], TWO, 179)
    assert matrix(topology_of(PLAN), facts)[0].cells[1].state is LinkState.OPEN
    calico = valid_plan(nodes=nodes(3, 0), network={"cni": "calico"})
    assert matrix(topology_of(calico), facts)[0].cells[1].closed == (179,)


def test_untested_link_is_a_question_mark() -> None:
    facts = cluster(PLAN)
    facts[ONE] = cluster(valid_plan(nodes=nodes(2, 0)))[ONE]
    facts[TWO] = with_paths(facts[TWO], lambda p: p._replace(result=TcpResult.UNKNOWN) if p.port == 443 else p)
    del facts[THREE]
    assert cell_texts(facts) == [["-", "ok", "?"], ["?", "-", "?"], ["?", "?", "-"]]


def test_a_slow_connect_is_shown_if_the_node_sends_no_echo() -> None:
    facts = cluster(PLAN)
    paths = facts[ONE].paths
    assert paths is not None
    slow = replace(facts[ONE], paths=replace(paths, slow={TWO: 0.02, THREE: 0.03}))
    facts[ONE] = with_pings(slow, Ping(TWO, 20, 0))
    assert cell_texts(facts)[0] == ["-", "ok 20 ms", "ok"]


def test_single_node_has_no_table() -> None:
    assert matrix(topology_of(valid_plan(nodes=nodes(1, 0))), {}) == ()


def test_listener_that_was_not_reached_is_a_closed_port() -> None:
    """A filter that rejects connections looks like an open path if the port has no listener."""
    facts = cluster(PLAN)
    plan, node = PLAN, PLAN.nodes[0]
    failures = (PathFailure(TWO, "t10250", PathResult.REFUSED), PathFailure(TWO, "u53", PathResult.SILENT))
    facts[ONE] = replace(facts[ONE], path_test=replace(passed_path_test(plan, node), failures=failures))
    assert cell_texts(facts)[0] == ["-", "10250", "ok"]
