"""Fast typing and pasted text in the wizard: every key reaches its field."""

import json
from pathlib import Path

import pytest
import yaml
from pydantic import JsonValue

from acp_tui.plan.model import Plan
from tests.support.tmux_wizard import begin, state, wizard

pytestmark = pytest.mark.tmux

PASSPHRASE = "kept-off-the-screen"


def draft(home: Path) -> tuple[dict[str, JsonValue], dict[str, JsonValue]]:
    """Return the plan and the state of the only draft."""
    [folder] = (state(home) / "drafts").iterdir()
    plan: dict[str, JsonValue] = yaml.safe_load((folder / "plan.yaml").read_text(encoding="utf-8"))
    saved_state: dict[str, JsonValue] = json.loads((folder / "draft.json").read_text(encoding="utf-8"))
    return plan, saved_state


def test_steps_typed_in_one_burst_are_complete(tmp_path: Path) -> None:
    with wizard(tmp_path) as window:
        begin(window)
        window.wait_for("Package:")
        # The field of the passphrase appears only after a key file is entered.
        user = ("C-u", "operator", "Tab", "Tab")
        login = (*user, "/none/key", "Tab", PASSPHRASE, "Tab", "BSpace", "BSpace", "2222", "Tab")
        nodes = ("10.20.0.11", "Enter", "worker joe@10.20.0.21:2200", "Enter", "10.20.0.11", "Enter", "C-n")
        window.keys("Tab", "/none/core.tar", "Down", "Down", "/none/key.pub", "C-n", *login, *nodes)
        screen = window.wait_for("Nodes:", "10.20.0.11 is already in the plan")  # a duplicate node keeps the cursor
        assert PASSPHRASE not in screen
        window.keys("C-u", "C-n", "Down", "Down", "C-u", "10.9.0.0/16", "C-n", "10.20.0.10")
        window.wait_for("Address:", "10.20.0.10")
        window.wait_until(lambda: "10.20.0.10" in str(draft(tmp_path)))
    saved_plan, saved_state = draft(tmp_path)
    plan = Plan.model_validate(saved_plan)
    assert plan.package.core == "/none/core.tar"
    assert (plan.ssh.username, plan.ssh.port, plan.ssh.key_file) == ("operator", 2222, "/none/key")
    assert [(node.address, node.role, node.ssh.username, node.ssh.port) for node in plan.nodes] == [
        ("10.20.0.11", "control-plane", None, None),
        ("10.20.0.21", "worker", "joe", 2200),
    ]
    assert plan.network.cluster_cidr.ipv4 == "10.9.0.0/16"
    assert saved_state["secrets_asked"] == ["ssh.key_passphrase"]
    assert not saved_state["rough"]


@pytest.mark.parametrize("text", ["x" * 5000, "Кириллица 日本語 é́̂ עברית العربية \u202eabc", "\x1b[31mred\x07[bold]"])
def test_step_can_be_left_after_any_pasted_text(tmp_path: Path, text: str) -> None:
    with wizard(tmp_path) as window:
        begin(window)
        window.wait_for("Package:")
        for title in ("Nodes:", "Network:", "Address:"):
            window.keys("C-n")
            window.wait_for(title)
            window.paste(text)
            window.keys("Down")
            window.paste(text)
        window.resize(40, 10)
        window.wait_for("too small")
        window.resize(200, 60)
        window.wait_for("Address:")
        window.keys("C-q")
        window.wait_for("Quit acp-tui?")
        window.keys("y")
        assert window.wait_exit() == 0
    assert not any(escape in str(draft(tmp_path)) for escape in ("\\e", "\x1b"))


def test_pasted_list_is_shown_and_imported(tmp_path: Path) -> None:
    with wizard(tmp_path) as window:
        begin(window)
        window.wait_for("Package:")
        window.keys("C-n", *["Down"] * 4)
        window.wait_for("Nodes:")
        window.paste("10.20.0.11\n10.20.0.12\r\n\n  worker 10.20.0.21  \n")
        window.wait_for("2 control plane nodes, 1 worker")
        window.keys("C-t")
        window.wait_for("Nodes:", " 10.20.0.11 ", " 10.20.0.12 ", " 10.20.0.21 ", "worker")
