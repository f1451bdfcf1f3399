"""What is done on the nodes only on request, because it listens or writes there, loads the network or takes long.

The command `check --also` and the wizard ask for it with the same words, run it, and lay it over what is known.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from enum import StrEnum

from acp_tui.checks.catalog import FunctionCheck, catalogue
from acp_tui.checks.topology import Topology, has_external_load_balancer
from acp_tui.core.i18n import N_, _
from acp_tui.core.units import MEGA
from acp_tui.nodes.active.bandwidth import MAX_MEBIBYTES, BandwidthNode, measure, pairs
from acp_tui.nodes.active.disk import disk_speed_collector
from acp_tui.nodes.active.listeners import ListenerPlan, run_listener_test
from acp_tui.nodes.active.vrrp import vrrp_collector
from acp_tui.nodes.facts import Facts
from acp_tui.nodes.script import Collector
from acp_tui.nodes.ssh.connection import DEADLINES, Deadlines, Target
from acp_tui.plan.model import Node, Plan

DISK_SECONDS = 60  # that measuring a disk adds to a node's script at most
LEARNED = (
    "listener_results",
    "backends_reached",
    "wrong_ports_reached",
    "proxy_protocol_ports",
    "vrids_seen",
    "disk_speed",
    "bandwidths",
)
"""The facts that come only on request."""


class ActiveTest(StrEnum):
    LOAD_BALANCER = "load-balancer"
    PATHS = "paths"
    VRRP = "vrrp"
    DISK = "disk"
    BANDWIDTH = "bandwidth"


_REHEARSED = {ActiveTest.LOAD_BALANCER, ActiveTest.PATHS}

_WORDS: Mapping[ActiveTest, str] = {
    ActiveTest.LOAD_BALANCER: N_(
        "Temporary listeners stand on the control plane nodes, for the load balancer to lead to."
    ),
    ActiveTest.PATHS: N_("Temporary listeners stand on all nodes, for the others to dial."),
    ActiveTest.VRRP: N_("The control plane nodes listen for VRRP adverts for 4 seconds."),
    ActiveTest.DISK: N_("The control plane nodes' disks are written to, up to 256 MiB each, for about half a minute."),
    ActiveTest.BANDWIDTH: N_(
        "Nodes send data to each other over a temporary listener, one pair at a time: {count} transfers of {most} MiB "
        "or one second at most, about {seconds} seconds in all. A slow one is tried twice."
    ),
}


NAMES: Mapping[ActiveTest, str] = {
    ActiveTest.LOAD_BALANCER: N_("load balancer: whom it leads to"),
    ActiveTest.PATHS: N_("paths: from node to node, with listeners"),
    ActiveTest.VRRP: N_("VRRP: which router IDs are in use"),
    ActiveTest.DISK: N_("disk: how fast it writes"),
    ActiveTest.BANDWIDTH: N_("bandwidth: from node to node"),
}


def offered(plan: Plan) -> tuple[ActiveTest, ...]:
    """What there is to try for this plan."""
    several = len(plan.nodes) > 1
    fits = {
        ActiveTest.LOAD_BALANCER: has_external_load_balancer(plan) and bool(plan.address.cluster_endpoint),
        ActiveTest.PATHS: several,
        ActiveTest.VRRP: plan.address.self_built_vip,
        ActiveTest.DISK: True,
        ActiveTest.BANDWIDTH: several,
    }
    return tuple(one for one in ActiveTest if fits[one])


def carried(before: Facts | None, now: Facts) -> Facts:
    """`now`, with what was learned on request `before` and not since, if the node has not booted in between."""
    if before is None or before.boot_id is None or before.boot_id != now.boot_id:
        return now
    kept = {name: getattr(before, name) for name in LEARNED if getattr(now, name) is None}
    return replace(now, missing={n: why for n, why in now.missing.items() if kept.get(n) is None}, **kept)


def what_it_does(plan: Plan, one: ActiveTest) -> str:
    """What it does to the nodes, and what that costs: to be shown before."""
    count = sum(1 for _pair in pairs([node.address for node in plan.nodes])) if len(plan.nodes) > 1 else 0
    return _(_WORDS[one]).format(count=count, most=MAX_MEBIBYTES, seconds=max(2, round(count * 1.5)))


def snippets_on_request(plan: Plan, node: Node, also: Collection[ActiveTest]) -> tuple[Collector, ...]:
    """What `node` is asked beside the usual."""
    plane = node.role == "control-plane"
    listening = [vrrp_collector(node.address)] if ActiveTest.VRRP in also and plane else []
    return (*listening, *([disk_speed_collector()] if ActiveTest.DISK in also and plane else []))


def patience(deadlines: Deadlines, also: Collection[ActiveTest]) -> Deadlines:
    """`deadlines`, with the time that is needed for these."""
    return replace(deadlines, script=deadlines.script + DISK_SECONDS) if ActiveTest.DISK in also else deadlines


async def between_on_request(
    plan: Plan,
    topology: Topology,
    known: Mapping[str, Facts],
    reached: Collection[Target],
    keys: Mapping[str, str | None],
    also: Collection[ActiveTest],
    *,
    deadlines: Deadlines = DEADLINES,
) -> dict[str, Facts]:
    """What needs several nodes at a time, done on the nodes `reached`; their facts with what was learned laid over.

    `keys`: their host keys by address."""
    found = {one.address: known[one.address] for one in reached}
    if _REHEARSED & set(also):
        for address, facts in (
            await run_listener_test(_roles(plan, topology, reached, keys, also), deadlines=deadlines)
        ).items():
            missing = {
                **found[address].missing,
                **{name: why for name, why in facts.missing.items() if name == "backends_reached"},
            }
            found[address] = replace(
                found[address],
                listener_results=facts.listener_results,
                backends_reached=facts.backends_reached,
                wrong_ports_reached=facts.wrong_ports_reached,
                proxy_protocol_ports=facts.proxy_protocol_ports,
                missing=missing,
            )
    if ActiveTest.BANDWIDTH in also and len(reached) > 1:
        own = _own_ports(topology)
        ends = [
            BandwidthNode(one, keys[one.address], tuple(p for p in own[one.address] if p > 1023)) for one in reached
        ]
        for address, measured in (await measure(ends, enough_bits(plan), deadlines=deadlines)).items():
            found[address] = replace(found[address], bandwidths=measured)
    return found


def enough_bits(plan: Plan) -> float:
    """Bits a second that a transfer shows of a link which is fast enough (NETCFG-BW-INTRA)."""
    check = catalogue(plan.effective_release)["NETCFG-BW-INTRA"].check
    assert isinstance(check, FunctionCheck)
    return check.number("megabits") * MEGA * check.number("payload")


def _own_ports(topology: Topology) -> dict[str, tuple[int, ...]]:
    """The TCP ports on which each node is needed, without SSH."""
    return {one.node: tuple(port for port in one.ports if port != one.ssh_port) for one in topology.nodes}


def _roles(
    plan: Plan,
    topology: Topology,
    reached: Collection[Target],
    keys: Mapping[str, str | None],
    also: Collection[ActiveTest],
) -> list[ListenerPlan]:
    """Who listens where, and who dials what: control planes behind the load balancer, all nodes for each other."""
    planes = frozenset(node.address for node in plan.control_planes)
    forwarded = topology.load_balancer_ports if ActiveTest.LOAD_BALANCER in also else ()
    own: Mapping[str, tuple[int, ...]] = _own_ports(topology) if ActiveTest.PATHS in also else {}
    return [
        ListenerPlan(
            one,
            tuple(dict.fromkeys((*(forwarded if one.address in planes else ()), *own.get(one.address, ())))),
            (
                *((plan.address.cluster_endpoint, port, planes) for port in forwarded),
                *(
                    (t.address, port, frozenset({t.address}))
                    for t in reached
                    if t is not one
                    for port in own.get(t.address, ())
                ),
            ),
            keys[one.address],
        )
        for one in reached
    ]
