"""The folder of a bundle: atomic replacement, and only one that nobody else can change."""

import ctypes
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from acp_tui.checks.verdict import Outcome
from acp_tui.core.ownership import UntrustedPath
from acp_tui.preflight.bundle import (
    SUMS,
    BundleRefused,
    check_sums,
    open_bundle,
)
from acp_tui.preflight.bundle import directory as bundles
from tests.support.factories.bundles import CANARY, mode, write
from tests.support.other_users import STRANGER, needs_root


@pytest.mark.parametrize("swap", [True, False])
def test_earlier_bundle_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, swap: bool) -> None:
    if not swap:
        monkeypatch.setattr(ctypes, "CDLL", lambda *_args, **_options: object())  # a C library without renameat2
    directory = write(tmp_path / "bundle", tmp_path)
    write(directory, tmp_path, outcome=Outcome.FAIL)
    assert json.loads((directory / "preflight.json").read_text())["ready"] is False
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]
    check_sums(directory)


def test_damaged_bundle_is_replaced(tmp_path: Path) -> None:
    directory = write(tmp_path / "bundle", tmp_path)
    (directory / "plan.yaml").unlink()
    write(directory, tmp_path)
    check_sums(directory)


def test_empty_folder_becomes_the_bundle(tmp_path: Path) -> None:
    (tmp_path / "bundle").mkdir(mode=0o755)
    assert mode(write(tmp_path / "bundle", tmp_path)) == 0o700


def test_folder_that_is_not_a_bundle_is_not_replaced(tmp_path: Path) -> None:
    filled, plain, link = tmp_path / "filled", tmp_path / "plain", tmp_path / "link"
    filled.mkdir()
    (filled / "precious").touch()
    plain.touch()
    link.symlink_to(filled)
    downloads = tmp_path / "downloads"
    downloads.mkdir()
    (downloads / SUMS).write_text(f"{'0' * 64}  package.tar\n")
    (write(tmp_path / "annotated", tmp_path) / "note").touch()
    for directory in (filled, plain, link, downloads, tmp_path / "annotated"):
        with pytest.raises(BundleRefused):
            write(directory, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["annotated", "downloads", "filled", "link", "plain"]
    assert [path.name for path in filled.iterdir()] == ["precious"]


def test_failed_write_keeps_the_earlier_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = write(tmp_path / "bundle", tmp_path)

    def disk_full(_handle: int) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "fsync", disk_full)
    with pytest.raises(OSError, match="No space"):
        write(directory, tmp_path, outcome=Outcome.FAIL)
    monkeypatch.undo()
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]
    check_sums(directory)
    assert json.loads((directory / "preflight.json").read_text())["ready"] is True


@pytest.mark.parametrize("name", [".bundle.new", ".bundle.new.a1b2c3_x"])
def test_leftovers_of_a_killed_writer_are_removed(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    (tmp_path / name / "secrets.yaml").write_text(CANARY)
    write(tmp_path / "bundle", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


@pytest.mark.parametrize(
    ("name", "file"), [(".bundle.new.a1b2c3_x", "note"), (".bundle.new.mine", "plan.yaml"), (".b.new", "plan.yaml")]
)
def test_folders_that_no_writer_left_are_kept(tmp_path: Path, name: str, file: str) -> None:
    (tmp_path / name).mkdir()
    (tmp_path / name / file).touch()
    write(tmp_path / "bundle", tmp_path)
    assert (tmp_path / name / file).exists()


@needs_root
@pytest.mark.parametrize("name", [".bundle.new", ".bundle.new.a1b2c3_x", ".bundle.earlier"])
def test_folder_that_another_user_prepared_is_not_used(tmp_path: Path, name: str) -> None:
    """In a shared folder, another user creates the temporary folder first, to change the plan in it later."""
    (tmp_path / name).mkdir(mode=0o777)
    os.chown(tmp_path / name, STRANGER, STRANGER)
    tmp_path.chmod(0o1777)
    directory = write(tmp_path / "bundle", tmp_path)
    assert directory.stat().st_uid == 0
    assert mode(directory) == 0o700
    assert list((tmp_path / name).iterdir()) == []
    open_bundle(directory)


def test_bundle_in_a_folder_that_others_can_write_to_is_refused(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    with pytest.raises(BundleRefused, match="other users can write to"):
        write(shared / "bundle", tmp_path)
    with pytest.raises(BundleRefused, match="other users can write to"):
        write(shared / "new" / "bundle", tmp_path)
    assert list(shared.iterdir()) == []


@needs_root
def test_bundle_of_another_user_is_not_replaced(tmp_path: Path) -> None:
    directory = write(tmp_path / "bundle", tmp_path)
    os.chown(directory, STRANGER, -1)
    with pytest.raises(BundleRefused, match="belongs to the user nobody"):
        write(directory, tmp_path)


@needs_root
@pytest.mark.parametrize("part", [".", "plan.yaml", "known_hosts", SUMS, ".."])
def test_bundle_that_another_user_can_change_is_not_opened(tmp_path: Path, part: str) -> None:
    """The checksums prove nothing here, because the other user can write them too."""
    directory = write(tmp_path / "out" / "bundle", tmp_path)
    os.chown(directory / part, STRANGER, -1)
    with pytest.raises(UntrustedPath, match="belongs to the user nobody"):
        open_bundle(directory)


def test_bundle_in_a_folder_that_others_can_write_to_is_not_opened(tmp_path: Path) -> None:
    directory = write(tmp_path / "out" / "bundle", tmp_path)
    directory.parent.chmod(0o777)
    with pytest.raises(UntrustedPath, match="other users can write to"):
        open_bundle(directory)


@needs_root
def test_bundle_of_the_user_who_called_sudo_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = write(tmp_path / "bundle", tmp_path)
    for path in (directory, *directory.iterdir()):
        os.chown(path, STRANGER, -1)
    monkeypatch.setenv("SUDO_UID", str(STRANGER))
    assert open_bundle(directory).plan.ssh.password is not None


WRITE_FOREVER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from tests.support.factories.bundles import write
while True:
    write(Path(sys.argv[1]), Path("/"))
    print("written", flush=True)
"""


@pytest.mark.parametrize("swap", [True, False])
def test_bundle_is_complete_after_a_kill_at_any_time(tmp_path: Path, swap: bool) -> None:
    """Without an atomic swap the bundle may be missing after a kill; the next writer restores it first."""
    without = "import ctypes\nctypes.CDLL = lambda *_args, **_options: object()\nwhile"
    code = WRITE_FOREVER if swap else WRITE_FOREVER.replace("while", without)
    for attempt in range(4):
        arguments = [sys.executable, "-c", code, str(tmp_path / "bundle"), str(Path(__file__).parents[3])]
        with subprocess.Popen(arguments, stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            for _ in range(1 + 3 * attempt):
                assert writer.stdout.readline()
            writer.kill()
        if swap:
            check_sums(tmp_path / "bundle")
    write(tmp_path / "bundle", tmp_path)
    check_sums(tmp_path / "bundle")
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


def test_second_concurrent_writer_is_rejected(tmp_path: Path) -> None:
    with bundles._temporary_folder(tmp_path / "bundle"), pytest.raises(BundleRefused, match="is writing"):
        write(tmp_path / "bundle", tmp_path)
    write(tmp_path / "bundle", tmp_path)


def test_earlier_bundle_renamed_by_a_killed_writer_is_restored(tmp_path: Path) -> None:
    directory = write(tmp_path / "bundle", tmp_path)
    directory.rename(tmp_path / ".bundle.earlier")
    write(directory, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


@needs_root
def test_files_of_another_user_do_not_make_a_shared_folder_a_bundle(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    for name in ("SHA256SUMS", "plan.yaml", "setup.txt"):
        (shared / name).write_text("0  plan.yaml\n")
        os.chown(shared / name, STRANGER, -1)
    assert write(shared / "bundle", tmp_path).is_dir()
