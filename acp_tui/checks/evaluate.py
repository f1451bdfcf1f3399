"""Evaluate a plan and the facts of its nodes against the catalogue of the release.

The evaluation is pure and fast, so it can run after every change of the plan. A node requirement gives one verdict for
each node. A requirement that compares nodes gives one verdict for each node that does not fulfil the requirement, or
one verdict if all nodes fulfil it. A missing fact gives the outcome `unknown` with the reason. A requirement for
information, or of the running install, is `not-applicable`. A requirement that is judged under another ID
(`judged_by`) has no verdict. `acp_tui.package.checks` evaluates the requirements of the package.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date

from acp_tui.checks.catalog import (
    FunctionCheck,
    Informational,
    ManualCheck,
    ProcessStep,
    Requirement,
    Supported,
    catalogue,
    with_judges,
)
from acp_tui.checks.causes import EvaluatedCluster, with_causes
from acp_tui.checks.conditions import EvalContext, applies
from acp_tui.checks.declarative import check_declarative
from acp_tui.checks.finding import ClusterSubject, FactMissing, Finding, NodeSubject, PlanSubject
from acp_tui.checks.function_tables import CLUSTER_CHECKS, NODE_CHECKS, PLAN_CHECKS, ClusterCheck
from acp_tui.checks.local_file_facts import NO_LOCAL_FILES, LocalFiles
from acp_tui.checks.missing_reads import missing_reads, missing_reads_of, recorded
from acp_tui.checks.node.os_support import check_os_support
from acp_tui.checks.topology import Topology
from acp_tui.checks.verdict import Outcome, Verdict
from acp_tui.checks.verdict_builder import build_verdict, severity_cap
from acp_tui.checks.waivers import idle_waivers, waive
from acp_tui.core.i18n import NC_, _, pgettext
from acp_tui.nodes.facts import Facts
from acp_tui.nodes.state import NodeState
from acp_tui.plan.model import Plan
from acp_tui.plan.secret_mask import secret_mask
from acp_tui.plan.sections.node import Node

_MISSING_REASONS: Mapping[NodeState, str] = {
    NodeState.CHECKING: NC_("reason", "the check of the node is in progress"),
    NodeState.CHECKED: NC_("reason", "the value was not collected"),
    NodeState.UNREACHABLE: NC_("reason", "the node is unreachable"),
    NodeState.AUTH_FAILED: NC_("reason", "the SSH login failed"),
    NodeState.HOST_KEY_UNKNOWN: NC_("reason", "the host key of the node is not confirmed"),
    NodeState.HOST_KEY_CHANGED: NC_("reason", "the host key of the node has changed"),
    NodeState.TIMEOUT: NC_("reason", "the node did not reply in time"),
    NodeState.NO_SUDO: NC_("reason", "root access is required, but the SSH user has none"),
    NodeState.LOST: NC_("reason", "the connection was lost before the value was collected"),
}
"""The reason why a fact is missing, for each state of the node. It is used if the collector gave no reason."""


def evaluate(
    plan: Plan,
    facts: Mapping[str, Facts],
    states: Mapping[str, NodeState],
    *,
    topology: Topology,
    today: date,
    local_files: LocalFiles = NO_LOCAL_FILES,
    only: frozenset[str] | None = None,
) -> tuple[Verdict, ...]:
    """Return all verdicts in the order of the catalogue. Their texts do not contain secrets of the plan.

    `facts` and `states`: the known facts and states of the nodes, by plan address. `today`: waivers that expired before
    this day have no effect. `only`: evaluate only these requirement IDs, or the IDs under which they are judged.
    `topology`: the topology of `plan`, as `topology_of` returns it.
    """
    rules, mask = catalogue(plan.effective_release), secret_mask(plan)
    selected = None if only is None else with_judges(rules, only)
    evaluation = _Evaluation(
        plan=plan, facts=facts, states=states, rules=rules, local_files=local_files, topology=topology
    )
    verdicts = with_causes(
        EvaluatedCluster(plan, facts, states, topology, local_files),
        tuple(
            waive(build_verdict(row, finding, os_id=os_id, mask=mask), plan.waivers, today)
            for name, row in rules.items()
            if selected is None or name in selected
            for finding, os_id in evaluation.findings(row)
        ),
    )
    return verdicts if only is not None else (*verdicts, *idle_waivers(plan, today, rules.keys()))


def check_node(subject: NodeSubject) -> Finding:
    """Check one node against one requirement of scope `node`.

    Raises FactMissing: a fact that the check needs is missing.
    """
    check = subject.requirement.check
    match check:
        case FunctionCheck():
            return NODE_CHECKS[check.name](subject)
        case Supported():
            return check_os_support(check, subject.facts)
        case ManualCheck():
            return manual_finding(subject.requirement)
        case Informational() | ProcessStep():
            raise TypeError(f"{subject.requirement.id}: a requirement of kind {check.kind} cannot be checked")
        case _:
            return check_declarative(check, subject.facts)


def manual_finding(requirement: Requirement) -> Finding:
    """Return a finding that a person must confirm. The finding explains how to check the requirement."""
    return Finding(Outcome.MANUAL, _(requirement.how) or _("acp-tui cannot check this requirement"))


@dataclass(frozen=True)
class _Evaluation:
    """Evaluate the catalogue rows for one plan and the facts of its nodes."""

    plan: Plan
    facts: Mapping[str, Facts]
    states: Mapping[str, NodeState]
    rules: Mapping[str, Requirement]
    local_files: LocalFiles
    topology: Topology

    def findings(self, row: Requirement) -> Iterator[tuple[Finding, str | None]]:
        """Yield each finding of the catalogue row with the OS ID that selects the commands of the fix."""
        if row.judged_by or (row.scope == "package" and row.check.kind == "step"):
            return
        if row.check.kind == "stated":
            yield Finding(Outcome.NOT_APPLICABLE, _("this requirement is only information, without a check")), None
        elif row.scope == "install":
            yield (
                Finding(Outcome.NOT_APPLICABLE, _("this requirement applies to the install, not to the preflight")),
                None,
            )
        elif row.scope == "node":
            yield from self._nodes(row)
        elif applies(row, EvalContext(self.plan)) is False:
            yield Finding(Outcome.NOT_APPLICABLE), None
        elif row.scope == "plan":
            yield from self._plan(row)
        elif row.scope == "site":
            yield manual_finding(row), None
        else:
            for finding in self._cluster(row, row.check):
                yield finding, self._os_id(finding.node)

    def _nodes(self, row: Requirement) -> Iterator[tuple[Finding, str | None]]:
        nodes = [node for node in self.plan.nodes if _has_role(self.plan, node, row)]
        for node in nodes:
            yield replace(self._node(row, node), node=node.address), self._os_id(node.address)
        if not nodes:
            yield Finding(Outcome.NOT_APPLICABLE, _("the plan has no node with the role that this rule checks")), None

    def _plan(self, row: Requirement) -> Iterator[tuple[Finding, str | None]]:
        """Check a plan rule. If the plan fulfils it, also run the `facts_check` of the rule on the facts of the nodes.

        If findings of the `facts_check` do not pass, they replace the findings of the plan. Only a plan finding that a
        person must confirm remains.
        """
        subject = PlanSubject(row, self.plan, local_files=self.local_files, facts=self.facts)
        of_plan = PLAN_CHECKS[subject.check.name](subject)
        of_nodes: tuple[Finding, ...] = ()
        outcomes = {severity_cap(row, finding.outcome) for finding in of_plan}
        if row.facts_check is not None and outcomes <= {Outcome.PASS, Outcome.WARN, Outcome.MANUAL}:
            of_nodes = tuple(self._cluster(row, row.facts_check))
        against = [f for f in of_nodes if f.outcome not in (Outcome.PASS, Outcome.NOT_APPLICABLE)]
        for finding in against:
            yield finding, self._os_id(finding.node)
        for finding in of_plan:
            if not against or finding.outcome is Outcome.MANUAL:
                yield finding, None

    def _cluster(self, row: Requirement, check: object) -> tuple[Finding, ...]:
        if not isinstance(check, FunctionCheck):
            return (manual_finding(row),)
        if not self.plan.nodes:
            return (Finding(Outcome.NOT_APPLICABLE, _("the plan has no nodes yet")),)
        subject = ClusterSubject(row, self.plan, self.facts, self.topology, self.local_files)
        try:
            findings = CLUSTER_CHECKS[check.name](subject)
        except FactMissing as missing:
            return (self._missing_on_nodes(missing.fact),)
        unexplained = {f.node for f in findings if f.outcome is Outcome.UNKNOWN and not f.missing}
        if unexplained:
            reads = self._missing_reads(subject, CLUSTER_CHECKS[check.name], unexplained)
            findings = tuple(
                replace(f, missing=reads.get(f.node, ())) if f.outcome is Outcome.UNKNOWN and not f.missing else f
                for f in findings
            )
        return findings or (Finding(Outcome.PASS, _("all nodes fulfil the requirement")),)

    def _missing_reads(
        self, subject: ClusterSubject, check: ClusterCheck, nodes: Collection[str | None]
    ) -> Mapping[str | None, tuple[tuple[str, str], ...]]:
        """Return, for each of `nodes`, the missing facts that the check reads. None means all nodes together.

        An unknown finding without a node is explained only if every node of the plan lacks a fact.
        """
        watched = {a: f for a, f in self.facts.items() if None in nodes or a in nodes}
        copies = {address: recorded(facts) for address, facts in watched.items()}
        check(replace(subject, facts={**self.facts, **copies}))
        reads: dict[str | None, tuple[tuple[str, str], ...]] = {
            node.address: missing_reads(copies[node.address]) if node.address in copies else ((node.address, ""),)
            for node in self.plan.nodes
        }
        if all(reads.values()):
            reads[None] = tuple(pair for pairs in reads.values() for pair in pairs)
        return reads

    def _node(self, row: Requirement, node: Node) -> Finding:
        facts = self.facts.get(node.address)
        holds = applies(row, EvalContext(self.plan, node, facts))
        if holds is False:
            return Finding(Outcome.NOT_APPLICABLE)
        if facts is None:
            return Finding(Outcome.UNKNOWN, self._missing_reason(node), missing=((node.address, ""),))
        if holds is None:
            observed = _("acp-tui cannot determine whether the requirement applies: {reason}")
            reads = missing_reads_of(lambda known: applies(row, EvalContext(self.plan, node, known)), facts)
            return Finding(Outcome.UNKNOWN, observed.format(reason=self._missing_reason(node)), missing=reads)

        def check(known: Facts) -> Finding:
            return check_node(NodeSubject(row, self.plan, node=node, facts=known, rules=self.rules))

        try:
            finding = check(facts)
        except FactMissing as missing:
            absent = ((node.address, missing.fact),)
            return Finding(Outcome.UNKNOWN, self._missing_reason(node, missing.fact), missing=absent)
        if finding.outcome is not Outcome.UNKNOWN:
            return finding
        return replace(finding, missing=missing_reads_of(check, facts))

    def _os_id(self, address: str | None) -> str | None:
        """Return the distribution of the node `address`.

        If `address` is None, return the distribution that all nodes share, if any.
        """
        if address is not None:
            return self.facts[address].os_id if address in self.facts else None
        systems = {facts.os_id for facts in self.facts.values()}
        return systems.pop() if len(systems) == 1 else None

    def _missing_reason(self, node: Node, fact: str = "") -> str:
        """Return the reason why a fact of `node` is missing.

        It is the reason that the collector gave. If the collector gave no reason, it is the node state.
        """
        facts = self.facts.get(node.address)
        reason = facts.missing.get(fact) if facts and fact else None
        return reason or pgettext("reason", _MISSING_REASONS[self.states.get(node.address, NodeState.CHECKING)])

    def _missing_on_nodes(self, fact: str) -> Finding:
        """Return an unknown finding that lists the nodes without `fact`, grouped by reason."""
        nodes_by_reason: dict[str, list[str]] = {}
        for node in self.plan.nodes:
            if getattr(self.facts.get(node.address), fact, None) is None:
                nodes_by_reason.setdefault(self._missing_reason(node, fact), []).append(node.address)
        observed = "; ".join(f"{', '.join(nodes)}: {reason}" for reason, nodes in nodes_by_reason.items())
        missing = tuple((node, fact) for nodes in nodes_by_reason.values() for node in nodes)
        return Finding(Outcome.UNKNOWN, observed, missing=missing)


def _has_role(plan: Plan, node: Node, row: Requirement) -> bool:
    if "all" in row.roles or node.role in row.roles:
        return True
    return "installer" in row.roles and node is plan.installer_node
