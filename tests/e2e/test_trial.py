"""The single-node trial in a real terminal, with fewer than ten answers."""

from pathlib import Path

import pytest
import yaml

from tests.support.tmux_wizard import confirm_host_keys, practice_ended, state, wizard

pytestmark = pytest.mark.tmux


def test_trial_reaches_the_review_with_few_answers(tmp_path: Path) -> None:
    (tmp_path / "installer-core-v4.0.3-x86.tar").touch()
    answers = 0
    with wizard(tmp_path) as window:
        window.wait_for("Single-node trial")
        window.keys("t")
        answers += 1
        window.wait_for(
            "Single-node trial: quick setup", "Core Package      /"
        )  # the path of the package that was found
        for secret, on in (("s3cret-login", ("Down", "Down")), ("s3cret-admin", ())):
            window.type(secret)
            window.keys(*on)
            answers += 1
        window.keys("C-n")
        window.wait_for("Preflight:")
        window.keys("C-n")
        screen = window.wait_for("Review:", "the install")
        assert "s3cret" not in screen
    [folder] = (state(tmp_path) / "drafts").iterdir()
    plan = yaml.safe_load((folder / "plan.yaml").read_text(encoding="utf-8"))
    assert plan["scenario"] == "single-node"
    assert Path(plan["package"]["core"]).name.startswith("installer-core-")
    assert plan["address"]["cluster_endpoint"] == plan["nodes"][0]["address"]
    assert answers < 10


def test_trial_installs_the_practice_cluster_with_few_answers(tmp_path: Path) -> None:
    """Login and passwords come from the practice. Checks that need a person are waived in the preflight."""
    typed = 3  # the choice of the trial and two passwords, as above
    with practice_ended(tmp_path), wizard(tmp_path, "demo") as window:
        window.wait_for("PRACTICE", "Package: integrity")
        window.keys("C-t")
        window.wait_for("The trial keeps only the")
        window.keys("y")
        window.wait_for("Single-node trial: quick setup")
        window.keys("C-n")
        confirm_host_keys(window)
        typed += 1
        window.wait_for("No blockers were found.", "waived 3")
        window.keys("f")  # withdraw the waivers of the practice, so that these checks block
        for blocking in (1, 2):  # one disk test explains two of the three checks
            window.keys("End", "w")
            window.wait_for(f"{blocking} block")
        window.keys("f", "f")
        for left in (1, 0):
            window.keys("Home", "w")
            window.wait_for("Why do you waive", "confirmed by a person")
            window.keys("Enter")
            typed += 1
            window.wait_for(f"{left} block")
        window.keys("C-n")
        window.wait_for("Review:", "The plan is ready.", "confirmed by a person")
        window.keys("C-n")
        window.wait_for("Press s to start the install")
        window.keys("s")
        window.wait_for("Start the install?")
        window.keys("y")
        typed += 2
        window.wait_for("The platform is installed:", "PRACTICE", seconds=60)
        window.wait_for("Nodes, charts, Pods, Web UI and registry passed the checks.")
    assert typed < 10
