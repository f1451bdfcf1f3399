"""The nodes of a plan while the wizard runs: asked, looked at again, tried again, and what is known of each just now.

Probing follows only a new node, a changed login that was committed, or the operator's wish: a half-typed password is
never tried on a node.
"""

import asyncio
import time
from collections.abc import Collection, Coroutine, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from acp_tui.checks.topology import node_test_spec
from acp_tui.core.i18n import _
from acp_tui.nodes.collectors.connectivity import NodeTestSpec
from acp_tui.nodes.events import FactsUpdated, LocalFactsDone, NodeFinished, NodeStage
from acp_tui.nodes.facts import Facts
from acp_tui.nodes.ssh.address_map import Dial
from acp_tui.nodes.state import NodeState
from acp_tui.plan.draft import Draft
from acp_tui.plan.model import Node, Plan

if TYPE_CHECKING:
    from acp_tui.preflight.active_tests import ActiveTest  # it speaks SSH, and that takes long to import

_FRESH = 30
"""Seconds for which a node that was just heard of is not looked at again."""
_AGAIN = (10, 20, 40, 80, 160, 300)
"""Seconds before each try at a node that was lost or not reached. Never after a refused login: that locks out."""
_COMES_BACK = (NodeState.UNREACHABLE, NodeState.LOST)


@dataclass(frozen=True)
class NodeStatus:
    """What is known of a node now."""

    state: NodeState
    stage: str = ""
    detail: str = ""
    facts: Facts | None = None
    login: object = None
    """The login it was probed with: another one asks for a new probe."""
    around: NodeTestSpec | None = None
    """What it was asked about the other nodes and addresses of the plan as it was then."""
    looked: float = 0.0
    """When it was last heard of, by the monotonic clock; 0: its first pass is not over."""
    tries: int = 0
    """How often it was tried again by itself since it was lost."""
    notice: str = ""
    """What else the operator should know: that it was rebooted, when it is tried again."""


class SessionPort(Protocol):
    """What the watch needs of the session around it."""

    draft: Draft

    @property
    def plan(self) -> Plan: ...

    def note(self, **changes: object) -> None: ...

    def spawn(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]: ...

    def judge_soon(self) -> None: ...

    def nodes_told(self) -> None:
        """Something of a node is different now."""


class NodeWatch:
    """`base`: the folder that the plan's relative paths start from."""

    def __init__(self, board: SessionPort, dial: Dial, base: Path) -> None:
        self.seen: dict[str, NodeStatus] = {}
        self.requested: tuple[ActiveTest, ...] = ()
        """What is being done on request just now."""
        self.run_over = False
        """A node has been checked since the last whole run was kept."""
        self._board = board
        self._dial = dial
        self._base = base
        self._probes: dict[str, asyncio.Task[None]] = {}
        self._requesting: asyncio.Task[None] | None = None

    @property
    def tasks(self) -> tuple[asyncio.Task[None], ...]:
        """What is going on in the background."""
        return (*self._probes.values(), *([self._requesting] if self._requesting else []))

    def probe_where_needed(self) -> None:
        """Probe the nodes that are new or whose login differs from the one last tried; forget those that are gone."""
        addresses = {node.address for node in self._board.plan.nodes}
        for gone in self.seen.keys() - addresses:
            self._stop(gone)
            del self.seen[gone]
        for node in self._board.plan.nodes:
            login = self._board.plan.login(node)
            if login.password is None and not login.key_file:
                continue
            if node.address not in self.seen or self.seen[node.address].login != login:
                self.probe(node)

    def probe(self, node: Node) -> None:
        """Ask this node again, now. What was seen before stays until the new pass says otherwise."""
        self._probe_again(node, NodeStatus(NodeState.CHECKING, facts=self.facts.get(node.address)))

    def _probe_again(self, node: Node, seen: NodeStatus) -> None:
        self._stop(node.address)
        self.seen[node.address] = replace(seen, state=NodeState.CHECKING, login=self._board.plan.login(node))
        self._probes[node.address] = self._board.spawn(self._probe(node))
        self._board.nodes_told()

    def look_again(self, *, fresh: float = _FRESH) -> None:
        """Let checked nodes try their paths again where nodes or addresses of the plan have changed since they did, and
        those that were not heard of for `fresh` seconds tell whether they have booted in between."""
        if self.probing:
            return  # the last one that ends comes back here
        for node in self._board.plan.nodes:
            seen, wanted = self.seen.get(node.address), node_test_spec(self._asked, node)
            if seen is None or seen.state is not NodeState.CHECKED or not seen.looked:
                continue  # a pass that is not over is not cut short: its end tells the host key, and comes back here
            silent = seen.login == self._board.plan.login(node) and time.monotonic() - seen.looked > fresh
            if seen.around != wanted or silent:
                self.seen[node.address] = replace(seen, around=wanted, looked=time.monotonic())
                self._stop(node.address)
                self._probes[node.address] = self._board.spawn(self._look(node))

    async def look_now(self) -> None:
        """Look at every checked node once more and wait for it: before something relies on what they told."""
        self.look_again(fresh=0)
        known = [node for node in self._board.plan.nodes if node.address in self._probes]
        looks = [self._probes[node.address] for node in known if not self._lost(node)]
        await asyncio.gather(*looks, return_exceptions=True)

    def request(self, also: "Collection[ActiveTest]") -> None:
        """Do what the operator chose and agreed to, in the background, unless something of the kind is going on."""
        if not self.requested:
            self.requested = tuple(also)
            self._requesting = self._board.spawn(self._request())
            self._board.nodes_told()

    @property
    def probing(self) -> bool:
        return any(seen.state is NodeState.CHECKING for seen in self.seen.values())

    @property
    def facts(self) -> Mapping[str, Facts]:
        return {address: seen.facts for address, seen in self.seen.items() if seen.facts is not None}

    def state(self, node: Node) -> NodeState:
        seen = self.seen.get(node.address)
        return seen.state if seen else NodeState.UNREACHABLE

    def _stop(self, address: str) -> None:
        task = self._probes.pop(address, None)
        if task is not None and task is not asyncio.current_task():
            task.cancel()

    @property
    def _asked(self) -> Plan:
        """The plan as nodes are asked about it: a registry's password is not tried while it is being typed."""
        plan = self._board.plan
        if self._board.draft.step != "registry":
            return plan
        return plan.model_copy(update={"registry": plan.registry.model_copy(update={"password": None})})

    def _lost(self, node: Node) -> bool:
        return self.state(node) in _COMES_BACK

    async def _probe(self, node: Node) -> None:
        address = node.address
        first = self.seen[address].facts is None
        pinned = self._board.draft.host_keys.get(address)
        plan = self._asked
        asked = node_test_spec(plan, node)
        await _imported()
        from acp_tui.preflight.active_tests import keep_active_facts
        from acp_tui.preflight.run import probe_node

        async for event in probe_node(plan, node, pinned, self._dial, plan_dir=self._base):
            before = self.seen[address]
            match event:
                case NodeStage():
                    self.seen[address] = replace(before, stage=event.stage)
                case FactsUpdated() if first:
                    self.seen[address] = replace(before, facts=event.facts)
                    self._board.judge_soon()
                case FactsUpdated():
                    # Asked again: what was seen before is better than the half that is known so far.
                    pass
                case LocalFactsDone() if first:
                    self.seen[address] = replace(
                        before, state=event.state, detail=event.detail, facts=event.facts, around=asked
                    )
                    self._board.judge_soon()
                case NodeFinished():
                    self.seen[address] = replace(
                        before,
                        state=event.state,
                        detail=event.detail,
                        facts=keep_active_facts(before.facts, event.facts),
                        around=asked,
                        looked=time.monotonic(),
                    )
                    if event.host_key and address not in self._board.draft.host_keys:
                        self._board.note(host_keys={**self._board.draft.host_keys, address: event.host_key})
                    self.run_over = True
                    self._board.judge_soon()
                    if event.state is NodeState.CHECKED and (before.tries or before.notice):
                        self._came_back(address)
            self._board.nodes_told()
        self.look_again()
        if self._lost(node):
            self._try_later(node)

    def _came_back(self, address: str) -> None:
        """The others have looked at this node while it was away: what they saw of it has to be seen anew."""
        self.seen[address] = replace(self.seen[address], tries=0)
        for other, seen in self.seen.items():
            if other != address and seen.state is NodeState.CHECKED:
                self.seen[other] = replace(seen, around=None)

    def _try_later(self, node: Node) -> None:
        """Try a lost node again after a while, a few times, each later than the one before."""
        seen = self.seen[node.address]
        if seen.tries < len(_AGAIN):
            wait = _AGAIN[seen.tries]
            at = datetime.now() + timedelta(seconds=wait)
            notice = _("next try at {time}").format(time=f"{at:%H:%M:%S}")
            seen = replace(seen, tries=seen.tries + 1, notice=notice)
            self._probes[node.address] = self._board.spawn(self._later(node.address, seen, wait))
        else:
            seen = replace(seen, notice=_("not tried again by itself"))
        self.seen[node.address] = seen
        self._board.nodes_told()

    async def _later(self, address: str, seen: NodeStatus, seconds: float) -> None:
        await asyncio.sleep(seconds)
        for node in self._board.plan.nodes:  # as it is by then: its role or interface may have been changed
            if node.address == address and self._lost(node) and seen.login == self._board.plan.login(node):
                self._probe_again(node, replace(seen, notice=""))

    async def _look(self, node: Node) -> None:
        """What it sees around it, and whether what is known of it still holds."""
        address = node.address
        before, pinned = self.seen[address].facts, self._board.draft.host_keys.get(address)
        if before is None:
            return
        await _imported()
        from acp_tui.preflight.run import refresh_connectivity

        done = await refresh_connectivity(self._asked, node, before, pinned, self._dial, plan_dir=self._base)
        seen = self.seen[address]
        if done.state in (NodeState.CHECKED, NodeState.NO_SUDO):
            same = [getattr(before, name) in (None, getattr(done.facts, name)) for name in ("boot_id", "machine_id")]
            if all(same):
                self.seen[address] = replace(seen, facts=done.facts, looked=time.monotonic())
            else:
                # What was seen is of another boot: all of it is unknown until it is checked anew.
                self._probe_again(
                    node, NodeStatus(NodeState.CHECKING, notice=_("rebooted since its check: checked again"))
                )
        elif seen.login == self._board.plan.login(node):
            self.seen[address] = replace(seen, state=done.state, detail=done.detail, facts=None)
        self._board.judge_soon()
        self._board.nodes_told()
        if self._lost(node):
            self._try_later(node)

    async def _request(self) -> None:
        """What was requested, laid over what is known of the nodes then."""
        known = {a: f for a, f in self.facts.items() if self.seen[a].state is NodeState.CHECKED}
        await _imported()
        from acp_tui.preflight.active_tests import ACTIVE_FACTS
        from acp_tui.preflight.run import run_active_tests

        try:
            plan, keys = self._board.plan, self._board.draft.host_keys
            learned = await run_active_tests(plan, known, keys, self.requested, self._dial, plan_dir=self._base)
        finally:
            self.requested = ()
        for address, found in learned.items():
            seen = self.seen.get(address)
            if seen is not None and seen.facts is not None:
                new = {name: getattr(found, name) for name in ACTIVE_FACTS if getattr(found, name) is not None}
                gaps = {**seen.facts.gaps, **{n: why for n, why in found.gaps.items() if n in ACTIVE_FACTS}}
                self.seen[address] = replace(seen, facts=replace(seen.facts, gaps=gaps, **new))
        self._board.judge_soon()
        self._board.nodes_told()


async def _imported() -> None:
    """Import what speaks SSH while the first step is on the screen already: it takes as long as all of Textual."""
    await asyncio.to_thread(import_module, "acp_tui.preflight.run")
