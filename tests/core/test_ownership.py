"""Paths that only the operator and root can change are trusted; all others are not."""

import os
import pwd
from pathlib import Path

import pytest

from acp_tui.core.ownership import UntrustedPath, is_trusted, require_trusted, trusted_owners, weakness_of
from tests.support.other_users import STRANGER, needs_root


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A private folder with a file."""
    tmp_path.chmod(0o700)
    (tmp_path / "sub").mkdir(mode=0o755)
    (tmp_path / "sub" / "file").write_text("text", encoding="utf-8")
    (tmp_path / "sub" / "file").chmod(0o644)
    return tmp_path / "sub"


def test_own_file_in_own_folder_is_trusted(folder: Path) -> None:
    assert weakness_of(folder / "file") is None
    require_trusted(folder / "file")


@pytest.mark.parametrize(
    ("part", "mode"), [("file", 0o646), ("", 0o757), ("", 0o1777)], ids=["file", "parent", "sticky parent of a user"]
)
def test_write_access_for_others(folder: Path, part: str, mode: int, monkeypatch: pytest.MonkeyPatch) -> None:
    if mode == 0o1777 and os.geteuid() == 0:
        os.chown(folder, 1234, -1)
        monkeypatch.setenv("SUDO_UID", "1234")
    (folder / part).chmod(mode)
    weakness = weakness_of(folder / "file")
    assert weakness is not None
    assert weakness.path == folder / part
    assert f"mode {mode:o}" in weakness.reason


@needs_root
def test_sticky_folder_of_root_is_a_safe_parent_but_not_a_safe_target(folder: Path) -> None:
    folder.chmod(0o1777)
    assert weakness_of(folder / "file") is None
    assert weakness_of(folder / "new") is None
    assert weakness_of(folder) is not None


@needs_root
@pytest.mark.parametrize("part", ["file", ""])
def test_other_owner(folder: Path, part: str) -> None:
    os.chown(folder / part, STRANGER, -1)
    with pytest.raises(UntrustedPath, match="belongs to the user nobody"):
        require_trusted(folder / "file")


@needs_root
def test_sudo_user_counts_as_the_operator(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.chown(folder / "file", 1234, -1)
    assert not is_trusted(folder / "file")
    monkeypatch.setenv("SUDO_UID", "1234")
    assert is_trusted(folder / "file")
    assert trusted_owners() == {0, 1234}


@needs_root
@pytest.mark.parametrize("value", ["", "x", "-1", "1234x", "١٢٣٤"])
def test_unusable_sudo_uid_adds_nobody(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_UID", value)
    assert trusted_owners() == {0}


@needs_root
def test_group_write_is_trusted_only_for_a_private_group(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = folder / "file"
    file.chmod(0o664)
    os.chown(file, 0, 1)  # the group daemon
    assert not is_trusted(file)
    os.chown(file, 0, 0)
    monkeypatch.setattr(pwd, "getpwall", lambda: [pwd.getpwuid(0)])
    assert is_trusted(file)
    sync = pwd.struct_passwd(("sync", "x", 5, 0, "", "/", "/bin/sync"))
    monkeypatch.setattr(pwd, "getpwall", lambda: [pwd.getpwuid(0), sync])
    assert not is_trusted(file)


@needs_root
def test_access_control_list_with_write_access(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pwd, "getpwall", lambda: [pwd.getpwuid(0)])
    file = folder / "file"
    file.chmod(0o664)
    monkeypatch.setattr(os, "getxattr", lambda path, name, follow_symlinks: b"an access control list")
    assert not is_trusted(file)


@needs_root
def test_link_of_another_user_in_a_sticky_folder(folder: Path) -> None:
    folder.chmod(0o1777)
    link = folder / "link"
    link.symlink_to("file")
    assert is_trusted(link)
    os.lchown(link, STRANGER, -1)
    assert not is_trusted(link)


@needs_root
def test_target_of_a_link_and_its_parents_count(folder: Path, tmp_path: Path) -> None:
    (folder / "link").symlink_to(tmp_path / "open" / ".." / "open" / "file")
    (tmp_path / "open").mkdir()
    (tmp_path / "open" / "file").touch()
    assert is_trusted(folder / "link")
    (tmp_path / "open").chmod(0o777)
    assert not is_trusted(folder / "link")


def test_missing_path_is_judged_by_its_parents(folder: Path) -> None:
    assert weakness_of(folder / "missing" / "deeper") is None
    folder.chmod(0o777)
    assert weakness_of(folder / "missing" / "deeper") is not None


def test_link_to_itself_ends(folder: Path) -> None:
    (folder / "loop").symlink_to("loop")
    with pytest.raises(OSError, match="symbolic links"):
        weakness_of(folder / "loop")
    assert not is_trusted(folder / "loop")


def test_relative_path_starts_at_the_current_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert is_trusted(Path("file"))
    assert is_trusted(Path("../sub/file"))
    folder.chmod(0o777)
    assert not is_trusted(Path("file"))


def test_message_names_path_rule_and_way_out(folder: Path) -> None:
    folder.chmod(0o777)
    with pytest.raises(UntrustedPath) as caught:
        require_trusted(folder / "file")
    message = caught.value.message
    assert caught.value.strerror == message  # handlers of OSError show it
    assert str(folder / "file") in message
    assert "chown or chmod" in message
