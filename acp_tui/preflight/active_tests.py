"""Active tests: they open test ports on nodes, write to disks or load the network, so they run only on request.

The command `check --also` and the wizard show the same descriptions, run the same tests and add the results to the
facts.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from acp_tui.checks.cluster.untested_traffic import format_test_ports
from acp_tui.checks.topology import Topology, has_external_load_balancer, topology_of
from acp_tui.core.i18n import N_, _
from acp_tui.nodes.active.bandwidth import MAX_MEBIBYTES, BandwidthNode, measure, pairs
from acp_tui.nodes.active.disk import disk_speed_collector
from acp_tui.nodes.active.listeners import ListenerPlan, run_listener_test
from acp_tui.nodes.active.path_test import PathNode, run_path_test
from acp_tui.nodes.active.vrrp import vrrp_collector
from acp_tui.nodes.facts import Facts
from acp_tui.nodes.script import Collector
from acp_tui.nodes.ssh.deadlines import DEADLINES, Deadlines
from acp_tui.nodes.ssh.target import Target
from acp_tui.plan.known_hosts import KnownHost, KnownHosts
from acp_tui.plan.model import Plan
from acp_tui.plan.sections.node import Node

ACTIVE_FACTS = (
    "listener_results",
    "backends_reached",
    "wrong_ports_reached",
    "proxy_protocol_ports",
    "vrids_seen",
    "disk_speed",
    "bandwidths",
    "path_test",
)
"""The names of the facts that only an active test provides."""
_LISTENER_FACTS = ("listener_results", "backends_reached", "wrong_ports_reached", "proxy_protocol_ports")
_DISK_SECONDS = 60  # that the disk test adds to the script of a node at most
_FIRST_UNPRIVILEGED_PORT = 1024


class ActiveTest(StrEnum):
    """The active tests, by their names on the command line."""

    LOAD_BALANCER = "load-balancer"
    PATHS = "paths"
    VRRP = "vrrp"
    DISK = "disk"
    BANDWIDTH = "bandwidth"


@dataclass(frozen=True)
class Description:
    """The description of an active test, which the operator reads before it runs. The texts are not translated yet."""

    name: str
    effect: str
    """The effect of the test on the nodes. The text can have the placeholders that `describe_effect` fills in."""
    applies: Callable[[Plan], bool]
    collectors: Callable[[Node], tuple[Collector, ...]] = lambda node: ()
    """Returns the collectors that this test adds to the collectors of the preflight on a control plane node."""
    seconds: int = 0
    """The maximum number of seconds that these collectors add to the run time of the script on a node."""


def _has_several_nodes(plan: Plan) -> bool:
    return len(plan.nodes) > 1


def _has_load_balancer_address(plan: Plan) -> bool:
    return has_external_load_balancer(plan) and bool(plan.address.cluster_endpoint)


DESCRIPTIONS: Mapping[ActiveTest, Description] = {
    ActiveTest.LOAD_BALANCER: Description(
        name=N_("load balancer: reachable backends"),
        effect=N_(
            "acp-tui opens temporary test ports on the control plane nodes. "
            "It connects to them through the load balancer."
        ),
        applies=_has_load_balancer_address,
    ),
    ActiveTest.PATHS: Description(
        name=N_("paths: TCP, UDP and tunnels between nodes"),
        effect=N_(
            "acp-tui opens test ports on all nodes, for up to 2 minutes: {ports}. "
            "Every node sends a few packets to every other node."
        ),
        applies=_has_several_nodes,
    ),
    ActiveTest.VRRP: Description(
        name=N_("VRRP: router IDs in use"),
        effect=N_("acp-tui listens for VRRP advertisements on the control plane nodes for 4 seconds."),
        applies=lambda plan: plan.address.self_built_vip,
        collectors=lambda node: (vrrp_collector(node.address),),
    ),
    ActiveTest.DISK: Description(
        name=N_("disk: write speed"),
        effect=N_("acp-tui writes up to 256 MiB to the disk of each control plane node, for about half a minute."),
        applies=lambda plan: True,
        collectors=lambda node: (disk_speed_collector(),),
        seconds=_DISK_SECONDS,
    ),
    ActiveTest.BANDWIDTH: Description(
        name=N_("bandwidth: throughput between nodes"),
        effect=N_(
            "acp-tui sends data between the nodes through a temporary test port, one pair at a time. "
            "A transfer ends after {most} MiB or one second. A slow transfer is repeated once. "
            "Transfers: {count}, in total about {seconds} s."
        ),
        applies=_has_several_nodes,
    ),
}


def applicable_tests(plan: Plan) -> tuple[ActiveTest, ...]:
    """Return the active tests that apply to this plan."""
    return tuple(test for test in ActiveTest if DESCRIPTIONS[test].applies(plan))


def describe_effect(plan: Plan, test: ActiveTest) -> str:
    """Return the text that describes the effect of a test on the nodes, for the confirmation by the operator."""
    count = sum(1 for _pair in pairs([node.address for node in plan.nodes])) if _has_several_nodes(plan) else 0
    text = _(DESCRIPTIONS[test].effect)
    seconds = max(2, round(count * 1.5))
    return text.format(count=count, most=MAX_MEBIBYTES, seconds=seconds, ports=_path_ports(plan))


def _path_ports(plan: Plan) -> str:
    """Return the ports of the path test as text, such as `TCP 443, 6443; UDP 53`."""
    specs = dict.fromkeys(spec for targets in topology_of(plan).nodes for spec in targets.test_ports)
    return format_test_ports(specs)


def keep_active_facts(before: Facts | None, now: Facts) -> Facts:
    """Return a copy of `now` that also has the results of active tests from `before`.

    If the node has rebooted after `before` was collected, return `now` unchanged.
    """
    if before is None or before.boot_id is None or before.boot_id != now.boot_id:
        return now
    earlier = {name: getattr(before, name) for name in ACTIVE_FACTS if getattr(now, name) is None}
    return replace(now, missing={n: reason for n, reason in now.missing.items() if earlier.get(n) is None}, **earlier)


@dataclass(frozen=True)
class RequestedTests:
    """The active tests that the operator requested, with all values that they need from the plan.

    Nodes are identified by their plan addresses.
    """

    requested: frozenset[ActiveTest]
    collectors: Mapping[str, tuple[Collector, ...]]
    """For each node, the collectors that the tests add to the collectors of the preflight."""
    ports: Mapping[str, tuple[int, ...]]
    """For each node, the TCP ports that the other nodes must reach, without the SSH port."""
    paths: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]
    """For each node, its addresses and the ports of the path test (`NodeTargets.test_ports`)."""
    control_planes: frozenset[str]
    endpoint: str
    """The address of the load balancer. It is used only if `forwarded_ports` contains ports."""
    forwarded_ports: tuple[int, ...]
    """The ports to test through the load balancer; () if the test is not requested or no load balancer exists."""
    sufficient_bits: float
    """The required speed of a transfer between two nodes, in bits per second (NETCFG-BW-INTRA)."""

    def extend(self, deadlines: Deadlines) -> Deadlines:
        """Return `deadlines` with a later deadline for the script: later by the time that the requested tests need."""
        seconds = sum(DESCRIPTIONS[test].seconds for test in self.requested)
        return replace(deadlines, script=deadlines.script + seconds)

    async def run_between_nodes(
        self,
        facts: Mapping[str, Facts],
        targets: Sequence[Target],
        known_hosts: KnownHosts,
        *,
        deadlines: Deadlines = DEADLINES,
    ) -> dict[str, Facts]:
        """Run the tests in which several nodes take part at the same time.

        Return the facts of `targets`, with the results added.
        """
        found = {target.address: facts[target.address] for target in targets}
        if self.forwarded_ports:
            plans = [self._listener_plan(target, known_hosts.get(target.address)) for target in targets]
            for address, results in (await run_listener_test(plans, deadlines=deadlines)).items():
                found[address] = _with_listener_results(found[address], results)
        if ActiveTest.PATHS in self.requested and len(targets) > 1:
            nodes = [PathNode(one, *self.paths[one.address], known_hosts.get(one.address)) for one in targets]
            for address, tested in (await run_path_test(nodes, deadlines=deadlines)).items():
                found[address] = replace(found[address], path_test=tested)
        if ActiveTest.BANDWIDTH in self.requested and len(targets) > 1:
            ends = [BandwidthNode(one, known_hosts.get(one.address), self._unprivileged_ports(one)) for one in targets]
            for address, measured in (await measure(ends, self.sufficient_bits, deadlines=deadlines)).items():
                found[address] = replace(found[address], bandwidths=measured)
        return found

    def _listener_plan(self, target: Target, known: KnownHost | None) -> ListenerPlan:
        """Return the test ports that one node opens, and the ports of the load balancer to which it connects."""
        listens = self.forwarded_ports if target.address in self.control_planes else ()
        balancer = tuple((self.endpoint, port, self.control_planes) for port in self.forwarded_ports)
        return ListenerPlan(target, listens, balancer, known)

    def _unprivileged_ports(self, target: Target) -> tuple[int, ...]:
        return tuple(port for port in self.ports[target.address] if port >= _FIRST_UNPRIVILEGED_PORT)


def prepare_active_tests(plan: Plan, topology: Topology, requested: Collection[ActiveTest]) -> RequestedTests:
    """Return the requested tests with all values that they need from the plan."""
    return RequestedTests(
        requested=frozenset(requested),
        collectors={node.address: _collectors(node, requested) for node in plan.nodes},
        ports={one.node: tuple(port for port in one.ports if port != one.ssh_port) for one in topology.nodes},
        paths={one.node: (one.addresses, one.test_ports) for one in topology.nodes},
        control_planes=frozenset(node.address for node in plan.control_planes),
        endpoint=topology.load_balancer,
        forwarded_ports=topology.load_balancer_ports if ActiveTest.LOAD_BALANCER in requested else (),
        sufficient_bits=topology.sufficient_bits,
    )


def _collectors(node: Node, requested: Collection[ActiveTest]) -> tuple[Collector, ...]:
    tests = [test for test in ActiveTest if test in requested and node.role == "control-plane"]
    return tuple(collector for test in tests for collector in DESCRIPTIONS[test].collectors(node))


def _with_listener_results(facts: Facts, results: Facts) -> Facts:
    gaps = {**facts.missing, **{name: reason for name, reason in results.missing.items() if name == "backends_reached"}}
    return replace(facts, missing=gaps, **{name: getattr(results, name) for name in _LISTENER_FACTS})
