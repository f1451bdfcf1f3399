"""Commands ask once about the references of a plan that another user can change. Unattended, an option decides."""

import io
import os
from pathlib import Path

import pytest

from acp_tui.cli.main import main
from acp_tui.core.errors import ExitStatus
from acp_tui.nodes.ssh.errors import ConnectError
from acp_tui.nodes.state import NodeState
from acp_tui.plan.model import Plan
from tests.support.bundles import TAKES_A_PLAN
from tests.support.other_users import STRANGER, needs_root

QUESTION = "May acp-tui read these values, send them to these receivers, and use these packages? [y/N]"
CANARY = "c4nary-of-root"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def foreign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A plan of another user that refers to a secret of this host."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "secret").write_text(CANARY)
    plan = tmp_path / "plan.yaml"
    plan.write_text(
        "ssh: {password: pw}\nnodes: [{address: 203.0.113.7}]\naddress: {cluster_endpoint: 203.0.113.7}\n"
        "registry: {mode: external, address: evil.example.com, username: u, password: {file: secret}}\n"
        "admin: {password: adminpassword}\n"
    )
    plan.chmod(0o600)
    os.chown(plan, STRANGER, -1)
    return plan


def answer(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(text))


@needs_root
@pytest.mark.parametrize("command", [*TAKES_A_PLAN, ["trust"], ["finish"]], ids=lambda command: command[0])
def test_every_command_refuses_without_a_terminal(
    foreign: Path, command: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("acp_tui.cli.context.need_terminal", lambda: None)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    place = [str(foreign.parent / "bundle")] if command == ["bundle"] else []
    assert main([command[0], str(foreign), *place, *command[1:]]) == ExitStatus.CHECK_FAILED
    error = capsys.readouterr().err
    assert "belongs to the user nobody" in error
    assert f"registry.password: the file {foreign.parent}/secret. Receiver: the registry evil.example.com" in error
    assert "--allow-references" in error
    assert CANARY not in error


@needs_root
def test_support_refuses_too(foreign: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    archive = foreign.parent / "a.tar.gz"
    assert main(["support", str(archive), "--plan", str(foreign)]) == ExitStatus.CHECK_FAILED
    assert not archive.exists()


@needs_root
def test_option_confirms_the_references(foreign: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["render", str(foreign), "--allow-references"]) == ExitStatus.DONE
    assert capsys.readouterr().out


@needs_root
def test_option_confirms_the_references_for_trust(foreign: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def unreachable(plan: Plan, addresses: list[str], *, plan_dir: Path) -> dict[str, ConnectError]:
        return {address: ConnectError(NodeState.UNREACHABLE, "tcp", "no route") for address in addresses}

    monkeypatch.setattr("sys.stdin", io.StringIO())
    monkeypatch.setattr("acp_tui.cli.actions.trust.read_host_keys", unreachable)
    assert main(["trust", str(foreign), "--allow-references"]) == ExitStatus.COULD_NOT_RUN


@needs_root
def test_question_is_asked_once_for_the_same_references(
    foreign: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(monkeypatch, "y\n")
    assert main(["render", str(foreign)]) == ExitStatus.DONE
    assert QUESTION in capsys.readouterr().err
    answer(monkeypatch, "")
    assert main(["render", str(foreign)]) == ExitStatus.DONE
    assert QUESTION not in capsys.readouterr().err
    foreign.write_text(foreign.read_text().replace("evil.example.com", "worse.example.com"))
    assert main(["render", str(foreign)]) == ExitStatus.CHECK_FAILED
    assert QUESTION in capsys.readouterr().err


@needs_root
@pytest.mark.parametrize("typed", ["n\n", "\n", ""])
def test_default_answer_is_no(
    foreign: Path, typed: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(monkeypatch, typed)
    assert main(["render", str(foreign)]) == ExitStatus.CHECK_FAILED
    output = capsys.readouterr()
    assert "acp-tui has not read them" in output.err
    assert output.out == ""


def test_own_plan_asks_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "secret").write_text(CANARY)
    (tmp_path / "plan.yaml").write_text("admin: {password: {file: secret}}\n")
    main(["validate", str(tmp_path / "plan.yaml")])
    assert "refers to secrets" not in capsys.readouterr().err


@pytest.mark.parametrize("command", ["validate", "render"])
def test_secrets_that_others_can_read_are_reported_once(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = tmp_path / "plan.yaml"
    plan.write_text("admin: {password: secret}\n")
    plan.chmod(0o644)
    main([command, str(plan)])
    error = capsys.readouterr().err
    assert error.count(f"Run: chmod 600 {plan}") == 1
