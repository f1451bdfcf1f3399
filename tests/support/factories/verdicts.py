"""A cluster of healthy nodes, judged: what tests of the checks plant their faults in."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from acp_tui.checks.evaluate import evaluate
from acp_tui.checks.topology import node_test_spec, topology_of
from acp_tui.checks.verdict import Outcome, Verdict
from acp_tui.nodes.facts import Facts, Ping, TcpPath, TcpResult
from acp_tui.nodes.state import NodeState
from acp_tui.plan.model import Node, Plan
from tests.support.factories.node_facts import healthy
from tests.support.factories.plans import VIP, valid_plan

TODAY = date(2026, 3, 1)
FIRST, SECOND, WORKER = "10.20.0.11", "10.20.0.12", "10.20.0.21"
ADVICE_OF_THE_PLAN = {"NETRES-CERT", "XR-PROTO-FIXED"}
FAIL, WARN, UNKNOWN, PENDING = Outcome.FAIL, Outcome.WARN, Outcome.UNKNOWN, Outcome.PENDING_REBOOT


def cluster(plan: Plan, distribution: str = "ubuntu-22.04") -> dict[str, Facts]:
    return {n.address: replace(healthy(n.address, distribution, n.role), **around(plan, n)) for n in plan.nodes}


def around(plan: Plan, node: Node) -> dict[str, Any]:
    """What a healthy node sees around it: everything within reach, a millisecond away."""
    asked = node_test_spec(topology_of(plan), node)
    return {
        "paths": tuple(
            TcpPath(host, port, TcpResult.CONNECTED if port == 22 else TcpResult.REFUSED, 0.001)
            for host, port in asked.tcp_targets
        ),
        "pings": tuple(Ping(host, 5, 5, 0.0004, 1500, True) for host in asked.peers),
        "link_speeds": {"eth0": 10000},
        "names": dict.fromkeys(asked.names, (VIP,)),
        "vip_owner": "",
    }


def verdicts(plan: Plan, facts: dict[str, Facts]) -> tuple[Verdict, ...]:
    states = dict.fromkeys((n.address for n in plan.nodes), NodeState.CHECKED)
    return evaluate(plan, facts, states, today=TODAY)


def trouble(found: tuple[Verdict, ...]) -> set[tuple[str, str | None, Outcome]]:
    """What a person would look at: no pass, nothing that always has to be confirmed by hand."""
    quiet = (Outcome.PASS, Outcome.NOT_APPLICABLE, Outcome.MANUAL)
    return {
        (v.requirement, v.node, v.outcome)
        for v in found
        if v.outcome not in quiet and v.requirement not in ADVICE_OF_THE_PLAN
    }


def planted(
    changes: Mapping[str, object], node: str = SECOND, distribution: str = "ubuntu-22.04", plan: Plan | None = None
) -> set[tuple[str, Outcome]]:
    """The rules that speak up when `changes` are laid over one node; each must name that node."""
    plan = plan or valid_plan()
    facts = cluster(plan, distribution)
    facts[node] = replace(facts[node], **changes)  # type: ignore[arg-type]
    found = trouble(verdicts(plan, facts))
    assert {where for _id, where, _outcome in found} <= {node}
    return {(name, outcome) for name, _where, outcome in found}
