"""Whether the install may start, in words."""

from acp_tui.core.i18n import _, ngettext
from acp_tui.preflight.report.model import Report


def answer(report: Report) -> str:
    """Whether the install may start, and what was put aside for it."""
    if not report.ready:
        return _("Not ready to install")
    count = sum(verdict.waived is not None for verdict in report.verdicts)
    if not count:
        return _("Ready to install")
    told = ngettext("Ready to install, {count} finding waived", "Ready to install, {count} findings waived", count)
    return told.format(count=count)
