"""Launch the runner as a detached process. A lock prevents two processes from doing so at the same time."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import acp_tui
from acp_tui.core.clock import now
from acp_tui.core.errors import AcpError
from acp_tui.core.files import private_folder
from acp_tui.core.i18n import _
from acp_tui.core.locks import wait_for_lock
from acp_tui.core.python_command import module_command
from acp_tui.install.run.state import (
    LAUNCH_TIMEOUT,
    RUNNER_LOG,
    Phase,
    RunState,
    read_state,
    status,
    write_state,
)

# No other variable is passed on: it may be a secret, and systemd-run does not pass it on either.
_ENVIRONMENT = ("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "LC_MESSAGES",
                "TZ", "TMPDIR", "ACP_TUI_LANG", "SUDO_UID")  # fmt: skip
SYSTEMD_FOLDER = Path("/run/systemd/system")  # exists if and only if systemd is the init process (sd_booted(3))
_LAUNCH_LOCK = "launch.lock"
_TICK = 0.05  # seconds


class RunError(AcpError):
    """A run cannot be started or resumed. The message has the reason and the next step."""


@contextmanager
def launch_lock(runs: Path) -> Iterator[None]:
    """Hold an exclusive lock, so that no other process starts, resumes or aborts a run at the same time.

    The kernel releases the lock when the process that holds it dies.
    Raises: `RunError` if the folder `runs` cannot be written."""
    try:
        private_folder(runs)
        with (runs / _LAUNCH_LOCK).open("a") as lock:
            wait_for_lock(lock)
            yield
    except OSError as error:
        raise RunError(_("Cannot write to {folder}: {reason}").format(folder=runs, reason=error.strerror)) from error


def launch_runner(state: RunState) -> RunState:
    """Launch the runner and wait until it has recorded its process. Raises: `RunError`, OSError."""
    run_dir = state.spec.run_dir
    environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    environment["PYTHONPATH"] = str(Path(acp_tui.__file__).parents[1])
    for commands in _launch_commands(run_dir, environment):
        launched = any(_run(command, environment, run_dir / RUNNER_LOG) for command in commands)
        if launched and (state_of_runner := _wait_for_runner(run_dir)):
            return state_of_runner
    message = _("The install process did not start. Its log has the reason: {log}").format(log=run_dir / RUNNER_LOG)
    write_state(replace(state, phase=Phase.FAILED, failed_in=state.phase, message=message, updated=now()))
    raise RunError(message)


def _launch_commands(run_dir: Path, environment: Mapping[str, str]) -> Iterator[tuple[list[str], ...]]:
    """Yield tuples of commands that launch the runner, the best tuple first.

    The caller tries the commands of a tuple in order, until one works. Under systemd, the runner is a separate unit, so
    it continues when the login session ends."""
    runner = module_command("acp_tui.install.run.runner")
    if os.geteuid() == 0 and SYSTEMD_FOLDER.is_dir() and shutil.which("systemd-run"):
        # KillMode: processes of setup.sh must not end with the runner. --collect needs systemd 236.
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


def _wait_for_runner(run_dir: Path) -> RunState | None:
    """Wait until the runner has recorded its process, and return the state; None if that took too long."""
    deadline = time.monotonic() + LAUNCH_TIMEOUT
    while time.monotonic() < deadline:
        state = read_state(run_dir)
        if state.runner is not None:
            return status(run_dir)
        time.sleep(_TICK)  # under systemd it is not a child, so its state file is the only signal
    return None
