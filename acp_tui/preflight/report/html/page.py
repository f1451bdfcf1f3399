"""The report as one page to look at, send and print: nothing from outside, no script, everything escaped.

What blocks stands first, what is fine last and folded; meaning is in words, colour only repeats it.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from string import Template

from acp_tui import __version__
from acp_tui.checks.catalog import catalogue
from acp_tui.checks.labels import OUTCOMES, outcome_label, role_label, state_label
from acp_tui.checks.sizing.calculator import Sizing, sizing
from acp_tui.checks.verdict import Outcome, Verdict
from acp_tui.core.assets import asset_text
from acp_tui.core.i18n import N_, _, ngettext
from acp_tui.core.units import gigabytes
from acp_tui.nodes.state import NodeState
from acp_tui.nodes.summary import NodeSummary
from acp_tui.plan.model import Plan
from acp_tui.plan.paths import listed
from acp_tui.plan.release import RELEASES
from acp_tui.preflight.report.diff import Changes
from acp_tui.preflight.report.diff_text import changed_findings, node_lines
from acp_tui.preflight.report.html.connectivity import network
from acp_tui.preflight.report.html.findings import (
    Background,
    finding,
    grouped,
    met,
    of_nodes,
    to_node,
    unreached,
    unseen_on,
)
from acp_tui.preflight.report.html.markup import Html, bullets, folded, joined, pairs, section, table, tag, text
from acp_tui.preflight.report.model import NodeRecord, Report, summary
from acp_tui.preflight.report.readiness import answer
from acp_tui.preflight.report.sizing import fits, heads, rows

_WAIVER = N_('waivers:\n  - {requirement: ID, node: "*", reason: TEXT, by: NAME, until: null}')
_SETTLED = (Outcome.PASS, Outcome.NOT_APPLICABLE)


def report_html(report: Report, plan: Plan | None = None, since: Changes | None = None) -> str:
    """The whole page as HTML text. `plan`: its answers (no secrets) and waivers are told; `since`: what has changed."""
    rules = catalogue(report.release) if report.release in RELEASES else {}
    hosts = {node.address: node.hostname for node in report.nodes if node.hostname}
    known = Background(rules, hosts, plan.waivers if plan else (), report.finished.date())
    return Template(asset_text("report/preflight.html")).substitute(
        title=text(_("Preflight of the global cluster")),
        answer=text(answer(report)),
        answer_class="ready" if report.ready else "blocked",
        about=_about(report),
        tally=_tally(report.verdicts),
        body="\n".join(part for part in _parts(report, plan, since, known) if part),
        foot=text(
            _("Written by acp-tui {version}. The same as data: preflight.json. No secret is in this page.").format(
                version=__version__
            )
        ),
    )


def _parts(report: Report, plan: Plan | None, since: Changes | None, known: Background) -> Iterable[Html]:
    unseen = unseen_on(report.nodes, report.verdicts)
    hidden = {id(verdict) for verdicts in unseen.values() for verdict in verdicts if verdict.waived is None}
    waived = [v for v in report.verdicts if v.waived is not None]
    told = [v for v in report.verdicts if v.waived is None and id(v) not in hidden]
    blocking = [v for v in told if v.blocks]
    others = [v for v in told if not v.blocks and v.outcome not in _SETTLED]
    settled = {outcome: [v for v in told if v.outcome is outcome] for outcome in _SETTLED}
    nodes = [unreached(node, unseen[node.address]) for node in report.nodes if node.address in unseen]
    title = _("What blocks the install ({count})").format(count=sum(v.blocks for v in report.verdicts))
    yield section(title, joined((*_notes(blocking), *nodes, _findings(blocking, known))), id="blocks")
    yield section(_("Since the last run"), _since(since), id="since")
    yield section(_("Nodes"), _nodes(report), id="nodes")
    yield section(_("Network between the nodes"), network(report.nodes), id="network")
    yield section(_("By node"), of_nodes(report.nodes, report.verdicts, known), id="by-node")
    title = _("Does not block, but should be known ({count})").format(count=len(others))
    yield section(title, _findings(others, known), id="others")
    yield section(_("Waived ({count})").format(count=len(waived)), _findings(waived, known), id="waived")
    for outcome, verdicts in settled.items():
        title = f"{outcome_label(outcome)} ({len(verdicts)})"
        yield folded(title, met(grouped(verdicts), known), outcome.value)
    if plan is not None:
        yield folded(_("Sizes"), _sizes(sizing(plan, {node.address: node.machine for node in report.nodes})), "sizes")
        yield folded(_("Answers of the plan"), _answers(plan))


def _notes(blocking: Sequence[Verdict]) -> Iterable[Html]:
    """What to know before the first command is run; nothing where nothing blocks."""
    if blocking:
        commands = _(
            "Commands are for a root shell on the node named; acp-tui fix PLAN runs those that it knows. "
            "Afterwards: acp-tui check PLAN"
        )
        yield tag("p", text(commands), "note")
    if any(verdict.outcome is Outcome.MANUAL for verdict in blocking):
        confirm = _("What only a person can confirm is settled by a waiver in the plan that says who confirmed it:")
        yield tag("p", text(confirm), "note")
        yield tag("pre", text(_(_WAIVER)))


def _findings(verdicts: Sequence[Verdict], known: Background) -> Html:
    return joined(finding(group, known) for group in grouped(verdicts))


def _about(report: Report) -> Html:
    checked = sum(node.state is NodeState.CHECKED for node in report.nodes)
    seconds = round((report.finished - report.started).total_seconds())
    told = _("{checked} of {all} checked")
    took = ngettext("{count} second", "{count} seconds", seconds).format(count=seconds)
    return pairs(
        (
            (_("Requirements"), text(_("ACP {release}").format(release=report.release))),
            (_("Checked"), text(f"{_moment(report.started)}, {took}")),
            (_("Nodes"), text("; ".join([told.format(checked=checked, all=len(report.nodes)), *_troubled(report)]))),
        )
    )


def _troubled(report: Report) -> Iterable[str]:
    """The states other than checked, each with its nodes."""
    for state in dict.fromkeys(node.state for node in report.nodes if node.state is not NodeState.CHECKED):
        nodes = ", ".join(node.address for node in report.nodes if node.state is state)
        yield _("{state}: {nodes}").format(state=state_label(state), nodes=nodes)


def _tally(verdicts: Sequence[Verdict]) -> Html:
    counts = summary([verdict for verdict in verdicts if verdict.waived is None])
    waived = sum(verdict.waived is not None for verdict in verdicts)
    items = [(outcome_label(outcome), outcome.value, counts[outcome.value]) for outcome in OUTCOMES]
    shown = [*items, (_("Waived"), "waived", waived)]
    return joined(
        tag("li", joined((tag("b", text(str(count))), text(word))), kind) for word, kind, count in shown if count
    )


def _nodes(report: Report) -> Html:
    heads = (
        _("Address"), _("Host name"), _("Role"), _("State"), _("Blocks"),
        _("System"), _("Machine"), _("Addresses"), _("Filesystems"),
    )  # fmt: skip
    blocking = Counter(verdict.node for verdict in report.verdicts if verdict.blocks)
    return table(heads, [_node(node, blocking[node.address]) for node in report.nodes], "nodes")


def _node(node: NodeRecord, blocking: int) -> Sequence[Html]:
    known = node.machine or NodeSummary()
    system = ", ".join(part for part in (known.os, known.kernel, known.arch) if part)
    cpus = _("{count} CPUs").format(count=known.cpus) if known.cpus else ""
    memory = _("{size} GB").format(size=f"{gigabytes(known.memory):.1f}") if known.memory else ""
    size = ", ".join(part for part in (cpus, memory, known.cpu_model) if part)
    checked = node.state is NodeState.CHECKED
    return (
        to_node(node),
        text(node.hostname or "—"),
        text(role_label(node.role)),
        tag("span", text(state_label(node.state)), "" if checked else "trouble"),
        tag("span", text(str(blocking)), "trouble" if blocking else ""),
        text(system or "—"),
        text(size or "—"),
        bullets([text(address) for address in known.addresses]) or text("—"),
        bullets([text(disk) for disk in known.disks]) or text("—"),
    )


def _since(since: Changes | None) -> Html:
    if since is None:
        return Html("")
    rows = [
        (text(word), tag("code", text(verdict.requirement)), text(verdict.node or "—"), text(observed))
        for word, verdict, observed in changed_findings(since)
    ]
    when = tag("p", text(_("Compared with the run of {moment}.").format(moment=_moment(since.since))))
    nothing = tag("p", text(_("Nothing has changed."))) if not since else Html("")
    nodes = bullets([text(line) for line in node_lines(since)])
    heads = (_("Change"), _("Rule"), _("Node"), _("Found"))
    return joined((when, nothing, nodes, table(heads, rows)))


def _answers(plan: Plan) -> Html:
    rows = [
        (
            tag("code", text(answer.path)),
            text((_("given") if answer.chosen else "—") if answer.secret else answer.text or "—"),
            text(_("chosen") if answer.chosen else _("default")),
        )
        for answer in listed(plan)
    ]
    return table((_("Answer"), _("Value"), _("Origin")), rows, "answers")


def _sizes(wanted: Sizing) -> Html:
    """What is wanted of each role, why, and what each node is worth."""
    reasons = [(tag("code", text(reason.requirement)), text(reason.text)) for reason in wanted.reasons]
    return joined(
        (
            table(heads(), [[text(cell) for cell in row] for row in rows(wanted)]),
            table((_("Rule"), _("Why")), reasons),
            table(
                (_("Node"), _("Role"), _("Machine"), _("Result")),
                [[text(cell) for cell in row] for row in fits(wanted)],
            ),
        )
    )


def _moment(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M:%S} {time.tzname() or ''}".rstrip()
