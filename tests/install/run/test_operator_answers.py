"""Questions of an unattended install are answered by a command; an abort needs confirmations."""

from pathlib import Path

import pytest

from acp_tui.cli.main import main
from acp_tui.demo.installer_behaviour import Behaviour
from acp_tui.install.run.start_resume_abort import abort
from acp_tui.install.run.state import Phase, RunSpec, RunState, read_state, status, write_state
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


@pytest.fixture
def foreign_listener(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the last run, which waits because of the listener. No runner is launched."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    (tmp_path / "plan.yaml").write_text(PLAN, encoding="utf-8")
    run_dir = tmp_path / "acp-tui" / "installs" / "20260101T000000.000000Z"
    run_dir.mkdir(parents=True)
    spec = RunSpec(run_dir, tmp_path, (), tmp_path / "none", "https://192.0.2.11")
    write_state(RunState(spec, Phase.FOREIGN_LISTENER, foreign_listener="127.0.0.1:8080 uid 1000"))
    monkeypatch.setattr("acp_tui.install.run.start_resume_abort.launch_runner", lambda state: state)
    return run_dir


@pytest.mark.parametrize(
    ("options", "accepted"),
    [((), ""), (("--accept-listener",), "127.0.0.1:8080 uid 1000")],
    ids=["no answer", "accept"],
)
def test_install_resumes_a_run_that_waits_because_of_a_listener(
    foreign_listener: Path, options: tuple[str, ...], accepted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def followed(run_dir: Path) -> int:
        assert run_dir == foreign_listener
        return 0

    monkeypatch.setattr("acp_tui.cli.actions.install.follow_run", followed)
    assert main(["install", str(foreign_listener.parents[2] / "plan.yaml"), *options]) == 0
    state = read_state(foreign_listener)
    assert (state.phase, state.accepted_listener) == (Phase.WAITING_API, accepted)


def test_status_shows_the_command_that_accepts_a_listener(
    foreign_listener: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["status"]) == 1
    assert "add --accept-listener" in capsys.readouterr().out


def test_run_that_waits_because_of_a_listener_is_aborted_before_the_post(foreign_listener: Path) -> None:
    assert abort(foreign_listener).phase is Phase.CANCELLED
