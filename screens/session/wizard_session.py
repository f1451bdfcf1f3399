"""The state of the running wizard: draft, node statuses, verdicts. Screens read this state. The module has no widgets.

Each answer (a value that the operator enters) changes the plan and is saved immediately. After every change the
session computes the verdicts again.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Protocol, TypedDict, Unpack, runtime_checkable

from acp_tui.checks.evaluate import evaluate
from acp_tui.checks.local_file_facts import NO_LOCAL_FILES
from acp_tui.checks.topology import topology_of
from acp_tui.checks.verdict import Verdict
from acp_tui.core.clock import now
from acp_tui.nodes.ssh.address_map import AddressMap
from acp_tui.nodes.state import NodeState
from acp_tui.package.service import PackageWork
from acp_tui.plan.derived_defaults import apply_derived_defaults
from acp_tui.plan.draft import Draft, save
from acp_tui.plan.known_hosts import KnownHosts
from acp_tui.plan.model import Plan, field_at
from acp_tui.plan.node_import.passwords import has_secret
from acp_tui.plan.paths import InvalidValue, moved_path, with_answers
from acp_tui.plan.sections.node import Node
from acp_tui.plan.sections.section import is_secret
from acp_tui.preflight.read_local_files import read_local_files
from acp_tui.preflight.report.history import load_last_report, save_last_report
from acp_tui.preflight.report.model import Report
from acp_tui.preflight.report.node_summary import node_records
from screens.session.known_hosts import KnownHostsRecord
from screens.session.node_monitor import NodeMonitor
from screens.session.package_job import PackageJob
from screens.session.verdict_view import VerdictView, invalid_value_verdicts

LAST_RUN = "last-run.json"
"""File name of the last report. The file is in the folder of the draft."""

_NOTIFY_DELAY = 0.1
"""Seconds between an event and the repaint. Several events within this time cause only one repaint."""
_EVALUATION_SHARE = 0.2
"""Maximum share of the time that the evaluation of the requirements may use. Many nodes can report facts continuously,
so without this limit the evaluation would never pause."""


class Changed(StrEnum):
    """A part of the session that can change. After a change, a screen repaints only the changed part."""

    ANSWERS = "answers"
    NODES = "nodes"
    VERDICTS = "verdicts"
    PACKAGE = "package"


@runtime_checkable
class Watcher(Protocol):
    """A screen that must be informed about changes of the session."""

    def session_changed(self, topic: Changed) -> None: ...


class DraftChanges(TypedDict, total=False):
    """The fields of the draft that `Session.update_draft` can change. They are not values of the plan."""

    step: str
    visited: frozenset[str]
    preset: frozenset[str]
    pending_node_line: str
    run: str | None
    finished: bool


class Session:
    """The state of one wizard, from its start to its end.

    The session calls `notify` on the event loop after each change. It calls `fault` if a background task crashes."""

    def __init__(
        self,
        draft: Draft,
        notify: Callable[[Changed], None],
        fault: Callable[[BaseException], None],
        *,
        address_map: AddressMap,
        package: PackageWork,
        plan_file: Path | None,
    ) -> None:
        self.draft = draft
        self.known_hosts_record = KnownHostsRecord(self, address_map, package.base, plan_file)
        self.nodes = NodeMonitor(self, address_map, package.base)
        self.verdict_view = VerdictView()
        self.field_errors: dict[str, str] = {}
        """The reason why the text in a field is not valid, by plan key."""
        self.pasted_list = ""
        """A pasted list of nodes that is not imported yet. It can contain passwords, so it is only in memory."""
        self.package = package
        self.plan_file = plan_file
        self.address_map = address_map
        self.save_error = ""
        self.local_files = NO_LOCAL_FILES
        self.package_job = PackageJob(self, package, lambda: self._notify_later(Changed.PACKAGE))
        self.started = now()
        self.last_report: Report | None = load_last_report(draft.folder / LAST_RUN)
        """The last report. The current report is compared with it."""
        self._notify = notify
        self._fault = fault
        self._pending_topics: set[Changed] = set()
        self._save_due = asyncio.Event()
        self._evaluation_due = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def plan(self) -> Plan:
        return self.draft.plan

    def open(self) -> None:
        """Start the background tasks of the session.

        Validate the invalid input of the draft again, because the draft does not store the error messages."""
        for path, text in self.draft.invalid_input.items():
            try:
                with_answers(self.plan, {path: text})
            except InvalidValue as error:
                self.field_errors[path] = error.errors[0].message
        self._tasks = [self.spawn(self._save_loop()), self.spawn(self._evaluation_loop())]
        self._evaluation_due.set()
        self.nodes.check_changed()
        if self.draft.updated is not None and not self.draft.run:  # a started install can use the install folder
            self._tasks.append(self.spawn(self.package_job.resume()))

    async def close(self) -> None:
        """Stop every task and save the draft."""
        tasks = [*self._tasks, *self.nodes.tasks, *self.package_job.tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._saved()

    def answer(self, path: str, value: object) -> str:
        """Store the value of the plan key `path`. Return "" for a valid value, else the reason why it is invalid.

        The draft keeps invalid text, except secrets and text that can contain a password."""
        to_ask = self.draft.secrets_asked - {path}
        invalid = {key: text for key, text in self.draft.invalid_input.items() if key != path}
        self.field_errors.pop(path, None)
        try:
            plan = with_answers(self.plan, {path: value})
        except InvalidValue as error:
            self.field_errors[path] = error.errors[0].message
            text = ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
            if not is_secret(field_at(path).annotation) and not has_secret(text):
                invalid[path] = text
            self.draft = replace(self.draft, invalid_input=invalid, secrets_asked=to_ask)
        else:
            own = {path, *(node.address for node in plan.nodes if path.endswith(".deployable"))}
            preset = self.draft.preset - own
            self.draft = replace(self.draft, invalid_input=invalid, secrets_asked=to_ask, preset=preset)
            self._set_plan(plan)
        self._answers_changed()
        return self.field_errors.get(path, "")

    def set_nodes(self, nodes: tuple[Node, ...]) -> None:
        """Replace the nodes of the plan and check new nodes. Invalid text in a field of a node moves with the node."""
        before = self.plan.nodes
        places = {path: moved_path(path, before, nodes) for path in (*self.draft.invalid_input, *self.field_errors)}
        self.field_errors = {moved: reason for path, reason in self.field_errors.items() if (moved := places[path])}
        invalid = {moved: text for path, text in self.draft.invalid_input.items() if (moved := places[path])}
        to_ask = frozenset(moved for path in self.draft.secrets_asked if (moved := moved_path(path, before, nodes)))
        self.draft = replace(self.draft, invalid_input=invalid, secrets_asked=to_ask)
        self._set_plan(self.plan.model_copy(update={"nodes": nodes}))
        self._answers_changed()
        self.nodes.check_changed()

    def update_draft(self, **changes: Unpack[DraftChanges]) -> None:
        """Change fields of the draft that are not values of the plan, and save the draft."""
        self.draft = replace(self.draft, **changes)
        self._save_due.set()

    def save_known_hosts(self, known_hosts: KnownHosts) -> None:
        self.draft = replace(self.draft, known_hosts=known_hosts)
        self._save_due.set()

    def confirm_host_keys(self, keys: Mapping[str, str]) -> None:
        """Record host keys as confirmed, and check these nodes again. `keys`: node address → key as `type base64`."""
        self.known_hosts_record.confirm(keys)
        self.nodes.confirmed(keys)

    def replace_plan(self, plan: Plan) -> None:
        self.draft = replace(self.draft, plan=plan)
        self._answers_changed()

    def keep_last_report(self) -> None:
        """Store the current report as the last report. Callers do this before they recheck the nodes."""
        if self.nodes.statuses and not self.nodes.checking:
            self.last_report, self.started = self.report(), now()

    @property
    def run_dir(self) -> Path | None:
        """The folder of the install run that the draft started. None if the draft started no run."""
        return Path(self.draft.run) if self.draft.run else None

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        return self.verdict_view.verdicts

    def report(self) -> Report:
        """Return the preflight report with the current facts and verdicts."""
        states = {node.address: self.nodes.state(node) for node in self.plan.nodes}
        details = {address: status.detail for address, status in self.nodes.statuses.items()}
        nodes = node_records(self.plan, topology_of(self.plan), self.nodes.facts, states, details)
        return Report(
            release=self.plan.effective_release,
            started=self.started,
            finished=now(),
            nodes=nodes,
            verdicts=self.verdicts,
        )

    async def evaluate_now(self) -> None:
        """Compute the verdicts from the current plan and facts, and wait for the result."""
        local_files = self.local_files = await asyncio.to_thread(read_local_files, self.plan, self.package.base)
        states = {node.address: self.nodes.state(node) for node in self.plan.nodes}
        plan, facts, today = self.plan, dict(self.nodes.facts), date.today()
        package = await self.package.verdicts(plan)
        topology = await asyncio.to_thread(topology_of, plan)
        verdicts = await asyncio.to_thread(
            evaluate, plan, facts, states, topology=topology, today=today, local_files=local_files
        )
        unchecked = frozenset(address for address, state in states.items() if state is not NodeState.CHECKED)
        self.verdict_view = VerdictView((*invalid_value_verdicts(self.field_errors), *package, *verdicts), unchecked)
        self._notify(Changed.VERDICTS)

    def _set_plan(self, plan: Plan) -> None:
        """Compute the derived defaults of `plan` again, and store the result in the draft."""
        plan, preset = apply_derived_defaults(plan, self.draft.preset)
        self.draft = replace(self.draft, plan=plan, preset=preset)

    def _answers_changed(self) -> None:
        self._save_due.set()
        self._evaluation_due.set()
        self._notify(Changed.ANSWERS)

    def schedule_evaluation(self) -> None:
        self._evaluation_due.set()

    def nodes_changed(self) -> None:
        self._notify_later(Changed.NODES)

    def _notify_later(self, topic: Changed) -> None:
        if topic not in self._pending_topics:
            self._pending_topics.add(topic)
            asyncio.get_running_loop().call_later(_NOTIFY_DELAY, self._notify_now, topic)

    def _notify_now(self, topic: Changed) -> None:
        self._pending_topics.discard(topic)
        self._notify(topic)

    def spawn(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fault(error)

    async def _save_loop(self) -> None:
        while True:
            await self._save_due.wait()
            self._save_due.clear()
            previous, self.save_error = self.save_error, await self._saved()
            if self.save_error != previous:
                self._notify(Changed.ANSWERS)

    async def _saved(self) -> str:
        """Save the draft and the confirmed host keys. Return the reason if saving fails, or "" after a success."""
        try:
            await asyncio.to_thread(save, self.draft)
            await self.known_hosts_record.save_for_commands()
        except OSError as error:
            return error.strerror or str(error)
        return ""

    async def _evaluation_loop(self) -> None:
        while True:
            await self._evaluation_due.wait()
            self._evaluation_due.clear()
            start = time.perf_counter()
            await self.evaluate_now()
            took = time.perf_counter() - start
            if self.nodes.has_new_result and not self.nodes.checking:
                self.nodes.has_new_result = False
                with suppress(OSError):  # without the file, only a later comparison is not possible
                    await asyncio.to_thread(save_last_report, self.draft.folder / LAST_RUN, self.report())
            await asyncio.sleep(took * (1 / _EVALUATION_SHARE - 1))
