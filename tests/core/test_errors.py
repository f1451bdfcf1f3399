"""Errors that a command reports: one family, each with the text and the exit status that the command ends with."""

import pytest

import acp_tui.plan.file
from acp_tui.cli.main import main
from acp_tui.core.errors import AcpError, ExitStatus
from acp_tui.install.config.render import Missing, RenderError
from acp_tui.install.run.start_resume_abort import RunInProgress
from acp_tui.install.start import IncompletePlan, StartError
from acp_tui.nodes.ssh.errors import ConnectionDropped
from acp_tui.package.archive_safety import PackageRefused
from acp_tui.plan.file import PlanErrors


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (AcpError, ExitStatus.COULD_NOT_RUN),
        (StartError, ExitStatus.COULD_NOT_RUN),
        (RunInProgress, ExitStatus.COULD_NOT_RUN),
        (ConnectionDropped, ExitStatus.COULD_NOT_RUN),
        (IncompletePlan, ExitStatus.CHECK_FAILED),
        (PlanErrors, ExitStatus.CHECK_FAILED),
        (PackageRefused, ExitStatus.CHECK_FAILED),
    ],
)
def test_error_classes_have_the_exit_status_of_their_commands(error: type[AcpError], status: ExitStatus) -> None:
    assert error.exit_status == status


def test_exit_status_numbers_are_the_documented_ones() -> None:
    assert [int(status) for status in ExitStatus] == [0, 1, 2, 3, 130]


def test_main_prints_the_message_and_returns_the_exit_status(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> object:
        raise RenderError((Missing("admin.password", "required"), Missing("nodes", "required")))

    monkeypatch.setattr(acp_tui.plan.file, "schema", fail)
    assert main(["schema"]) == ExitStatus.CHECK_FAILED
    assert capsys.readouterr().err == "admin.password: required\nnodes: required\n"
