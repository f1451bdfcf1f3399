"""The few ways in which a rule of the plan ends, so that each rule below reads as its sentence.

A rule returns FAIL where it is broken; that an `advice` then only warns is settled by its severity, not here.
"""

from collections.abc import Iterable

from acp_tui.checks.finding import Finding
from acp_tui.checks.verdict import Outcome
from acp_tui.core.i18n import _
from acp_tui.plan.model import Node, Plan

Findings = tuple[Finding, ...]


def fail(observed: str, *paths: str, remedy: str = "", expected: str = "") -> Finding:
    return Finding(Outcome.FAIL, observed, expected, remedy, paths=paths)


def warn(observed: str, *paths: str, remedy: str = "", expected: str = "") -> Finding:
    return Finding(Outcome.WARN, observed, expected, remedy, paths=paths)


def unknown(why: str, *paths: str) -> Finding:
    return Finding(Outcome.UNKNOWN, why, paths=paths)


def passed(observed: str) -> Findings:
    return (Finding(Outcome.PASS, observed),)


def not_applicable(why: str) -> Findings:
    return (Finding(Outcome.NOT_APPLICABLE, why),)


def manual(question: str, *paths: str) -> Findings:
    return (Finding(Outcome.MANUAL, question, paths=paths),)


def held(findings: Iterable[Finding], observed: str) -> Findings:
    """The findings, or a pass that shows `observed` where there are none."""
    return tuple(findings) or passed(observed)


def node_path(plan: Plan, node: Node, field: str = "") -> str:
    """Where `node` stands in the plan: `nodes[2]`, or `nodes[2].<field>`."""
    index = next(i for i, other in enumerate(plan.nodes) if other is node)
    return f"nodes[{index}].{field}" if field else f"nodes[{index}]"


def listed(values: Iterable[object]) -> str:
    """Values as a person reads them: `a, b, c`; a dash for none."""
    return ", ".join(str(value) for value in values) or _("none")
