"""The runner's process, launched so that it outlives the terminal, and never two of them at once."""

import fcntl
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import acp_tui
from acp_tui.core.files import private_folder
from acp_tui.core.i18n import _
from acp_tui.install.run.state import (
    LAUNCH_TIMEOUT,
    RUNNER_LOG,
    Phase,
    RunState,
    now,
    read_state,
    status,
    write_state,
)

# Nothing else of the environment goes along: it may hold secrets, and systemd would not pass it on either.
_ENVIRONMENT = ("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "LC_MESSAGES",
                "TZ", "TMPDIR", "ACP_TUI_LANG")  # fmt: skip
_SYSTEMD = Path("/run/systemd/system")  # there exactly where systemd runs the machine
_LAUNCH_LOCK = "launch.lock"
_TICK = 0.05  # seconds


class RunError(Exception):
    """The run cannot be started or gone on with; the text says why and what to do."""


@contextmanager
def launch_lock(runs: Path) -> Iterator[None]:
    """Whoever starts a run, or goes on with one, does it alone: what was looked at stays true until it is launched.

    The kernel lets go of the lock when its holder dies. A disk that cannot be written is told as `RunError`."""
    try:
        private_folder(runs)
        with (runs / _LAUNCH_LOCK).open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
    except OSError as error:
        raise RunError(_("{folder} cannot be used: {why}").format(folder=runs, why=error.strerror)) from error


def launch_runner(state: RunState) -> RunState:
    """Launch the runner and wait until it has taken the run over. Raises `RunError`, OSError."""
    run_dir = state.spec.run_dir
    environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    environment["PYTHONPATH"] = str(Path(acp_tui.__file__).parents[1])
    for ways in _ways(run_dir, environment):
        if any(_run(way, environment, run_dir / RUNNER_LOG) for way in ways) and (taken := _taken_over(run_dir)):
            return taken
    why = _("The installing process did not start; {log} says why.").format(log=run_dir / RUNNER_LOG)
    write_state(replace(state, phase=Phase.FAILED, failed_in=state.phase, message=why, updated=now()))
    raise RunError(why)


def _ways(run_dir: Path, environment: Mapping[str, str]) -> Iterator[tuple[list[str], ...]]:
    """Commands that launch the runner, best first; of those in one tuple, the first that works.

    Under systemd it belongs to no login session, so the end of none can take it along."""
    runner = [sys.executable, "-m", "acp_tui.install.run.runner"]
    if os.geteuid() == 0 and _SYSTEMD.is_dir() and shutil.which("systemd-run"):
        # KillMode: what setup.sh leaves running must not end with the runner. --collect is unknown before systemd 236.
        systemd = ["systemd-run", f"--unit=acp-tui-install-{time.time_ns()}", "--property=KillMode=process"]
        values = [f"--setenv={name}={value}" for name, value in environment.items()]
        yield (
            [*systemd, "--collect", *values, *runner, str(run_dir)],
            [*systemd, *values, *runner, str(run_dir)],
        )
    yield ([*runner, "--detach", str(run_dir)],)


def _run(command: list[str], environment: Mapping[str, str], log: Path) -> bool:
    with log.open("ab") as output:
        done = subprocess.run(
            command,
            cwd="/",
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            check=False,
        )
    return done.returncode == 0


def _taken_over(run_dir: Path) -> RunState | None:
    deadline = time.monotonic() + LAUNCH_TIMEOUT
    while time.monotonic() < deadline:
        state = read_state(run_dir)
        if state.runner is not None:
            return status(run_dir)
        time.sleep(_TICK)  # under systemd nothing but the state joins us to it
    return None
