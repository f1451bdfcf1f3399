"""kill -9 of the wizard at every step, while an answer is typed: the next wizard resumes there."""

import json
from functools import partial
from pathlib import Path

import pytest
from pydantic import JsonValue

from acp_tui.demo.simulated_install import posts
from screens.steps.order import STEPS as WIZARD_STEPS
from tests.support.tmux_wizard import (
    confirm_host_keys,
    installer_folder,
    kill,
    practice_ended,
    resume,
    state,
    title_of,
    to_install,
    wizard,
)

pytestmark = pytest.mark.tmux

# Name of the step → the keys to a field, and the text typed there: half an answer that the field rejects, if it can.
TYPED: dict[str, tuple[tuple[str, ...], str]] = {
    "package": (("Tab", "Tab"), "/nowhere"),
    "nodes": (("BTab",), "worker 10.20.0"),
    "network": (("Down", "Down"), "9999"),
    "address": ((), ".half typed"),
    "certificate": (("Right", "Down"), "Привет"),
    "registry": (("Down",), "bad name:"),
    "isolation": (("Up",), ""),
}
STEPS = [(title_of(step), *TYPED.get(step.NAME, ((), ""))) for step in WIZARD_STEPS]


def drafts(home: Path) -> list[Path]:
    return list((state(home) / "practice" / "state" / "drafts").iterdir())


def on_disk(home: Path) -> tuple[str, dict[str, JsonValue]]:
    """Return the plan and the state of the only draft, without the time of saving and the host keys."""
    [folder] = drafts(home)
    saved_state: dict[str, JsonValue] = json.loads((folder / "draft.json").read_text(encoding="utf-8"))
    del saved_state["updated"], saved_state["host_keys"], saved_state["confirmed"]
    return (folder / "plan.yaml").read_text(encoding="utf-8"), saved_state


def saved(home: Path, step: int, typed: str) -> bool:
    """Return whether the draft contains the step and the text typed on it."""
    if not drafts(home):
        return False
    plan, saved_state = on_disk(home)
    visited = saved_state["visited"]
    assert isinstance(visited, list)
    return len(visited) > step and typed in plan + json.dumps(saved_state, ensure_ascii=False)


@pytest.mark.timeout(240)
def test_draft_survives_a_kill_at_every_step(tmp_path: Path) -> None:
    before: tuple[str, dict[str, JsonValue]] | None = None
    with practice_ended(tmp_path):
        for index, (title, keys, typed) in enumerate(STEPS):
            with wizard(tmp_path, "demo") as window:
                if index:
                    resume(window)
                    screen = window.wait_for(STEPS[index - 1][0])
                    assert on_disk(tmp_path) == before
                    if index > 1:  # the field of the first step shows the end of a long path
                        assert STEPS[index - 1][2] in screen
                    window.keys("C-n")
                    if title == "Network:":  # an invalid node keeps the cursor; the menu skips it
                        window.wait_for("is not")
                        window.keys("Escape")
                        window.wait_for("Go to")
                        window.keys("3")
                if title == "Nodes:":  # the draft of the next wizard has the keys
                    confirm_host_keys(window)
                window.wait_for(title)
                if keys:
                    window.keys(*keys)
                window.type(typed)
                window.wait_for(typed)
                window.wait_until(partial(saved, tmp_path, index, typed))
                before = on_disk(tmp_path)
                kill(window)


def resume_and_quit(home: Path, shown: str) -> None:
    """Resume the draft in a new wizard, wait for `shown`, and quit."""
    with wizard(home, "demo") as window:
        resume(window)
        window.wait_for(shown)
        window.keys("C-q")
        window.wait_for("Quit acp-tui?")
        window.keys("y")
        assert window.wait_exit() == 0


def test_kill_during_node_checks_and_unpacking(tmp_path: Path) -> None:
    with practice_ended(tmp_path):
        with wizard(tmp_path, "demo") as window:
            window.wait_for("Package:")
            window.keys("C-v", "C-n")
            confirm_host_keys(window)
            window.wait_for("Nodes:", "checking")
            kill(window)
        resume_and_quit(tmp_path, "Nodes 5/5")


def test_install_continues_after_a_kill_of_the_wizard(tmp_path: Path) -> None:
    with practice_ended(tmp_path):
        with wizard(tmp_path, "demo") as window:
            window.wait_for("Package:")
            to_install(window)
            window.wait_for("acp-tui runs setup.sh")
            window.keys("y")
            window.wait_for("The install is running")
            kill(window)
        with wizard(tmp_path, "demo") as window:
            resume(window)
            window.wait_for("Install", "The platform is installed:", seconds=60)
        assert posts(installer_folder(tmp_path)).count == 1
