"""Evaluate the plan alone: all requirements of scope `plan`, which need no connection to a node."""

from collections.abc import Mapping

from acp_tui.checks.catalog import catalogue
from acp_tui.checks.causes import with_causes_of_plan
from acp_tui.checks.conditions import EvalContext, applies
from acp_tui.checks.finding import Finding, Findings, PlanSubject
from acp_tui.checks.function_tables import PLAN_CHECKS
from acp_tui.checks.local_file_facts import NO_LOCAL_FILES, LocalFiles
from acp_tui.checks.verdict import Outcome, Verdict
from acp_tui.checks.verdict_builder import build_verdict
from acp_tui.nodes.facts import Facts
from acp_tui.plan.model import Plan


def evaluate_plan(
    plan: Plan, local_files: LocalFiles = NO_LOCAL_FILES, facts: Mapping[str, Facts] | None = None
) -> tuple[Verdict, ...]:
    """Return the verdicts on the plan, in the order of the catalogue; each requirement has at least one.

    `local_files`: the content of the files that the plan names. A file that is None gives the outcome `unknown`.
    `facts`: the known facts of the nodes; fixes use them, for example to name a free range. Waivers are not applied.
    """
    verdicts = tuple(
        build_verdict(requirement, finding)
        for requirement in catalogue(plan.effective_release).values()
        if requirement.scope == "plan" and requirement.check.kind == "function"
        for finding in _findings(PlanSubject(requirement, plan, local_files=local_files, facts=facts or {}))
    )
    return with_causes_of_plan(plan, verdicts, local_files)


def _findings(subject: PlanSubject) -> Findings:
    if applies(subject.requirement, EvalContext(subject.plan)) is False:
        return (Finding(Outcome.NOT_APPLICABLE),)
    return PLAN_CHECKS[subject.check.name](subject)
