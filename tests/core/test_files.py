"""Private folders and files of the state folder, which another user must not be able to change."""

import os
import stat
from pathlib import Path

import pytest

from acp_tui.core.files import private_folder, read_trusted
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
