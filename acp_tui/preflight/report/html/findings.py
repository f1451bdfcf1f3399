"""The findings on the HTML page: each requirement once, with its nodes and its fix.

A node that could not be checked is shown as one finding. This finding stands for all requirements that are unknown on
the node. The results that follow from another finding are in a closed section of that finding.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from acp_tui.checks.catalog import Requirement
from acp_tui.checks.causes import CauseGroup
from acp_tui.checks.labels import OUTCOMES, outcome_label, severity_label, state_fix, state_label, verdict_title
from acp_tui.checks.verdict import Outcome, Verdict
from acp_tui.checks.waivers import waiver_for
from acp_tui.core.i18n import _, ngettext, pgettext
from acp_tui.plan.sections.waiver import Waiver
from acp_tui.preflight.report.explain import how_observed
from acp_tui.preflight.report.followers import followers_text
from acp_tui.preflight.report.html.markup import (
    Html,
    bullets,
    commands,
    folded,
    inline,
    joined,
    pairs,
    table,
    tag,
    text,
)
from acp_tui.preflight.report.model import NodeRecord

_MOST_OBSERVED = 4
"""Maximum number of observed values that the page lists for a passed requirement. Of the others it shows the number."""
_WORST = list(OUTCOMES)


@dataclass(frozen=True)
class Background:
    """What the page shows with the findings: requirements, host names and waivers."""

    rules: Mapping[str, Requirement]
    hosts: Mapping[str, str]
    """The host name of each node, by address."""
    waivers: tuple[Waiver, ...]
    today: date
    followers: Mapping[Verdict, tuple[Verdict, ...]] = field(default_factory=dict)
    """The verdicts that follow from each finding."""

    def title(self, *verdicts: Verdict) -> Html:
        """Return the common title of verdicts that have the same rule and outcome.

        The names in the title, such as those of modules, are left out if they differ from node to node.
        """
        rule = self.rules.get(verdicts[0].requirement)
        if rule is None:
            return Html("")
        titles = {verdict_title(rule, verdict) for verdict in verdicts}
        return text(titles.pop() if len(titles) == 1 else verdict_title(rule, replace(verdicts[0], names=())))


@dataclass(frozen=True)
class FindingGroup:
    """The verdicts of one requirement that have the same fix."""

    verdicts: tuple[Verdict, ...]

    @property
    def first(self) -> Verdict:
        return self.verdicts[0]


@dataclass(frozen=True)
class Group:
    """The verdicts of one requirement that have the same outcome."""

    requirement: str
    outcome: Outcome
    findings: tuple[FindingGroup, ...]

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        return tuple(verdict for finding in self.findings for verdict in finding.verdicts)


def grouped(verdicts: Iterable[Verdict]) -> tuple[Group, ...]:
    """Group verdicts by requirement and outcome. The groups have the order of `OUTCOMES`: worst outcome first."""
    rules: dict[tuple[Outcome, str], dict[tuple[str, str, str | None], list[Verdict]]] = {}
    for one in sorted(verdicts, key=lambda v: _WORST.index(v.outcome)):
        findings = rules.setdefault((one.outcome, one.requirement), {})
        findings.setdefault((one.expected, one.remedy, one.waived), []).append(one)
    return tuple(
        Group(requirement, outcome, tuple(FindingGroup(tuple(same)) for same in findings.values()))
        for (outcome, requirement), findings in rules.items()
    )


def unchecked_node(node: NodeRecord, group: CauseGroup | None) -> Html:
    """Return the HTML of a node that could not be checked, in the form of a finding.

    `group`: the verdicts that are unknown for this reason.
    """
    verdicts = (group.verdict, *group.followers) if group is not None else ()
    unknown = [verdict for verdict in verdicts if verdict.node == node.address]
    count = len(unknown)
    summary = ngettext("{count} rule could not be checked", "{count} rules could not be checked", count)
    names = ", ".join(dict.fromkeys(verdict.requirement for verdict in unknown))
    heading = inline((_badge(Outcome.UNKNOWN), tag("code", text(node.address)), text(state_label(node.state))))
    reason = node.detail or next((v.observed for v in unknown), "")
    rows = ((pgettext("label", "Observed"), text(reason)), (pgettext("label", "Fix"), text(state_fix(node.state))))
    details = folded(summary.format(count=count), tag("p", text(names))) if unknown else Html("")
    return tag(
        "article",
        joined((tag("h3", heading), pairs(rows), details)),
        Outcome.UNKNOWN.value,
        id=f"node-{node.address}",
    )


def finding(group: Group, known: Background) -> Html:
    """Return the HTML of a requirement that has not passed, with all information for its fix."""
    rule = known.rules.get(group.requirement)
    verdict = group.findings[0].first
    how = how_observed(rule) if rule else ""
    followers = [follower for one in group.verdicts for follower in known.followers.get(one, ())]
    blocks = any(one.blocks for one in (*group.verdicts, *followers))
    marks = [severity_label(verdict.severity), *([_("blocks the install")] if blocks else [])]
    heading = (
        _badge(group.outcome),
        tag("code", text(group.requirement)),
        known.title(*group.verdicts),
        tag("small", text(" · ".join(marks))),
    )
    parts = [_finding_group(part, known, several=len(group.findings) > 1) for part in group.findings]
    about = pairs(
        (
            (pgettext("label", "Why"), text(_(rule.why) if rule else "")),
            (pgettext("label", "Check"), text(how if how != verdict.observed else "")),
        )
    )
    more = _followers(group, followers, known)
    return tag("article", joined((tag("h3", inline(heading)), *parts, about, more)), group.outcome.value)


def _followers(group: Group, followers: Sequence[Verdict], known: Background) -> Html:
    """Return the results that follow from a finding, in a closed section."""
    if not followers:
        return Html("")
    rows = [
        (_badge(one.outcome), tag("code", text(one.requirement)), text(one.node or "—"), text(one.observed))
        for one in followers
    ]
    heads = (
        pgettext("column", "Outcome"), pgettext("column", "Rule"), pgettext("column", "Node"),
        pgettext("column", "Observed"),
    )  # fmt: skip
    title = followers_text([CauseGroup(one, known.followers.get(one, ())) for one in group.verdicts])
    return folded(title, table(heads, rows))


def passed(groups: Sequence[Group], known: Background) -> Html:
    """Return the requirements that need no action, one row each."""
    rows = []
    for group in groups:
        nodes = [verdict for verdict in group.verdicts if verdict.node is not None]
        where = str(len(nodes)) if nodes else ""
        observed = bullets(_observations(group.verdicts, known.hosts, _MOST_OBSERVED))
        rows.append((tag("code", text(group.requirement)), known.title(*group.verdicts), text(where), observed))
    heads = (
        pgettext("column", "Rule"), pgettext("column", "Title"), pgettext("column", "Nodes"),
        pgettext("column", "Observed"),
    )  # fmt: skip
    return table(heads, rows)


def findings_by_node(nodes: Sequence[NodeRecord], verdicts: Sequence[Verdict], known: Background) -> Html:
    """Return the findings of each node, one row per node."""
    parts = []
    of_node: dict[str | None, list[Verdict]] = {}
    for verdict in verdicts:
        if verdict.outcome in _WORST[:5] and verdict.waived is None:
            of_node.setdefault(verdict.node, []).append(verdict)
    for node in nodes:
        of_this_node = of_node.get(node.address, [])
        rows = [
            (
                _badge(verdict.outcome),
                tag("code", text(verdict.requirement)),
                known.title(verdict),
                text(verdict.observed),
            )
            for verdict in sorted(of_this_node, key=lambda v: (not v.blocks, _WORST.index(v.outcome)))
        ]
        if rows:
            name = f"{node.address} {node.hostname or ''}".rstrip()
            heads = (
                pgettext("column", "Outcome"), pgettext("column", "Rule"), pgettext("column", "Title"),
                pgettext("column", "Observed"),
            )  # fmt: skip
            parts.append(joined((tag("h3", text(name)), table(heads, rows))))
    return joined(parts)


def _finding_group(group: FindingGroup, known: Background, *, several: bool) -> Html:
    nodes = [verdict.node for verdict in group.verdicts if verdict.node]
    title = tag("h4", text(", ".join(nodes))) if several and nodes else Html("")
    rows = (
        (pgettext("label", "Observed"), bullets(_observations(group.verdicts, known.hosts))),
        (pgettext("label", "Expected"), text(group.first.expected)),
        (pgettext("label", "Fix"), commands(group.first.remedy)),
        (pgettext("label", "Waived"), text(_waiver(group.first, known))),
    )
    return joined((title, pairs(rows)))


def _waiver(verdict: Verdict, known: Background) -> str:
    """Return the reason, author and end of the waiver of a verdict; "" if the verdict is not waived."""
    if verdict.waived is None:
        return ""
    waiver = waiver_for(verdict, known.waivers, known.today)
    if waiver is None:
        return verdict.waived
    message = (
        pgettext("waiver", "{reason} (by {name}, until {date})")
        if waiver.until
        else _("{reason} (by {name}, without an end date)")
    )
    return message.format(reason=waiver.reason, name=waiver.by, date=waiver.until)


def _observations(verdicts: Iterable[Verdict], hosts: Mapping[str, str], most: int | None = None) -> list[Html]:
    """Return one line for each observed value: the nodes that have it, then the value.

    `most`: the maximum number of values to list. If there are more, a last line gives the number of the others.
    """
    where: dict[str, list[str]] = {}
    for verdict in verdicts:
        nodes = where.setdefault(verdict.observed, [])
        if verdict.node:
            nodes.append(f"{verdict.node} ({hosts[verdict.node]})" if hosts.get(verdict.node) else verdict.node)
    lines = [
        inline((tag("b", text(", ".join(nodes) + ":")) if nodes else Html(""), text(observed)))
        for observed, nodes in where.items()
        if observed or nodes
    ]
    if most is None or len(lines) <= most:
        return lines
    more = len(lines) - most
    rest = ngettext("and {count} more observed value", "and {count} more observed values", more).format(count=more)
    return [*lines[:most], text(rest)]


def _badge(outcome: Outcome) -> Html:
    return tag("span", text(outcome_label(outcome)), f"badge {outcome.value}")
