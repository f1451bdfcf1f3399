"""The network and address steps: suggestions filled in with a key, and the drawing of the address plan."""

from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import JsonValue

from acp_tui.checks.suggestions import common_interfaces, suggest
from acp_tui.nodes.fact_types import Interface, Route
from acp_tui.nodes.facts import Facts
from screens.dialogs.prompts import Read
from screens.formatting.address_plan import drawing
from screens.formatting.glyphs import glyphs
from tests.support.factories.node_facts import healthy
from tests.support.factories.plans import dual_nodes, node, nodes, valid_plan
from tests.support.factories.verdicts import cluster
from tests.support.wizard_pilot import screen_text, until, wizard

LOGIN: dict[str, JsonValue] = {"username": "root", "password": None}
ON_NODES: JsonValue = {"cluster_cidr": {"ipv4": "10.20.0.0/16"}}


async def test_free_range_is_filled_in_with_one_key(tmp_path: Path) -> None:
    plan = valid_plan(ssh=LOGIN, network=ON_NODES)
    async with wizard(tmp_path, plan, "network", cluster(plan)) as (pilot, session):
        await pilot.press("down", "down")
        await pilot.pause()
        assert "^F fills in 10.21.0.0/16: no known network uses this range" in screen_text(pilot)
        assert "10.20.0.10 is in 10.20.0.0/16" in screen_text(pilot) or "10.20.0.11 is in" in screen_text(pilot)
        await pilot.press("ctrl+f")
        await until(pilot, lambda: session.plan.network.cluster_cidr.ipv4 == "10.21.0.0/16")
        await session.evaluate_now()
        await pilot.pause()
        assert "fills in" not in screen_text(pilot)
        assert not [v for v in session.verdict_view.open if v.requirement.startswith("XR-CIDR")]


async def test_key_without_a_suggestion_changes_nothing(tmp_path: Path) -> None:
    plan = valid_plan(ssh=LOGIN)
    async with wizard(tmp_path, plan, "network") as (pilot, session):
        for key in ("ctrl+f", "down", "ctrl+f", "down", "ctrl+f"):
            await pilot.press(key)
        await pilot.pause()
        assert session.plan.network == plan.network


async def test_own_address_is_suggested_for_a_single_node(tmp_path: Path) -> None:
    plan = valid_plan(ssh=LOGIN, nodes=nodes(1, 0), address={"cluster_endpoint": "", "platform": None})
    async with wizard(tmp_path, plan, "address") as (pilot, session):
        assert "^F fills in 10.20.0.11: the address of the only node" in screen_text(pilot)
        await pilot.press("ctrl+f")
        await until(pilot, lambda: session.plan.address.cluster_endpoint == "10.20.0.11")
        await pilot.press("down", "down")
        await pilot.pause()
        assert "The default is 10.20.0.11, the cluster endpoint." in screen_text(pilot)


def with_interfaces(*names: str, address: str) -> Facts:
    own = (Interface("lo", "127.0.0.1", 8), Interface(names[0], address, 24))
    return replace(healthy(address), interfaces=(*own, *(Interface(name, "192.168.9.1", 24) for name in names[1:])))


def test_common_interfaces_are_suggested_in_turn() -> None:
    plan = valid_plan(nodes=nodes(2, 0))
    facts = {
        "10.20.0.11": with_interfaces("eth1", "docker0", "eth0", "veth12", "bond0", address="10.20.0.11"),
        "10.20.0.12": with_interfaces("eth1", "eth0", "docker0", "ovn0", address="10.20.0.12"),
    }
    assert common_interfaces(plan, facts) == ("eth1", "eth0")
    first = suggest(plan, facts, "network.nic")
    assert first is not None
    assert first.value == "eth1"
    second = suggest(valid_plan(nodes=nodes(2, 0), network={"nic": "eth1"}), facts, "network.nic")
    assert second is not None
    assert second.value == "eth0"
    assert common_interfaces(plan, {"10.20.0.11": facts["10.20.0.11"]}) == ()


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({}, "network.cluster_cidr.ipv4"),
        ({}, "network.cluster_cidr.ipv6"),
        ({}, "address.cluster_endpoint"),
        ({}, "network.nic"),
        ({"nodes": [node("2001:db8::1")], "network": {"ip_family": "ipv6"}}, "address.cluster_endpoint"),
        ({"nodes": [node("10.20.0.10")]}, "address.cluster_endpoint"),
        ({"nodes": []}, "network.nic"),
    ],
)
def test_no_suggestion_without_a_better_value(changes: dict[str, JsonValue], path: str) -> None:
    assert suggest(valid_plan(**changes), {}, path) is None


async def test_address_plan_opens_over_the_step(tmp_path: Path) -> None:
    plan = valid_plan(ssh=LOGIN, network=ON_NODES)
    async with wizard(tmp_path, plan, "network", cluster(plan)) as (pilot, _session):
        await pilot.press("ctrl+t")
        await pilot.pause()
        text = screen_text(pilot)
        for part in ("Pods", "Services", "join range", "10.20.0.0/24", "overlaps: nodes", "5 x 110 = 550"):
            assert part in text
        assert "Free range for Pods: 10.21.0.0/16" in text
        await pilot.press("escape")
        await pilot.pause()
        assert "overlaps" not in screen_text(pilot)


def lines(**changes: JsonValue) -> list[str]:
    plan = valid_plan(**changes)
    return drawing(plan, cluster(plan), Read.WIDE).plain.splitlines()


def line(drawn_lines: list[str], text: str) -> str:
    return next(line for line in drawn_lines if text in line)


def test_drawing_nests_ranges() -> None:
    drawn = lines()
    assert line(drawn, "10.20.0.0/24").split()[-4:] == ["256,", "5", "nodes,", "eth0"]
    assert line(drawn, "endpoint").index("10.20.0.10") > line(drawn, "10.20.0.0/24").index("10.20.0.0/24")
    assert not any("overlaps" in line or glyphs().failed in line for line in drawn)
    assert all(len(line) <= Read.WIDE for line in drawn)


def test_ipv4_and_ipv6_are_drawn_separately() -> None:
    drawn = lines(nodes=dual_nodes(), network={"ip_family": "dual", "join_cidr": {"ipv6": "fd00:10:16::/80"}})
    assert [line.split()[0] for line in drawn if line.startswith("IPv")] == ["IPv4", "IPv6"]
    assert line(drawn, "fd00:10:16::/80").startswith(glyphs().failed)
    assert "overlaps: Pods" in line(drawn, "fd00:10:16::/80")
    assert all(len(line) <= Read.WIDE for line in drawn)


def test_advice_has_another_mark_than_a_failure() -> None:
    drawn = lines(network={"cni": "calico", "cluster_cidr": {"ipv4": "172.20.0.0/24"}})
    assert line(drawn, "172.20.0.0/24").startswith(glyphs().warned)
    assert any("too small" in line for line in drawn)
    assert "overlaps: Pods" in line(drawn, "172.16.0.0/12")
    assert not any("join range" in line for line in drawn)


def test_route_is_drawn_only_where_it_overlaps() -> None:
    plan = valid_plan()
    facts = cluster(plan)
    routes = (Route("default", "eth0", "g"), Route("10.4.7.0/24", "eth1", "g"), Route("192.168.7.0/24", "eth1", "g"))
    facts["10.20.0.12"] = replace(facts["10.20.0.12"], routes=routes)
    drawn = drawing(plan, facts, Read.WIDE).plain
    assert "10.4.7.0/24" in drawn
    assert "192.168.7.0" not in drawn
