"""The last whole report of a plan, kept on this host so that the next one can say what has changed since.

One report a plan file. A report that cannot be read is no reason to stop: there is then nothing to compare with.
"""

import hashlib
from pathlib import Path

from acp_tui.core.files import private_folder, write_atomically
from acp_tui.preflight.report.model import Report, report_json


def last_report_path(home: Path, plan_file: Path) -> Path:
    """Where the last report of this plan file is kept below the state folder."""
    name = hashlib.sha256(str(plan_file.absolute()).encode()).hexdigest()[:16]
    return home / "reports" / f"{name}.json"


def load_last_report(path: Path) -> Report | None:
    """The report at `path`; None: there is none that can be read."""
    try:
        return Report.from_json(path.read_bytes())
    except (OSError, ValueError):
        return None


def save_last_report(path: Path, report: Report) -> None:
    """Put `report` in the place of the last one. OSError: not kept, and the last one is still there."""
    private_folder(path.parent)
    write_atomically(path, report_json(report))
