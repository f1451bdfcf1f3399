"""Archives with random header bytes: unpacked inside the target, or rejected; no other error."""

import tarfile
import tempfile
from contextlib import suppress
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from acp_tui.package.archive import inspect
from acp_tui.package.archive_safety import PackageRefused
from acp_tui.package.extract import extract
from acp_tui.package.install_dir import UnpackFailed
from tests.support.package_builder import archive, file, special, symlink

with tempfile.TemporaryDirectory() as _folder:
    PAX = archive(
        Path(_folder) / "pax.tar",
        special("installer", tarfile.DIRTYPE),
        file("installer/" + "long/" * 30 + "name", b"x" * 700),
        file("installer/pax \u914d", b"y"),
        symlink("installer/link", "pax"),
    ).read_bytes()
    GNU = archive(
        Path(_folder) / "gnu.tar", file("installer/" + "long/" * 30 + "name", b"x" * 700), form=tarfile.GNU_FORMAT
    ).read_bytes()


KINDS = {"pax": PAX, "gnu": GNU}


def _write_checksum(data: bytearray, block: int) -> None:
    """Write the correct checksum of this header, so that the reader accepts the change."""
    header = data[block : block + 512]
    header[148:156] = b" " * 8
    data[block + 148 : block + 156] = b"%06o\0 " % sum(header)


@settings(max_examples=300)
@given(
    st.sampled_from(sorted(KINDS)),
    st.integers(0, 12),
    st.lists(st.tuples(st.sampled_from([*range(100, 157), *range(257, 265), *range(345, 512)]), st.integers(0, 255))),
)
def test_random_header_bytes(kind: str, header: int, changes: list[tuple[int, int]]) -> None:
    data, block = bytearray(KINDS[kind]), header * 512 % (len(KINDS[kind]) - 512)
    for offset, value in changes:
        data[block + offset] = value
    _write_checksum(data, block)
    _unpack_or_reject(bytes(data))


@settings(max_examples=100)
@given(st.sampled_from(sorted(KINDS)), st.integers(0, 12), st.integers(-(2**63), 2**63 - 1))
def test_random_member_size(kind: str, header: int, size: int) -> None:
    data, block = bytearray(KINDS[kind]), header * 512 % (len(KINDS[kind]) - 512)
    data[block + 124] = 0x80 if size >= 0 else 0xFF
    data[block + 125 : block + 136] = size.to_bytes(11, "big", signed=True)
    _write_checksum(data, block)
    _unpack_or_reject(bytes(data))


@settings(max_examples=100)
@given(
    st.sampled_from(["size", "mtime", "path", "linkpath", "GNU.sparse.map", "GNU.sparse.major", "GNU.sparse.realsize"]),
    st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(["-1", "nan", "inf", "1e999", "9" * 40, "1,2"]),
)
def test_random_extended_header(keyword: str, value: str) -> None:
    member, data = file("installer/a", b"z" * 600)
    member.pax_headers = {keyword: value, "GNU.sparse.minor": "0"}
    with tempfile.TemporaryDirectory() as folder:
        content = archive(Path(folder) / "a.tar", (member, data), file("installer/b")).read_bytes()
    _unpack_or_reject(content)


def _unpack_or_reject(content: bytes) -> None:
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
