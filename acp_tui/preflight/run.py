"""The preflight: all nodes probed at once, then everything judged. Events come as they happen, from any node.

A node that hangs costs the others nothing; a broken one still ends in a `NodeFinished`, and the report names it.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from acp_tui.checks.evaluate import evaluate
from acp_tui.checks.local_files import NO_LOCAL_FILES, LocalFiles
from acp_tui.checks.topology import Topology, node_test_spec, topology_of
from acp_tui.core.clock import now
from acp_tui.core.concurrency import Work, merge_events
from acp_tui.core.files import resolve_path
from acp_tui.nodes.collect import collect_facts
from acp_tui.nodes.collectors import COLLECTORS, IDENTITY
from acp_tui.nodes.collectors.connectivity import collectors_for
from acp_tui.nodes.events import FactsUpdated, NodeEvent, NodeFinished
from acp_tui.nodes.facts import Facts
from acp_tui.nodes.script import Collector
from acp_tui.nodes.ssh.address_map import AddressMap, direct
from acp_tui.nodes.ssh.connection import DEADLINES, Deadlines, Target
from acp_tui.nodes.state import NodeState
from acp_tui.plan.model import Node, Plan
from acp_tui.preflight.active_tests import ActiveTest, between_on_request, patience, snippets_on_request
from acp_tui.preflight.report.model import Report
from acp_tui.preflight.report.node_summary import records


@dataclass(frozen=True)
class PreflightDone:
    report: Report


PreflightEvent = NodeEvent | PreflightDone


def target(plan: Plan, node: Node, address_map: AddressMap = direct, *, plan_dir: Path = Path()) -> Target:
    """Return the login for `node`. Relative key files are in `plan_dir`, the plan's folder; `~` is the user's home."""
    login = plan.login(node)
    host, port = address_map(node.address, login.port)
    key = resolve_path(plan_dir, login.key_file) if login.key_file else None
    return Target(node.address, host, port, login.username, login.password, key, login.key_passphrase)


def targets(plan: Plan, address_map: AddressMap = direct, *, plan_dir: Path = Path()) -> tuple[Target, ...]:
    """All nodes of the plan, in its order, each address once."""
    by_address = {node.address: target(plan, node, address_map, plan_dir=plan_dir) for node in plan.nodes}
    return tuple(by_address.values())


def snippets(plan: Plan, topology: Topology, node: Node, also: Collection[ActiveTest] = ()) -> tuple[Collector, ...]:
    """All that `node` is asked: about itself, about what is around it, and what was requested."""
    return (*COLLECTORS, *collectors_for(node_test_spec(topology, node)), *snippets_on_request(plan, node, also))


async def probe_node(
    plan: Plan,
    node: Node,
    known_host_key: str | None,
    address_map: AddressMap = direct,
    *,
    plan_dir: Path = Path(),
    deadlines: Deadlines = DEADLINES,
) -> AsyncGenerator[NodeEvent, None]:
    """Collect the facts of one node. `known_host_key`: its recorded host key, `type base64`, or None."""
    one, asked = target(plan, node, address_map, plan_dir=plan_dir), snippets(plan, topology_of(plan), node)
    async with aclosing(collect_facts(one, known_host_key, deadlines=deadlines, collectors=asked)) as events:
        async for event in events:
            yield event


async def refresh_connectivity(
    plan: Plan,
    node: Node,
    before: Facts,
    known_host_key: str | None,
    address_map: AddressMap = direct,
    *,
    plan_dir: Path = Path(),
    deadlines: Deadlines = DEADLINES,
) -> NodeFinished:
    """What `node` sees around it now, laid over the facts of `before`: for when other nodes or addresses have changed.

    It also tells whether it is still the machine and the boot that it was: what `before` says is of another one if
    `boot_id` or `machine_id` differ. Not reached, its facts are those of `before`."""
    asked = (IDENTITY, *collectors_for(node_test_spec(topology_of(plan), node)))
    done = NodeFinished(node.address, NodeState.LOST, before)
    async with aclosing(
        collect_facts(
            target(plan, node, address_map, plan_dir=plan_dir), known_host_key, deadlines=deadlines, collectors=asked
        )
    ) as events:
        async for event in events:
            if isinstance(event, NodeFinished):
                done = event
    seen = done.state in (NodeState.CHECKED, NodeState.NO_SUDO)
    return replace(done, facts=_laid_over(before, done.facts, asked) if seen else before)


def _laid_over(before: Facts, now: Facts, asked: Collection[Collector]) -> Facts:
    """`before`, with what the snippets `asked` found `now`."""
    names = {name for snippet in asked for name in snippet.fields}
    missing = {name: why for name, why in before.missing.items() if name not in names}
    missing |= {name: why for name, why in now.missing.items() if name in names}
    return replace(before, missing=missing, **{name: getattr(now, name) for name in names})


async def on_request(
    plan: Plan,
    known: Mapping[str, Facts],
    known_hosts: Mapping[str, str],
    also: Collection[ActiveTest],
    address_map: AddressMap = direct,
    *,
    plan_dir: Path = Path(),
    deadlines: Deadlines = DEADLINES,
) -> Mapping[str, Facts]:
    """Do what the operator asked for and agreed to on the nodes `known`, for the wizard; their facts with it laid over.

    `known_hosts`: their host keys."""
    deadlines = patience(deadlines, also)
    reached = [t for t in targets(plan, address_map, plan_dir=plan_dir) if t.address in known]
    by_address = {node.address: node for node in plan.nodes}

    async def one(node: Target) -> Facts:
        asked = snippets_on_request(plan, by_address[node.address], also)
        facts = known[node.address]
        if asked:
            key = known_hosts.get(node.address)
            async with aclosing(collect_facts(node, key, deadlines=deadlines, collectors=asked)) as events:
                async for event in events:
                    if isinstance(event, NodeFinished):
                        facts = _laid_over(facts, event.facts, asked)
        return facts

    found = dict(zip((t.address for t in reached), await asyncio.gather(*map(one, reached)), strict=True))
    keys = {address: known_hosts.get(address) for address in found}
    return await between_on_request(plan, topology_of(plan), found, reached, keys, also, deadlines=deadlines)


async def preflight(
    plan: Plan,
    *,
    known_hosts: Mapping[str, str],
    address_map: AddressMap = direct,
    plan_dir: Path = Path(),
    only_nodes: Collection[str] | None = None,
    only: frozenset[str] | None = None,
    beside: LocalFiles = NO_LOCAL_FILES,
    clock: Callable[[], datetime] = now,
    deadlines: Deadlines = DEADLINES,
    also: Collection[ActiveTest] = (),
) -> AsyncGenerator[PreflightEvent, None]:
    """Probe the nodes (`only_nodes`: these addresses) and judge; the last event is the PreflightDone with the report.

    `known_hosts`: host keys by address. `only`: judge these requirement IDs. `clock`: the report's times and today.
    `also`: what the operator asked for and agreed to beyond looking."""
    started = clock()
    deadlines = patience(deadlines, also)
    chosen = [t for t in targets(plan, address_map, plan_dir=plan_dir) if only_nodes is None or t.address in only_nodes]
    by_address = {node.address: node for node in plan.nodes}
    topology = topology_of(plan)

    def pass_over(one: Target) -> Work[NodeEvent]:
        async def follow(emit: Callable[[NodeEvent], None]) -> None:
            asked = snippets(plan, topology, by_address[one.address], also)
            async with aclosing(
                collect_facts(one, known_hosts.get(one.address), deadlines=deadlines, collectors=asked)
            ) as seen:
                async for event in seen:
                    emit(event)

        return follow

    done: dict[str, NodeFinished] = {}
    async with aclosing(merge_events(map(pass_over, chosen))) as events:
        async for event in events:
            if isinstance(event, NodeFinished):
                done[event.address] = event
            yield event
    if also:
        reached = [t for t in chosen if t.address in done and done[t.address].state is NodeState.CHECKED]
        keys = {address: end.host_key for address, end in done.items()}
        known = {address: end.facts for address, end in done.items()}
        more = await between_on_request(plan, topology, known, reached, keys, also, deadlines=deadlines)
        for address, facts in more.items():
            done[address] = replace(done[address], facts=facts)
            yield FactsUpdated(address, facts)
    yield PreflightDone(_report(plan, done, started, clock(), beside, only))


def _report(
    plan: Plan,
    done: Mapping[str, NodeFinished],
    started: datetime,
    finished: datetime,
    beside: LocalFiles,
    only: frozenset[str] | None,
) -> Report:
    facts: dict[str, Facts] = {address: end.facts for address, end in done.items()}
    states: dict[str, NodeState] = {address: end.state for address, end in done.items()}
    verdicts = tuple(
        verdict
        for verdict in evaluate(plan, facts, states, local_files=beside, today=finished.date(), only=only)
        if verdict.node is None or verdict.node in done  # of the others nothing was asked
    )
    nodes = records(plan, facts, states, {address: end.detail for address, end in done.items()})
    return Report(plan.effective_release, started, finished, nodes, verdicts)
