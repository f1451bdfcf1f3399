"""Store the last complete report of each plan file on this host, to compare the next report with it.

A stored report that cannot be read is ignored. Then there is no comparison.
"""

import hashlib
from pathlib import Path

from acp_tui.core.files import private_folder, read_trusted, write_atomically
from acp_tui.preflight.report.model import LARGEST_REPORT, Report, report_json


def last_report_path(home: Path, plan_file: Path) -> Path:
    """Return the path of the last report of this plan file. `home` is the state folder of acp-tui."""
    name = hashlib.sha256(str(plan_file.absolute()).encode()).hexdigest()[:16]
    return home / "reports" / f"{name}.json"


def load_last_report(path: Path) -> Report | None:
    """Return the report at `path`; None if it is missing or cannot be read, or if another user can change it."""
    try:
        return Report.from_json(read_trusted(path, LARGEST_REPORT))
    except (OSError, ValueError):
        return None


def save_last_report(path: Path, report: Report) -> None:
    """Replace the last report with `report`. Raises OSError if that fails; then the last report is unchanged."""
    private_folder(path.parent)
    write_atomically(path, report_json(report))
