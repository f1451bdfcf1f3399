"""The process of an install run."""

import re
from pathlib import Path

from acp_tui.install.run.state import status
from tests.support.install_harness import SLOW, InstallHarness, reports_progress, wait


def test_runner_and_setup_leave_no_core_dumps(harness: InstallHarness) -> None:
    harness.unpack(SLOW)
    run_dir = harness.start()
    wait(run_dir, reports_progress)
    runner = status(run_dir).runner
    assert runner is not None
    installer = int((harness.setup_dir / "practice" / "pid").read_text())
    for pid in (runner.pid, installer):
        limits = Path(f"/proc/{pid}/limits").read_text()
        assert re.search(r"^Max core file size +0 +0 ", limits, re.MULTILINE)
