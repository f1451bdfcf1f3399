"""Inspection and unpacking of archives: safe and complete ones unchanged, any other leaves no files."""

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
from acp_tui.package.install_dir import (
    STAGING,
    STAMP,
    FileIdentity,
    Placed,
    UnpackFailed,
    free_space_after,
    locked_install_dir,
    unpacked,
)
from acp_tui.package.reader import Cancelled
from acp_tui.package.tar_members import PackageRefused
from tests.support.package_builder import CORE, EXTENSIONS, archive, core, file, special, symlink

Member = tuple[tarfile.TarInfo, bytes]


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


def file_with_pax_header(keyword: str, value: str) -> Member:
    """Return a file whose extended header overrides its plain header."""
    member, content = file("installer/claims")
    member.pax_headers = {keyword: value}
    return member, content


HOSTILE: list[tuple[str, tuple[Member, ...]]] = [
    ("absolute", (file("/etc/cron.d/x"),)),
    ("parent", (file("installer/../../x"),)),
    ("parent that comes back", (file("installer/../installer/x"),)),
    ("only parents", (special("..", tarfile.DIRTYPE),)),
    ("empty name", (file(""),)),
    ("control characters", (file("installer/a\nb"),)),
    ("link to an absolute path", (symlink("installer/x", "/etc/passwd"),)),
    ("link out of the target", (symlink("installer/x", "../../etc"),)),
    ("link that ends outside after detours", (symlink("installer/x", "res/../../../etc"),)),
    ("link to nothing", (symlink("installer/x", ""),)),
    ("file below a link", (symlink("installer/x", "res"), file("installer/x/y"))),
    ("link below a link", (symlink("installer/l", ".."), symlink("installer/l/l2", ".."))),
    ("file in place of a link", (symlink("installer/x", "res"), file("installer/x"))),
    ("folder in place of a link", (symlink("installer/x", "res"), special("installer/x", tarfile.DIRTYPE))),
    ("link in place of a folder", (symlink("installer/res", "/"),)),
    ("link in place of a file", (symlink("installer/setup.sh", "res"),)),
    ("file below a file", (file("installer/setup.sh/x"),)),
    ("file in place of a folder", (file("installer/res"),)),
    ("hard link out", (special("installer/x", tarfile.LNKTYPE, "../../etc/passwd"),)),
    ("hard link to an absolute path", (special("installer/x", tarfile.LNKTYPE, "/etc/passwd"),)),
    ("hard link to a missing file", (special("installer/x", tarfile.LNKTYPE, "installer/later"),)),
    ("hard link to a link", (symlink("installer/x", "res"), special("installer/y", tarfile.LNKTYPE, "installer/x"))),
    ("hard link to itself", (file("installer/x"), special("installer/x", tarfile.LNKTYPE, "installer/x"))),
    ("the stamp of acp-tui", (file(STAMP),)),
    ("the staging folder of acp-tui", (file(f"{STAGING}/new/x"),)),
    ("deeper than the limit of the filesystem", (file("installer" + "/a" * 1500),)),
    ("name longer than the limit of the filesystem", (file("installer/" + "é" * 200),)),
    ("device", (special("installer/x", tarfile.CHRTYPE),)),
    ("block device", (special("installer/x", tarfile.BLKTYPE),)),
    ("pipe", (special("installer/x", tarfile.FIFOTYPE),)),
    ("negative size", (file_with_pax_header("size", "-512"),)),
    ("infinite time", (file_with_pax_header("mtime", "inf"),)),
    ("time that is not a number", (file_with_pax_header("mtime", "nan"),)),
]


@pytest.mark.parametrize(("members"), [members for _name, members in HOSTILE], ids=[name for name, _members in HOSTILE])
def test_hostile_members_are_rejected_before_any_file_is_in_place(members: tuple[Member, ...], tmp_path: Path) -> None:
    package = core(tmp_path, *members)
    target = tmp_path / "deep" / "down" / "target"
    with pytest.raises(PackageRefused) as refused:
        extract(package, target)
    assert ascii(members[-1][0].name[:200])[1:-1] in str(refused.value)
    assert list(target.iterdir()) == []
    with pytest.raises(PackageRefused):
        inspect(package)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["deep", CORE]


def test_too_many_long_folder_names_are_rejected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("acp_tui.package.tar_members._MAX_REMEMBERED", 1 << 20)
    deep = (file(f"installer/{number}" + "/down" * 90 + "/x") for number in range(100))
    package = core(tmp_path, *deep)
    with pytest.raises(PackageRefused, match="folder paths of the archive are too long in total"):
        inspect(package)


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
    assert sorted(path.name for path in target.iterdir()) == [STAMP, "installer", "top.txt"]


def test_long_names_of_gnu_and_pax_are_unpacked(tmp_path: Path) -> None:
    """Long names in the GNU and pax formats."""
    long_name = "installer/" + "a" * 90 + "/" + "b" * 90
    for form, name in ((tarfile.GNU_FORMAT, "gnu"), (tarfile.PAX_FORMAT, "pax")):
        package = archive(tmp_path / f"{name}.tar", file(long_name), form=form)
        extract(package, tmp_path / name)
        assert (tmp_path / name / long_name).read_bytes() == b"x"


def test_size_and_installability_are_inspected(tmp_path: Path) -> None:
    contents = inspect(core(tmp_path))
    assert contents.installable
    assert contents.size == 256 * 12_000 + 23 + 12
    assert not inspect(archive(tmp_path / "other.tar", file("readme"))).installable


def test_hard_link_named_setup_is_installable(tmp_path: Path) -> None:
    members = (file("installer/x"), special("installer/setup.sh", tarfile.LNKTYPE, "installer/x"))
    package = archive(tmp_path / CORE, *members, file("installer/res/init.sh"))
    assert inspect(package).installable


def test_symbolic_link_named_setup_is_not_installable(tmp_path: Path) -> None:
    package = archive(tmp_path / CORE, symlink("installer/setup.sh", "x"), file("installer/res/init.sh"))
    assert not inspect(package).installable


def cut(package: Path, length: int) -> None:
    with package.open("r+b") as archive_file:
        archive_file.truncate(length)


@pytest.mark.parametrize("missing", [513, 1024, 10_240, 1_000_000, 3_000_000])
def test_truncated_package_is_rejected(tmp_path: Path, missing: int) -> None:
    package = archive(tmp_path / CORE, file("installer/setup.sh", b"x" * 4_000_000))
    data = package.read_bytes().rstrip(b"\0")
    length = (len(data) + 511) // 512 * 512 + 1024
    cut(package, length - missing)
    for read in (inspect, lambda path: extract(path, tmp_path / "target")):
        with pytest.raises(PackageRefused):
            read(package)
    assert list((tmp_path / "target").iterdir()) == []


def test_damaged_header_in_the_middle_is_rejected(tmp_path: Path) -> None:
    package = archive(tmp_path / CORE, file("installer/a", b"a" * 512), file("installer/b"), file("installer/c"))
    with package.open("r+b") as damaged:
        damaged.seek(1024)  # the header of b
        damaged.write(b"\xff" * 300)
    for read in (inspect, lambda path: extract(path, tmp_path / "target")):
        with pytest.raises(PackageRefused):
            read(package)


@pytest.mark.parametrize("content", [b"", b"hello", b"\x1f\x8b" + b"x" * 3000, bytes(10_240), b"\xff" * 10_240])
def test_file_that_is_not_an_archive_is_rejected(tmp_path: Path, content: bytes) -> None:
    package = tmp_path / CORE
    package.write_bytes(content)
    if content.strip(b"\0"):
        with pytest.raises(PackageRefused):
            inspect(package)
        with pytest.raises(PackageRefused):
            extract(package, tmp_path / "target")
    elif content:
        assert not inspect(package).installable


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
    assert unpacked(target) == {"core": Placed(FileIdentity.of(newer), entries=("installer",))}
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


@pytest.mark.parametrize("complete", [True, False])
def test_package_that_grows_while_it_is_read_is_rejected(tmp_path: Path, complete: bool) -> None:
    package, events = core(tmp_path), list[Progress]()
    if not complete:
        cut(package, 2_000_000)

    def grow_package(progress: Progress) -> None:
        events.append(progress)
        if len(events) == 2:
            with package.open("ab") as archive_file:
                archive_file.write(bytes(512))

    with pytest.raises(UnpackFailed, match="changed while acp-tui read it"):
        extract(package, tmp_path / "target", grow_package)
    assert list((tmp_path / "target").iterdir()) == []


def test_package_truncated_at_any_block_is_rejected(tmp_path: Path) -> None:
    """In a header, an extended header, a long name, data, padding and the end."""
    long_name = "installer/" + "n" * 150
    for form in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT):
        complete = archive(
            tmp_path / "complete", file(long_name, b"x" * 700), file("installer/b", b"y" * 512), form=form
        )
        content = complete.read_bytes().rstrip(b"\0")
        end = (len(content) + 511) // 512 * 512 + 1024
        content = content.ljust(end, b"\0")
        for length in sorted({block + shift for block in range(512, end, 512) for shift in (-1, 0, 1)}):
            package = tmp_path / CORE
            package.write_bytes(content[:length])
            with pytest.raises(PackageRefused):
                extract(package, tmp_path / "target")
            assert list((tmp_path / "target").iterdir()) == []


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


def test_free_space_after_unpacking(tmp_path: Path) -> None:
    queried: list[Path] = []

    def free(folder: Path) -> int:
        queried.append(folder)
        return 150

    assert free_space_after(tmp_path / "missing" / "folder", 100, free) == 50
    assert free_space_after(tmp_path, 200, free) == -50
    assert queried == [tmp_path, tmp_path]
