"""Find the verdicts that follow from another finding, so that lists show one finding for one cause.

A verdict follows from a finding only if it disappears when the finding is fixed, and the facts prove this. A verdict
without such a proof is a finding of its own. The relations are in the modules of this package, one for each subject.
"""

from acp_tui.checks.causes.assign import (
    joined_with_packages,
    with_causes,
    with_causes_of_plan,
    with_package_causes,
    without_lost_causes,
)
from acp_tui.checks.causes.groups import CauseGroup, Findings, by_cause, findings_by_cause
from acp_tui.checks.causes.relations import EvaluatedCluster

__all__ = [
    "CauseGroup",
    "EvaluatedCluster",
    "Findings",
    "by_cause",
    "findings_by_cause",
    "joined_with_packages",
    "with_causes",
    "with_causes_of_plan",
    "with_package_causes",
    "without_lost_causes",
]
