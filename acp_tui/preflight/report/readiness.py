"""The texts that say whether the install may start, and what a partial check left out."""

from collections.abc import Iterator

from acp_tui.checks.catalog import catalogue
from acp_tui.checks.labels import state_label
from acp_tui.core.i18n import _, ngettext
from acp_tui.plan.model import Plan
from acp_tui.plan.release import RELEASES
from acp_tui.preflight.report.model import INCOMPLETE, Report


def readiness(report: Report) -> str:
    """Return the text that says whether the install may start, with the number of waived findings."""
    if report.partial and report.unblocked:
        return _("Partial check: nothing that was checked blocks. Whether the install is ready is unknown")
    if not report.ready:
        return _("Not ready to install")
    count = sum(verdict.waived is not None for verdict in report.verdicts)
    if not count:
        return _("Ready to install")
    text = ngettext("Ready to install, {count} finding waived", "Ready to install, {count} findings waived", count)
    return text.format(count=count)


def left_out(report: Report, plan: Plan | None) -> Iterator[str]:
    """Yield a sentence for each part that a partial report does not contain; nothing if the report is complete."""
    if not report.partial:
        return
    known = {node.address for node in report.nodes}
    if nodes := [node.address for node in plan.nodes if node.address not in known] if plan else []:
        text = ngettext(
            "{count} node was not checked: {nodes}.", "{count} nodes were not checked: {nodes}.", len(nodes)
        )
        yield text.format(count=len(nodes), nodes=", ".join(nodes))
    rules = catalogue(report.release) if report.release in RELEASES else {}
    judged = {verdict.requirement for verdict in report.verdicts}
    expected = [row.id for row in rules.values() if not row.judged_by]
    if count := sum(name not in judged for name in expected):
        text = _("{count} of {all} requirements were not checked.")
        yield text.format(count=count, all=len(expected))
    for node in report.nodes:
        if node.state in INCOMPLETE:
            yield _("The facts of {address} are incomplete: {state}.").format(
                address=node.address, state=state_label(node.state)
            )
