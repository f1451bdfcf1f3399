"""kill -9 of the wizard at every step, in the middle of an answer: the next one goes on there, and nothing is lost."""

import json
from functools import partial
from pathlib import Path

import pytest
from pydantic import JsonValue

from acp_tui.demo.simulated_install import posts
from tests.support.tmux_wizard import go_on, installer_folder, kill, practice_ended, state, to_install, wizard

pytestmark = pytest.mark.tmux

# Title of the step, the keys to a field, what is typed there: half an answer, which the field refuses, where it can.
STEPS = (
    ("Package:", ("Tab", "Tab"), "/nowhere"),
    ("Nodes:", ("BTab",), "worker 10.20.0"),
    ("Network:", ("Down", "Down"), "9999"),
    ("Address:", (), ".half typed"),
    ("Certificate:", ("Right", "Down"), "Привет"),
    ("Registry:", ("Down",), "bad name:"),
    ("Isolation:", ("Up",), ""),
    ("Preflight:", (), ""),
    ("Review:", (), ""),
    ("Install", (), ""),
)


def drafts(home: Path) -> list[Path]:
    return list((state(home) / "practice" / "state" / "drafts").iterdir())


def on_disk(home: Path) -> tuple[str, dict[str, JsonValue]]:
    """The only draft: its plan, and its state without the time of saving."""
    [folder] = drafts(home)
    kept: dict[str, JsonValue] = json.loads((folder / "draft.json").read_text(encoding="utf-8"))
    del kept["updated"], kept["host_keys"]
    return (folder / "plan.yaml").read_text(encoding="utf-8"), kept


def saved(home: Path, step: int, typed: str) -> bool:
    """Whether the draft holds the step and what was typed on it."""
    if not drafts(home):
        return False
    plan, kept = on_disk(home)
    visited = kept["visited"]
    assert isinstance(visited, list)
    return len(visited) > step and typed in plan + json.dumps(kept, ensure_ascii=False)


@pytest.mark.timeout(240)
def test_at_every_step(tmp_path: Path) -> None:
    before: tuple[str, dict[str, JsonValue]] | None = None
    with practice_ended(tmp_path):
        for index, (title, keys, typed) in enumerate(STEPS):
            with wizard(tmp_path, "demo") as window:
                if index:
                    go_on(window)
                    screen = window.wait_for(STEPS[index - 1][0])
                    assert on_disk(tmp_path) == before
                    if index > 1:  # the first one's field shows the other end of a long path
                        assert STEPS[index - 1][2] in screen
                    window.keys("C-n")
                    if title == "Network:":  # a line that is no node yet holds one up; the menu leaves it for later
                        window.wait_for("is not")
                        window.keys("Escape")
                        window.wait_for("Go to")
                        window.keys("3")
                window.wait_for(title)
                if keys:
                    window.keys(*keys)
                window.type(typed)
                window.wait_for(typed)
                window.wait_until(partial(saved, tmp_path, index, typed))
                before = on_disk(tmp_path)
                kill(window)


def restarted(home: Path, shown: str) -> None:
    """The next wizard goes on with the draft and shows this; then it is left in good order."""
    with wizard(home, "demo") as window:
        go_on(window)
        window.wait_for(shown)
        window.keys("C-q")
        window.wait_for("Quit acp-tui?")
        window.keys("y")
        assert window.wait_exit() == 0


def test_while_nodes_are_checked_and_the_package_is_unpacked(tmp_path: Path) -> None:
    with practice_ended(tmp_path):
        with wizard(tmp_path, "demo") as window:
            window.wait_for("Package:")
            window.keys("C-v", "C-n")
            window.wait_for("Nodes:", "checking")
            kill(window)
        restarted(tmp_path, "Nodes 5/5")


def test_while_the_install_runs_which_goes_on_alone(tmp_path: Path) -> None:
    with practice_ended(tmp_path):
        with wizard(tmp_path, "demo") as window:
            window.wait_for("Package:")
            to_install(window)
            window.wait_for("acp-tui runs setup.sh")
            window.keys("y")
            window.wait_for("Running.")
            kill(window)
        with wizard(tmp_path, "demo") as window:
            go_on(window)
            window.wait_for("Install", "Installed. The platform is at", seconds=60)
        assert posts(installer_folder(tmp_path)).count == 1
