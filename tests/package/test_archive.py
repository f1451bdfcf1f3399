"""Archives of packages: size and installability; hostile, truncated and damaged archives are rejected."""

import tarfile
from pathlib import Path

import pytest

from acp_tui.core.events import Progress
from acp_tui.package.archive import inspect
from acp_tui.package.archive_safety import PackageRefused
from acp_tui.package.extract import extract
from acp_tui.package.install_dir import STAGING, UnpackFailed
from acp_tui.plan.package_name import STAMP
from tests.support.package_builder import CORE, archive, core, file, special, symlink

Member = tuple[tarfile.TarInfo, bytes]


def file_with_pax_header(keyword: str, value: str) -> Member:
    """Return a file whose extended header overrides its plain header."""
    member, content = file("installer/claims")
    member.pax_headers = {keyword: value}
    return member, content


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
    monkeypatch.setattr("acp_tui.package.archive_safety._MAX_REMEMBERED", 1 << 20)
    deep = (file(f"installer/{number}" + "/down" * 90 + "/x") for number in range(100))
    package = core(tmp_path, *deep)
    with pytest.raises(PackageRefused, match="folder paths of the archive are too long in total"):
        inspect(package)


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
