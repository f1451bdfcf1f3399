"""Facts of nodes suggest values, and never replace an answer."""

from dataclasses import replace
from pathlib import Path

from acp_tui.checks.suggestions import filled, suggested_interfaces
from acp_tui.core.local_host import local_addresses
from acp_tui.nodes.facts import Facts, Interface
from acp_tui.package.facts import is_local_address
from acp_tui.plan.model import Plan
from tests.support.factories.node_facts import healthy
from tests.support.factories.plans import nodes, valid_plan


def seen(plan: Plan, **nics: str) -> dict[str, Facts]:
    """Nodes with their address on eth0, or on the interface given for its last part (`n12="ens1"`)."""
    found = {}
    for node in plan.nodes:
        last = node.address.rpartition(".")[2]
        nic = nics.get(f"n{last}", "eth0")
        addresses = (("lo", "::1"), (nic, node.address), (nic, "fe80::1"), (nic, f"fd00::{last}"), ("eth9", "fd09::1"))
        interfaces = tuple(Interface(name, address, 64) for name, address in addresses)
        found[node.address] = replace(healthy(node.address, role=node.role), interfaces=interfaces)
    return found


def test_the_interface_that_carries_the_address() -> None:
    plan = valid_plan()
    told = suggested_interfaces(plan, seen(plan))
    assert {(one.nic, one.ipv6) for one in told} == {("eth0", None)}
    assert [node.nic for node in filled(plan, told)] == ["eth0"] * 5


def test_no_interface_where_the_document_could_not_hold_it_or_nobody_wants_one() -> None:
    plan = valid_plan()
    assert suggested_interfaces(plan, seen(plan, n12="ens1")) == (), "the document has one name for all"
    assert suggested_interfaces(plan, {}) == ()
    first = plan.nodes[0].address
    assert suggested_interfaces(plan, {first: seen(plan)[first]}) == (), "not before all nodes have told"
    for changes in ({"cni": "calico"}, {"nic": "bond0"}):
        other = valid_plan(network=dict(changes))
        assert suggested_interfaces(other, seen(other)) == ()


def test_the_ipv6_address_of_the_same_interface_in_dual_stack() -> None:
    plan = valid_plan(network={"ip_family": "dual", "nic": "eth0"}, nodes=nodes(1, 1))
    told = suggested_interfaces(plan, seen(plan))
    assert [(one.ipv6, one.further) for one in told] == [("fd00::11", ()), ("fd00::21", ())]
    again = plan.model_copy(update={"nodes": filled(plan, told)})
    assert suggested_interfaces(again, seen(again)) == ()


def test_an_answer_stands() -> None:
    plan = valid_plan(nodes=nodes(2, 0, nic="eth0", ipv6="fd77::1"), network={"ip_family": "dual"})
    assert suggested_interfaces(plan, seen(plan)) == ()


def test_this_hosts_addresses_are_its_own(tmp_path: Path) -> None:
    for own in local_addresses():
        assert is_local_address(own.address)
        assert not own.address.startswith(("127.", "fe80", "::1"))
    assert all(":" not in own.address for own in local_addresses(tmp_path)), (
        "without /proc/net only what the kernel says"
    )
