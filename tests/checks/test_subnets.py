"""Overlapping CIDR ranges, and free ranges as suggestions, for fixed and random networks."""

from dataclasses import replace
from ipaddress import IPv4Network, IPv6Network, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from acp_tui.checks.free_subnets import free_range, suggestion, suggestions
from acp_tui.checks.subnets import Kind, Network, meet, ranges, taken
from acp_tui.nodes.fact_types import Interface, Route
from acp_tui.nodes.facts import Facts
from acp_tui.plan.model import Plan
from tests.support.factories.node_facts import healthy
from tests.support.factories.plans import dual_nodes, node, nodes, valid_plan
from tests.support.factories.verdicts import FAIL, WARN, cluster, findings, planted, verdicts

PODS, SERVICES = "network.cluster_cidr.ipv4", "network.service_cidr.ipv4"


@pytest.mark.parametrize(
    ("preferred", "used", "free"),
    [
        ("10.3.0.0/16", [], "10.3.0.0/16"),
        ("10.3.0.0/16", ["10.3.7.0/24"], "10.4.0.0/16"),
        ("10.3.0.0/16", ["10.3.7.0/24", "10.4.0.0/16"], "10.2.0.0/16"),
        ("10.3.0.0/16", ["10.0.0.0/13"], "10.8.0.0/16"),
        ("10.3.0.0/16", ["10.0.0.0/8"], "172.16.0.0/16"),
        ("10.3.0.0/16", ["10.0.0.0/8", "172.16.0.0/12"], "192.168.0.0/16"),
        ("192.168.0.0/24", ["192.168.0.0/23", "192.168.3.0/24"], "192.168.2.0/24"),
        ("10.0.0.0/8", ["10.20.0.0/24"], "10.128.0.0/9"),
        ("100.64.0.0/16", ["100.64.0.0/16"], "100.65.0.0/16"),
        ("203.0.113.0/24", ["203.0.113.0/24"], "10.255.255.0/24"),
        ("10.3.0.0/16", ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"], None),
        ("fd00:10:16::/64", ["fd00:10:16::/64"], "fd00:10:16:1::/64"),
        ("2001:db8::/64", ["2001:db8::/32"], "fd00::/64"),
        ("fd00::/64", ["fd00::/8"], None),
    ],
)
def test_free_range_is_the_nearest_private_one(preferred: str, used: list[str], free: str | None) -> None:
    assert free_range(ip_network(preferred), map(ip_network, used)) == (ip_network(free) if free else None)


def networks4() -> st.SearchStrategy[IPv4Network]:
    starts = st.one_of(st.integers(10 << 24, (11 << 24) - 1), st.integers(0, 2**32 - 1))
    return st.builds(lambda a, p: IPv4Network((a, p), strict=False), starts, st.integers(4, 32))


def networks6() -> st.SearchStrategy[IPv6Network]:
    starts = st.one_of(st.integers(0xFD << 120, (0xFE << 120) - 1), st.integers(0, 2**128 - 1))
    return st.builds(lambda a, p: IPv6Network((a, p), strict=False), starts, st.integers(7, 128))


def _within(one: Network, pool: str) -> bool:
    private = ip_network(pool)
    return meet(one, private) and one.prefixlen >= private.prefixlen


@given(networks4(), st.lists(networks4(), max_size=12))
def test_free_range_does_not_overlap_and_is_private(preferred: IPv4Network, used: list[IPv4Network]) -> None:
    free = free_range(preferred, used)
    if free is not None:
        assert not any(free.overlaps(other) for other in used)
        assert free.prefixlen >= preferred.prefixlen
        assert any(_within(free, pool) for pool in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"))
    if _within(preferred, "10.0.0.0/8") and not any(preferred.overlaps(other) for other in used):
        assert free == preferred


@given(networks6(), st.lists(networks6(), max_size=12))
def test_free_ipv6_range_does_not_overlap_and_is_private(preferred: IPv6Network, used: list[IPv6Network]) -> None:
    free = free_range(preferred, used)
    if free is not None:
        assert not any(meet(free, other) for other in used)
        assert _within(free, "fd00::/8")


def suggested(plan: Plan, facts: dict[str, Facts] | None = None) -> dict[str, str]:
    return {path: str(network) for path, network in suggestions(plan, facts or {}).items()}


def applied(plan: Plan, facts: dict[str, Facts]) -> Plan:
    changes = {path.split(".")[1]: {path.split(".")[2]: free} for path, free in suggested(plan, facts).items()}
    network = plan.network.model_dump()
    for name, pair in changes.items():
        network[name] = {**network[name], **pair}
    return Plan.model_validate({**plan.model_dump(), "network": network})


def test_ranges_without_an_overlap_have_no_suggestion() -> None:
    plan = valid_plan()
    assert suggested(plan, cluster(plan)) == {}
    assert suggestion(plan, cluster(plan), PODS) is None


def test_second_of_two_overlapping_ranges_gets_a_free_range() -> None:
    plan = valid_plan(network={"cluster_cidr": {"ipv4": "10.4.0.0/16"}, "join_cidr": {"ipv4": "10.5.0.0/16"}})
    assert suggested(plan) == {SERVICES: "10.3.0.0/16"}
    assert str(suggestion(plan, {}, PODS)) == "10.3.0.0/16"


def test_two_ranges_that_overlap_the_nodes_get_different_free_ranges() -> None:
    plan = valid_plan(
        network={"cluster_cidr": {"ipv4": "10.20.0.0/16"}, "service_cidr": {"ipv4": "10.20.0.0/17"}},
    )
    assert suggested(plan) == {PODS: "10.21.0.0/16", SERVICES: "10.20.128.0/17"}
    assert suggested(applied(plan, {})) == {}


def test_free_range_avoids_routes_subnets_and_name_servers_of_nodes() -> None:
    plan = valid_plan(network={"cluster_cidr": {"ipv4": "10.20.0.0/16"}})
    facts = cluster(plan)
    facts["10.20.0.12"] = replace(
        facts["10.20.0.12"],
        interfaces=(Interface("eth0", "10.20.0.12", 22), Interface("eth1", "10.21.5.1", 24)),
        routes=(Route("default", "eth0", "10.20.0.1"), Route("10.19.0.0/16", "eth0", "10.20.0.1")),
        nameservers=("10.22.0.53", "127.0.0.53"),
    )
    assert suggested(plan, facts) == {PODS: "10.18.0.0/16"}
    assert findings(verdicts(applied(plan, facts), cluster(plan))) == set()


def test_172_is_free_in_later_releases() -> None:
    used: JsonValue = {"cluster_cidr": {"ipv4": "172.18.0.0/16"}}
    assert suggested(valid_plan(network=used)) == {PODS: "10.255.0.0/16"}
    assert suggested(valid_plan(release="4.2", network=used)) == {PODS: "172.19.0.0/16"}


def test_small_pod_range_gets_a_larger_suggestion() -> None:
    plan = valid_plan(network={"cluster_cidr": {"ipv4": "10.3.0.0/24"}})
    assert suggested(plan) == {PODS: "10.3.0.0/22"}
    remedies = [v.remedy for v in verdicts(plan, cluster(plan)) if v.requirement == "P-CLUSTER-CIDR4"]
    assert remedies == [f"Use a free range: 10.3.0.0/22 ({PODS})."]
    assert suggested(applied(plan, {})) == {}


def test_ipv6_range_gets_its_own_suggestion() -> None:
    plan = valid_plan(nodes=dual_nodes(), network={"ip_family": "dual", "cluster_cidr": {"ipv6": "2001:db8::/64"}})
    assert suggested(plan) == {"network.cluster_cidr.ipv6": "fd00::/64"}


def test_fix_names_the_free_range() -> None:
    plan = valid_plan(network={"cluster_cidr": {"ipv4": "10.20.0.0/16"}, "service_cidr": {"ipv4": "10.20.0.0/24"}})
    results = {(v.requirement, v.remedy) for v in verdicts(plan, cluster(plan)) if v.requirement.startswith("XR-CIDR-")}
    remedies = " ".join(remedy for _rule, remedy in results)
    assert f"10.21.0.0/16 ({PODS})" in remedies
    assert f"10.20.1.0/24 ({SERVICES})" in remedies


@pytest.mark.parametrize(
    ("changes", "rules"),
    [
        ({"interfaces": (Interface("eth0", "10.20.0.12", 8),)}, {("XR-CIDR-HOST", FAIL)}),
        ({"nameservers": ("10.3.0.53",)}, {("XR-CIDR-HOST", FAIL)}),
        ({"nameservers": ("10.4.0.10",)}, {("XR-CIDR-HOST", FAIL)}),
        ({"routes": (Route("default", "eth0", "10.20.0.1"), Route("10.3.9.0/24", "eth1", None))},
         {("XR-CIDR-HOST", WARN)}),
        # healthy: a default route in two halves, a name server next to the range, another family, the loopback
        ({"routes": (Route("default", "eth0", "g"), Route("0.0.0.0/1", "tun0", "g"), Route("128.0.0.0/1", "t", "g"))},
         set()),
        ({"nameservers": ("10.5.0.53",)}, set()),
        ({"routes6": (Route("default", "eth0", "g"), Route("fd00:10:16::/64", "eth1", None))}, set()),
        ({"routes": (Route("default", "eth0", "g"), Route("10.3.0.1", "lo", None))}, set()),
    ],
)  # fmt: skip
def test_networks_of_a_node_in_a_range_are_reported(changes: dict[str, object], rules: set[tuple[str, object]]) -> None:
    assert planted(changes) == rules


def test_overlap_with_node_networks_is_a_warning_with_calico() -> None:
    plan = valid_plan(network={"cni": "calico", "cluster_cidr": {"ipv4": "10.20.0.0/24"}})
    results = {v.outcome for v in verdicts(plan, cluster(plan)) if v.requirement == "XR-CIDR-HOST"}
    assert results == {WARN}


@pytest.mark.parametrize(
    ("interfaces", "vip", "broken"),
    [
        ((Interface("eth0", "10.20.0.12", 24),), "10.20.0.10", False),
        ((Interface("eth0", "10.20.0.12", 16),), "10.20.0.10", True),  # the prefix differs from the other nodes
        ((Interface("eth0", "10.20.0.12", 28),), "10.20.0.100", True),  # the VIP is outside the subnet
        ((Interface("eth0", "10.20.0.12", 24),), "10.20.0.255", True),  # the broadcast address
        ((Interface("eth0", "10.20.0.12", 24),), "10.21.0.10", True),
    ],
)
def test_self_built_vip_must_be_a_host_address_of_the_common_subnet(
    interfaces: tuple[Interface, ...], vip: str, broken: bool
) -> None:
    plan = valid_plan(address={"self_built_vip": True, "cluster_endpoint": vip})
    facts = cluster(plan)
    facts["10.20.0.12"] = replace(facts["10.20.0.12"], interfaces=interfaces)
    assert any(v.requirement == "VIP-SUBNET" and v.outcome is FAIL for v in verdicts(plan, facts)) is broken


def test_free_range_avoids_the_default_subnet_of_a_node_without_facts() -> None:
    plan = valid_plan(nodes=[node("10.20.0.11")], network={"service_cidr": {"ipv4": "10.20.0.0/28"}})
    assert suggested(plan) == {SERVICES: "10.19.255.240/28"}


def test_taken_networks_are_complete_and_unique() -> None:
    plan = valid_plan(nodes=nodes(3, 0), address={"others": ["10.20.0.10", "203.0.113.7", "b.example.com"]})
    facts = {n.address: healthy(n.address) for n in plan.nodes}
    kinds = [(one.kind, str(one.network)) for one in taken(plan, facts)]
    assert kinds == [
        (Kind.PODS, "10.3.0.0/16"),
        (Kind.SERVICES, "10.4.0.0/16"),
        (Kind.JOIN, "100.64.0.0/16"),
        (Kind.NODES, "10.20.0.0/24"),
        (Kind.ENDPOINT, "10.20.0.10/32"),
        (Kind.OTHER, "203.0.113.7/32"),
        (Kind.DNS, "10.20.0.2/32"),
        (Kind.RESERVED, "172.16.0.0/12"),
        (Kind.RESERVED, "172.32.0.0/16"),
    ]
    assert list(ranges(plan)) == [PODS, SERVICES, "network.join_cidr.ipv4"]
