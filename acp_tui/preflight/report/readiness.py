"""The text that says whether the install may start."""

from acp_tui.core.i18n import _, ngettext
from acp_tui.preflight.report.model import Report


def readiness(report: Report) -> str:
    """Return the text that says whether the install may start, with the number of waived findings."""
    if not report.ready:
        return _("Not ready to install")
    count = sum(verdict.waived is not None for verdict in report.verdicts)
    if not count:
        return _("Ready to install")
    text = ngettext("Ready to install, {count} finding waived", "Ready to install, {count} findings waived", count)
    return text.format(count=count)
