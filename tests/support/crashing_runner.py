"""A runner that is killed as it writes one state down: PHASE before|after MARKER, then the runner's own arguments.

It dies once: with the marker there it is the runner as it always is."""

import os
import signal
import sys
from pathlib import Path
from unittest.mock import patch

from acp_tui.install.run import recorder as journal
from acp_tui.install.run import runner
from acp_tui.install.run.state import RunState, write_state


def main(phase: str, moment: str, marker: Path, arguments: list[str]) -> int:
    def write(state: RunState) -> None:
        dying = state.phase.value == phase and not marker.exists()
        if dying:
            marker.touch()
        if dying and moment == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        write_state(state)
        if dying:
            os.kill(os.getpid(), signal.SIGKILL)

    with patch.object(journal, "write_state", write):
        return runner.main(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), sys.argv[4:]))
