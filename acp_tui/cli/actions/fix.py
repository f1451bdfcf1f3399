"""Show the fixes of the nodes, apply them after confirmation, and check the changed nodes again."""

import asyncio
import sys
from argparse import Namespace
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from acp_tui.checks.evaluate import evaluate
from acp_tui.checks.labels import outcome_label
from acp_tui.checks.topology import topology_of
from acp_tui.checks.verdict import Outcome, Verdict
from acp_tui.cli.actions.check import node_state_line, require_known
from acp_tui.cli.context import CommandFailed, OpenedPlan, open_plan, print_err, print_out
from acp_tui.cli.host_keys import confirm_host_keys
from acp_tui.cli.table import columns
from acp_tui.cli.terminal import read_answer
from acp_tui.core.clock import now
from acp_tui.core.errors import ExitStatus
from acp_tui.core.i18n import _, npgettext, pgettext
from acp_tui.nodes.events import NodeFinished
from acp_tui.nodes.facts import Facts
from acp_tui.nodes.state import NodeState
from acp_tui.package.service import PackageWork
from acp_tui.plan.secret_mask import secret_mask
from acp_tui.plan.sections.node import Node
from acp_tui.preflight.fixes.apply import fix, preview_removals
from acp_tui.preflight.fixes.init_script import find_init
from acp_tui.preflight.fixes.job import Job, NodeFixed, SecondLogin, StepDone, new_folder
from acp_tui.preflight.fixes.script import script
from acp_tui.preflight.fixes.select import INIT, AvailableFixes, FixResult, available_fixes, fix_results, selected
from acp_tui.preflight.fixes.step import FixStep, InitScript
from acp_tui.preflight.read_local_files import read_local_files
from acp_tui.preflight.run import PreflightDone, preflight, probe_node, target


@dataclass(frozen=True)
class _Known:
    """The result of the preflight of all nodes."""

    facts: Mapping[str, Facts]
    states: Mapping[str, NodeState]
    verdicts: tuple[Verdict, ...]


def fix_nodes(options: Namespace) -> int:
    """Show the fixes, ask for confirmation on each node, apply them and check the changed nodes again."""
    source = open_plan(options.plan, options.passphrase_file, allow_references=options.allow_references)
    if not source.plan.nodes:
        raise CommandFailed(_("The plan has no nodes. Add them to the plan."), ExitStatus.CHECK_FAILED)
    names = _host_names(options.hostname or ())
    require_known(source.plan, {*(options.node or ()), *names}, options.only or ())
    only = frozenset(name.upper() for name in options.only) if options.only else None
    nodes = [node for node in source.plan.nodes if not options.node or node.address in options.node]
    source = confirm_host_keys(source, accept_new=options.accept_new, changes=not options.script)
    # Each part has its own event loop: Ctrl-C does not interrupt a question inside a running loop.
    known = asyncio.run(_preflight_all(source))
    jobs = asyncio.run(_fixes(source, nodes, known, only, names, show=not options.script))
    if options.script:
        for job in jobs:
            print_out(f"# {job.target.address}\n{script(job.steps, job.folder)}")
        return ExitStatus.DONE
    confirmed = jobs if options.yes else _confirmed(jobs)
    if confirmed is None:
        print_out(_("Nothing was changed: the confirmation requires a terminal. Use a terminal, or add --yes."))
        return ExitStatus.CHECK_FAILED
    verdicts = asyncio.run(_apply(source, confirmed, known)) if confirmed else known.verdicts
    selection = {node.address for node in nodes}
    remaining = [v for v in verdicts if v.node in selection and v.blocks and (only is None or v.requirement in only)]
    return ExitStatus.CHECK_FAILED if any(v.outcome is not Outcome.MANUAL for v in remaining) else ExitStatus.DONE


def _host_names(given: Sequence[str]) -> dict[str, str]:
    pairs = [text.partition("=") for text in given]
    if not all(address and name for address, _sign, name in pairs):
        raise CommandFailed(_("The value of --hostname is not valid. Use --hostname ADDRESS=NAME."), ExitStatus.USAGE)
    return {address: name for address, _sign, name in pairs}


async def _preflight_all(source: OpenedPlan) -> _Known:
    """Check all nodes of the plan, because some requirements compare a node with the others."""
    facts: dict[str, Facts] = {}
    states: dict[str, NodeState] = {}
    keys: dict[str, str] = {}
    verdicts: tuple[Verdict, ...] = ()
    async for event in preflight(source.plan, known_hosts=source.known_hosts, plan_dir=source.plan_dir):
        match event:
            case NodeFinished():
                facts[event.address], states[event.address] = event.facts, event.state
                print_err(node_state_line(event))
                if event.accepted_host_key:
                    keys[event.address] = event.accepted_host_key
            case PreflightDone():
                verdicts = event.report.verdicts
    await asyncio.to_thread(source.record_seen, keys)
    return _Known(facts, states, verdicts)


async def _fixes(
    source: OpenedPlan,
    nodes: Sequence[Node],
    known: _Known,
    only: frozenset[str] | None,
    names: Mapping[str, str],
    *,
    show: bool,
) -> list[Job]:
    """Return one job for each node with a fix. `show`: print the fixes.

    `only`: the selected requirements; None for all. `names`: new host names by address."""
    reached = [node for node in nodes if known.states[node.address] is NodeState.CHECKED]
    if not reached:
        raise CommandFailed(_("No node could be checked, so no fix is available. Fix the errors above first."))
    init = _init(source, only)
    folder = new_folder(now())
    jobs: list[Job] = []
    for node in reached:
        offered = available_fixes(
            source.plan, node, known.facts[node.address], known.verdicts, hostname=names.get(node.address), init=init
        )
        steps = selected(offered.steps, only)
        own_init = init if any(step.requirement == INIT for step in steps) else None
        login_target = target(source.plan, node, plan_dir=source.plan_dir)
        known_host = source.known_hosts.get(node.address)
        job = Job(login_target, known_host, steps, folder, secret_mask(source.plan), own_init)
        if show:
            _show_fixes(offered, steps, await preview_removals(job), only)
        jobs += [job] if steps else []
    return jobs


def _init(source: OpenedPlan, only: frozenset[str] | None) -> InitScript | None:
    if only is None or INIT not in only:
        return None
    try:
        return find_init(PackageWork(source.plan_dir).target(source.plan))
    except OSError as error:
        message = _("Cannot read init.sh of the unpacked package: {reason}. Run acp-tui unpack first.")
        raise CommandFailed(message.format(reason=error.strerror or error)) from error


def _show_fixes(
    offered: AvailableFixes, steps: tuple[FixStep, ...], shown: Mapping[str, str], only: frozenset[str] | None
) -> None:
    """Print the fixes of one node: first those to apply, then the others with the reason."""
    if not steps:
        print_out(pgettext("fix", "{node}: acp-tui has no fix to apply").format(node=offered.address))
    else:
        message = npgettext("fix", "{node}: {count} fix", "{node}: {count} fixes", len(steps))
        print_out(message.format(node=offered.address, count=len(steps)))
    for step in steps:
        print_out(f"  {', '.join(step.requirements)}: {step.title}")
        print_out("    " + step.commands.replace("\n", "\n    "))
        for message, text in (
            (pgettext("fix", "backup: {text}"), " ".join(step.files)),
            (pgettext("fix", "removes: {text}"), shown.get(step.requirement, "")),
            (pgettext("fix", "undo: {text}"), pgettext("fix", "not reversible") if step.destructive else ""),
            (
                pgettext("fix", "reboot: {text}"),
                _("the fix takes effect after you reboot the node") if step.reboot_needed else "",
            ),
            (pgettext("fix", "note: {text}"), step.note),
        ):
            if text:
                print_out("    " + message.format(text=text.replace("\n", "\n      ")))
    more = [step.requirement for step in offered.steps if step not in steps]
    if more and only is None:
        print_out(
            "  " + _("These fixes are applied only if you name them with --only: {names}").format(names=", ".join(more))
        )
    for rest in offered.manual:
        if only is None or rest.requirement in only:
            print_out(f"  {rest.requirement}: " + pgettext("fix", "manual fix: {reason}").format(reason=rest.reason))
    if offered.pending and only is None:
        print_out(
            "  "
            + _("These requirements pass after you reboot the node: {names}").format(names=", ".join(offered.pending))
        )


def _confirmed(jobs: list[Job]) -> list[Job] | None:
    """Ask the operator to confirm each job. Return the confirmed jobs; None if no terminal is connected."""
    if jobs and not sys.stdin.isatty():
        return None
    return [job for job in jobs if _yes(_("Apply these fixes on {node}? [y/N] ").format(node=job.target.address))]


def _yes(question: str) -> bool:
    return read_answer(question).lower() in ("y", "yes")


async def _apply(source: OpenedPlan, jobs: list[Job], known: _Known) -> tuple[Verdict, ...]:
    """Apply the jobs, check the changed nodes again and print the results. Return the new verdicts of all nodes."""
    started: list[Job] = []
    by_address = {job.target.address: job for job in jobs}
    async for event in fix(jobs):
        match event:
            case StepDone():
                done = pgettext("fix", "{node}: {requirement}: done")
                message = (
                    done if event.status == 0 else _("{node}: {requirement}: the fix failed with exit status {status}")
                )
                print_err(message.format(node=event.address, requirement=event.requirement, status=event.status))
                if event.output and (event.status or event.requirement == INIT):
                    print_err("    " + event.output.replace("\n", "\n    "))
            case SecondLogin():
                print_err(f"{event.address}: {event.detail}")
            case NodeFixed():
                if event.detail:
                    print_err(f"{event.address}: {event.detail}")
                if event.started:
                    started.append(by_address[event.address])
    verdicts = await _recheck(source, started, known)
    for job in jobs:
        found = fix_results(job.target.address, job.steps, verdicts)
        for line in columns([(result.address, result.requirement, _result_text(result)) for result in found]):
            print_out(line)
        if job in started and any(step.can_be_undone for step in job.steps):
            print_out(
                _("{node}: to undo the fixes, run this command on the node: {command}").format(
                    node=job.target.address, command=job.undo
                )
            )
    return verdicts


def _result_text(result: FixResult) -> str:
    if result.outcome is Outcome.PASS:
        return pgettext("fix", "fixed")
    if result.outcome is Outcome.PENDING_REBOOT:
        return _("passes after you reboot the node: {observed}").format(observed=result.observed)
    return f"{outcome_label(result.outcome)}: {result.observed}"


async def _recheck(source: OpenedPlan, jobs: list[Job], known: _Known) -> tuple[Verdict, ...]:
    """Check the changed nodes again. Return the verdicts of all nodes. For the other nodes, use the earlier facts."""
    facts, states = dict(known.facts), dict(known.states)

    async def one(node: Node) -> None:
        async for event in probe_node(
            source.plan, node, source.known_hosts.get(node.address), plan_dir=source.plan_dir
        ):
            if isinstance(event, NodeFinished):
                facts[node.address], states[node.address] = event.facts, event.state

    changed = {job.target.address for job in jobs}
    await asyncio.gather(*(one(node) for node in source.plan.nodes if node.address in changed))
    local_files = await asyncio.to_thread(read_local_files, source.plan, source.plan_dir)
    topology = topology_of(source.plan)
    return evaluate(source.plan, facts, states, topology=topology, today=date.today(), local_files=local_files)
