"""Facts and verdicts of a healthy cluster, for tests that plant faults in it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from acp_tui.checks.evaluate import evaluate
from acp_tui.checks.local_file_facts import LocalFiles, PackageFile
from acp_tui.checks.topology import node_test_spec, topology_of
from acp_tui.checks.verdict import Outcome, Verdict
from acp_tui.nodes.fact_types import EchoState, PathTest, Ping, RoundTrips, TcpPath, TcpResult
from acp_tui.nodes.facts import Facts
from acp_tui.nodes.path_summary import PathSummary, PingSummary, Spread
from acp_tui.nodes.state import NodeState
from acp_tui.plan.model import Plan
from acp_tui.plan.sections.node import Node
from tests.support.factories.node_facts import healthy
from tests.support.factories.plans import VIP, valid_plan

TODAY = date(2026, 3, 1)
FIRST, SECOND, WORKER = "10.20.0.11", "10.20.0.12", "10.20.0.21"
ADVICE_OF_THE_PLAN = {"NETRES-CERT", "XR-PROTO-FIXED"}
FAIL, WARN, PASS, UNKNOWN = Outcome.FAIL, Outcome.WARN, Outcome.PASS, Outcome.UNKNOWN
PENDING, MANUAL, NOT_APPLICABLE = Outcome.PENDING_REBOOT, Outcome.MANUAL, Outcome.NOT_APPLICABLE


def cluster(plan: Plan, distribution: str = "ubuntu-22.04") -> dict[str, Facts]:
    return {n.address: replace(healthy(n.address, distribution, n.role), **connectivity(plan, n)) for n in plan.nodes}


def connectivity(plan: Plan, node: Node) -> dict[str, Any]:
    """Return the connectivity facts of a healthy node: all targets are reachable within a millisecond."""
    tests = node_test_spec(topology_of(plan), node)
    others = [peer for peer in (tests.peers.peers if tests.peers else ()) if peer.address not in tests.own]
    paths = PathSummary(
        tuple(TcpPath(host, port, TcpResult.REFUSED, 0.001) for host, port in tests.tcp_targets),
        tests.peers,
        tests.own,
        len(others),
        sum(len(peer.ports) - 1 for peer in others),
        Spread(0.0, 0.001, 0.001) if others else None,
    )
    times = Spread(0.0003, 0.0004, 0.0005)
    return {
        "paths": paths,
        "pings": PingSummary(tests.peers.limit, len(others), times) if tests.peers else None,
        "link_speeds": {"eth0": 10000},
        "names": dict.fromkeys(tests.names, (VIP,)),
        "vip_owner": "",
        "path_test": passed_path_test(plan, node) if len(plan.nodes) > 1 else None,
    }


def passed_path_test(plan: Plan, node: Node) -> PathTest:
    """Return the results of a path test in which all paths are open."""
    topology = topology_of(plan)
    own = next(one for one in topology.nodes if one.node == node.address)
    others = [one for one in topology.nodes if one is not own]
    opened = {kind: sum(spec[0] == kind for one in others for spec in one.test_ports) for kind in "tui"}
    return PathTest(
        ports=dict.fromkeys(own.test_ports, EchoState.OPEN),
        hosts=frozenset(topology.owners),
        opened={**opened, "l": len(others)},
        sources=dict.fromkeys(own.addresses, (others[0].node,)),
    )


def with_paths(facts: Facts, change: Callable[[TcpPath], TcpPath]) -> Facts:
    """Return the facts with `change` applied to each tested path. The paths that it changes are listed."""
    summary = facts.paths
    if summary is None:
        return facts
    assert summary.peers is not None
    keys = [(p.address, port) for p in summary.peers.peers if p.address not in summary.own for port in p.ports]
    paths = [path for key in (*keys, *summary.by_target) if (path := summary.path(*key)) is not None]
    listed = dict.fromkeys(
        changed for path in paths if (changed := change(path)) != path or (path.host, path.port) in summary.by_target
    )
    return replace(facts, paths=replace(summary, listed=tuple(listed)))


def ping(host: str, sent: int, received: int, milliseconds: float, *more: Any) -> Ping:
    """Return a ping with the same round trip time for all packets."""
    seconds = milliseconds / 1000
    return Ping(host, sent, received, RoundTrips(seconds, seconds, seconds, seconds), *more)


def with_pings(facts: Facts, *listed: Ping) -> Facts:
    """Return the facts with these pings listed; the pings of all other nodes are healthy."""
    assert facts.pings is not None
    return replace(facts, pings=replace(facts.pings, listed=listed))


def with_package(plan: Plan) -> Plan:
    """Return the plan with a Core Package for its release and for any architecture, if it names none."""
    if plan.package.core:
        return plan
    core = f"/media/installer-core-v{plan.effective_release}.3-hybrid.tar"
    return plan.model_copy(update={"package": plan.package.model_copy(update={"core": core})})


PACKAGE = LocalFiles(packages=(PackageFile("core", "installer-core.tar", 20 * 10**9),))


def verdicts(
    plan: Plan, facts: dict[str, Facts], local_files: LocalFiles = PACKAGE, only: frozenset[str] | None = None
) -> tuple[Verdict, ...]:
    """Return the verdicts on checked nodes. A plan without a Core Package gets one."""
    plan = with_package(plan)
    states = dict.fromkeys((n.address for n in plan.nodes), NodeState.CHECKED)
    return evaluate(plan, facts, states, topology=topology_of(plan), today=TODAY, local_files=local_files, only=only)


def findings(judged: tuple[Verdict, ...]) -> set[tuple[str, str | None, Outcome]]:
    """Return (rule, node, outcome) of the verdicts with a finding, without manual checks and advice on the plan."""
    quiet = (Outcome.PASS, Outcome.NOT_APPLICABLE, Outcome.MANUAL)
    return {
        (v.requirement, v.node, v.outcome)
        for v in judged
        if v.outcome not in quiet and v.requirement not in ADVICE_OF_THE_PLAN
    }


def planted(
    changes: Mapping[str, object], node: str = SECOND, distribution: str = "ubuntu-22.04", plan: Plan | None = None
) -> set[tuple[str, Outcome]]:
    """Return (rule, outcome) of the findings after `changes` to the facts of one node. Each must name that node."""
    plan = plan or valid_plan()
    facts = cluster(plan, distribution)
    facts[node] = replace(facts[node], **changes)  # type: ignore[arg-type]
    results = findings(verdicts(plan, facts))
    assert {where for _id, where, _outcome in results} <= {node}
    return {(name, outcome) for name, _where, outcome in results}


def of_rule(rule: str, facts: dict[str, Facts], plan: Plan | None = None) -> list[Verdict]:
    """Return the verdicts of one rule."""
    return list(verdicts(plan or valid_plan(), facts, only=frozenset({rule})))


def outcomes(rule: str, facts: dict[str, Facts], plan: Plan | None = None) -> dict[str | None, Outcome]:
    """Return the outcome of one rule for each node (None: for the cluster)."""
    return {v.node: v.outcome for v in of_rule(rule, facts, plan)}


def close_paths(
    facts: dict[str, Facts], source: str, targets: Iterable[str], *ports: int, result: TcpResult = TcpResult.TIMEOUT
) -> None:
    """Close the paths from `source` to `targets`; without `ports`, all of them."""
    facts[source] = with_paths(
        facts[source],
        lambda p: (
            p._replace(result=result, seconds=None) if p.host in targets and (not ports or p.port in ports) else p
        ),
    )
