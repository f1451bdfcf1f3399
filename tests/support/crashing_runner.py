"""A runner that kills itself when it writes a given state.

Arguments: PHASE before|after MARKER, then those of the runner. It kills itself only once: if the file MARKER exists, it
is an ordinary runner."""

import os
import signal
import sys
from pathlib import Path
from unittest.mock import patch

from acp_tui.install.run import runner
from acp_tui.install.run import state_recorder as recorder
from acp_tui.install.run.state import RunState, write_state


def main(phase: str, moment: str, marker: Path, arguments: list[str]) -> int:
    def write(state: RunState) -> None:
        kill_now = state.phase.value == phase and not marker.exists()
        if kill_now:
            marker.touch()
        if kill_now and moment == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        write_state(state)
        if kill_now:
            os.kill(os.getpid(), signal.SIGKILL)

    with patch.object(recorder, "write_state", write):
        return runner.main(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), sys.argv[4:]))
