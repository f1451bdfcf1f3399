"""The complete wizard in a terminal of 80x24, with the keyboard only: from the first screen to the result."""

from pathlib import Path

import pytest

from tests.support.tmux_wizard import practice_ended, state, to_install, wizard

pytestmark = pytest.mark.tmux


def test_wizard_installs_the_practice_cluster(tmp_path: Path) -> None:
    with practice_ended(tmp_path), wizard(tmp_path, "demo") as window:
        window.wait_for("PRACTICE", "Package: integrity")
        to_install(window)
        window.keys("y")
        screen = window.wait_for("The platform is installed:", "PRACTICE", seconds=60)
        assert max(len(line) for line in screen.splitlines()) <= 80
        window.wait_for("Nodes, charts, Pods, Web UI and registry passed the checks.")
        window.keys("f")
        window.wait_for("Result of the install")
        window.keys("End")
        window.wait_for("Result of the install", "Remove the secrets")
        [page] = state(tmp_path).rglob("completion.html")
        assert "The cluster is installed and verified" in page.read_text(encoding="utf-8")
        window.keys("Escape")
        window.wait_for("f: details, remaining steps")
        window.keys("c")
        window.wait_for("The installer was not removed: the installer container still")
        window.keys("C-q")
        window.wait_for("Quit acp-tui?")
        window.keys("y")
        assert window.wait_exit() == 0
