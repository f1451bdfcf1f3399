"""Judge a record offline and print the report."""

from argparse import Namespace
from pathlib import Path

from acp_tui.cli.actions.check import write_html
from acp_tui.cli.context import print_err, print_json
from acp_tui.cli.findings import print_report
from acp_tui.core.errors import ExitStatus
from acp_tui.core.i18n import _
from acp_tui.preflight.record.document import read_record
from acp_tui.preflight.record.document import replay as judge
from acp_tui.preflight.report.html.page import report_html


def replay(options: Namespace) -> int:
    """Judge the record and print its report."""
    path = Path(options.record)
    record = read_record(path)
    plan, report = judge(record, path)
    print_err(
        _("The record is of {time}, from acp-tui {version}. Packages are not part of a record.").format(
            time=f"{record.finished:%Y-%m-%d %H:%M %Z}", version=record.version
        )
    )
    if options.json:
        print_json(report.to_json())
    else:
        print_report(report)
    if options.html:
        write_html(Path(options.html), report_html(report, plan, None))
    return ExitStatus.DONE if report.ready else ExitStatus.CHECK_FAILED
