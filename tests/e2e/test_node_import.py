"""Import of real nodes from a pasted inventory, their check, and suggestions from their facts."""

from pathlib import Path

import pytest

from acp_tui.plan.model import Plan
from tests.e2e.test_typing_bursts import draft
from tests.lab.kit.nodes import PASSWORD, Lab
from tests.lab.kit.profiles import NodeProfile
from tests.support.tmux_wizard import begin, confirm_host_keys, wizard

pytestmark = [pytest.mark.tmux, pytest.mark.lab]


def test_nodes_of_an_inventory_with_a_password_are_imported_and_checked(tmp_path: Path, lab: Lab) -> None:
    first, second, third = lab.start(*(NodeProfile() for _ in range(3)))
    inventory = (
        "[masters]\n"
        f"m1 ansible_host={first.address}\nm2 ansible_host={second.address}\nm3 ansible_host=m3.example.com\n"
        f"[workers]\n{third.address}\n[all:vars]\nansible_user=root\nansible_password={PASSWORD}\n"
    )
    with wizard(tmp_path) as window:
        begin(window)
        window.wait_for("Package:")
        window.keys("C-n")
        window.wait_for("Nodes:")
        window.keys("C-l")
        window.wait_for("Import nodes")
        window.paste(inventory)
        shown = window.wait_for(
            "2 control plane nodes, 1 worker, 1 invalid line", "line 4: 'm3.example.com' is a host name", "a password"
        )
        assert PASSWORD not in shown
        window.keys("C-t", "Escape")
        confirm_host_keys(window)
        shown = window.wait_for("Nodes:", "node-1", "node-2", "node-3", "3/3")
        assert PASSWORD not in shown
        window.keys("C-f")
        window.wait_for("Fill in", "network interfaces of 3 nodes", f"{first.address}: eth0")
        window.keys("f")
        window.wait_for("Nodes:")
        window.keys("C-t")
        window.wait_for("Sizing:", f"{third.address}", "cores")
        window.keys("Escape")
        window.wait_for("Nodes:")
    plan, saved_state = draft(tmp_path)
    assert [node.nic for node in Plan.model_validate(plan).nodes] == ["eth0"] * 3
    assert saved_state["secrets_asked"] == ["ssh.password"]
    assert not [file for file in tmp_path.rglob("*") if file.is_file() and PASSWORD.encode() in file.read_bytes()]
