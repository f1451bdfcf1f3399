"""The process that installs: it outlives the wizard, the terminal and the SSH session.

If it dies, another one takes over from what is written in the run's folder.
Neither its arguments nor its environment hold a secret.
"""

import asyncio
import fcntl
import os
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path

from acp_tui.core.i18n import _, use_language
from acp_tui.install.run.phases import run_phases
from acp_tui.install.run.process import running
from acp_tui.install.run.recorder import Run
from acp_tui.install.run.state import LOCK_FILE, RUNNER_LOG, read_state

_LOCK_TRIES = 50  # a tenth of a second each


def main(arguments: list[str]) -> int:
    """`[--detach] RUN_DIR`. With `--detach` the work is done by a child, so that nobody is its parent."""
    if arguments[:1] == ["--detach"]:
        if os.fork():
            return 0
        arguments = arguments[1:]
    run_dir = Path(arguments[0])
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    _redirect(run_dir / RUNNER_LOG)
    use_language()
    with (run_dir.parent / LOCK_FILE).open("a") as lock:
        locked = _locked(lock.fileno())
        run = Run(read_state(run_dir))
        if not locked:
            if run.state.runner is None or not run.state.runner.alive:
                run.fail(_("Another install is running on this machine."))
            return 1
        run.record(replace(run.state, runner=running(os.getpid())))
        asyncio.run(run_phases(run))
    return 0


def _redirect(log: Path) -> None:
    """Let go of the terminal: no standard stream points to it any more."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    written = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for source, stream in ((nothing, 0), (written, 1), (written, 2)):
        os.dup2(source, stream)


def _locked(handle: int) -> bool:
    for _try in range(_LOCK_TRIES):
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.1)  # flock that blocks knows no time limit
        else:
            return True
    return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
