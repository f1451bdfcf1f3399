"""Plan and facts against the catalogue of the release: pure, so that a changed answer is judged again at once.

One verdict for each rule and node; between nodes, one for each node at fault, else one that passes. What is not known
is `unknown` with the reason, and rules that are only to be known, or proved by doing, do not appear.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from acp_tui.checks.catalog import FunctionCheck, Requirement, catalogue
from acp_tui.checks.cluster.connectivity import BETWEEN_CHECKS
from acp_tui.checks.cluster.consistency import CLUSTER_CHECKS
from acp_tui.checks.cluster.endpoint import ENDPOINT_CHECKS
from acp_tui.checks.cluster.identity import IDENTITY_CHECKS
from acp_tui.checks.cluster.registry import REGISTRY_CHECKS
from acp_tui.checks.conditions import EvalContext, applies
from acp_tui.checks.finding import ClusterSubject, FactMissing, Finding, NodeSubject
from acp_tui.checks.local_files import NO_LOCAL_FILES, LocalFiles
from acp_tui.checks.node.evaluate import check_node, left_to_a_person
from acp_tui.checks.plan.evaluate import evaluate_plan
from acp_tui.checks.verdict import Outcome, Verdict
from acp_tui.checks.verdict_builder import build_verdict, waive
from acp_tui.checks.waivers import idle_waivers
from acp_tui.core.i18n import N_, _
from acp_tui.nodes.facts import Facts
from acp_tui.nodes.state import NodeState
from acp_tui.plan.model import Node, Plan

_CHECKS = {**CLUSTER_CHECKS, **BETWEEN_CHECKS, **ENDPOINT_CHECKS, **IDENTITY_CHECKS, **REGISTRY_CHECKS}
_STATES: Mapping[NodeState, str] = {
    NodeState.CHECKING: N_("the node is still being looked at"),
    NodeState.CHECKED: N_("not observed"),
    NodeState.UNREACHABLE: N_("the node could not be reached"),
    NodeState.AUTH_FAILED: N_("the login was refused"),
    NodeState.HOST_KEY_CHANGED: N_("the node shows another host key than before"),
    NodeState.TIMEOUT: N_("the node did not answer in time"),
    NodeState.NO_SUDO: N_("this needs root rights, and the user has none"),
    NodeState.LOST: N_("the connection broke before this was seen"),
}


def evaluate(
    plan: Plan,
    facts: Mapping[str, Facts],
    states: Mapping[str, NodeState],
    *,
    beside: LocalFiles = NO_LOCAL_FILES,
    today: date,
    only: frozenset[str] | None = None,
) -> tuple[Verdict, ...]:
    """All verdicts in the catalogue's order. `facts` and `states` by plan address; a node that is missing there is one
    of which nothing is known. `today` ends waivers; `only` keeps these requirement IDs."""
    rules = catalogue(plan.effective_release)
    of_plan: dict[str, list[Verdict]] = {}
    for verdict in evaluate_plan(plan, beside, facts):
        of_plan.setdefault(verdict.requirement, []).append(verdict)
    known = _EvaluationInput(plan, facts, states, rules)
    judged = tuple(
        waive(verdict, plan.waivers, today)
        for name, row in rules.items()
        if only is None or name in only
        for verdict in _of_row(known, row, of_plan.get(name, []))
    )
    return judged if only is not None else (*judged, *idle_waivers(plan, today))


@dataclass(frozen=True)
class _EvaluationInput:
    """What the verdicts are drawn from."""

    plan: Plan
    facts: Mapping[str, Facts]
    states: Mapping[str, NodeState]
    rules: Mapping[str, Requirement]

    def system(self, address: str | None) -> str | None:
        """The distribution at `address`, else the one that all nodes have."""
        systems = {facts.os_id for node, facts in self.facts.items() if address is None or node == address}
        return systems.pop() if len(systems) == 1 else None

    def reason(self, node: Node, fact: str = "") -> str:
        """Why a fact of `node` is missing: its gap, else what became of the node."""
        facts = self.facts.get(node.address)
        gap = facts.missing.get(fact) if facts and fact else None
        return gap or _(_STATES[self.states.get(node.address, NodeState.CHECKING)])

    def untold(self, fact: str) -> str:
        """Of which nodes a fact is missing, and why, each reason once."""
        missing: dict[str, list[str]] = {}
        for node in self.plan.nodes:
            if getattr(self.facts.get(node.address), fact, None) is None:
                missing.setdefault(self.reason(node, fact), []).append(node.address)
        return "; ".join(f"{', '.join(nodes)}: {why}" for why, nodes in missing.items())


def _of_row(known: _EvaluationInput, row: Requirement, of_plan: list[Verdict]) -> Iterator[Verdict]:
    if row.check.kind in ("stated", "step"):
        return
    if row.scope == "plan":
        yield from _with_facts(known, row, of_plan)
    elif row.scope == "site":
        holds = applies(row, EvalContext(known.plan)) is not False
        yield build_verdict(row, left_to_a_person(row) if holds else Finding(Outcome.NOT_APPLICABLE))
    elif row.scope == "cluster":
        yield from _between_nodes(known, row)
    elif row.scope == "node":
        for node in known.plan.nodes:
            if _has_role(known.plan, node, row):
                yield _on_node(known, row, node)


def _with_facts(known: _EvaluationInput, row: Requirement, of_plan: list[Verdict]) -> Iterator[Verdict]:
    """Rules of the plan. Where the answers alone do not break one, the nodes may still tell against it, or not tell.

    What only a person can settle stays a question beside it."""
    settled = {verdict.outcome for verdict in of_plan}
    found: tuple[Verdict, ...] = ()
    if row.facts_check is not None and settled <= {Outcome.PASS, Outcome.WARN, Outcome.MANUAL}:
        found = tuple(_between_nodes(known, row, row.facts_check))
    against = [v for v in found if v.outcome not in (Outcome.PASS, Outcome.NOT_APPLICABLE)]
    yield from against
    yield from (v for v in of_plan if not against or v.outcome is Outcome.MANUAL)


def _between_nodes(known: _EvaluationInput, row: Requirement, check: FunctionCheck | None = None) -> Iterator[Verdict]:
    function = check or row.check
    if applies(row, EvalContext(known.plan)) is False:
        yield build_verdict(row, Finding(Outcome.NOT_APPLICABLE))
    elif not isinstance(function, FunctionCheck):
        yield build_verdict(row, left_to_a_person(row))
    elif not known.plan.nodes:
        yield build_verdict(row, Finding(Outcome.NOT_APPLICABLE, _("the plan has no nodes yet")))
    else:
        try:
            findings = _CHECKS[function.name](ClusterSubject(row, known.plan, known.facts))
        except FactMissing as gap:
            findings = (Finding(Outcome.UNKNOWN, known.untold(gap.fact)),)
        for finding in findings or (Finding(Outcome.PASS, _("all nodes agree")),):
            yield build_verdict(row, finding, os_id=known.system(finding.node))


def _on_node(known: _EvaluationInput, row: Requirement, node: Node) -> Verdict:
    facts = known.facts.get(node.address)
    holds = applies(row, EvalContext(known.plan, node, facts))
    if holds is False:
        finding = Finding(Outcome.NOT_APPLICABLE)
    elif facts is None or holds is None:
        why = known.reason(node)
        if facts is not None:
            why = _("it cannot be told whether the rule applies here: {why}").format(why=why)
        finding = Finding(Outcome.UNKNOWN, why)
    else:
        try:
            finding = check_node(NodeSubject(row, known.plan, node, facts, known.rules))
        except FactMissing as gap:
            finding = Finding(Outcome.UNKNOWN, known.reason(node, gap.fact))
    return build_verdict(row, finding, node.address, facts.os_id if facts else None)


def _has_role(plan: Plan, node: Node, row: Requirement) -> bool:
    if "all" in row.roles or node.role in row.roles:
        return True
    return "installer" in row.roles and node is plan.installer_node
