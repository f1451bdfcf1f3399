"""Fixes of sshd settings on real nodes: a setting that would prevent the login does not stay."""

import time
from pathlib import Path

import pytest

from acp_tui.preflight.fixes.script import BACKUPS, script
from acp_tui.preflight.fixes.step import FixStep
from tests.lab.kit import faults as f
from tests.lab.kit.check_run import check
from tests.lab.kit.fix_run import fix, single
from tests.lab.kit.nodes import Lab
from tests.lab.kit.profiles import Fault, NodeProfile

pytestmark = pytest.mark.lab

PAM_LOGIN = Fault(
    "login through PAM only",
    "sed -i 's/^PasswordAuthentication yes/PasswordAuthentication no/; s/^UsePAM no/UsePAM yes/; "
    "s/^KbdInteractiveAuthentication no/KbdInteractiveAuthentication yes/' /etc/ssh/sshd_config",
    {"USR-USEPAM": "fail"},
)


def test_sshd_change_that_prevents_login_is_undone(lab: Lab, tmp_path: Path) -> None:
    [node] = lab.start(NodeProfile(faults=(PAM_LOGIN, f.NO_IPVS_SH)))
    settings = node.sh("cat /etc/ssh/sshd_config")
    answers = single(node)
    fixed = fix(tmp_path, answers, "--yes")
    assert fixed.status == 1
    assert "the second login failed" in fixed.errors
    assert "were restored" in fixed.errors
    assert node.sh("cat /etc/ssh/sshd_config") == settings
    checked = check(tmp_path, answers)
    assert (checked.states, checked.outcomes) == ({node.address: "checked"}, {node.address: {"USR-USEPAM": "fail"}})


def test_node_restores_sshd_if_no_second_login_confirms_it(lab: Lab) -> None:
    [node] = lab.start(NodeProfile(faults=(f.USE_PAM,)))
    settings = node.sh("cat /etc/ssh/sshd_config")
    change = "sed -i 's/^UsePAM yes/UsePAM no/' /etc/ssh/sshd_config"
    step = FixStep("USR-USEPAM", "", change, files=("/etc/ssh/sshd_config",), second_login=True)
    folder = f"{BACKUPS}/unattended"
    node.sh(script((step,), folder).replace("patience=60", "patience=4"))
    assert node.sh("cat /etc/ssh/sshd_config") != settings
    while "restored" not in node.sh(f"ls {folder}"):
        time.sleep(0.2)
    assert node.sh("cat /etc/ssh/sshd_config") == settings


def test_invalid_sshd_settings_are_not_applied(lab: Lab) -> None:
    [node] = lab.start(NodeProfile())
    settings = node.sh("cat /etc/ssh/sshd_config")
    step = FixStep("USR-USEPAM", "", "echo Nonsense yes >>/etc/ssh/sshd_config", files=("/etc/ssh/sshd_config",))
    text = script((step,), f"{BACKUPS}/bad").replace("sshd_file=\n", "sshd_file=/etc/ssh/sshd_config\n")
    assert "second_login 1" in node.sh(text)
    assert node.sh("cat /etc/ssh/sshd_config") == settings
