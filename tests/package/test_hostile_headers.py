"""Whatever the bytes of an archive are: it is unpacked inside its folder, or refused with words. Nothing else."""

import tarfile
import tempfile
from contextlib import suppress
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from acp_tui.package.archive import inspect
from acp_tui.package.extract import extract
from acp_tui.package.install_dir import UnpackFailed
from acp_tui.package.tar_members import PackageRefused
from tests.support.package_builder import archive, file, special, symlink

with tempfile.TemporaryDirectory() as _made:
    WHOLE = archive(
        Path(_made) / "whole.tar",
        special("installer", tarfile.DIRTYPE),
        file("installer/" + "long/" * 30 + "name", b"x" * 700),
        file("installer/pax \u914d", b"y"),
        symlink("installer/link", "pax"),
    ).read_bytes()
    GNU = archive(
        Path(_made) / "gnu.tar", file("installer/" + "long/" * 30 + "name", b"x" * 700), form=tarfile.GNU_FORMAT
    ).read_bytes()


KINDS = {"pax": WHOLE, "gnu": GNU}


def _with_sum(data: bytearray, block: int) -> None:
    """Make the checksum of this header right, so that the change is believed."""
    header = data[block : block + 512]
    header[148:156] = b" " * 8
    data[block + 148 : block + 156] = b"%06o\0 " % sum(header)


@settings(max_examples=300)
@given(
    st.sampled_from(sorted(KINDS)),
    st.integers(0, 12),
    st.lists(st.tuples(st.sampled_from([*range(100, 157), *range(257, 265), *range(345, 512)]), st.integers(0, 255))),
)
def test_headers_of_any_content(kind: str, header: int, changes: list[tuple[int, int]]) -> None:
    data, block = bytearray(KINDS[kind]), header * 512 % (len(KINDS[kind]) - 512)
    for place, value in changes:
        data[block + place] = value
    _with_sum(data, block)
    _try(bytes(data))


@settings(max_examples=100)
@given(st.sampled_from(sorted(KINDS)), st.integers(0, 12), st.integers(-(2**63), 2**63 - 1))
def test_sizes_of_any_kind(kind: str, header: int, size: int) -> None:
    data, block = bytearray(KINDS[kind]), header * 512 % (len(KINDS[kind]) - 512)
    data[block + 124] = 0x80 if size >= 0 else 0xFF
    data[block + 125 : block + 136] = size.to_bytes(11, "big", signed=True)
    _with_sum(data, block)
    _try(bytes(data))


@settings(max_examples=100)
@given(
    st.sampled_from(["size", "mtime", "path", "linkpath", "GNU.sparse.map", "GNU.sparse.major", "GNU.sparse.realsize"]),
    st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(["-1", "nan", "inf", "1e999", "9" * 40, "1,2"]),
)
def test_extended_headers_of_any_content(keyword: str, value: str) -> None:
    member, content = file("installer/a", b"z" * 600)
    member.pax_headers = {keyword: value, "GNU.sparse.minor": "0"}
    with tempfile.TemporaryDirectory() as folder:
        whole = archive(Path(folder) / "a.tar", (member, content), file("installer/b")).read_bytes()
    _try(whole)


def _try(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        package, target = Path(folder) / "p.tar", Path(folder) / "deep" / "target"
        package.write_bytes(content)
        with suppress(PackageRefused):
            inspect(package)
        try:
            extract(package, target)
        except (PackageRefused, UnpackFailed):
            assert not target.exists() or list(target.iterdir()) == []
        assert {path.name for path in Path(folder).iterdir()} <= {"p.tar", "deep"}
        assert {path.name for path in (Path(folder) / "deep").iterdir()} == {"target"}
