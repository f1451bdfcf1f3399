"""What the wizard knows while it runs: the draft, what the nodes told, what was judged. No widgets; screens look here.

Answers change the plan at once and are saved at once. Judging follows every change; probing follows only a new node, a
changed login that was committed, or the operator's wish: a half-typed password is never tried on a node.
"""

import asyncio
import time
from collections.abc import Callable, Collection, Coroutine, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from acp_tui.answers import AnswerRefused, moved, with_answers
from acp_tui.around import Questions, questions
from acp_tui.certificate import CertificateFacts
from acp_tui.checks.judge import judge
from acp_tui.dial import Dial
from acp_tui.draft import Draft, save
from acp_tui.events import NodeDone, NodeFacts, NodeSeen, NodeStage, Progress
from acp_tui.facts import Facts
from acp_tui.package.members import PackageRefused
from acp_tui.package.target import UnpackFailed
from acp_tui.package.work import PackageBlocked, PackageWork
from acp_tui.plan import Node, Plan, field_at, is_secret, rule_of
from acp_tui.presets import presets
from acp_tui.report.kept import keep, read_kept
from acp_tui.report.machine import records
from acp_tui.texts import _
from acp_tui.verdict import NodeState, Outcome, Report, Severity, Verdict
from screens.judgement import Judgement

if TYPE_CHECKING:
    from acp_tui.requested import Also  # it speaks SSH, and that takes long to import

LAST_RUN = "last-run.json"
"""The report of the nodes as they were last seen, in the draft's folder."""

_FRESH = 30
"""Seconds for which a node that was just heard of is not looked at again."""
_AGAIN = (10, 20, 40, 80, 160, 300)
"""Seconds before each try at a node that was lost or not reached. Never after a refused login: that locks out."""
_COMES_BACK = (NodeState.UNREACHABLE, NodeState.LOST)

_MOMENT = 0.1
"""Seconds: what many nodes say within one is told to the screen once."""
_JUDGING = 0.2
"""The share of the time that judging may take while a hundred nodes tell one thing after the other."""


class Topic(StrEnum):
    """What has changed, so that a screen repaints no more than that."""

    ANSWERS = "answers"
    NODES = "nodes"
    VERDICTS = "verdicts"
    PACKAGE = "package"


@runtime_checkable
class Watcher(Protocol):
    """A screen that shows something of the session."""

    def session_changed(self, topic: Topic) -> None: ...


@dataclass(frozen=True)
class Unpacking:
    """Verifying and unpacking the packages, as far as they have come."""

    progress: Progress | None = None
    message: str = ""
    done: bool = False


@dataclass(frozen=True)
class Seen:
    """What is known of a node now."""

    state: NodeState
    stage: str = ""
    detail: str = ""
    facts: Facts | None = None
    login: object = None
    """The login it was probed with: another one asks for a new probe."""
    around: Questions | None = None
    """What it was asked about the other nodes and addresses of the plan as it was then."""
    looked: float = 0.0
    """When it was last heard of, by the monotonic clock."""
    tries: int = 0
    """How often it was tried again by itself since it was lost."""
    notice: str = ""
    """What else the operator should know: that it was rebooted, when it is tried again."""


class Session:
    """One run of the wizard.

    `notify` is called on the event loop whenever something has changed, `fault` when background work broke."""

    def __init__(
        self,
        draft: Draft,
        notify: Callable[[Topic], None],
        fault: Callable[[BaseException], None],
        *,
        dial: Dial,
        package: PackageWork,
        plan_file: Path | None,
    ) -> None:
        self.draft = draft
        self.seen: dict[str, Seen] = {}
        self.judgement = Judgement()
        self.refused: dict[str, str] = {}
        """Dotted path → why the plan's field refuses what stands in its input."""
        self.pasted = ""
        """A list of nodes that is being looked at: in memory alone, as it may hold passwords."""
        self.package = package
        self.plan_file = plan_file
        self.dial = dial
        self.save_error = ""
        self.certificate: CertificateFacts | None = None
        self.unpacking = Unpacking()
        self.requested: tuple[Also, ...] = ()
        """What is being done on request just now."""
        self.started = datetime.now(UTC)
        self.before: Report | None = read_kept(draft.folder / LAST_RUN)
        """The last run, which the present one is compared with."""
        self._notify = notify
        self._fault = fault
        self._run_over = False
        self._untold: set[Topic] = set()
        self._probes: dict[str, asyncio.Task[None]] = {}
        self._save_due = asyncio.Event()
        self._judge_due = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._unpack_task: asyncio.Task[None] | None = None

    @property
    def plan(self) -> Plan:
        return self.draft.plan

    def open(self) -> None:
        """Begin to save and judge; try again what the draft holds as refused, to have its message."""
        for path, text in self.draft.rough.items():
            try:
                with_answers(self.plan, {path: text})
            except AnswerRefused as refused:
                self.refused[path] = refused.wrongs[0].message
        self._tasks = [self._spawn(self._saver()), self._spawn(self._judger())]
        self._judge_due.set()
        self.probe_where_needed()
        self._tasks.append(self._spawn(self._verify_unpacked()))

    async def close(self) -> None:
        """Stop every task and save what is not yet saved."""
        tasks = [*self._tasks, *self._probes.values(), *([self._unpack_task] if self._unpack_task else [])]
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
        except AnswerRefused as refused:
            self.refused[path] = refused.wrongs[0].message
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
        places = {path: moved(path, before, nodes) for path in (*self.draft.rough, *self.refused)}
        self.refused = {there: why for path, why in self.refused.items() if (there := places[path])}
        rough = {there: text for path, text in self.draft.rough.items() if (there := places[path])}
        asked = frozenset(there for path in self.draft.secrets_asked if (there := moved(path, before, nodes)))
        self.draft = replace(self.draft, rough=rough, secrets_asked=asked)
        self._replan(self.plan.model_copy(update={"nodes": nodes}))
        self._changed()
        self.probe_where_needed()

    def note(self, **changes: object) -> None:
        """Change the draft's own fields (step, visited, run)."""
        self.draft = replace(self.draft, **changes)  # type: ignore[arg-type]
        self._save_due.set()

    def plan_replaced(self, plan: Plan) -> None:
        self.draft = replace(self.draft, plan=plan)
        self._changed()

    def probe_where_needed(self) -> None:
        """Probe the nodes that are new or whose login differs from the one last tried; forget those that are gone."""
        addresses = {node.address for node in self.plan.nodes}
        for gone in self.seen.keys() - addresses:
            self._stop(gone)
            del self.seen[gone]
        for node in self.plan.nodes:
            login = self.plan.login(node)
            if login.password is None and not login.key_file:
                continue
            if node.address not in self.seen or self.seen[node.address].login != login:
                self.probe(node)

    def probe(self, node: Node) -> None:
        """Ask this node again, now. What was seen before stays until the new pass says otherwise."""
        self._probe_again(node, Seen(NodeState.CHECKING, facts=self.facts.get(node.address)))

    def _probe_again(self, node: Node, seen: Seen) -> None:
        self._stop(node.address)
        self.seen[node.address] = replace(seen, state=NodeState.CHECKING, login=self.plan.login(node))
        self._probes[node.address] = self._spawn(self._probe(node))
        self._tell_soon(Topic.NODES)

    def look_again(self, *, fresh: float = _FRESH) -> None:
        """Let checked nodes try their paths again where nodes or addresses of the plan have changed since they did, and
        those that were not heard of for `fresh` seconds tell whether they have booted in between."""
        if self.probing:
            return  # the last one that ends comes back here
        for node in self.plan.nodes:
            seen, wanted = self.seen.get(node.address), questions(self._asked, node)
            if seen is None or seen.state is not NodeState.CHECKED:
                continue
            silent = seen.login == self.plan.login(node) and time.monotonic() - seen.looked > fresh
            if seen.around != wanted or silent:
                self.seen[node.address] = replace(seen, around=wanted, looked=time.monotonic())
                self._stop(node.address)
                self._probes[node.address] = self._spawn(self._look(node))

    async def look_now(self) -> None:
        """Look at every checked node once more and wait for it: before something relies on what they told."""
        self.look_again(fresh=0)
        looks = [self._probes[n.address] for n in self.plan.nodes if n.address in self._probes and not self._lost(n)]
        await asyncio.gather(*looks, return_exceptions=True)

    def request(self, also: "Collection[Also]") -> None:
        """Do what the operator chose and agreed to, in the background, unless something of the kind is going on."""
        if not self.requested:
            self.requested = tuple(also)
            self._tasks.append(self._spawn(self._request()))
            self._tell_soon(Topic.NODES)

    def begin_run(self) -> None:
        """What is known now becomes the last run; the nodes are about to be asked again."""
        if self.seen and not self.probing:
            self.before, self.started = self.report(), datetime.now(UTC)

    def forget_host_key(self, address: str) -> None:
        """Unpin a node's host key, after the operator has said that the change is known."""
        keys = {key: value for key, value in self.draft.host_keys.items() if key != address}
        self.note(host_keys=keys)

    def unpack(self) -> None:
        """Verify and unpack the packages in the background, unless that is going on already."""
        if self._unpack_task is None or self._unpack_task.done():
            self._unpack_task = self._spawn(self._unpack())

    @property
    def run_dir(self) -> Path | None:
        """The install run started from this draft."""
        return Path(self.draft.run) if self.draft.run else None

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        return self.judgement.verdicts

    @property
    def probing(self) -> bool:
        return any(seen.state is NodeState.CHECKING for seen in self.seen.values())

    @property
    def facts(self) -> Mapping[str, Facts]:
        return {address: seen.facts for address, seen in self.seen.items() if seen.facts is not None}

    def report(self) -> Report:
        """The preflight as it stands."""
        states = {node.address: self._state(node) for node in self.plan.nodes}
        details = {address: seen.detail for address, seen in self.seen.items()}
        nodes = records(self.plan, self.facts, states, details)
        return Report(self.plan.effective_release, self.started, datetime.now(UTC), nodes, self.verdicts)

    async def judge_now(self) -> None:
        """Judge with what is known at this moment, and wait for it."""
        certificate = self.certificate = await asyncio.to_thread(_certificate, self.plan, self.package.base)
        states = {node.address: self._state(node) for node in self.plan.nodes}
        plan, facts, today = self.plan, dict(self.facts), date.today()
        package = await self.package.verdicts(plan)
        verdicts = await asyncio.to_thread(judge, plan, facts, states, certificate=certificate, today=today)
        unseen = frozenset(address for address, state in states.items() if state is not NodeState.CHECKED)
        self.judgement = Judgement((*self._refusals(), *package, *verdicts), unseen)
        self._notify(Topic.VERDICTS)

    def _refusals(self) -> Iterator[Verdict]:
        """What a field refuses stands on the screen, while the plan still holds the answer before it: not to be
        installed."""
        for path, why in self.refused.items():
            rule, wanted = rule_of(path) or "PLAN", _("an answer that its field takes")
            yield Verdict(rule, None, Severity.MUST, Outcome.FAIL, f"{path}: {why}", wanted, "", None, (path,))

    def _state(self, node: Node) -> NodeState:
        seen = self.seen.get(node.address)
        return seen.state if seen else NodeState.UNREACHABLE

    def _replan(self, plan: Plan) -> None:
        """The plan is this one now, with what the wizard presets for it."""
        plan, preset = presets(plan, self.draft.preset)
        self.draft = replace(self.draft, plan=plan, preset=preset)

    def _changed(self) -> None:
        self._save_due.set()
        self._judge_due.set()
        self._notify(Topic.ANSWERS)

    def _tell_soon(self, topic: Topic) -> None:
        if topic not in self._untold:
            self._untold.add(topic)
            asyncio.get_running_loop().call_later(_MOMENT, self._tell, topic)

    def _tell(self, topic: Topic) -> None:
        self._untold.discard(topic)
        self._notify(topic)

    def _spawn(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fault(error)

    def _stop(self, address: str) -> None:
        task = self._probes.pop(address, None)
        if task is not None and task is not asyncio.current_task():
            task.cancel()

    @property
    def _asked(self) -> Plan:
        """The plan as nodes are asked about it: a registry's password is not tried while it is being typed."""
        if self.draft.step != "registry":
            return self.plan
        return self.plan.model_copy(update={"registry": self.plan.registry.model_copy(update={"password": None})})

    def _lost(self, node: Node) -> bool:
        return self._state(node) in _COMES_BACK

    async def _probe(self, node: Node) -> None:
        address = node.address
        first = self.seen[address].facts is None
        pinned = self.draft.host_keys.get(address)
        plan = self._asked
        asked = questions(plan, node)
        await _imported()
        from acp_tui.preflight import probe_node
        from acp_tui.requested import carried

        async for event in probe_node(plan, node, pinned, self.dial, base=self.package.base):
            before = self.seen[address]
            match event:
                case NodeStage():
                    self.seen[address] = replace(before, stage=event.stage)
                case NodeFacts() if first:
                    self.seen[address] = replace(before, facts=event.facts)
                    self._judge_due.set()
                case NodeFacts():
                    # Asked again: what was seen before is better than the half that is known so far.
                    pass
                case NodeSeen() if first:
                    self.seen[address] = replace(
                        before, state=event.state, detail=event.detail, facts=event.facts, around=asked
                    )
                    self._judge_due.set()
                case NodeDone():
                    self.seen[address] = replace(
                        before,
                        state=event.state,
                        detail=event.detail,
                        facts=carried(before.facts, event.facts),
                        around=asked,
                        looked=time.monotonic(),
                    )
                    if event.host_key and address not in self.draft.host_keys:
                        self.note(host_keys={**self.draft.host_keys, address: event.host_key})
                    self._run_over = True
                    self._judge_due.set()
                    if event.state is NodeState.CHECKED and (before.tries or before.notice):
                        self._came_back(address)
            self._tell_soon(Topic.NODES)
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
            self._probes[node.address] = self._spawn(self._later(node, seen, wait))
        else:
            seen = replace(seen, notice=_("not tried again by itself"))
        self.seen[node.address] = seen
        self._tell_soon(Topic.NODES)

    async def _later(self, node: Node, seen: Seen, seconds: float) -> None:
        await asyncio.sleep(seconds)
        if self._lost(node) and node in self.plan.nodes and seen.login == self.plan.login(node):
            self._probe_again(node, replace(seen, notice=""))

    async def _look(self, node: Node) -> None:
        """What it sees around it, and whether what is known of it still holds."""
        address = node.address
        before, pinned = self.seen[address].facts, self.draft.host_keys.get(address)
        if before is None:
            return
        await _imported()
        from acp_tui.preflight import look_around

        done = await look_around(self._asked, node, before, pinned, self.dial, base=self.package.base)
        seen = self.seen[address]
        if done.state in (NodeState.CHECKED, NodeState.NO_SUDO):
            same = [getattr(before, name) in (None, getattr(done.facts, name)) for name in ("boot_id", "machine_id")]
            if all(same):
                self.seen[address] = replace(seen, facts=done.facts, looked=time.monotonic())
            else:
                # What was seen is of another boot: all of it is unknown until it is checked anew.
                self._probe_again(node, Seen(NodeState.CHECKING, notice=_("rebooted since its check: checked again")))
        elif seen.login == self.plan.login(node):
            self.seen[address] = replace(seen, state=done.state, detail=done.detail, facts=None)
        self._judge_due.set()
        self._tell_soon(Topic.NODES)
        if self._lost(node):
            self._try_later(node)

    async def _request(self) -> None:
        """What was requested, laid over what is known of the nodes then."""
        known = {a: f for a, f in self.facts.items() if self.seen[a].state is NodeState.CHECKED}
        await _imported()
        from acp_tui.preflight import on_request
        from acp_tui.requested import LEARNED

        try:
            plan, keys = self.plan, self.draft.host_keys
            learned = await on_request(plan, known, keys, self.requested, self.dial, base=self.package.base)
        finally:
            self.requested = ()
        for address, found in learned.items():
            seen = self.seen.get(address)
            if seen is not None and seen.facts is not None:
                new = {name: getattr(found, name) for name in LEARNED if getattr(found, name) is not None}
                gaps = {**seen.facts.gaps, **{n: why for n, why in found.gaps.items() if n in LEARNED}}
                self.seen[address] = replace(seen, facts=replace(seen.facts, gaps=gaps, **new))
        self._judge_due.set()
        self._tell_soon(Topic.NODES)

    async def _verify_unpacked(self) -> None:
        """A resumed draft whose package is unpacked already: say so. What was verified then is not read again.

        Nothing is touched that an install may be using."""
        if self.draft.updated is not None and not self.draft.run and (await self.package.look(self.plan)).unpacked:
            self.unpack()

    async def _unpack(self) -> None:
        def tell(progress: Progress) -> None:
            self.unpacking = Unpacking(progress)
            self._tell_soon(Topic.PACKAGE)

        tell(Progress(_("package"), 0, 0))
        try:
            await self.package.unpack(self.plan, tell)
        except (PackageBlocked, PackageRefused, UnpackFailed) as error:
            self.unpacking = Unpacking(message=str(error).splitlines()[0])
        else:
            self.unpacking = Unpacking(message=_("Verified and unpacked into the install folder."), done=True)
        self._judge_due.set()
        self._tell_soon(Topic.PACKAGE)

    async def _saver(self) -> None:
        while True:
            await self._save_due.wait()
            self._save_due.clear()
            before, self.save_error = self.save_error, await asyncio.to_thread(_saved, self.draft)
            if self.save_error != before:
                self._notify(Topic.ANSWERS)

    async def _judger(self) -> None:
        while True:
            await self._judge_due.wait()
            self._judge_due.clear()
            begun = time.perf_counter()
            await self.judge_now()
            took = time.perf_counter() - begun
            if self._run_over and not self.probing:
                self._run_over = False
                with suppress(OSError):  # it is only lost to a later comparison
                    await asyncio.to_thread(keep, self.draft.folder / LAST_RUN, self.report())
            await asyncio.sleep(took * (1 / _JUDGING - 1))


async def _imported() -> None:
    """Import what speaks SSH while the first step is on the screen already: it takes as long as all of Textual."""
    await asyncio.to_thread(import_module, "acp_tui.preflight")


def _certificate(plan: Plan, base: Path) -> CertificateFacts | None:
    """The plan's own pair; what reads it is not needed for the first frame."""
    if plan.certificate.mode != "existing":
        return None
    from acp_tui.certificate_files import facts_for

    return facts_for(plan, base)


def _saved(draft: Draft) -> str:
    """Save the draft. Returns why it could not be, or ""."""
    try:
        save(draft)
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _items(value: object) -> tuple[object, ...]:
    return value if isinstance(value, tuple) else (value,)
