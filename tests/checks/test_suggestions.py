"""Suggestions from facts of nodes: they never replace an answer."""

from dataclasses import replace
from pathlib import Path

from acp_tui.checks.suggestions import filled, suggested_interfaces
from acp_tui.core.local_host import is_local_address, local_addresses
from acp_tui.nodes.fact_types import Interface
from acp_tui.nodes.facts import Facts
from acp_tui.plan.model import Plan
from tests.support.factories.node_facts import healthy
from tests.support.factories.plans import nodes, valid_plan


def facts_of(plan: Plan, **nics: str) -> dict[str, Facts]:
    """Return facts with the address of each node on eth0, or on another interface (`n12="ens1"` for 10.20.0.12)."""
    facts = {}
    for node in plan.nodes:
        last = node.address.rpartition(".")[2]
        nic = nics.get(f"n{last}", "eth0")
        addresses = (("lo", "::1"), (nic, node.address), (nic, "fe80::1"), (nic, f"fd00::{last}"), ("eth9", "fd09::1"))
        interfaces = tuple(Interface(name, address, 64) for name, address in addresses)
        facts[node.address] = replace(healthy(node.address, role=node.role), interfaces=interfaces)
    return facts


def test_interface_with_the_node_address_is_suggested() -> None:
    plan = valid_plan()
    suggested = suggested_interfaces(plan, facts_of(plan))
    assert {(one.nic, one.ipv6) for one in suggested} == {("eth0", None)}
    assert [node.nic for node in filled(plan, suggested)] == ["eth0"] * 5


def test_no_interface_is_suggested_if_it_differs_or_is_not_needed() -> None:
    plan = valid_plan()
    assert suggested_interfaces(plan, facts_of(plan, n12="ens1")) == (), "the configuration has one name for all nodes"
    assert suggested_interfaces(plan, {}) == ()
    first = plan.nodes[0].address
    assert suggested_interfaces(plan, {first: facts_of(plan)[first]}) == (), "facts of some nodes are missing"
    for changes in ({"cni": "calico"}, {"nic": "bond0"}):
        other = valid_plan(network=dict(changes))
        assert suggested_interfaces(other, facts_of(other)) == ()


def test_ipv6_address_of_the_same_interface_is_suggested_in_dual_stack() -> None:
    plan = valid_plan(network={"ip_family": "dual", "nic": "eth0"}, nodes=nodes(1, 1))
    suggested = suggested_interfaces(plan, facts_of(plan))
    assert [(one.ipv6, one.further) for one in suggested] == [("fd00::11", ()), ("fd00::21", ())]
    completed = plan.model_copy(update={"nodes": filled(plan, suggested)})
    assert suggested_interfaces(completed, facts_of(completed)) == ()


def test_existing_answers_are_not_replaced() -> None:
    plan = valid_plan(nodes=nodes(2, 0, nic="eth0", ipv6="fd77::1"), network={"ip_family": "dual"})
    assert suggested_interfaces(plan, facts_of(plan)) == ()


def test_addresses_of_this_host_are_local(tmp_path: Path) -> None:
    for own in local_addresses():
        assert is_local_address(own.address)
        assert not own.address.startswith(("127.", "fe80", "::1"))
    assert all(":" not in own.address for own in local_addresses(tmp_path)), (
        "without /proc/net only IPv4 addresses are known"
    )
