"""Questions of an unattended install are answered by a command; an abort needs confirmations."""

from pathlib import Path

import pytest

from acp_tui.cli.main import main
from acp_tui.demo.installer_behaviour import Behaviour
from acp_tui.install.run.control import abort
from acp_tui.install.run.state import Phase, status
from tests.support.install_harness import Bench, rest, wait

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
def doubtful(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """A run that does not know whether its configuration has arrived, as the last one of this user."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    (tmp_path / "plan.yaml").write_text(PLAN, encoding="utf-8")
    (tmp_path / "state").symlink_to("acp-tui")
    (tmp_path / "acp-tui").mkdir()
    bench = Bench(tmp_path)
    bench.write_document()
    bench.unpack(Behaviour(seconds=0.4, setup_seconds=0.1, drop_post="before"))
    assert rest(bench.start()).phase is Phase.POST_UNKNOWN
    return bench


def test_without_an_answer_nothing_is_sent_and_the_next_command_is_shown(
    doubtful: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        assert main(["install", str(doubtful.root / "plan.yaml")]) == 3
        assert "To follow the install: --reached yes" in capsys.readouterr().err
        assert status(doubtful.runs[0]).phase is Phase.POST_UNKNOWN
        assert main(["attach", "--give-up"]) == 1
        assert status(doubtful.runs[0]).phase is Phase.POST_UNKNOWN
    finally:
        doubtful.close()


def test_aborted_run_reports_the_remaining_installer(doubtful: Bench) -> None:
    try:
        state = abort(doubtful.runs[0])
        assert state.phase is Phase.UNKNOWN
        assert "docker rm -f minialauda-control-plane" in state.message
        wait(doubtful.runs[0], lambda state: state.at_rest)
        assert main(["attach", "--give-up"]) == 1
    finally:
        doubtful.close()
