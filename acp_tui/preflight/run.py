"""The preflight: all nodes probed at once, then everything judged. Events come as they happen, from any node.

A node that hangs costs the others nothing; a broken one still ends in a `NodeDone`, and the report names it.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from acp_tui.checks.evaluate import judge
from acp_tui.checks.local_files import NOTHING_READ, Beside
from acp_tui.checks.topology import questions
from acp_tui.core.concurrency import Work, at_once
from acp_tui.core.files import path_from
from acp_tui.nodes.collect import probe
from acp_tui.nodes.collectors import IDS, SNIPPETS
from acp_tui.nodes.collectors.connectivity import snippets_for
from acp_tui.nodes.events import NodeDone, NodeFacts, ProbeEvent
from acp_tui.nodes.facts import Facts
from acp_tui.nodes.script import Snippet
from acp_tui.nodes.ssh.address_map import Dial, direct
from acp_tui.nodes.ssh.connection import DEADLINES, Deadlines, Target
from acp_tui.nodes.state import NodeState
from acp_tui.plan.model import Node, Plan
from acp_tui.preflight.active_tests import Also, between_on_request, patience, snippets_on_request
from acp_tui.preflight.report.model import Report
from acp_tui.preflight.report.node_summary import records


@dataclass(frozen=True)
class PreflightDone:
    report: Report


PreflightEvent = ProbeEvent | PreflightDone


def now() -> datetime:
    return datetime.now(UTC)


def target(plan: Plan, node: Node, dial: Dial = direct, *, base: Path = Path()) -> Target:
    """How to log in to `node`. Relative key files are relative to `base`, the plan's folder; `~` is the user's home."""
    login = plan.login(node)
    host, port = dial(node.address, login.port)
    key = path_from(base, login.key_file) if login.key_file else None
    return Target(node.address, host, port, login.username, login.password, key, login.key_passphrase)


def targets(plan: Plan, dial: Dial = direct, *, base: Path = Path()) -> tuple[Target, ...]:
    """All nodes of the plan, in its order, each address once."""
    by_address = {node.address: target(plan, node, dial, base=base) for node in plan.nodes}
    return tuple(by_address.values())


def snippets(plan: Plan, node: Node, also: Collection[Also] = ()) -> tuple[Snippet, ...]:
    """All that `node` is asked: about itself, about what is around it, and what was requested."""
    return (*SNIPPETS, *snippets_for(questions(plan, node)), *snippets_on_request(plan, node, also))


async def probe_node(
    plan: Plan,
    node: Node,
    pinned: str | None,
    dial: Dial = direct,
    *,
    base: Path = Path(),
    deadlines: Deadlines = DEADLINES,
) -> AsyncGenerator[ProbeEvent, None]:
    """One node alone, for the wizard; ends with its NodeDone. `pinned`: its known host key, `type base64`, or None."""
    one, asked = target(plan, node, dial, base=base), snippets(plan, node)
    async with aclosing(probe(one, pinned, deadlines=deadlines, snippets=asked)) as events:
        async for event in events:
            yield event


async def look_around(
    plan: Plan,
    node: Node,
    before: Facts,
    pinned: str | None,
    dial: Dial = direct,
    *,
    base: Path = Path(),
    deadlines: Deadlines = DEADLINES,
) -> NodeDone:
    """What `node` sees around it now, laid over the facts of `before`: for when other nodes or addresses have changed.

    It also tells whether it is still the machine and the boot that it was: what `before` says is of another one if
    `boot_id` or `machine_id` differ. Not reached, its facts are those of `before`."""
    asked = (IDS, *snippets_for(questions(plan, node)))
    done = NodeDone(node.address, NodeState.LOST, before)
    async with aclosing(
        probe(target(plan, node, dial, base=base), pinned, deadlines=deadlines, snippets=asked)
    ) as events:
        async for event in events:
            if isinstance(event, NodeDone):
                done = event
    seen = done.state in (NodeState.CHECKED, NodeState.NO_SUDO)
    return replace(done, facts=_laid_over(before, done.facts, asked) if seen else before)


def _laid_over(before: Facts, now: Facts, asked: Collection[Snippet]) -> Facts:
    """`before`, with what the snippets `asked` found `now`."""
    names = {name for snippet in asked for name in snippet.fields}
    gaps = {name: why for name, why in before.gaps.items() if name not in names}
    gaps |= {name: why for name, why in now.gaps.items() if name in names}
    return replace(before, gaps=gaps, **{name: getattr(now, name) for name in names})


async def on_request(
    plan: Plan,
    known: Mapping[str, Facts],
    pinned: Mapping[str, str],
    also: Collection[Also],
    dial: Dial = direct,
    *,
    base: Path = Path(),
    deadlines: Deadlines = DEADLINES,
) -> Mapping[str, Facts]:
    """Do what the operator asked for and agreed to on the nodes `known`, for the wizard; their facts with it laid over.

    `pinned`: their host keys."""
    deadlines = patience(deadlines, also)
    reached = [t for t in targets(plan, dial, base=base) if t.address in known]
    by_address = {node.address: node for node in plan.nodes}

    async def one(node: Target) -> Facts:
        asked = snippets_on_request(plan, by_address[node.address], also)
        facts = known[node.address]
        if asked:
            key = pinned.get(node.address)
            async with aclosing(probe(node, key, deadlines=deadlines, snippets=asked)) as events:
                async for event in events:
                    if isinstance(event, NodeDone):
                        facts = _laid_over(facts, event.facts, asked)
        return facts

    found = dict(zip((t.address for t in reached), await asyncio.gather(*map(one, reached)), strict=True))
    keys = {address: pinned.get(address) for address in found}
    return await between_on_request(plan, found, reached, keys, also, deadlines=deadlines)


async def preflight(
    plan: Plan,
    *,
    pinned: Mapping[str, str],
    dial: Dial = direct,
    base: Path = Path(),
    only_nodes: Collection[str] | None = None,
    only: frozenset[str] | None = None,
    beside: Beside = NOTHING_READ,
    clock: Callable[[], datetime] = now,
    deadlines: Deadlines = DEADLINES,
    also: Collection[Also] = (),
) -> AsyncGenerator[PreflightEvent, None]:
    """Probe the nodes (`only_nodes`: these addresses) and judge; the last event is the PreflightDone with the report.

    `pinned`: known host keys by address. `only`: judge these requirement IDs. `clock`: the report's times and today.
    `also`: what the operator asked for and agreed to beyond looking."""
    started = clock()
    deadlines = patience(deadlines, also)
    chosen = [t for t in targets(plan, dial, base=base) if only_nodes is None or t.address in only_nodes]
    by_address = {node.address: node for node in plan.nodes}

    def pass_over(one: Target) -> Work[ProbeEvent]:
        async def follow(tell: Callable[[ProbeEvent], None]) -> None:
            asked = snippets(plan, by_address[one.address], also)
            async with aclosing(probe(one, pinned.get(one.address), deadlines=deadlines, snippets=asked)) as seen:
                async for event in seen:
                    tell(event)

        return follow

    done: dict[str, NodeDone] = {}
    async with aclosing(at_once(map(pass_over, chosen))) as events:
        async for event in events:
            if isinstance(event, NodeDone):
                done[event.address] = event
            yield event
    if also:
        reached = [t for t in chosen if t.address in done and done[t.address].state is NodeState.CHECKED]
        keys = {address: end.host_key for address, end in done.items()}
        known = {address: end.facts for address, end in done.items()}
        more = await between_on_request(plan, known, reached, keys, also, deadlines=deadlines)
        for address, facts in more.items():
            done[address] = replace(done[address], facts=facts)
            yield NodeFacts(address, facts)
    yield PreflightDone(_report(plan, done, started, clock(), beside, only))


def _report(
    plan: Plan,
    done: Mapping[str, NodeDone],
    started: datetime,
    finished: datetime,
    beside: Beside,
    only: frozenset[str] | None,
) -> Report:
    facts: dict[str, Facts] = {address: end.facts for address, end in done.items()}
    states: dict[str, NodeState] = {address: end.state for address, end in done.items()}
    verdicts = tuple(
        verdict
        for verdict in judge(plan, facts, states, beside=beside, today=finished.date(), only=only)
        if verdict.node is None or verdict.node in done  # of the others nothing was asked
    )
    nodes = records(plan, facts, states, {address: end.detail for address, end in done.items()})
    return Report(plan.effective_release, started, finished, nodes, verdicts)
