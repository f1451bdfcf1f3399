"""Damaged, unreadable and outdated bundles: every command checks the files of a bundle first."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from acp_tui.cli.main import main
from acp_tui.core.errors import ExitStatus
from acp_tui.preflight.bundle import SUMS
from tests.support.bundles import TAKES_A_PLAN, bundle


@pytest.mark.parametrize("command", TAKES_A_PLAN, ids=lambda command: command[0])
@pytest.mark.parametrize("harm", ["change", "remove", "add", "open"])
def test_every_command_names_the_damaged_file(
    plain: Path, command: list[str], harm: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("acp_tui.cli.context.need_terminal", lambda: None)
    directory, other = plain, plain.parent / "other"
    harmed = {"change": "known_hosts", "remove": "preflight.html", "add": "note.txt", "open": "secrets.yaml"}[harm]
    match harm:
        case "change" | "add":
            (directory / harmed).write_text("something else")
        case "remove":
            (directory / harmed).unlink()
        case "open":
            (directory / harmed).chmod(0o644)
    place = [str(other)] if command == ["bundle"] else []
    assert main([command[0], str(directory), *place, *command[1:]]) == ExitStatus.CHECK_FAILED
    assert harmed in capsys.readouterr().err
    assert not other.exists()


def test_bundle_without_checksums_is_damaged(plain: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (plain / SUMS).unlink()
    assert main(["validate", str(plain)]) == ExitStatus.CHECK_FAILED
    assert SUMS in capsys.readouterr().err


@pytest.mark.parametrize("command", ["verify", "validate", "render"])
def test_name_that_is_too_long_is_a_file_error(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "x" * 300]) == ExitStatus.COULD_NOT_RUN
    assert capsys.readouterr().err.endswith(": File name too long\n")


@contextmanager
def another_user() -> Iterator[None]:
    """Access files as a user who owns none. This folder is open to all, although its parent is private."""
    Path.cwd().chmod(0o755)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another user")
@pytest.mark.parametrize("command", ["validate", "render"])
def test_bundle_of_another_user_is_not_called_damaged(
    plain: Path, command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(plain.parent)
    with another_user():
        assert main([command, plain.name]) == ExitStatus.COULD_NOT_RUN
    assert capsys.readouterr().err == f"{plain.name}: Permission denied\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another user")
def test_unreadable_file_of_a_bundle_is_not_called_changed(
    plain: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as readable:
        shutil.copytree(plain, Path(readable) / "bundle").chmod(0o755)
        monkeypatch.chdir(readable)
        with another_user():
            assert main(["validate", "bundle"]) == ExitStatus.CHECK_FAILED
        monkeypatch.undo()
    assert "secrets.yaml: the file cannot be read: Permission denied" in capsys.readouterr().err


@pytest.mark.timeout(20)
def test_checksums_in_a_pipe_do_not_block(plain: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (plain / SUMS).unlink()
    os.mkfifo(plain / SUMS)
    assert main(["validate", str(plain)]) == ExitStatus.CHECK_FAILED
    assert f"{SUMS}: the list of checksums is missing or invalid" in capsys.readouterr().err


def test_install_rejects_a_bundle_whose_local_files_have_changed(
    plan: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key = plan.parent / "id"
    key.write_text("one")
    text = plan.read_text().replace("key_file: null", "key_file: id", 1)
    plan.write_text(text)
    directory = bundle(plan)
    key.write_text("another")
    capsys.readouterr()
    assert main(["install", str(directory)]) == ExitStatus.CHECK_FAILED
    shown = capsys.readouterr().err
    assert "cluster.features.machines[0].privateKey" in shown
    key.unlink()
    assert main(["install", str(directory)]) == ExitStatus.CHECK_FAILED
    assert str(key) in capsys.readouterr().err
