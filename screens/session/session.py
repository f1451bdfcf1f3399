"""What the wizard knows while it runs: the draft, what the nodes told, what was judged. No widgets; screens look here.

Answers change the plan at once and are saved at once. Judging follows every change.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Protocol, runtime_checkable

from acp_tui.checks.evaluate import evaluate
from acp_tui.checks.local_files import NO_LOCAL_FILES
from acp_tui.checks.verdict import Outcome, Severity, Verdict
from acp_tui.core.i18n import _
from acp_tui.nodes.ssh.address_map import Dial
from acp_tui.nodes.state import NodeState
from acp_tui.package.service import PackageWork
from acp_tui.plan.derived_defaults import apply_derived_defaults
from acp_tui.plan.draft import Draft, save
from acp_tui.plan.model import Node, Plan, field_at, is_secret, rule_of
from acp_tui.plan.paths import InvalidValue, moved_path, with_answers
from acp_tui.preflight.local_files import read_local_files
from acp_tui.preflight.report.history import load_last_report, save_last_report
from acp_tui.preflight.report.model import Report
from acp_tui.preflight.report.node_summary import node_records
from screens.session.node_monitor import NodeWatch
from screens.session.package_job import Unpacking
from screens.session.verdict_view import Judgement

LAST_RUN = "last-run.json"
"""The report of the nodes as they were last seen, in the draft's folder."""

_MOMENT = 0.1
"""Seconds: what many nodes say within one is told to the screen once."""
_JUDGING = 0.2
"""The share of the time that judging may take while a hundred nodes tell one thing after the other."""


class Changed(StrEnum):
    """What has changed, so that a screen repaints no more than that."""

    ANSWERS = "answers"
    NODES = "nodes"
    VERDICTS = "verdicts"
    PACKAGE = "package"


@runtime_checkable
class Watcher(Protocol):
    """A screen that shows something of the session."""

    def session_changed(self, topic: Changed) -> None: ...


class Session:
    """One run of the wizard.

    `notify` is called on the event loop whenever something has changed, `fault` when background work broke."""

    def __init__(
        self,
        draft: Draft,
        notify: Callable[[Changed], None],
        fault: Callable[[BaseException], None],
        *,
        dial: Dial,
        package: PackageWork,
        plan_file: Path | None,
    ) -> None:
        self.draft = draft
        self.nodes = NodeWatch(self, dial, package.base)
        self.judgement = Judgement()
        self.refused: dict[str, str] = {}
        """Dotted path → why the plan's field refuses what stands in its input."""
        self.pasted = ""
        """A list of nodes that is being looked at: in memory alone, as it may hold passwords."""
        self.package = package
        self.plan_file = plan_file
        self.dial = dial
        self.save_error = ""
        self.beside = NO_LOCAL_FILES
        self.unpacking = Unpacking(self, package, lambda: self._tell_soon(Changed.PACKAGE))
        self.started = datetime.now(UTC)
        self.before: Report | None = load_last_report(draft.folder / LAST_RUN)
        """The last run, which the present one is compared with."""
        self._notify = notify
        self._fault = fault
        self._untold: set[Changed] = set()
        self._save_due = asyncio.Event()
        self._judge_due = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def plan(self) -> Plan:
        return self.draft.plan

    def open(self) -> None:
        """Begin to save and judge; try again what the draft holds as refused, to have its message."""
        for path, text in self.draft.rough.items():
            try:
                with_answers(self.plan, {path: text})
            except InvalidValue as refused:
                self.refused[path] = refused.errors[0].message
        self._tasks = [self.spawn(self._saver()), self.spawn(self._judger())]
        self._judge_due.set()
        self.nodes.probe_where_needed()
        if self.draft.updated is not None and not self.draft.run:  # nothing is touched that an install may be using
            self._tasks.append(self.spawn(self.unpacking.go_on()))

    async def close(self) -> None:
        """Stop every task and save what is not yet saved."""
        tasks = [*self._tasks, *self.nodes.tasks, *self.unpacking.tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        with suppress(OSError):
            save(self.draft)

    def answer(self, path: str, value: object) -> str:
        """Take an answer. Returns "" when its field accepts it, else why not; what was typed is kept either way."""
        asked = self.draft.secrets_asked - {path}
        rough = {key: text for key, text in self.draft.rough.items() if key != path}
        self.refused.pop(path, None)
        try:
            plan = with_answers(self.plan, {path: value})
        except InvalidValue as refused:
            self.refused[path] = refused.errors[0].message
            if not is_secret(field_at(path).annotation):
                rough[path] = value if isinstance(value, str) else ", ".join(str(v) for v in _items(value))
            self.draft = replace(self.draft, rough=rough, secrets_asked=asked)
        else:
            own = {path, *(node.address for node in plan.nodes if path.endswith(".deployable"))}
            self.draft = replace(self.draft, rough=rough, secrets_asked=asked, preset=self.draft.preset - own)
            self._replan(plan)
        self._changed()
        return self.refused.get(path, "")

    def set_nodes(self, nodes: tuple[Node, ...]) -> None:
        """Replace the list of nodes; new ones are probed at once. What was typed for a node stays with it."""
        before = self.plan.nodes
        places = {path: moved_path(path, before, nodes) for path in (*self.draft.rough, *self.refused)}
        self.refused = {there: why for path, why in self.refused.items() if (there := places[path])}
        rough = {there: text for path, text in self.draft.rough.items() if (there := places[path])}
        asked = frozenset(there for path in self.draft.secrets_asked if (there := moved_path(path, before, nodes)))
        self.draft = replace(self.draft, rough=rough, secrets_asked=asked)
        self._replan(self.plan.model_copy(update={"nodes": nodes}))
        self._changed()
        self.nodes.probe_where_needed()

    def note(self, **changes: object) -> None:
        """Change the draft's own fields (step, visited, run)."""
        self.draft = replace(self.draft, **changes)  # type: ignore[arg-type]
        self._save_due.set()

    def plan_replaced(self, plan: Plan) -> None:
        self.draft = replace(self.draft, plan=plan)
        self._changed()

    def begin_run(self) -> None:
        """What is known now becomes the last run; the nodes are about to be asked again."""
        if self.nodes.seen and not self.nodes.probing:
            self.before, self.started = self.report(), datetime.now(UTC)

    def forget_host_key(self, address: str) -> None:
        """Unpin a node's host key, after the operator has said that the change is known."""
        keys = {key: value for key, value in self.draft.host_keys.items() if key != address}
        self.note(host_keys=keys)

    @property
    def run_dir(self) -> Path | None:
        """The install run started from this draft."""
        return Path(self.draft.run) if self.draft.run else None

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        return self.judgement.verdicts

    def report(self) -> Report:
        """The preflight as it stands."""
        states = {node.address: self.nodes.state(node) for node in self.plan.nodes}
        details = {address: seen.detail for address, seen in self.nodes.seen.items()}
        nodes = node_records(self.plan, self.nodes.facts, states, details)
        return Report(self.plan.effective_release, self.started, datetime.now(UTC), nodes, self.verdicts)

    async def judge_now(self) -> None:
        """Judge with what is known at this moment, and wait for it."""
        beside = self.beside = await asyncio.to_thread(read_local_files, self.plan, self.package.base)
        states = {node.address: self.nodes.state(node) for node in self.plan.nodes}
        plan, facts, today = self.plan, dict(self.nodes.facts), date.today()
        package = await self.package.verdicts(plan)
        verdicts = await asyncio.to_thread(evaluate, plan, facts, states, beside=beside, today=today)
        unseen = frozenset(address for address, state in states.items() if state is not NodeState.CHECKED)
        self.judgement = Judgement((*self._refusals(), *package, *verdicts), unseen)
        self._notify(Changed.VERDICTS)

    def _refusals(self) -> Iterator[Verdict]:
        """What a field refuses stands on the screen, while the plan still holds the answer before it: not to be
        installed."""
        for path, why in self.refused.items():
            rule, wanted = rule_of(path) or "PLAN", _("an answer that its field takes")
            yield Verdict(rule, None, Severity.MUST, Outcome.FAIL, f"{path}: {why}", wanted, "", None, (path,))

    def _replan(self, plan: Plan) -> None:
        """The plan is this one now, with what the wizard presets for it."""
        plan, preset = apply_derived_defaults(plan, self.draft.preset)
        self.draft = replace(self.draft, plan=plan, preset=preset)

    def _changed(self) -> None:
        self._save_due.set()
        self._judge_due.set()
        self._notify(Changed.ANSWERS)

    def judge_soon(self) -> None:
        self._judge_due.set()

    def nodes_told(self) -> None:
        self._tell_soon(Changed.NODES)

    def _tell_soon(self, topic: Changed) -> None:
        if topic not in self._untold:
            self._untold.add(topic)
            asyncio.get_running_loop().call_later(_MOMENT, self._tell, topic)

    def _tell(self, topic: Changed) -> None:
        self._untold.discard(topic)
        self._notify(topic)

    def spawn(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fault(error)

    async def _saver(self) -> None:
        while True:
            await self._save_due.wait()
            self._save_due.clear()
            before, self.save_error = self.save_error, await asyncio.to_thread(_saved, self.draft)
            if self.save_error != before:
                self._notify(Changed.ANSWERS)

    async def _judger(self) -> None:
        while True:
            await self._judge_due.wait()
            self._judge_due.clear()
            begun = time.perf_counter()
            await self.judge_now()
            took = time.perf_counter() - begun
            if self.nodes.run_over and not self.nodes.probing:
                self.nodes.run_over = False
                with suppress(OSError):  # it is only lost to a later comparison
                    await asyncio.to_thread(save_last_report, self.draft.folder / LAST_RUN, self.report())
            await asyncio.sleep(took * (1 / _JUDGING - 1))


def _saved(draft: Draft) -> str:
    """Save the draft. Returns why it could not be, or ""."""
    try:
        save(draft)
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _items(value: object) -> tuple[object, ...]:
    return value if isinstance(value, tuple) else (value,)
