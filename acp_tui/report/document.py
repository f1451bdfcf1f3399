"""The report as the JSON document that scripts read, schema `acp-tui.report/1`."""

import json

from acp_tui.report.model import Report


def report_json(report: Report) -> str:
    """The published document, indented, with a newline at the end."""
    return json.dumps(report.to_json(), indent=2, ensure_ascii=False) + "\n"
