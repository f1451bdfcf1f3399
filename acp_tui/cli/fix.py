"""Mending nodes as a command: fix. What would be changed is shown first; nothing is changed without a yes."""

import asyncio
import sys
from argparse import Namespace
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from acp_tui.checks.catalog import catalogue
from acp_tui.checks.evaluate import evaluate
from acp_tui.checks.verdict import Outcome, Verdict
from acp_tui.cli.context import CommandFailed, OpenedPlan, open_plan, print_err, print_out, say_first_contact
from acp_tui.core.errors import ExitStatus
from acp_tui.core.i18n import _, ngettext
from acp_tui.nodes.events import NodeFinished
from acp_tui.nodes.facts import Facts
from acp_tui.nodes.state import NodeState
from acp_tui.package.service import PackageWork
from acp_tui.plan.model import Node
from acp_tui.preflight.fixes.apply import Job, NodeFixed, SecondLogin, StepDone, fix, new_folder, preview_removals
from acp_tui.preflight.fixes.init_script import find_init
from acp_tui.preflight.fixes.script import script
from acp_tui.preflight.fixes.select import INIT, AvailableFixes, FixResult, available_fixes, fix_results, selected
from acp_tui.preflight.fixes.step import FixStep, InitScript
from acp_tui.preflight.local_files import read_local_files
from acp_tui.preflight.run import PreflightDone, preflight, probe_node, target


@dataclass(frozen=True)
class _Known:
    """What is known of the nodes."""

    facts: Mapping[str, Facts]
    states: Mapping[str, NodeState]
    host_keys: Mapping[str, str]
    verdicts: tuple[Verdict, ...]


def fix_nodes(options: Namespace) -> int:
    """Show what would be changed on the nodes; once confirmed, change it and check again what was changed."""
    source = open_plan(options.plan, options.passphrase_file)
    if not source.plan.nodes:
        raise CommandFailed(_("The plan has no nodes."), ExitStatus.NO)
    addresses = [node.address for node in source.plan.nodes]
    names = _host_names(options.hostname or ())
    if unknown := (set(options.node or ()) | names.keys()) - set(addresses):
        raise CommandFailed(_("not in the plan: {nodes}").format(nodes=", ".join(sorted(unknown))), ExitStatus.USAGE)
    only = frozenset(name.upper() for name in options.only) if options.only else None
    if only is not None and (unheard := only - catalogue(source.plan.effective_release).keys()):
        raise CommandFailed(
            _("there is no such requirement: {names}").format(names=", ".join(sorted(unheard))), ExitStatus.USAGE
        )
    nodes = [node for node in source.plan.nodes if not options.node or node.address in options.node]
    # Several runs of the event loop: a single one would keep Ctrl-C from the question between them.
    known = asyncio.run(_look_at_all(source))
    jobs = asyncio.run(_offer(source, nodes, known, only, names, tell=not options.script))
    if options.script:
        for job in jobs:
            print_out(f"# {job.target.address}\n{script(job.steps, job.folder)}")
        return ExitStatus.DONE
    agreed = jobs if options.yes else _agreed(jobs)
    if agreed is None:
        print_out(_("Nothing was changed. To change it: --yes, or run it in a terminal and confirm each node."))
        return ExitStatus.NO
    verdicts = asyncio.run(_carry_out(source, agreed, known)) if agreed else known.verdicts
    asked = {node.address for node in nodes}
    left = [v for v in verdicts if v.node in asked and v.blocks and (only is None or v.requirement in only)]
    return ExitStatus.NO if any(v.outcome is not Outcome.MANUAL for v in left) else ExitStatus.DONE


def _host_names(given: Sequence[str]) -> dict[str, str]:
    pairs = [text.partition("=") for text in given]
    if not all(address and name for address, _sign, name in pairs):
        raise CommandFailed(_("a host name is given as ADDRESS=NAME"), ExitStatus.USAGE)
    return {address: name for address, _sign, name in pairs}


async def _look_at_all(source: OpenedPlan) -> _Known:
    """All nodes of the plan, for a node is also held against the others."""
    facts: dict[str, Facts] = {}
    states: dict[str, NodeState] = {}
    keys: dict[str, str] = dict(source.host_keys)
    verdicts: tuple[Verdict, ...] = ()
    async for event in preflight(source.plan, known_hosts=source.host_keys, plan_dir=source.base):
        match event:
            case NodeFinished():
                facts[event.address], states[event.address] = event.facts, event.state
                print_err(f"{event.address}: {event.state.value}" + (f" ({event.detail})" if event.detail else ""))
                if event.host_key and event.address not in source.host_keys:
                    keys[event.address] = event.host_key
                    say_first_contact(event.address, event.host_key)
            case PreflightDone():
                verdicts = event.report.verdicts
    await asyncio.to_thread(source.pin, keys)
    return _Known(facts, states, keys, verdicts)


async def _offer(
    source: OpenedPlan,
    nodes: Sequence[Node],
    known: _Known,
    only: frozenset[str] | None,
    names: Mapping[str, str],
    *,
    tell: bool,
) -> list[Job]:
    """What would be done, one job a node; a node for which nothing would be done has none."""
    reached = [node for node in nodes if known.states[node.address] is NodeState.CHECKED]
    if not reached:
        raise CommandFailed(_("No node could be looked at, so nothing can be mended."))
    init = _init(source, only)
    folder = new_folder(datetime.now(UTC))
    jobs: list[Job] = []
    for node in reached:
        offered = available_fixes(
            source.plan, node, known.facts[node.address], known.verdicts, hostname=names.get(node.address), init=init
        )
        steps = selected(offered.steps, only)
        own_init = init if any(step.requirement == INIT for step in steps) else None
        place = target(source.plan, node, plan_dir=source.base)
        job = Job(place, known.host_keys.get(node.address), steps, folder, own_init)
        if tell:
            _show_offer(offered, steps, await preview_removals(job), only)
        jobs += [job] if steps else []
    return jobs


def _init(source: OpenedPlan, only: frozenset[str] | None) -> InitScript | None:
    if only is None or INIT not in only:
        return None
    try:
        return find_init(PackageWork(source.base).target(source.plan))
    except OSError as error:
        words = _("init.sh of the unpacked package cannot be read ({why}); acp-tui unpack comes first")
        raise CommandFailed(words.format(why=error.strerror or error)) from error


def _show_offer(
    offered: AvailableFixes, steps: tuple[FixStep, ...], shown: Mapping[str, str], only: frozenset[str] | None
) -> None:
    """What would be done on one node, and what would not."""
    if not steps:
        print_out(_("{node}: nothing to change").format(node=offered.address))
    else:
        count = ngettext("{count} step", "{count} steps", len(steps)).format(count=len(steps))
        print_out(_("{node}: {steps}").format(node=offered.address, steps=count))
    for step in steps:
        print_out(f"  {', '.join(step.requirements)}: {step.title}")
        print_out("    " + step.commands.replace("\n", "\n    "))
        for name, text in (
            (_("copied first"), " ".join(step.files)),
            (_("what would go"), shown.get(step.requirement, "")),
            (_("no undo"), _("what it removes is gone") if step.destructive else ""),
            (_("reboot"), _("in effect only after one, which is left to you") if step.reboot_needed else ""),
            (_("note"), step.note),
        ):
            if text:
                print_out(f"    {name}: " + text.replace("\n", "\n      "))
    more = [step.requirement for step in offered.steps if step not in steps]
    if more and only is None:
        print_out("  " + _("only when named (--only): {names}").format(names=", ".join(more)))
    for rest in offered.manual:
        if only is None or rest.requirement in only:
            print_out(f"  {rest.requirement}: " + _("not from here: {why}").format(why=rest.reason))
    if offered.pending and only is None:
        print_out("  " + _("waits for a reboot: {names}").format(names=", ".join(offered.pending)))


def _agreed(jobs: list[Job]) -> list[Job] | None:
    """The jobs to which the operator says yes, one by one; None: there is nobody to ask."""
    if jobs and not sys.stdin.isatty():
        return None
    return [job for job in jobs if _yes(_("Change {node} as shown? [y/N] ").format(node=job.target.address))]


def _yes(question: str) -> bool:
    try:
        return input(question).strip().lower() in ("y", "yes")
    except EOFError:
        return False


async def _carry_out(source: OpenedPlan, jobs: list[Job], known: _Known) -> tuple[Verdict, ...]:
    """Do it, look at the changed nodes again, tell what has become of it; all verdicts as they are now."""
    begun: list[Job] = []
    by_address = {job.target.address: job for job in jobs}
    async for event in fix(jobs):
        match event:
            case StepDone():
                word = _("done") if event.status == 0 else _("failed, exit status {status}").format(status=event.status)
                print_err(f"{event.address}: {event.requirement}: {word}")
                if event.output and (event.status or event.requirement == INIT):
                    print_err("    " + event.output.replace("\n", "\n    "))
            case SecondLogin():
                print_err(f"{event.address}: {event.detail}")
            case NodeFixed():
                if event.detail:
                    print_err(f"{event.address}: {event.detail}")
                if event.started:
                    begun.append(by_address[event.address])
    verdicts = await _again(source, begun, known)
    for job in jobs:
        for result in fix_results(job.target.address, job.steps, verdicts):
            print_out(f"{result.address:<16} {result.requirement:<22} {_words(result)}")
        if job in begun and any(step.can_be_undone for step in job.steps):
            print_out(
                _("{node}: to take it back, on the node: {command}").format(node=job.target.address, command=job.undo)
            )
    return verdicts


def _words(result: FixResult) -> str:
    if result.outcome is Outcome.PASS:
        return _("mended")
    if result.outcome is Outcome.PENDING_REBOOT:
        return _("waits for a reboot: {found}").format(found=result.observed)
    return f"{result.outcome.value}: {result.observed}"


async def _again(source: OpenedPlan, jobs: list[Job], known: _Known) -> tuple[Verdict, ...]:
    """Verdicts with the changed nodes looked at again, and the others as they were seen before."""
    facts, states = dict(known.facts), dict(known.states)

    async def one(node: Node) -> None:
        async for event in probe_node(source.plan, node, known.host_keys.get(node.address), plan_dir=source.base):
            if isinstance(event, NodeFinished):
                facts[node.address], states[node.address] = event.facts, event.state

    changed = {job.target.address for job in jobs}
    await asyncio.gather(*(one(node) for node in source.plan.nodes if node.address in changed))
    beside = await asyncio.to_thread(read_local_files, source.plan, source.base)
    return evaluate(source.plan, facts, states, beside=beside, today=date.today())
