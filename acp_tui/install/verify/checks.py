"""Check an installed cluster against the requirements of the manual. A value that could not be read is `unknown`."""

from collections.abc import Callable, Iterator, Mapping

from acp_tui.checks.catalog import Requirement, catalogue
from acp_tui.checks.finding import Finding
from acp_tui.checks.verdict import Verdict
from acp_tui.checks.verdict_builder import build_verdict
from acp_tui.checks.waivers import waive
from acp_tui.install.verify.access_checks import check_access, check_cleanup, check_registry
from acp_tui.install.verify.context import VerifyContext
from acp_tui.install.verify.node_checks import check_nodes
from acp_tui.install.verify.workload_checks import check_charts, check_pods
from acp_tui.plan.secret_mask import secret_mask

_CHECKS: Mapping[str, Callable[[Requirement, VerifyContext], Iterator[Finding]]] = {
    "INS-VERIFY-43": check_nodes,
    "INS-VERIFY-CHARTS": check_charts,
    "INS-VERIFY-PODS": check_pods,
    "INS-ACCESS": check_access,
    "P-REG-DOMAIN": check_registry,
    "INS-CLEANUP": check_cleanup,
}
"""The checks in the order of the report. Nodes come first, because a missing node can explain later findings."""


def evaluate_cluster(context: VerifyContext) -> tuple[Verdict, ...]:
    """Return the verdicts of all checks."""
    rules, mask = catalogue(context.plan.effective_release), secret_mask(context.plan)
    return tuple(
        waive(build_verdict(rules[name], finding, mask=mask), context.plan.waivers, context.moment.date())
        for name, findings in _CHECKS.items()
        for finding in findings(rules[name], context)
    )
