"""The install folder: files that stay or are replaced, the stamp, the staging folder, the lock and the free space."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from acp_tui.core.events import Progress
from acp_tui.package.extract import extract
from acp_tui.package.install_dir import (
    STAGING,
    FileIdentity,
    Placed,
    UnpackFailed,
    free_space_after,
    locked_install_dir,
    unpacked,
)
from acp_tui.plan.package_name import STAMP
from tests.support.package_builder import CORE, EXTENSIONS, archive, core, file, symlink


def test_unpacked_package_is_not_unpacked_again(tmp_path: Path) -> None:
    package, target = core(tmp_path), tmp_path / "target"
    assert extract(package, target)
    (target / "installer" / "mine").touch()
    events: list[Progress] = []
    assert not extract(package, target, events.append)
    assert (target / "installer" / "mine").exists()
    assert events == [Progress(CORE, package.stat().st_size, package.stat().st_size)]


def test_other_package_replaces_the_unpacked_one(tmp_path: Path) -> None:
    target = tmp_path / "target"
    extract(core(tmp_path), target)
    newer = core(tmp_path, file("installer/new"), name="installer-core-v4.0.4-x86.tar")
    (target / "installer" / "old").touch()
    assert extract(newer, target)
    assert (target / "installer" / "new").exists()
    assert not (target / "installer" / "old").exists()
    assert {kind: replace(entry, files="", not_verified="") for kind, entry in unpacked(target).items()} == {
        "core": Placed(FileIdentity.of(newer), entries=("installer",))
    }
    assert not (target / STAGING).exists()


def test_other_files_in_the_target_are_not_replaced(tmp_path: Path) -> None:
    """The target is often `/root`, so a package must not replace files that acp-tui did not unpack there."""
    target = tmp_path / "target"
    (target / ".ssh").mkdir(parents=True)
    (target / ".ssh" / "authorized_keys").write_text("mine")
    with pytest.raises(UnpackFailed, match="Move it to a different folder"):
        extract(core(tmp_path, file(".ssh/authorized_keys", b"theirs")), target)
    assert sorted(path.name for path in target.iterdir()) == [".ssh"]
    assert extract(core(tmp_path, file("top.txt", b"1")), target)
    assert extract(core(tmp_path, file("top.txt", b"2"), name="installer-core-v4.0.4-x86.tar"), target)
    assert (target / "top.txt").read_bytes() == b"2"  # acp-tui replaces its own file
    extensions = archive(tmp_path / EXTENSIONS, file("installer/a"), file(".ssh/rc", b"theirs"))
    with pytest.raises(UnpackFailed, match="Move it to a different folder"):
        extract(extensions, target, kind="extensions")
    assert [path.name for path in (target / ".ssh").iterdir()] == ["authorized_keys"]
    assert not (target / "installer" / "a").exists()


def test_installer_folder_without_a_stamp_is_not_replaced(tmp_path: Path) -> None:
    target = tmp_path / "target"
    (target / "installer").mkdir(parents=True)
    (target / "installer" / "precious").touch()
    with pytest.raises(UnpackFailed, match="did not unpack"):
        extract(core(tmp_path), target)
    assert sorted(path.name for path in target.rglob("*")) == ["installer", "precious"]


def test_staging_folder_of_a_killed_run_is_removed(tmp_path: Path) -> None:
    package, target = core(tmp_path), tmp_path / "target"
    (target / STAGING / "new" / "installer").mkdir(parents=True)
    (target / STAGING / "new" / "installer" / "half").touch()
    assert extract(package, target)
    assert not (target / STAGING).exists()
    assert not (target / "installer" / "half").exists()


def test_package_is_unpacked_again_after_a_kill_while_moving(tmp_path: Path) -> None:
    package, target = core(tmp_path), tmp_path / "target"
    extract(package, target)
    (target / STAMP).write_text("{}")  # its content until all files are in place
    assert extract(package, target)


def test_second_concurrent_unpacking_is_rejected(tmp_path: Path) -> None:
    target = tmp_path / "target"
    with locked_install_dir(target), pytest.raises(UnpackFailed, match="Another"):
        extract(core(tmp_path), target)


def test_lock_that_any_user_can_hold_does_not_prevent_unpacking(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.mkdir(mode=0o755)
    with target_lock(target), locked_install_dir(target) as staging:
        assert staging.stat().st_mode & 0o777 == 0o700


@contextmanager
def target_lock(target: Path) -> Iterator[None]:
    """Hold the lock of a folder that every user can open."""
    handle = os.open(target, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def test_extensions_are_unpacked_into_the_folder_of_the_core(tmp_path: Path) -> None:
    target = tmp_path / "target"
    extensions = archive(
        tmp_path / EXTENSIONS,
        file("installer/plugins/a.tgz", b"plugin"),
        file("installer/res/init.sh", b"newer"),
        file("installer/setup", b"no link any more"),
    )
    with pytest.raises(UnpackFailed, match="Unpack the Core Package"):
        extract(extensions, target, kind="extensions")
    package = core(tmp_path)
    extract(package, target)
    assert extract(extensions, target, kind="extensions")
    assert (target / "installer" / "setup.sh").exists()
    assert (target / "installer" / "res" / "init.sh").read_bytes() == b"newer"
    assert (target / "installer" / "plugins" / "a.tgz").read_bytes() == b"plugin"
    assert (target / "installer" / "setup").read_bytes() == b"no link any more"
    assert (target / "installer" / "setup.sh").read_bytes().startswith(b"#!")
    assert not extract(extensions, target, kind="extensions")
    assert not extract(package, target)


def test_extensions_do_not_write_through_a_link_of_the_core(tmp_path: Path) -> None:
    target = tmp_path / "target"
    extract(core(tmp_path, symlink("installer/plugins", "res")), target)
    extensions = archive(tmp_path / EXTENSIONS, file("installer/extra"), file("installer/plugins/a"))
    with pytest.raises(UnpackFailed, match="Move it to a different folder"):
        extract(extensions, target, kind="extensions")
    assert not (target / "installer" / "extra").exists()
    assert list(unpacked(target)) == ["core"]


def test_free_space_after_unpacking(tmp_path: Path) -> None:
    queried: list[Path] = []

    def free(folder: Path) -> int:
        queried.append(folder)
        return 150

    assert free_space_after(tmp_path / "missing" / "folder", 100, free) == 50
    assert free_space_after(tmp_path, 200, free) == -50
    assert queried == [tmp_path, tmp_path]
