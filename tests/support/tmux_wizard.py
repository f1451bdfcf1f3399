"""Start the wizard in a real terminal, walk through it, and end the processes that it leaves."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import acp_tui
from acp_tui.demo import fake_installer as installer
from acp_tui.install.run.directory import last_run
from acp_tui.install.run.start_resume_abort import abort
from screens.steps.base import WizardStep
from screens.steps.nodes import NodesStep
from screens.steps.order import STEPS
from screens.steps.preflight import PreflightStep
from tests.support.tmux_terminal import Terminal, terminal

PROGRAM = (sys.executable, "-m", "acp_tui")
PLANTED = 5
"""Faults on the practice nodes."""


def environment(home: Path, **more: str) -> dict[str, str]:
    """Return a new environment; only the search path comes from that of the tests."""
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(Path(acp_tui.__file__).parents[1]),
        "HOME": str(home),
        "XDG_STATE_HOME": str(home / "state"),
        "LANG": "C.UTF-8",
        "TERM": "xterm-256color",
        **more,
    }


def state(home: Path) -> Path:
    return home / "state" / "acp-tui"


def installer_folder(home: Path) -> Path:
    """Return the folder with the files of the practice installer."""
    return state(home) / "practice" / "cpaas-install" / "installer" / "practice"


@contextmanager
def wizard(home: Path, *arguments: str, width: int = 80, height: int = 24, **more: str) -> Iterator[Terminal]:
    """Run `acp-tui` with these arguments in the folder `home`; `more` is added to its environment."""
    with terminal(
        [*PROGRAM, *arguments], home, environment(home, **more), width=width, height=height, cwd=home
    ) as window:
        yield window


@contextmanager
def practice_ended(home: Path) -> Iterator[None]:
    """End the processes of the practice install at the end of the block."""
    try:
        yield
    finally:
        run = last_run(state(home) / "practice" / "state")
        if run is not None:
            abort(run)
        installer.stop(installer_folder(home))


def kill(window: Terminal) -> None:
    """Kill the wizard with SIGKILL and wait for its end."""
    os.kill(window.pid, signal.SIGKILL)
    assert window.wait_exit() == 128 + signal.SIGKILL


def begin(window: Terminal) -> None:
    """Choose a new install, step by step."""
    window.wait_for("Choose how to start.")
    window.keys("n")


def resume(window: Terminal) -> None:
    """Resume the draft that the start screen offers."""
    window.wait_for("The draft from")
    window.keys("g")


def title_of(step: type[WizardStep]) -> str:
    """The constant part of the title: "Preflight:" of "Preflight: 6 blocking"."""
    name, colon, _rest = step.TITLE_TEXT.partition(":")
    return name + colon


def confirm_host_keys(window: Terminal) -> None:
    """Wait for the dialog with the host keys of the nodes, and confirm all of them."""
    window.wait_for("your node", "y: yes")
    window.keys("y")
    window.wait_until(lambda: "y: yes" not in window.screen())


def to_preflight(window: Terminal) -> None:
    """Verify and unpack the package on the first step, and walk to the preflight with the given answers."""
    window.keys("C-v")
    window.wait_for("The package is verified and unpacked")
    for step in STEPS[1 : STEPS.index(PreflightStep) + 1]:
        window.keys("C-n")
        if step is NodesStep:
            confirm_host_keys(window)
        window.wait_for(title_of(step))


def to_install(window: Terminal) -> None:
    """Walk from the first step to the confirmation of the start, and fix every planted fault."""
    to_preflight(window)
    window.wait_for("5 of 5 nodes are checked", f"{PLANTED} block")
    for left in reversed(range(PLANTED)):
        window.keys("m")
        window.wait_for(f"{left} block", "5 of 5 nodes are checked")
    window.wait_for("No blockers were found.")
    window.keys("C-n")
    window.wait_for("Review:", "The plan is ready.")
    window.keys("C-n")
    window.wait_for("Press s to start the install")
    window.keys("s")
    window.wait_for("Start the install?")
