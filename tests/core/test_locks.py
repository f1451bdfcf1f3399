"""Locks on files and folders: exclusive, and released when the file is closed or the process ends."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from acp_tui.core.locks import locked_folder, new_locked_folder, try_lock, wait_for_lock

HOLDER = """
import sys
from acp_tui.core.locks import wait_for_lock
lock = open(sys.argv[1], "a")
wait_for_lock(lock)
print("locked", flush=True)
sys.stdin.read()
"""


def test_second_lock_fails_until_the_first_file_is_closed(tmp_path: Path) -> None:
    first, second = (tmp_path / "lock").open("a"), (tmp_path / "lock").open("a")
    assert try_lock(first)
    assert not try_lock(second, attempts=2)
    first.close()
    assert try_lock(second)
    second.close()


def test_lock_of_a_killed_process_is_released(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLDER, str(tmp_path / "lock")]
    with (
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder,
        (tmp_path / "lock").open("a") as own,
    ):
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"locked\n"
        assert not try_lock(own)
        holder.kill()
        holder.wait()
        assert try_lock(own)


def test_executed_program_does_not_inherit_the_lock(tmp_path: Path) -> None:
    with (tmp_path / "lock").open("a") as first:
        wait_for_lock(first)
        child = subprocess.Popen(["sleep", "60"], close_fds=False)
    try:
        with (tmp_path / "lock").open("a") as second:
            assert try_lock(second)
    finally:
        child.kill()
        child.wait()


def test_locked_folder_yields_none_while_it_is_held(tmp_path: Path) -> None:
    with locked_folder(tmp_path) as first, locked_folder(tmp_path) as second:
        assert first is not None
        assert second is None
    with locked_folder(tmp_path) as again:
        assert again is not None
        assert os.fstat(again).st_ino == tmp_path.stat().st_ino


def test_link_to_a_folder_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "folder")
    with pytest.raises(NotADirectoryError), locked_folder(tmp_path / "link"):
        pass


def test_new_locked_folder_is_private_and_can_be_removed(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    with new_locked_folder(folder) as first, new_locked_folder(folder) as second:
        assert (first, second) == (True, False)
        assert folder.stat().st_mode & 0o777 == 0o700
        folder.rmdir()
        with new_locked_folder(folder) as third:  # another folder, although the first one is still locked
            assert third
