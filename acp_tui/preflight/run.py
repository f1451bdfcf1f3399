"""Run the preflight: collect the facts of all nodes concurrently, evaluate the requirements, build the report.

Events come from the nodes in any order. A node that does not reply does not delay the other nodes. If the collection on
a node fails, its last event is still a `NodeFinished`, and the report names the node.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from acp_tui.checks.causes import without_lost_causes
from acp_tui.checks.evaluate import evaluate
from acp_tui.checks.local_file_facts import NO_LOCAL_FILES, LocalFiles
from acp_tui.checks.topology import Topology, node_test_spec, topology_of
from acp_tui.core.clock import now
from acp_tui.core.concurrency import Work, merge_events
from acp_tui.core.files import resolve_path
from acp_tui.nodes.collect import collect_facts
from acp_tui.nodes.collectors import COLLECTORS, IDENTITY
from acp_tui.nodes.collectors.connectivity import collectors_for
from acp_tui.nodes.events import FactsUpdated, LocalFactsDone, NodeEvent, NodeFinished
from acp_tui.nodes.facts import Facts
from acp_tui.nodes.script import Collector
from acp_tui.nodes.ssh.address_map import AddressMap, direct
from acp_tui.nodes.ssh.deadlines import DEADLINES, Deadlines
from acp_tui.nodes.ssh.target import Target
from acp_tui.nodes.state import NodeState
from acp_tui.plan.known_hosts import KnownHost, KnownHosts, is_confirmed
from acp_tui.plan.model import Plan
from acp_tui.plan.secret_mask import Mask, secret_mask
from acp_tui.plan.sections.node import Node
from acp_tui.preflight.active_tests import ActiveTest, prepare_active_tests
from acp_tui.preflight.report.model import Report
from acp_tui.preflight.report.node_summary import node_records


@dataclass(frozen=True)
class PreflightDone:
    """The last event of a preflight. It contains the report."""

    report: Report
    nodes: Mapping[str, NodeFinished] = field(default_factory=dict, repr=False)
    """The last event of each node, by address."""


PreflightEvent = NodeEvent | PreflightDone


def target(plan: Plan, node: Node, address_map: AddressMap = direct, *, plan_dir: Path = Path()) -> Target:
    """Return the login of `node`.

    Relative paths of key files start from `plan_dir`. `~` is the home folder of the user on this host.
    """
    login = plan.login(node)
    host, port = address_map(node.address, login.port)
    key = resolve_path(plan_dir, login.key_file) if login.key_file else None
    return Target(node.address, host, port, login.username, login.password, key, login.key_passphrase)


def targets(plan: Plan, address_map: AddressMap = direct, *, plan_dir: Path = Path()) -> tuple[Target, ...]:
    """Return the logins of all nodes in the order of the plan, each address once."""
    by_address = {node.address: target(plan, node, address_map, plan_dir=plan_dir) for node in plan.nodes}
    return tuple(by_address.values())


def node_collectors(topology: Topology, node: Node) -> tuple[Collector, ...]:
    """Return the collectors of a node: those of its own facts, and those of its connectivity."""
    return (*COLLECTORS, *collectors_for(node_test_spec(topology, node)))


def shareable(plan: Plan, known: KnownHost | None) -> Plan:
    """Return the plan without the registry password, unless the host key of the node that gets it is confirmed."""
    if is_confirmed(known) or plan.registry.password is None:
        return plan
    return plan.model_copy(update={"registry": plan.registry.model_copy(update={"password": None})})


async def probe_node(
    plan: Plan,
    node: Node,
    known_host: KnownHost | None,
    address_map: AddressMap = direct,
    *,
    plan_dir: Path = Path(),
    deadlines: Deadlines = DEADLINES,
) -> AsyncGenerator[NodeEvent, None]:
    """Collect the facts of one node, for the wizard. The last event is its `NodeFinished`.

    `known_host`: the host keys that are accepted; None if the node has none.
    """
    login, mask = target(plan, node, address_map, plan_dir=plan_dir), secret_mask(plan)
    collectors = node_collectors(topology_of(shareable(plan, known_host), plan_dir), node)
    async with aclosing(collect_facts(login, known_host, deadlines=deadlines, collectors=collectors)) as events:
        async for event in events:
            yield _masked(event, mask)


async def refresh_connectivity(
    plan: Plan,
    node: Node,
    before: Facts,
    known_host: KnownHost | None,
    address_map: AddressMap = direct,
    *,
    plan_dir: Path = Path(),
    deadlines: Deadlines = DEADLINES,
) -> NodeFinished:
    """Test the connectivity of `node` again, because other nodes or addresses have changed. Its other facts are kept.

    The result also has the current `boot_id` and `machine_id`. If they are different from those in `before`, the other
    facts belong to an earlier boot or to a different machine. If the node cannot be reached, its facts are those of
    `before`.
    """
    collectors = (IDENTITY, *collectors_for(node_test_spec(topology_of(shareable(plan, known_host), plan_dir), node)))
    login = target(plan, node, address_map, plan_dir=plan_dir)
    done = await _collect(login, known_host, collectors, before, deadlines)
    collected = done.state in (NodeState.CHECKED, NodeState.NO_SUDO)
    facts = _updated(before, done.facts, collectors) if collected else before
    return replace(done, facts=facts, detail=secret_mask(plan)(done.detail))


def _masked(event: NodeEvent, mask: Mask) -> NodeEvent:
    """Return the event with the secrets masked in its message. Facts are not masked; see `plan.secret_mask`."""
    if isinstance(event, LocalFactsDone | NodeFinished) and event.detail:
        return replace(event, detail=mask(event.detail))
    return event


async def _collect(
    login: Target, known_host: KnownHost | None, collectors: tuple[Collector, ...], before: Facts, deadlines: Deadlines
) -> NodeFinished:
    """Run collectors on a node and return the last event of the node.

    If the node yields no such event, the returned event has the state `lost` and the facts `before`.
    """
    done = NodeFinished(login.address, NodeState.LOST, before)
    async with aclosing(collect_facts(login, known_host, deadlines=deadlines, collectors=collectors)) as events:
        async for event in events:
            if isinstance(event, NodeFinished):
                done = event
    return done


def _updated(before: Facts, now: Facts, collectors: Collection[Collector]) -> Facts:
    """Return a copy of `before` with the values of `now` in the fields that `collectors` fill."""
    names = {name for collector in collectors for name in collector.fields}
    gaps = {name: reason for name, reason in before.missing.items() if name not in names}
    gaps |= {name: reason for name, reason in now.missing.items() if name in names}
    return replace(before, missing=gaps, **{name: getattr(now, name) for name in names})


async def run_active_tests(
    plan: Plan,
    facts: Mapping[str, Facts],
    known_hosts: KnownHosts,
    requested: Collection[ActiveTest],
    address_map: AddressMap = direct,
    *,
    plan_dir: Path = Path(),
    deadlines: Deadlines = DEADLINES,
) -> Mapping[str, Facts]:
    """Run the active tests that the operator confirmed, for the wizard. Return the facts with the results.

    `facts`: the facts of the nodes to test, by address. `known_hosts`: the known hosts of the nodes. A node
    whose host key is not confirmed is not tested.
    """
    tests = prepare_active_tests(plan, topology_of(plan, plan_dir), requested)
    deadlines = tests.extend(deadlines)
    logins = [login for login in targets(plan, address_map, plan_dir=plan_dir) if login.address in facts]

    async def test_node(login: Target) -> Facts:
        collectors, before = tests.collectors[login.address], facts[login.address]
        if not collectors or not is_confirmed(known_hosts.get(login.address)):
            return before
        done = await _collect(login, known_hosts.get(login.address), collectors, before, deadlines)
        return _updated(before, done.facts, collectors)

    found = dict(zip((login.address for login in logins), await asyncio.gather(*map(test_node, logins)), strict=True))
    return await tests.run_between_nodes(found, logins, known_hosts, deadlines=deadlines)


async def preflight(
    plan: Plan,
    *,
    known_hosts: KnownHosts,
    address_map: AddressMap = direct,
    plan_dir: Path = Path(),
    only_nodes: Collection[str] | None = None,
    only: frozenset[str] | None = None,
    local_files: LocalFiles = NO_LOCAL_FILES,
    clock: Callable[[], datetime] = now,
    deadlines: Deadlines = DEADLINES,
    active_tests: Collection[ActiveTest] = (),
) -> AsyncGenerator[PreflightEvent, None]:
    """Collect the facts and evaluate the requirements. The last event is the `PreflightDone` with the report.

    The report has no verdicts on the packages, so it is partial; see `with_package`.
    `known_hosts`: the known hosts of the nodes. A node whose host key is not confirmed gets no active test.
    `only_nodes`: the addresses of the nodes to check; None for all. `only`: the IDs of the requirements to evaluate;
    None for all. `clock`: returns the time for the report and for the end of waivers. `active_tests`: the active tests
    that the operator requested.
    """
    started, topology, mask = clock(), topology_of(plan, plan_dir), secret_mask(plan)
    tests = prepare_active_tests(plan, topology, active_tests)
    deadlines = tests.extend(deadlines)
    logins = [
        login
        for login in targets(plan, address_map, plan_dir=plan_dir)
        if only_nodes is None or login.address in only_nodes
    ]
    reduced = topology_of(shareable(plan, None), plan_dir)
    collectors = {
        node.address: (*node_collectors(topology, node), *tests.collectors[node.address])
        if is_confirmed(known_hosts.get(node.address))
        else node_collectors(reduced, node)
        for node in plan.nodes
    }

    def collection(login: Target) -> Work[NodeEvent]:
        async def collect(emit: Callable[[NodeEvent], None]) -> None:
            host_key, snippets = known_hosts.get(login.address), collectors[login.address]
            async with aclosing(collect_facts(login, host_key, deadlines=deadlines, collectors=snippets)) as events:
                async for event in events:
                    emit(event)

        return collect

    done: dict[str, NodeFinished] = {}
    async with aclosing(merge_events(map(collection, logins))) as events:
        async for found in events:
            event = _masked(found, mask)
            if isinstance(event, NodeFinished):
                done[event.address] = event
            yield event
    if active_tests:
        checked = [one for one in logins if one.address in done and done[one.address].state is NodeState.CHECKED]
        before = {address: end.facts for address, end in done.items()}
        tested = await tests.run_between_nodes(before, checked, known_hosts, deadlines=deadlines)
        for address, facts in tested.items():
            done[address] = replace(done[address], facts=facts)
            yield FactsUpdated(address, facts)
    yield PreflightDone(build_report(plan, topology, done, started, clock(), local_files, only), done)


def build_report(
    plan: Plan,
    topology: Topology,
    done: Mapping[str, NodeFinished],
    started: datetime,
    finished: datetime,
    local_files: LocalFiles,
    only: frozenset[str] | None,
) -> Report:
    """Evaluate the requirements for the last events of the nodes, and return the report. See `preflight`."""
    facts: dict[str, Facts] = {address: end.facts for address, end in done.items()}
    states: dict[str, NodeState] = {address: end.state for address, end in done.items()}
    today = finished.date()
    found = evaluate(plan, facts, states, local_files=local_files, today=today, only=only, topology=topology)
    verdicts = without_lost_causes(
        [v for v in found if v.node is None or v.node in done]  # the other nodes were not checked
    )
    nodes = node_records(plan, topology, facts, states, {address: end.detail for address, end in done.items()})
    return Report(plan.effective_release, started, finished, nodes, verdicts, left_out=True)
