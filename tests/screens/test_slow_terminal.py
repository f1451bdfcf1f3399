"""The wizard over a slow connection: few bytes for a key, none while idle, and no slow import before the first frame.

The tests count the bytes at a pseudoterminal; an SSH session would transfer the same.
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.pty_terminal import Terminal

DOWN, UP = b"\x1b[B", b"\x1b[A"
KEY_BYTES = 800
"""A complete screen has 4000 to 5000 bytes; a move between two fields and the new help have about 500."""


@pytest.fixture
def wizard(tmp_path: Path) -> Iterator[Terminal]:
    """A new wizard on its first step, after the search for packages has ended."""
    (tmp_path / "installer-core-v4.0.3-x86.tar").touch()
    environment = {"XDG_STATE_HOME": str(tmp_path), "HOME": str(tmp_path)}
    with Terminal((sys.executable, "-m", "acp_tui"), environment) as terminal:
        terminal.until(b"step by step")
        terminal.press(b"n")
        terminal.until(b"^O")
        terminal.until(b"Press ^F")
        terminal.quiet()
        yield terminal


def test_moving_between_fields_repaints_only_fields_and_help(wizard: Terminal) -> None:
    for key in (DOWN, DOWN, DOWN, UP):
        wizard.press(key)
        assert 0 < wizard.quiet() < KEY_BYTES


def test_idle_wizard_sends_nothing(wizard: Terminal) -> None:
    assert wizard.read(2) == 0


def test_ssh_modules_load_after_the_first_frame() -> None:
    code = "import sys, screens.app; print('asyncssh' in sys.modules)"
    done = subprocess.run((sys.executable, "-c", code), capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
