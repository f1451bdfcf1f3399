"""Short functions that create the findings of plan rules.

A rule that is not fulfilled returns FAIL. If the severity is `advice`, `build_verdict` turns FAIL into a warning.
"""

from collections.abc import Iterable

from acp_tui.checks.finding import Finding, Findings
from acp_tui.checks.verdict import Outcome
from acp_tui.core.i18n import pgettext
from acp_tui.plan.model import Plan
from acp_tui.plan.sections.node import Node


def fail(observed: str, *paths: str, remedy: str = "", expected: str = "") -> Finding:
    return Finding(Outcome.FAIL, observed, expected=expected, remedy=remedy, paths=paths)


def warn(observed: str, *paths: str, remedy: str = "", expected: str = "") -> Finding:
    return Finding(Outcome.WARN, observed, expected=expected, remedy=remedy, paths=paths)


def unknown(reason: str, *paths: str) -> Finding:
    return Finding(Outcome.UNKNOWN, reason, paths=paths)


def passed(observed: str) -> Findings:
    return (Finding(Outcome.PASS, observed),)


def not_applicable(reason: str) -> Findings:
    return (Finding(Outcome.NOT_APPLICABLE, reason),)


def manual(question: str, *paths: str) -> Findings:
    return (Finding(Outcome.MANUAL, question, paths=paths),)


def findings_or_pass(findings: Iterable[Finding], observed: str) -> Findings:
    """Return `findings`. Without findings, return one with the outcome PASS and the value `observed`."""
    return tuple(findings) or passed(observed)


def node_path(plan: Plan, node: Node, field: str = "") -> str:
    """Return the plan key of `node`, such as `nodes[2]`. With `field`, return `nodes[2].<field>`."""
    index = next(i for i, other in enumerate(plan.nodes) if other is node)
    return f"nodes[{index}].{field}" if field else f"nodes[{index}]"


def format_list(values: Iterable[object]) -> str:
    """Return the values as `a, b, c`; the translated "none" if the list is empty."""
    return ", ".join(str(value) for value in values) or none_text()


def none_text() -> str:
    """Return the translated word "none", which is shown for a missing value."""
    return pgettext("value", "none")
