"""Verdicts as a reader wants them: a rule once, the nodes it concerns below it, and how to mend it once.

A node that could not be looked at is one finding, not one for each rule that nobody could check there.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from acp_tui.checks.catalog import Requirement
from acp_tui.checks.labels import OUTCOMES, outcome_label, severity_label, state_fix, state_label, verdict_title
from acp_tui.checks.verdict import Outcome, Verdict
from acp_tui.checks.verdict_builder import waiver_for
from acp_tui.core.i18n import _, ngettext
from acp_tui.nodes.state import NodeState
from acp_tui.plan.model import Waiver
from acp_tui.preflight.report.explain import how_observed
from acp_tui.preflight.report.html.markup import (
    Html,
    bullets,
    commands,
    folded,
    inline,
    joined,
    link,
    pairs,
    table,
    tag,
    text,
)
from acp_tui.preflight.report.model import NodeRecord

_MOST_SEEN = 4
"""Different observations of a rule that is met; the others are counted."""
_WORST = list(OUTCOMES)


@dataclass(frozen=True)
class Background:
    """What findings are told with."""

    rules: Mapping[str, Requirement]
    hosts: Mapping[str, str]
    """Node address → host name."""
    waivers: tuple[Waiver, ...]
    today: date

    def title(self, *verdicts: Verdict) -> Html:
        """Title of verdicts of one rule and outcome; without names where these differ from node to node."""
        rule = self.rules.get(verdicts[0].requirement)
        if rule is None:
            return Html("")
        titles = {verdict_title(rule, verdict) for verdict in verdicts}
        return text(titles.pop() if len(titles) == 1 else verdict_title(rule, replace(verdicts[0], names=())))


@dataclass(frozen=True)
class FindingGroup:
    """Verdicts of one rule that are mended in the same way."""

    verdicts: tuple[Verdict, ...]

    @property
    def first(self) -> Verdict:
        return self.verdicts[0]


@dataclass(frozen=True)
class Group:
    """One rule with one outcome."""

    requirement: str
    outcome: Outcome
    cases: tuple[FindingGroup, ...]

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        return tuple(verdict for case in self.cases for verdict in case.verdicts)


def grouped(verdicts: Iterable[Verdict]) -> tuple[Group, ...]:
    """By outcome, worst first, then in the order of the report."""
    rules: dict[tuple[Outcome, str], dict[tuple[str, str, str | None], list[Verdict]]] = {}
    for one in sorted(verdicts, key=lambda v: _WORST.index(v.outcome)):
        cases = rules.setdefault((one.outcome, one.requirement), {})
        cases.setdefault((one.expected, one.remedy, one.waived), []).append(one)
    return tuple(
        Group(requirement, outcome, tuple(FindingGroup(tuple(same)) for same in cases.values()))
        for (outcome, requirement), cases in rules.items()
    )


def unseen_on(nodes: Iterable[NodeRecord], verdicts: Sequence[Verdict]) -> Mapping[str, tuple[Verdict, ...]]:
    """Node address → what could not be observed because of the node's state."""
    troubled = [node.address for node in nodes if node.state is not NodeState.CHECKED]
    return {
        address: tuple(v for v in verdicts if v.node == address and v.outcome is Outcome.UNKNOWN)
        for address in troubled
    }


def unreached(node: NodeRecord, unseen: Sequence[Verdict]) -> Html:
    """A node that was not looked at to the end, as one finding."""
    count = len(unseen)
    left = ngettext("{count} rule could not be looked at", "{count} rules could not be looked at", count)
    names = ", ".join(dict.fromkeys(verdict.requirement for verdict in unseen))
    heading = inline((_badge(Outcome.UNKNOWN), tag("code", text(node.address)), text(state_label(node.state))))
    why = node.detail or next((v.observed for v in unseen), "")
    return tag(
        "article",
        joined(
            (
                tag("h3", heading),
                pairs(((_("Found"), text(why)), (_("To mend it"), text(state_fix(node.state))))),
                folded(left.format(count=count), tag("p", text(names))) if unseen else Html(""),
            )
        ),
        Outcome.UNKNOWN.value,
        id=f"node-{node.address}",
    )


def finding(group: Group, known: Background) -> Html:
    """A rule that is not met, or not known to be, with all that is needed to mend it."""
    rule = known.rules.get(group.requirement)
    verdict = group.cases[0].first
    how = how_observed(rule) if rule else ""
    blocks = any(one.blocks for one in group.verdicts)
    marks = [severity_label(verdict.severity), *([_("blocks the install")] if blocks else [])]
    heading = (
        _badge(group.outcome),
        tag("code", text(group.requirement)),
        known.title(*group.verdicts),
        tag("small", text(" · ".join(marks))),
    )
    cases = [_case(case, known, several=len(group.cases) > 1) for case in group.cases]
    about = pairs(
        (
            (_("Why"), text(_(rule.why) if rule else "")),
            (_("How it is seen"), text(how if how != verdict.observed else "")),
        )
    )
    return tag("article", joined((tag("h3", inline(heading)), *cases, about)), group.outcome.value)


def met(groups: Sequence[Group], known: Background) -> Html:
    """Rules that ask for nothing, a row each."""
    rows = []
    for group in groups:
        nodes = [verdict for verdict in group.verdicts if verdict.node is not None]
        where = str(len(nodes)) if nodes else ""
        seen = bullets(_seen(group.verdicts, known.hosts, _MOST_SEEN))
        rows.append((tag("code", text(group.requirement)), known.title(*group.verdicts), text(where), seen))
    return table((_("Rule"), _("Title"), _("Nodes"), _("Found")), rows)


def of_nodes(nodes: Sequence[NodeRecord], verdicts: Sequence[Verdict], known: Background) -> Html:
    """The same findings by node, in one line each."""
    parts = []
    of_node: dict[str | None, list[Verdict]] = {}
    for verdict in verdicts:
        if verdict.outcome in _WORST[:5] and verdict.waived is None:
            of_node.setdefault(verdict.node, []).append(verdict)
    for node in nodes:
        mine = of_node.get(node.address, [])
        skipped = node.state is not NodeState.CHECKED
        rows = [
            (
                _badge(verdict.outcome),
                tag("code", text(verdict.requirement)),
                known.title(verdict),
                text(verdict.observed),
            )
            for verdict in sorted(mine, key=lambda v: (not v.blocks, _WORST.index(v.outcome)))
            if not (skipped and verdict.outcome is Outcome.UNKNOWN)
        ]
        if rows:
            name = f"{node.address} {node.hostname or ''}".rstrip()
            heads = (_("Outcome"), _("Rule"), _("Title"), _("Found"))
            parts.append(joined((tag("h3", text(name)), table(heads, rows))))
    return joined(parts)


def to_node(node: NodeRecord) -> Html:
    """The node's address; where the node is a finding of its own, a link there."""
    return text(node.address) if node.state is NodeState.CHECKED else link(f"node-{node.address}", node.address)


def _case(case: FindingGroup, known: Background, *, several: bool) -> Html:
    nodes = [verdict.node for verdict in case.verdicts if verdict.node]
    title = tag("h4", text(", ".join(nodes))) if several and nodes else Html("")
    rows = (
        (_("Found"), bullets(_seen(case.verdicts, known.hosts))),
        (_("Wanted"), text(case.first.expected)),
        (_("To mend it"), commands(case.first.remedy)),
        (_("Waived"), text(_waiver(case.first, known))),
    )
    return joined((title, pairs(rows)))


def _waiver(verdict: Verdict, known: Background) -> str:
    """Why, by whom and until when a rule was put aside; "" where it was not."""
    if verdict.waived is None:
        return ""
    waiver = waiver_for(verdict, known.waivers, known.today)
    if waiver is None:
        return verdict.waived
    end = _("until {date}").format(date=waiver.until) if waiver.until else _("without an end")
    return _("{reason} (by {name}, {end})").format(reason=waiver.reason, name=waiver.by, end=end)


def _seen(verdicts: Iterable[Verdict], hosts: Mapping[str, str], most: int | None = None) -> list[Html]:
    """Each observation once, after the nodes on which it was made."""
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
    told = ngettext("and {count} more observation", "and {count} more observations", more).format(count=more)
    return [*lines[:most], text(told)]


def _badge(outcome: Outcome) -> Html:
    return tag("span", text(outcome_label(outcome)), f"badge {outcome.value}")
