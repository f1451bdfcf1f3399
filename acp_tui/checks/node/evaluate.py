"""All checks of a single node, by the name under which catalogue rows call them."""

from collections.abc import Callable, Mapping

from acp_tui.checks.catalog import FunctionCheck, Informational, ManualCheck, ProcessStep, Requirement, Supported
from acp_tui.checks.declarative import check_declarative
from acp_tui.checks.finding import Finding, NodeSubject
from acp_tui.checks.node.hardware import HARDWARE_CHECKS
from acp_tui.checks.node.network import NETWORK_CHECKS
from acp_tui.checks.node.os_support import SYSTEM_CHECKS, judge_support
from acp_tui.checks.node.settings import SETTING_CHECKS
from acp_tui.checks.node.software import SOFTWARE_CHECKS
from acp_tui.checks.sizing.requirements import SIZE_CHECKS
from acp_tui.checks.verdict import Outcome
from acp_tui.core.i18n import _

NODE_CHECKS: Mapping[str, Callable[[NodeSubject], Finding]] = {
    **HARDWARE_CHECKS,
    **NETWORK_CHECKS,
    **SETTING_CHECKS,
    **SIZE_CHECKS,
    **SOFTWARE_CHECKS,
    **SYSTEM_CHECKS,
}


def left_to_a_person(requirement: Requirement) -> Finding:
    """What only a person can tell, with the row's word on why it is not seen."""
    return Finding(Outcome.MANUAL, _(requirement.how) or _("cannot be seen from here"))


def check_node(subject: NodeSubject) -> Finding:
    """The finding of a node rule. NotLearned: a fact it needs is missing."""
    check = subject.requirement.check
    match check:
        case FunctionCheck():
            return NODE_CHECKS[check.name](subject)
        case Supported():
            return judge_support(check, subject.facts)
        case ManualCheck():
            return left_to_a_person(subject.requirement)
        case Informational() | ProcessStep():
            raise TypeError(f"{subject.requirement.id}: a rule of kind {check.kind} is not judged")
        case _:
            return check_declarative(check, subject.facts)
