"""Private folders and files of the state folder, which another user must not be able to change."""

import os
import stat
from pathlib import Path

import pytest

from acp_tui.core import files
from acp_tui.core.files import create_file, private_folder, read_trusted, write_atomically
from acp_tui.core.ownership import UntrustedPath
from tests.support.other_users import STRANGER, needs_root


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_private_folder_and_its_new_parents_are_accessible_only_to_their_owner(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        folder = private_folder(tmp_path / "a" / "b")
    finally:
        os.umask(before)
    assert (mode(folder), mode(folder.parent)) == (0o700, 0o700)


def test_existing_folder_keeps_its_mode(tmp_path: Path) -> None:
    """Other programs can need it: a folder such as / or /tmp must never lose its permissions."""
    tmp_path.chmod(0o755)
    assert mode(private_folder(tmp_path)) == 0o755


@needs_root
def test_private_folder_of_another_user_is_refused_and_unchanged(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.mkdir(mode=0o755)
    os.chown(folder, STRANGER, -1)
    with pytest.raises(UntrustedPath, match="belongs to the user nobody"):
        private_folder(folder)
    assert mode(folder) == 0o755
    with pytest.raises(UntrustedPath):
        private_folder(folder / "installs")
    assert list(folder.iterdir()) == []


def test_private_folder_below_a_folder_that_others_can_write_to_is_refused(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared").chmod(0o777)
    with pytest.raises(OSError, match="other users can write to"):
        private_folder(tmp_path / "shared" / "state")
    assert list((tmp_path / "shared").iterdir()) == []


@needs_root
def test_file_of_another_user_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"text")
    assert read_trusted(tmp_path / "file") == b"text"
    os.chown(tmp_path / "file", STRANGER, -1)
    with pytest.raises(UntrustedPath, match="belongs to the user nobody"):
        read_trusted(tmp_path / "file")


@needs_root
def test_link_of_another_user_to_a_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "folder")
    write_atomically(link / "report", "own link")
    os.lchown(link, STRANGER, -1)
    with pytest.raises(UntrustedPath, match="link belongs to the user nobody"):
        write_atomically(link / "report", "other link")
    assert (tmp_path / "folder" / "report").read_text() == "own link"


def test_file_is_written_to_the_folder_that_was_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, other = tmp_path / "folder", tmp_path / "other"
    folder.mkdir()
    other.mkdir()
    real_sync = os.fsync

    def replace_folder(handle: int) -> None:
        """Replace the folder by a link while its new file is written, as its owner can do."""
        monkeypatch.setattr(os, "fsync", real_sync)
        folder.rename(tmp_path / "moved")
        folder.symlink_to(other)

    monkeypatch.setattr(os, "fsync", replace_folder)
    write_atomically(folder / "report", "text")
    assert [path.name for path in (tmp_path / "moved").iterdir()] == ["report"]
    assert list(other.iterdir()) == []


def test_created_file_is_private_and_never_one_that_exists(tmp_path: Path) -> None:
    with create_file(tmp_path / "new") as file:
        file.write(b"text")
    assert mode(tmp_path / "new") == 0o600
    (tmp_path / "link").symlink_to(tmp_path / "target")
    for name in ("new", "link"):
        with pytest.raises(FileExistsError):
            create_file(tmp_path / name)
    assert not (tmp_path / "target").exists()


@needs_root
def test_file_that_another_user_creates_after_the_check_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "file"

    def created(_path: Path) -> None:
        """Create the file right after its path was checked, as another user can do in /tmp."""
        file.write_text("theirs")
        os.chown(file, STRANGER, -1)

    monkeypatch.setattr(files, "require_trusted", created)
    with pytest.raises(UntrustedPath):
        read_trusted(file)
