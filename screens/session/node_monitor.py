"""Check the nodes of a plan in the background of the wizard, retry lost nodes, and store the status of each node.

A check starts for a new node, on request, or after a change of the login. After a change, the check waits until the
cursor leaves the field, so an incomplete password is never sent to a node.
"""

import asyncio
import time
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from acp_tui.checks.topology import node_test_spec, topology_of
from acp_tui.core.i18n import _
from acp_tui.nodes.events import NodeFinished
from acp_tui.nodes.facts import Facts
from acp_tui.nodes.ssh.address_map import AddressMap
from acp_tui.nodes.state import NodeState
from acp_tui.plan.known_hosts import KnownHosts, confirmed
from acp_tui.plan.model import Plan
from acp_tui.plan.sections.node import Node
from screens.session.interface import SessionPort
from screens.session.node_status import NodeStatus, with_active_facts, with_event

if TYPE_CHECKING:
    from acp_tui.preflight.active_tests import ActiveTest  # the import of the SSH modules is slow

_FRESH = 30
"""Seconds without contact to a node. After this time, a refresh also checks if the node has rebooted."""
RETRY_PAUSES: tuple[float, ...] = (10, 20, 40, 80, 160, 300)
"""Seconds before each retry of a lost or unreachable node. Failed logins are not retried: they can lock the account."""
_RETRIED = (NodeState.UNREACHABLE, NodeState.LOST)


class NodeMonitor:
    """Checks the nodes of the plan and stores their status. Relative paths of the plan are resolved from `plan_dir`."""

    def __init__(self, session: SessionPort, address_map: AddressMap, plan_dir: Path) -> None:
        self.statuses: dict[str, NodeStatus] = {}
        self.active_tests: tuple[ActiveTest, ...] = ()
        """The active tests that are running."""
        self.has_new_result = False
        """True if a check of a node has ended since the last report was saved."""
        self.retry_pauses = RETRY_PAUSES
        self._session = session
        self._address_map = address_map
        self._plan_dir = plan_dir
        self._checks: dict[str, asyncio.Task[None]] = {}
        self._tests: asyncio.Task[None] | None = None

    @property
    def tasks(self) -> tuple[asyncio.Task[None], ...]:
        """The background tasks of the checks and of the active tests."""
        return (*self._checks.values(), *([self._tests] if self._tests else []))

    def check_changed(self) -> None:
        """Check nodes that are new or have a changed login. Delete the status of nodes that the plan no longer has."""
        addresses = {node.address for node in self._session.plan.nodes}
        for gone in self.statuses.keys() - addresses:
            self._stop(gone)
            del self.statuses[gone]
        for node in self._session.plan.nodes:
            login, status = self._session.plan.login(node), self.statuses.get(node.address)
            has_login = login.password is not None or login.key_file
            if has_login and (status is None or status.login != login):
                self.check(node)

    def check(self, node: Node) -> None:
        """Check this node again immediately. The old facts stay until the new facts are complete."""
        self._start_check(node, NodeStatus(NodeState.CHECKING, facts=self.facts.get(node.address)))

    def _start_check(self, node: Node, status: NodeStatus) -> None:
        self._stop(node.address)
        before = self.statuses.get(node.address)
        self.statuses[node.address] = replace(
            status,
            state=NodeState.CHECKING,
            login=self._session.plan.login(node),
            known_host=before.known_host if before else None,
        )
        self._checks[node.address] = self._session.spawn(self._check(node))
        self._session.nodes_changed()

    def confirmed(self, keys: Mapping[str, str]) -> None:
        """Check the nodes again whose host keys the operator has confirmed. `keys`: node address → confirmed key.

        A node that was read with a key file keeps its facts. Only its connectivity tests are repeated, because they can
        use the password of the registry."""
        for node in self._session.plan.nodes:
            if node.address not in keys or node.address not in self.statuses:
                continue
            status = replace(self.statuses[node.address], known_host=confirmed(keys[node.address]), test_spec=None)
            self.statuses[node.address] = status
            if status.state is not NodeState.CHECKED:
                self.check(node)
        self.refresh()
        self._session.nodes_changed()

    def refresh(self, *, fresh: float = _FRESH) -> None:
        """Repeat the connectivity tests of each checked node for which the plan now requires other tests.

        Also repeat the tests of a node that had no contact for `fresh` seconds, to detect a reboot."""
        if self.checking:
            return  # the last check calls this function again
        topology = topology_of(self._tested_plan)
        for node in self._session.plan.nodes:
            status, wanted = self.statuses.get(node.address), node_test_spec(topology, node)
            if status is None or status.state is not NodeState.CHECKED or not status.last_contact:
                continue  # do not interrupt the check: it returns the host key, then calls this function again
            silent = status.login == self._session.plan.login(node) and time.monotonic() - status.last_contact > fresh
            if status.test_spec != wanted or silent:
                self.statuses[node.address] = replace(status, test_spec=wanted, last_contact=time.monotonic())
                self._stop(node.address)
                self._checks[node.address] = self._session.spawn(self._refresh_connectivity(node))

    async def refresh_now(self) -> None:
        """Refresh every checked node and wait for the results, for callers that need current facts."""
        self.refresh(fresh=0)
        known = [node for node in self._session.plan.nodes if node.address in self._checks]
        running = [self._checks[node.address] for node in known if not self._is_lost(node)]
        await asyncio.gather(*running, return_exceptions=True)

    def run_active_tests(self, tests: "Collection[ActiveTest]") -> None:
        """Run the confirmed active tests in the background. Do nothing if active tests are already running."""
        if not self.active_tests:
            self.active_tests = tuple(tests)
            self._tests = self._session.spawn(self._run_active_tests())
            self._session.nodes_changed()

    @property
    def checking(self) -> bool:
        return any(status.state is NodeState.CHECKING for status in self.statuses.values())

    @property
    def facts(self) -> Mapping[str, Facts]:
        return {address: status.facts for address, status in self.statuses.items() if status.facts is not None}

    @property
    def known_hosts(self) -> KnownHosts:
        """The known hosts of the nodes, from all sources. The recorded key counts for a node without a status."""
        recorded = {a: host for a, host in self._session.draft.known_hosts.items() if a not in self.statuses}
        found = {a: status.known_host for a, status in self.statuses.items() if status.known_host is not None}
        return {**recorded, **found}

    def state(self, node: Node) -> NodeState:
        status = self.statuses.get(node.address)
        return status.state if status else NodeState.UNREACHABLE

    def _stop(self, address: str) -> None:
        task = self._checks.pop(address, None)
        if task is not None and task is not asyncio.current_task():
            task.cancel()

    @property
    def _tested_plan(self) -> Plan:
        """The plan for node tests.

        While the Registry step is open, it omits the registry password, which can be incomplete."""
        plan = self._session.plan
        if self._session.draft.step != "registry":
            return plan
        return plan.model_copy(update={"registry": plan.registry.model_copy(update={"password": None})})

    def _is_lost(self, node: Node) -> bool:
        return self.state(node) in _RETRIED

    async def _check(self, node: Node) -> None:
        address, plan = node.address, self._tested_plan
        first = self.statuses[address].facts is None
        spec = node_test_spec(topology_of(plan), node)
        await _import_ssh()
        from acp_tui.nodes.ssh.key_sources import KnownHostsError
        from acp_tui.preflight.active_tests import keep_active_facts
        from acp_tui.preflight.run import probe_node

        try:
            known_host = await self._session.known_hosts_record.find(plan, node)
        except KnownHostsError as error:
            self._known_hosts_unreadable(node, str(error))
            return
        self.statuses[address] = replace(self.statuses[address], known_host=known_host)
        async for event in probe_node(plan, node, known_host, self._address_map, plan_dir=self._plan_dir):
            before = self.statuses[address]
            self.statuses[address] = with_event(before, event, spec, first=first)
            if isinstance(event, NodeFinished):
                nothing_read = event.state is NodeState.HOST_KEY_UNKNOWN  # the next check is the first one
                self.statuses[address] = replace(
                    self.statuses[address],
                    facts=None if nothing_read else keep_active_facts(before.facts, event.facts),
                    known_host=known_host or self._session.known_hosts_record.seen(event),
                    last_contact=time.monotonic(),
                )
                self.has_new_result = True
                if event.state is NodeState.CHECKED and (before.retries or before.notice):
                    self._came_back(address)
            if isinstance(event, NodeFinished) or self.statuses[address].facts is not before.facts:
                self._session.schedule_evaluation()
            self._session.nodes_changed()
        self.refresh()
        if self._is_lost(node):
            self._retry_later(node)

    def _known_hosts_unreadable(self, node: Node, reason: str) -> None:
        """Store that the known hosts file of the plan cannot be read. Then nothing is sent to the node."""
        self.statuses[node.address] = replace(
            self.statuses[node.address],
            state=NodeState.HOST_KEY_UNKNOWN,
            detail=reason,
            facts=None,
            known_host=None,
            last_contact=time.monotonic(),
        )
        self._session.schedule_evaluation()
        self._session.nodes_changed()

    def _came_back(self, address: str) -> None:
        """Make the other nodes repeat their connectivity tests, because their results for the lost node are old."""
        self.statuses[address] = replace(self.statuses[address], retries=0)
        for other, status in self.statuses.items():
            if other != address and status.state is NodeState.CHECKED:
                self.statuses[other] = replace(status, test_spec=None)

    def _retry_later(self, node: Node) -> None:
        """Check a lost node again after a pause. `retry_pauses` has the pause in seconds before each retry."""
        status = self.statuses[node.address]
        if status.retries < len(self.retry_pauses):
            pause = self.retry_pauses[status.retries]
            at = datetime.now() + timedelta(seconds=pause)
            notice = _("next retry at {time}").format(time=f"{at:%H:%M:%S}")
            status = replace(status, retries=status.retries + 1, notice=notice)
            self._checks[node.address] = self._session.spawn(self._retry(node.address, status, pause))
        else:
            status = replace(status, notice=_("no more automatic retries"))
        self.statuses[node.address] = status
        self._session.nodes_changed()

    async def _retry(self, address: str, status: NodeStatus, seconds: float) -> None:
        await asyncio.sleep(seconds)
        for node in self._session.plan.nodes:  # its role or interface may have changed during the pause
            if node.address == address and self._is_lost(node) and status.login == self._session.plan.login(node):
                self._start_check(node, replace(status, notice=""))

    async def _refresh_connectivity(self, node: Node) -> None:
        """Repeat the connectivity tests of a node. If the node has rebooted, delete its facts and check it again."""
        address = node.address
        before, known_host = self.statuses[address].facts, self.statuses[address].known_host
        if before is None:
            return
        await _import_ssh()
        from acp_tui.preflight.run import refresh_connectivity

        done = await refresh_connectivity(
            self._tested_plan, node, before, known_host, self._address_map, plan_dir=self._plan_dir
        )
        status = self.statuses[address]
        if done.state in (NodeState.CHECKED, NodeState.NO_SUDO):
            same = [getattr(before, name) in (None, getattr(done.facts, name)) for name in ("boot_id", "machine_id")]
            if all(same):
                self.statuses[address] = replace(status, facts=done.facts, last_contact=time.monotonic())
            else:
                # The facts are from the time before the reboot, so they are not valid.
                self._start_check(
                    node, NodeStatus(NodeState.CHECKING, notice=_("the node has rebooted and is being rechecked"))
                )
        elif status.login == self._session.plan.login(node):
            self.statuses[address] = replace(status, state=done.state, detail=done.detail, facts=None)
        self._session.schedule_evaluation()
        self._session.nodes_changed()
        if self._is_lost(node):
            self._retry_later(node)

    async def _run_active_tests(self) -> None:
        """Run the active tests. At the end, add the results to the current facts of the nodes."""
        known = {a: f for a, f in self.facts.items() if self.statuses[a].state is NodeState.CHECKED}
        await _import_ssh()
        from acp_tui.preflight.active_tests import ACTIVE_FACTS
        from acp_tui.preflight.run import run_active_tests

        try:
            plan, keys = self._session.plan, self.known_hosts
            results = await run_active_tests(
                plan, known, keys, self.active_tests, self._address_map, plan_dir=self._plan_dir
            )
        finally:
            self.active_tests = ()
        for address, found in results.items():
            status = self.statuses.get(address)
            if status is not None and status.facts is not None:
                self.statuses[address] = replace(status, facts=with_active_facts(status.facts, found, ACTIVE_FACTS))
        self._session.schedule_evaluation()
        self._session.nodes_changed()


async def _import_ssh() -> None:
    """Import the SSH modules in a thread: the import is slow and must not block the screen."""
    await asyncio.to_thread(import_module, "acp_tui.preflight.host_keys")
