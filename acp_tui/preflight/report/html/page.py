"""Build the HTML page of a report. The page is self-contained and has no scripts. Every text in it is escaped.

Blockers come first. Passed requirements come last, in a closed section. Words carry the meaning; colour only repeats
it.
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
from acp_tui.core.i18n import NC_, _, npgettext, pgettext
from acp_tui.nodes.state import NodeState
from acp_tui.nodes.summary import NodeSummary
from acp_tui.plan.model import Plan
from acp_tui.plan.paths import ListedAnswer, list_answers
from acp_tui.plan.release import RELEASES
from acp_tui.preflight.report.diff import Changes
from acp_tui.preflight.report.diff_text import changed_findings, node_lines
from acp_tui.preflight.report.html.connectivity import network
from acp_tui.preflight.report.html.findings import (
    Background,
    finding,
    findings_by_node,
    grouped,
    passed,
    unchecked_node,
)
from acp_tui.preflight.report.html.markup import Html, bullets, folded, joined, link, pairs, section, table, tag, text
from acp_tui.preflight.report.model import NodeRecord, Report, summary
from acp_tui.preflight.report.readiness import left_out, readiness
from acp_tui.preflight.report.sizing import fits, heads, rows

_WAIVER = NC_("example", 'waivers:\n  - {requirement: ID, node: "*", reason: TEXT, by: NAME, until: null}')
_SETTLED = (Outcome.PASS, Outcome.NOT_APPLICABLE)


def report_html(report: Report, plan: Plan | None = None, since: Changes | None = None) -> str:
    """Return the HTML page of a report.

    `plan`: the page shows its values, without secrets, and its waivers. `since`: the changes since an earlier report.
    """
    rules = catalogue(report.release) if report.release in RELEASES else {}
    hosts = {node.address: node.hostname for node in report.nodes if node.hostname}
    followers = {group.verdict: group.followers for group in report.findings.groups if group.followers}
    known = Background(rules, hosts, plan.waivers if plan else (), report.finished.date(), followers)
    return Template(asset_text("report/preflight.html")).substitute(
        title=text(_("Preflight of the global cluster")),
        answer=text(readiness(report)),
        answer_class="ready" if report.ready else "blocked",
        about=_about(report, plan),
        tally=_tally(report),
        body="\n".join(part for part in _parts(report, plan, since, known) if part),
        foot=text(
            _(
                "acp-tui {version} wrote this page. The file preflight.json contains the same data. This page "
                "has no secrets."
            ).format(version=__version__)
        ),
    )


def _parts(report: Report, plan: Plan | None, since: Changes | None, known: Background) -> Iterable[Html]:
    found = report.findings
    blocking = [group.verdict for group in found.blocking]  # also waived ones, if results that follow from them block
    waived = [v for v in report.verdicts if v.waived is not None and v not in blocking]
    visible = [group.verdict for group in found.groups if group.verdict.waived is None and not group.blocks]
    others = [v for v in visible if v.outcome not in _SETTLED]
    settled = {outcome: [v for v in visible if v.outcome is outcome] for outcome in _SETTLED}
    nodes = [
        unchecked_node(node, found.unchecked[node.address]) for node in report.nodes if node.address in found.unchecked
    ]
    title = pgettext("heading", "Blockers ({count})").format(count=found.blockers)
    yield section(title, joined((*_notes(blocking), *nodes, _findings(blocking, known))), id="blocks")
    yield section(_("Changes since the last preflight"), _since(since), id="since")
    yield section(pgettext("heading", "Nodes"), _nodes(report), id="nodes")
    yield section(_("Network between the nodes"), network(report.nodes), id="network")
    all_findings = [group.verdict for group in found.groups]
    yield section(_("Findings by node"), findings_by_node(report.nodes, all_findings, known), id="by-node")
    title = _("Other findings, which do not block ({count})").format(count=len(others))
    yield section(title, _findings(others, known), id="others")
    yield section(
        pgettext("heading", "Waived ({count})").format(count=len(waived)), _findings(waived, known), id="waived"
    )
    for outcome, verdicts in settled.items():
        title = f"{outcome_label(outcome)} ({len(verdicts)})"
        yield folded(title, passed(grouped(verdicts), known), outcome.value)
    if plan is not None:
        machines = {node.address: node.machine for node in report.nodes}
        yield folded(pgettext("heading", "Sizing"), _sizes(sizing(plan, machines)), "sizes")
        yield folded(_("Answers in the plan"), _answers(plan))


def _notes(blocking: Sequence[Verdict]) -> Iterable[Html]:
    """Yield the advice that the reader needs before running a command. If there are no blockers, yield nothing."""
    if blocking:
        commands = _(
            "Run the commands in a root shell on the named node. The command acp-tui fix PLAN applies the "
            "fixes that acp-tui supports. After the fixes, check again with acp-tui check PLAN."
        )
        yield tag("p", text(commands), "note")
    if any(verdict.outcome is Outcome.MANUAL for verdict in blocking):
        confirm = _(
            "Some requirements can only be checked by a person. To confirm one, add a waiver with your name "
            "to the plan:"
        )
        yield tag("p", text(confirm), "note")
        yield tag("pre", text(pgettext("example", _WAIVER)))


def _findings(verdicts: Sequence[Verdict], known: Background) -> Html:
    return joined(finding(group, known) for group in grouped(verdicts))


def _about(report: Report, plan: Plan | None) -> Html:
    checked = sum(node.state is NodeState.CHECKED for node in report.nodes)
    seconds = round((report.finished - report.started).total_seconds())
    count = pgettext("nodes", "{checked} of {all} nodes checked").format(checked=checked, all=len(report.nodes))
    duration = npgettext("time", "{count} second", "{count} seconds", seconds).format(count=seconds)
    return pairs(
        (
            (pgettext("label", "Requirements"), text(f"ACP {report.release}")),
            (pgettext("label", "Checked"), text(f"{_moment(report.started)}, {duration}")),
            (pgettext("label", "Nodes"), text("; ".join([count, *_unchecked(report)]))),
            (pgettext("label", "Partial"), text(" ".join(left_out(report, plan)))),
        )
    )


def _unchecked(report: Report) -> Iterable[str]:
    """Yield each node state other than `checked`, with the nodes in this state."""
    for state in dict.fromkeys(node.state for node in report.nodes if node.state is not NodeState.CHECKED):
        nodes = ", ".join(node.address for node in report.nodes if node.state is state)
        yield f"{state_label(state)}: {nodes}"


def _tally(report: Report) -> Html:
    found = report.findings
    groups = (*found.groups, *(group for group in found.unchecked.values() if group is not None))
    counts = summary([group.verdict for group in groups if group.verdict.waived is None])
    waived = sum(verdict.waived is not None for verdict in report.verdicts)
    items = [(outcome_label(outcome), outcome.value, counts[outcome.value]) for outcome in OUTCOMES]
    items.append((pgettext("outcome", "Waived"), "waived", waived))
    return joined(
        tag("li", joined((tag("b", text(str(count))), text(label))), css) for label, css, count in items if count
    )


def _nodes(report: Report) -> Html:
    heads = (
        pgettext("column", "Address"), pgettext("column", "Host name"), pgettext("column", "Role"),
        pgettext("column", "State"), pgettext("column", "Blockers"), pgettext("column", "System"),
        pgettext("column", "Machine"), pgettext("column", "Addresses"), pgettext("column", "Filesystems"),
    )  # fmt: skip
    found = report.findings
    blocking = Counter((*(node for group in found.blocking for node in group.blocked_nodes), *found.unchecked))
    rows = [_node(node, blocking[node.address], linked=node.address in found.unchecked) for node in report.nodes]
    return table(heads, rows, "nodes")


def _node(node: NodeRecord, blocking: int, *, linked: bool) -> Sequence[Html]:
    known = node.machine or NodeSummary()
    system = ", ".join(part for part in (known.os, known.kernel, known.arch) if part)
    cpus = npgettext("node", "{count} CPU", "{count} CPUs", known.cpus).format(count=known.cpus) if known.cpus else ""
    memory = pgettext("node", "{size} GB").format(size=f"{known.memory / 1e9:.1f}") if known.memory else ""
    size = ", ".join(part for part in (cpus, memory, known.cpu_model) if part)
    checked = node.state is NodeState.CHECKED
    return (
        link(f"node-{node.address}", node.address) if linked else text(node.address),
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
        (text(change), tag("code", text(verdict.requirement)), text(verdict.node or "—"), text(observed))
        for change, verdict, observed in changed_findings(since)
    ]
    when = tag(
        "p", text(_("The changes are relative to the preflight of {moment}.").format(moment=_moment(since.since)))
    )
    nothing = tag("p", text(_("Nothing has changed since the last preflight."))) if not since else Html("")
    nodes = bullets([text(line) for line in node_lines(since)])
    heads = (
        pgettext("column", "Change"), pgettext("column", "Rule"), pgettext("column", "Node"),
        pgettext("column", "Observed"),
    )  # fmt: skip
    return joined((when, nothing, nodes, table(heads, rows)))


def _answers(plan: Plan) -> Html:
    rows = [
        (
            tag("code", text(answer.path)),
            text(_value_text(answer)),
            text(pgettext("origin", "entered") if answer.is_set else pgettext("origin", "default")),
        )
        for answer in list_answers(plan)
    ]
    heads = (pgettext("column", "Answer"), pgettext("column", "Value"), pgettext("column", "Origin"))
    return table(heads, rows, "answers")


def _value_text(answer: ListedAnswer) -> str:
    if answer.secret:
        return pgettext("secret", "set") if answer.is_set else "—"
    return answer.text or "—"


def _sizes(result: Sizing) -> Html:
    """Return the required sizes of each role, the reasons, and the comparison of each node with them."""
    reasons = [(tag("code", text(reason.requirement)), text(reason.text)) for reason in result.reasons]
    node_heads = (
        pgettext("column", "Node"), pgettext("column", "Role"), pgettext("column", "Machine"),
        pgettext("column", "Result"),
    )  # fmt: skip
    return joined(
        (
            table(heads(), [[text(cell) for cell in row] for row in rows(result)]),
            table((pgettext("column", "Rule"), pgettext("column", "Why")), reasons),
            table(node_heads, [[text(cell) for cell in row] for row in fits(result)]),
        )
    )


def _moment(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M:%S} {time.tzname() or ''}".rstrip()
