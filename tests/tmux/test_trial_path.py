"""The short path in a real terminal: from the first screen to the review of a one-node trial, answers counted."""

from pathlib import Path

import pytest
import yaml
from wizard_window import state, wizard

pytestmark = pytest.mark.tmux


def test_the_short_path(tmp_path: Path) -> None:
    (tmp_path / "installer-core-v4.0.3-x86.tar").touch()
    answers = 0
    with wizard(tmp_path) as window:
        window.wait_for("one node for a trial")
        window.keys("t")
        answers += 1
        window.wait_for("One node for a trial: a handful of answers", "Core Package      /")  # found, wherever it lies
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
