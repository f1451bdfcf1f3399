"""One cause gives one finding: planted causes, their removal, and independent faults next to them."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from acp_tui.checks.causes import CauseGroup, by_cause, findings_by_cause
from acp_tui.checks.evaluate import evaluate
from acp_tui.checks.topology import topology_of
from acp_tui.checks.verdict import Verdict
from acp_tui.nodes.fact_types import Interface, Listener, SshdSetting, TcpResult, Unit
from acp_tui.nodes.facts import Facts
from acp_tui.nodes.script import MissingReason
from acp_tui.nodes.state import NodeState
from acp_tui.plan.model import Plan
from tests.checks.causes.cases import (
    CASES,
    DOMAIN,
    EXTERNAL,
    HOST,
    LOST,
    WORKING_REGISTRY,
    Case,
    change,
    collected_before_loss,
    firewall,
    no_sudo,
    registry_open,
    rejected,
    unresolved,
)
from tests.support.factories.plans import VIP, valid_plan
from tests.support.factories.verdicts import (
    ADVICE_OF_THE_PLAN,
    FIRST,
    MANUAL,
    NOT_APPLICABLE,
    PACKAGE,
    PASS,
    SECOND,
    TODAY,
    WORKER,
    close_paths,
    cluster,
    with_package,
)

SLOW_LINK = {"link_speeds": {"eth0": 100}, "virtual": False, "link_devices": frozenset({"eth0"})}
QUIET = ADVICE_OF_THE_PLAN | {"NETRES-SOFTLB"}


def evaluated(plan: Plan, facts: Mapping[str, Facts], states: Mapping[str, NodeState] = {}) -> tuple[Verdict, ...]:
    known = {node.address: states.get(node.address, NodeState.CHECKED) for node in plan.nodes}
    plan = with_package(plan)
    return evaluate(plan, facts, known, topology=topology_of(plan), today=TODAY, local_files=PACKAGE)


def groups(verdicts: tuple[Verdict, ...]) -> list[CauseGroup]:
    """Return the findings that need an action, without advice that every plan has."""
    quiet = (PASS, NOT_APPLICABLE, MANUAL)
    return [g for g in by_cause(verdicts) if g.verdict.outcome not in quiet and g.verdict.requirement not in QUIET]


def place(verdict: Verdict) -> tuple[str, str | None]:
    return verdict.requirement, verdict.node


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_one_cause_gives_one_finding(case: Case) -> None:
    plan = valid_plan(**case.plan)
    facts = cluster(plan)
    case.spoil(facts)
    found = groups(evaluated(plan, facts, case.states))
    assert [place(group.verdict) for group in found] == [case.finding]
    assert len(found[0].followers) >= case.followers, [place(v) for v in found[0].followers]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_verdict_is_in_exactly_one_group_and_no_finding_hides_a_worse_one(case: Case) -> None:
    plan = valid_plan(**case.plan)
    facts = cluster(plan)
    case.spoil(facts)
    change(facts, FIRST, swaps=("/swap.img",))
    verdicts = evaluated(plan, facts, case.states)
    listed = [verdict for group in by_cause(verdicts) for verdict in (group.verdict, *group.followers)]
    assert sorted(listed, key=repr) == sorted(verdicts, key=repr)
    roots = {group.verdict.requirement for group in by_cause(verdicts)}
    assert {verdict.cause for verdict in verdicts} - {None} <= roots
    for group in by_cause(verdicts):
        assert group.verdict.blocks or not any(verdict.blocks for verdict in group.followers)


@given(st.lists(st.sampled_from([c for c in CASES if not c.plan]), min_size=2, max_size=4, unique_by=lambda c: c.name))
def test_several_causes_hide_no_blocker(chosen: list[Case]) -> None:
    plan = valid_plan()
    facts = cluster(plan)
    states: dict[str, NodeState] = {}
    for case in chosen:
        if SECOND in facts:  # a node without facts can have no other fault
            case.spoil(facts)
            states |= case.states
    verdicts = evaluated(plan, facts, states)
    found = findings_by_cause(
        {node.address: states.get(node.address, NodeState.CHECKED) for node in plan.nodes}, verdicts
    )
    shown = [*found.groups, *(group for group in found.unchecked.values() if group is not None)]
    listed = [verdict for group in shown for verdict in (group.verdict, *group.followers)]
    assert sorted(listed, key=repr) == sorted(verdicts, key=repr)
    assert all(group.verdict.cause is None for group in shown)
    assert all(group.verdict.blocks or not any(v.blocks for v in group.followers) for group in shown)
    assert found.blockers > 0 or not any(verdict.blocks for verdict in verdicts)


INDEPENDENT: Mapping[str, tuple[str, dict[str, object], str]] = {
    "swap": (FIRST, {"swaps": ("/swap.img",)}, "SYS-SWAP"),
    "sshd": (WORKER, {"sshd": {"usedns": SshdSetting("yes", True), "usepam": SshdSetting("no", True)}}, "USR-USEDNS"),
    "interface": (WORKER, SLOW_LINK, "NETCFG-BW-INTRA"),
    "name server": ("10.20.0.13", {"nameservers": ("172.64.0.1",)}, "NET-RESOLV-172"),
    "firewall": (WORKER, {"units": {"ufw": Unit("active", "enabled")}}, "SEC-FIREWALL"),
    "host name": ("10.20.0.13", {"hostname": "A_B", "etc_hostname": "A_B"}, "NET-HOSTNAME-CHARS"),
}


@pytest.mark.parametrize("fault", INDEPENDENT)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_independent_fault_next_to_a_cause_is_listed(case: Case, fault: str) -> None:
    node, changes, rule = INDEPENDENT[fault]
    plan = valid_plan(**case.plan)
    if node not in {one.address for one in plan.nodes}:
        pytest.skip("the plan does not have this node")
    facts = cluster(plan)
    change(facts, node, **changes)
    case.spoil(facts)
    change(facts, node, **changes)
    found = [place(group.verdict) for group in groups(evaluated(plan, facts, case.states))]
    assert (rule, node) in found


@pytest.mark.parametrize("case", [case for case in CASES if "nodes" not in case.plan], ids=lambda case: case.name)
def test_without_the_cause_no_follower_remains(case: Case) -> None:
    changed = dict(case.plan)
    address = changed.get("address")
    if isinstance(address, dict) and address.get("cluster_endpoint") != HOST:
        changed.pop("address")  # here the plan is the cause
    plan = valid_plan(**changed)
    facts = cluster(plan)
    if plan.registry.mode == "external":
        for node in facts:
            change(facts, node, paths=registry_open(facts[node]), registry_answer=WORKING_REGISTRY)
    assert groups(evaluated(plan, facts)) == []


def test_fault_seen_before_the_loss_is_a_finding_of_its_own() -> None:
    plan = valid_plan()
    facts = cluster(plan)
    change(facts, SECOND, swaps=("/swap.img",))
    collected_before_loss(facts, SECOND, "uid", "sudo", "swaps")
    found = [place(group.verdict) for group in groups(evaluated(plan, facts, LOST))]
    assert sorted(found) == [("CAP-FRESH-ENV", SECOND), ("SYS-SWAP", SECOND)]


def test_collector_that_failed_before_the_loss_is_a_finding_of_its_own() -> None:
    plan = valid_plan()
    facts = cluster(plan)
    collected_before_loss(facts, SECOND, "uid", "sudo")
    change(facts, SECOND, missing={**facts[SECOND].missing, "swaps": MissingReason("reading the value timed out")})
    found = [place(group.verdict) for group in groups(evaluated(plan, facts, LOST))]
    assert sorted(found) == [("CAP-FRESH-ENV", SECOND), ("SYS-SWAP", SECOND)]


def test_value_that_needs_root_does_not_explain_a_value_that_cannot_be_parsed() -> None:
    plan = valid_plan()
    facts = cluster(plan)
    no_sudo(facts)
    change(facts, SECOND, modules=None, missing={**facts[SECOND].missing, "modules": "cannot parse the output"})
    found = [place(group.verdict) for group in groups(evaluated(plan, facts, {SECOND: NodeState.NO_SUDO}))]
    assert sorted(found) == [("KRN-IPVS", SECOND), ("USR-SUDO", SECOND)]


def test_ports_that_fail_differently_are_separate_findings() -> None:
    plan = valid_plan()
    facts = cluster(plan)
    for node in facts:
        close_paths(facts, node, [VIP], 443)
        close_paths(facts, node, [VIP], 6443, result=TcpResult.FORBIDDEN)
    assert [place(g.verdict) for g in groups(evaluated(plan, facts))] == [("LB-443", None), ("LB-6443", None)]


@pytest.mark.parametrize(
    ("result", "seconds"), [(TcpResult.TIMEOUT, None), (TcpResult.NO_ROUTE, 3.1), (TcpResult.NO_ROUTE, None)]
)
def test_closed_paths_that_a_network_can_close_do_not_follow_from_the_host_firewall(
    result: TcpResult, seconds: float | None
) -> None:
    plan = valid_plan()
    facts = cluster(plan)
    firewall(facts, SECOND)
    change(facts, SECOND, packet_filter=None)
    rejected(facts, SECOND, result, seconds)
    found = [place(group.verdict) for group in groups(evaluated(plan, facts))]
    assert sorted(found) == [("SEC-FIREWALL", SECOND), ("X-FIREWALL", SECOND)]


def test_port_of_another_program_does_not_follow_from_a_former_cluster() -> None:
    plan = valid_plan()
    facts = cluster(plan)
    used = (Listener(10250, "kubelet"), Listener(2379, "postgres"))
    change(facts, SECOND, cluster_processes=("kubelet",), listeners=used)
    found = [place(group.verdict) for group in groups(evaluated(plan, facts))]
    assert sorted(found) == [("CAP-FRESH-ENV", SECOND), ("NET-PORTS-CP", SECOND)]


def test_own_address_in_a_reserved_range_is_not_hidden_by_the_name_server() -> None:
    plan = valid_plan()
    facts = cluster(plan)
    own = (*(facts[SECOND].interfaces or ()), Interface("eth1", "172.20.3.4", 24))
    change(facts, SECOND, nameservers=("172.20.3.1",), interfaces=own)
    found = [place(group.verdict) for group in groups(evaluated(plan, facts))]
    assert sorted(found) == [("NET-172-FREE", SECOND), ("NET-RESOLV-172", SECOND)]


def test_registry_warning_does_not_hide_that_the_login_is_unknown() -> None:
    plan = valid_plan(**EXTERNAL)
    facts = cluster(plan)
    for node in facts:
        change(facts, node, paths=registry_open(facts[node]), missing={"registry_answer": "no reply"})
    verdicts = evaluated(plan, facts)
    assert all(v.cause in (None, "XR-REG-EXT", "XR-REG-AUTH", "HW-DISK-IOPS") for v in verdicts)
    assert [place(group.verdict) for group in groups(verdicts) if group.blocks]


def test_names_that_fail_with_different_name_servers_are_separate_findings() -> None:
    plan = valid_plan(**DOMAIN)
    facts = cluster(plan)
    for node in facts:
        unresolved(facts, node, HOST)
    change(facts, SECOND, nameservers=("10.20.0.3",))
    found = [place(group.verdict) for group in groups(evaluated(plan, facts))]
    assert {("NETRES-DOMAIN", FIRST), ("NETRES-DOMAIN", SECOND)} <= set(found)


def test_waiver_of_a_cause_does_not_waive_its_followers() -> None:
    waiver: JsonValue = {"requirement": "USR-ROOT", "node": SECOND, "reason": "agreed", "by": "j.doe"}
    plan = valid_plan(waivers=[waiver])
    facts = cluster(plan)
    del facts[SECOND]
    [group] = groups(evaluated(plan, facts, {SECOND: NodeState.UNREACHABLE}))
    assert place(group.verdict) == ("USR-ROOT", SECOND)
    assert not group.verdict.blocks
    assert group.blocks


def test_selected_rules_have_no_cause_outside_the_selection() -> None:
    plan = valid_plan()
    facts = cluster(plan)
    for node in facts:
        close_paths(facts, node, [VIP])
    states = dict.fromkeys(facts, NodeState.CHECKED)
    only = frozenset({"LB-6443"})
    [verdict] = evaluate(plan, facts, states, topology=topology_of(plan), today=TODAY, only=only)
    assert verdict.cause is None
