"""Warnings about the packages of a run: those that are not verified, and a trusted key that is not the vendor's key."""

from acp_tui.install.run.state import RunState
from acp_tui.package.trust import trust_warnings
from acp_tui.preflight.bundle.layout import REPORT
from acp_tui.preflight.report.history import load_last_report


def run_warnings(run: RunState | None) -> tuple[str, ...]:
    """Return the lines of `trust_warnings` for the preflight report in the bundle of a run.

    Empty if `run` is None, or if the bundle has no report that can be read."""
    report = load_last_report(run.spec.bundle / REPORT) if run is not None and run.spec.bundle is not None else None
    return trust_warnings(report.verdicts) if report is not None else ()
