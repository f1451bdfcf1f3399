"""The process that executes an install run. It continues when the wizard, the terminal or the SSH session ends.

If the runner dies, a new runner continues from the files of the run. The arguments and the environment of the runner
have no secrets.

At its start, the runner imports all modules and reads all assets that later phases need. So the files of acp-tui can be
replaced during an install.
"""

import asyncio
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

from acp_tui.checks.catalog import catalogue
from acp_tui.core.core_dumps import forbid_core_dumps
from acp_tui.core.i18n import _, use_language
from acp_tui.core.locks import try_lock
from acp_tui.install.api.client import import_http_client
from acp_tui.install.run.phases import run_phases
from acp_tui.install.run.process_identity import running
from acp_tui.install.run.state import LOCK_FILE, RUNNER_LOG, RunState, read_state
from acp_tui.install.run.state_recorder import Run

_LOCK_TRIES = 50  # a tenth of a second each


def main(arguments: list[str]) -> int:
    """Execute a run.

    `arguments`: the folder of the run. With `--detach` before the folder, a child process executes the run."""
    if arguments[:1] == ["--detach"]:
        if os.fork():
            return 0
        arguments = arguments[1:]
    forbid_core_dumps()
    run_dir = Path(arguments[0])
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    _redirect(run_dir / RUNNER_LOG)
    use_language()
    with (run_dir.parent / LOCK_FILE).open("a") as lock:
        locked = try_lock(lock, attempts=_LOCK_TRIES)
        run = Run(read_state(run_dir))
        if not locked:
            if run.state.runner is None or not run.state.runner.alive:
                run.fail(
                    _(
                        "The install was not started, because an earlier install is still running on this host. To "
                        "follow the earlier install: acp-tui attach"
                    )
                )
            return 1
        load_all(run.state)
        run.record(replace(run.state, runner=running(os.getpid())))
        asyncio.run(run_phases(run))
    return 0


def load_all(state: RunState) -> None:
    """Import the modules and read the assets that later phases need."""
    import_http_client()
    catalogue(state.spec.release)


def _redirect(log: Path) -> None:
    """Detach from the terminal: read input from /dev/null, and write output to `log`."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    written = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for source, stream in ((nothing, 0), (written, 1), (written, 2)):
        os.dup2(source, stream)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
