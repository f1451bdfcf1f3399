"""The command `bundle`: the files of a bundle, the folder for it, and moving it."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from acp_tui.cli.main import main
from acp_tui.core.errors import ExitStatus
from acp_tui.install.config.differences import differences
from acp_tui.preflight.bundle import FILES, SUMS, check_sums
from tests.support.bundles import PRIVATE, bundle, holders


def test_bundle_has_the_files_of_the_contract(made: dict[str, Path]) -> None:
    directory = made["plain"]
    assert {path.name for path in directory.iterdir()} == {*FILES, SUMS}
    assert directory.stat().st_mode & 0o777 == 0o700
    assert "bash setup.sh" in (directory / "setup.txt").read_text()
    assert json.loads((directory / "preflight.json").read_text())["ready"] is False


def test_moved_bundle_gives_the_same_configuration(
    plain: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "other-state"))
    elsewhere = tmp_path / "else" / "where"
    elsewhere.parent.mkdir()
    plain.rename(elsewhere)
    monkeypatch.chdir(elsewhere.parent)
    capsys.readouterr()
    assert main(["render", "where"]) == ExitStatus.DONE
    rendered = capsys.readouterr().out
    assert not differences(rendered, (elsewhere / "installer-config.json").read_text())
    assert main(["validate", "where"]) in (ExitStatus.DONE, ExitStatus.CHECK_FAILED)
    assert main(["bundle", "where", "again"]) == ExitStatus.CHECK_FAILED
    for name in ("plan.yaml", "secrets.yaml", "installer-config.json", "setup.txt"):
        assert (elsewhere / name).read_text() == (elsewhere.parent / "again" / name).read_text()


def test_bundle_without_secrets(plan: Path, capsys: pytest.CaptureFixture[str]) -> None:
    directory = bundle(plan, "bundle", "--no-secrets")
    assert {path.name for path in directory.iterdir()} == {*FILES, SUMS} - PRIVATE
    assert not holders(directory)
    capsys.readouterr()
    assert main(["render", str(directory)]) == ExitStatus.CHECK_FAILED
    shown = capsys.readouterr().err
    assert "has no secrets" in shown
    assert "admin.password" in shown


def _own_file(folder: Path) -> Path:
    (folder / "taken").mkdir()
    (folder / "taken" / "mine").touch()
    return folder / "taken"


def _plain_file(folder: Path) -> Path:
    (folder / "file").touch()
    return folder / "file"


@pytest.mark.parametrize(
    ("place", "message"),
    [
        (_own_file, "mine"),
        (_plain_file, "not a folder"),
        (lambda folder: folder / "bundle" / "inner", "inside the bundle"),
        (lambda folder: folder / "plans" / "plan.yaml" / "below", "Not a directory"),
        (lambda _folder: Path("/proc"), "mount point"),
        (lambda _folder: Path("/"), "mount point"),
    ],
)
def test_folder_that_cannot_hold_a_bundle_is_rejected(
    plan: Path, plain: Path, place: Callable[[Path], Path], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bundle", str(plan), str(place(plan.parent.parent))]) == ExitStatus.COULD_NOT_RUN
    assert message in capsys.readouterr().err
    check_sums(plain)


def test_relative_folder_with_dots(plan: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(plan.parent)
    assert main(["bundle", "plan.yaml", "../out/./b/../c"]) == ExitStatus.CHECK_FAILED
    check_sums(plan.parent.parent / "out" / "c")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: a small file system is mounted")
def test_full_disk_leaves_no_files(plan: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32k", "tmpfs", small], capture_output=True)
    if mounted.returncode:
        pytest.skip("no file system can be mounted here")
    try:
        assert main(["bundle", str(plan), str(small / "bundle")]) == ExitStatus.COULD_NOT_RUN
        assert "No space left" in capsys.readouterr().err
        assert not list(small.iterdir())
        assert main(["bundle", str(plan), str(small)]) == ExitStatus.COULD_NOT_RUN
        assert "mount point" in capsys.readouterr().err
    finally:
        subprocess.run(["umount", small], check=True)
