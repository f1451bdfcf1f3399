"""Unpacking of archives: files are unchanged, and a cancelled or failed run leaves no files."""

import os
import stat
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from acp_tui.core.events import Progress
from acp_tui.package.archive import inspect
from acp_tui.package.extract import extract
from acp_tui.package.install_dir import UnpackFailed
from acp_tui.package.reader import Cancelled
from acp_tui.plan.package_name import STAMP
from tests.support.package_builder import archive, core, file, special, symlink


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a filesystem of 1 MB and return its folder."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(disk)]
    if os.geteuid() or subprocess.run(mount, check=False).returncode:
        pytest.skip("needs root, to mount a small filesystem")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_files_modes_times_and_links_are_unpacked_unchanged(tmp_path: Path) -> None:
    package = core(
        tmp_path,
        special("installer/same.sh", tarfile.LNKTYPE, "installer/setup.sh"),
        symlink("installer/res/up", "../images/big.img"),
        file("installer/配置 文件.txt", b"text"),
        file("installer/twice", b"first"),
        file("installer/twice", b"second"),
        file("./installer/root.sh", b"x", 0o4755),
        file("top.txt", b"top"),
    )
    target = tmp_path / "target"
    assert extract(package, target)
    installer = target / "installer"
    assert (installer / "setup.sh").read_bytes() == b"#!/bin/bash\necho setup\n"
    assert stat.S_IMODE((installer / "setup.sh").stat().st_mode) == 0o755
    assert (installer / "setup.sh").stat().st_mtime == 1_700_000_000
    assert (installer / "images" / "big.img").stat().st_size == 256 * 12_000
    assert (installer / "setup").readlink() == Path("setup.sh")
    assert (installer / "same.sh").samefile(installer / "setup.sh")
    assert (installer / "res" / "up").samefile(installer / "images" / "big.img")
    assert (installer / "配置 文件.txt").read_bytes() == b"text"
    assert (installer / "twice").read_bytes() == b"second"
    assert stat.S_IMODE((installer / "root.sh").stat().st_mode) == 0o755  # setuid is removed
    assert (target / "top.txt").read_bytes() == b"top"
    assert sorted(path.name for path in target.iterdir()) == [
        ".acp-tui-core-files.json",
        STAMP,
        "installer",
        "top.txt",
    ]


def test_only_the_owner_can_write_to_unpacked_files(tmp_path: Path) -> None:
    folder, no_content = special("installer/shared", tarfile.DIRTYPE)
    folder.mode = 0o3777
    package = core(
        tmp_path,
        (folder, no_content),
        file("installer/shared/run.sh", b"x", 0o6777),
        file("installer/group.sh", b"x", 0o775),
        special("installer/hard.sh", tarfile.LNKTYPE, "installer/group.sh"),
        file("installer/a/b/c.sh", b"x", 0o666),
    )
    before = os.umask(0)  # folders without an entry in the archive depend on it
    try:
        extract(package, tmp_path / "target")
    finally:
        os.umask(before)
    installer = tmp_path / "target" / "installer"
    modes = {str(path.relative_to(installer)): stat.S_IMODE(path.stat().st_mode) for path in installer.rglob("*")}
    assert {name for name, mode in modes.items() if mode & 0o7022} == set()
    assert (modes["shared"], modes["shared/run.sh"], modes["a/b/c.sh"]) == (0o755, 0o755, 0o644)


def test_long_names_of_gnu_and_pax_are_unpacked(tmp_path: Path) -> None:
    """Long names in the GNU and pax formats."""
    long_name = "installer/" + "a" * 90 + "/" + "b" * 90
    for form, name in ((tarfile.GNU_FORMAT, "gnu"), (tarfile.PAX_FORMAT, "pax")):
        package = archive(tmp_path / f"{name}.tar", file(long_name), form=form)
        extract(package, tmp_path / name)
        assert (tmp_path / name / long_name).read_bytes() == b"x"


def test_sparse_file_stays_sparse(tmp_path: Path) -> None:
    holes = tmp_path / "in" / "installer" / "disk.img"
    holes.parent.mkdir(parents=True)
    with holes.open("wb") as sparse:
        sparse.write(b"begin")
        sparse.seek(1 << 40)
        sparse.write(b"end")
    for form in ("gnu", "posix"):
        package = tmp_path / f"{form}.tar"
        command = ["tar", "-S", f"--format={form}", "-cf", str(package), "-C", str(tmp_path / "in"), "installer"]
        subprocess.run(command, check=True)
        assert inspect(package).size < 1 << 20
        extract(package, tmp_path / form)
        unpacked_file = tmp_path / form / "installer" / "disk.img"
        assert (unpacked_file.stat().st_size, unpacked_file.stat().st_blocks * 512 < 1 << 20) == ((1 << 40) + 3, True)
        with unpacked_file.open("rb") as written:
            assert written.read(6) == b"begin\0"
            written.seek(1 << 40)
            assert written.read() == b"end"


def test_cancelled_unpacking_leaves_no_files(tmp_path: Path) -> None:
    target, events = tmp_path / "target", list[Progress]()
    with pytest.raises(Cancelled):
        extract(core(tmp_path), target, events.append, lambda: len(events) > 1)
    assert list(target.iterdir()) == []


def test_full_disk_leaves_no_files(tmp_path: Path, small_disk: Path) -> None:
    with pytest.raises(UnpackFailed, match="no free space"):
        extract(core(tmp_path), small_disk / "target")
    assert list((small_disk / "target").iterdir()) == []


def test_target_that_cannot_be_created_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UnpackFailed, match="Cannot unpack"):
        extract(core(tmp_path), tmp_path / "file" / "target")


def test_progress_counts_bytes_of_the_package(tmp_path: Path) -> None:
    package, events = core(tmp_path), list[Progress]()
    extract(package, tmp_path / "target", events.append)
    size = package.stat().st_size
    assert (events[0].done, events[-1].done, events[-1].total) == (0, size, size)
    assert len(events) > 2
