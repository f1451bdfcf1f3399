"""Questions of an unattended install are answered by a command; an abort needs confirmations."""

from pathlib import Path

import pytest

from acp_tui.cli.main import main
from acp_tui.demo.installer_behaviour import Behaviour
from acp_tui.install.run.start_resume_abort import abort
from acp_tui.install.run.state import Phase, status
from tests.support.install_harness import InstallHarness, wait, wait_until_at_rest

PLAN = """\
release: "4.0"
scenario: single-node
admin: {password: Abc12345!x}
package: {core: /root/installer-core-v4.0.3-x86.tar}
ssh: {password: secret}
nodes: [{address: 192.0.2.11}]
address: {cluster_endpoint: 192.0.2.11}
"""


@pytest.fixture
def uncertain_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> InstallHarness:
    """The last run of this user; whether the installer received its configuration is unknown."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    (tmp_path / "plan.yaml").write_text(PLAN, encoding="utf-8")
    (tmp_path / "state").symlink_to("acp-tui")
    (tmp_path / "acp-tui").mkdir()
    harness = InstallHarness(tmp_path)
    harness.write_document()
    harness.unpack(Behaviour(seconds=0.4, setup_seconds=0.1, drop_post="before"))
    assert wait_until_at_rest(harness.start()).phase is Phase.POST_UNKNOWN
    return harness


def test_install_without_an_answer_sends_nothing_and_shows_the_next_command(
    uncertain_run: InstallHarness, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        assert main(["install", str(uncertain_run.root / "plan.yaml")]) == 3
        assert "If the installer received the configuration, add --reached yes" in capsys.readouterr().err
        assert status(uncertain_run.runs[0]).phase is Phase.POST_UNKNOWN
        assert main(["attach", "--give-up"]) == 1
        assert status(uncertain_run.runs[0]).phase is Phase.POST_UNKNOWN
    finally:
        uncertain_run.close()


def test_aborted_run_reports_the_remaining_installer(uncertain_run: InstallHarness) -> None:
    try:
        state = abort(uncertain_run.runs[0])
        assert state.phase is Phase.UNKNOWN
        assert "docker rm -f minialauda-control-plane" in state.message
        wait(uncertain_run.runs[0], lambda state: state.at_rest)
        assert main(["attach", "--give-up"]) == 1
    finally:
        uncertain_run.close()
