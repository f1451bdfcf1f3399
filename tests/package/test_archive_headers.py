"""Archives with hostile headers: rejected with the broken rule, in little time and memory, before any verification."""

import io
import tarfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from acp_tui.package.archive import inspect
from acp_tui.package.archive_safety import PackageRefused
from acp_tui.package.extract import extract
from tests.support.package_builder import CORE, archive, file

SECONDS = 10
"""The limit for one archive, far above the usual time. Without the limits of acp-tui, some archives need hours."""
MEMORY = 64 << 20
"""The limit for the memory of one archive, in bytes."""


def header(kind: bytes, content: bytes, size: int | None = None) -> bytes:
    """Return an extended header. `size`: the size that the header states, if not that of its content."""
    member = tarfile.TarInfo("extended")
    member.type, member.size = kind, len(content) if size is None else size
    return member.tobuf(tarfile.GNU_FORMAT) + content.ljust(-(-len(content) // 512) * 512, b"\0")


def record(keyword: bytes, value: bytes) -> bytes:
    """Return one record of an extended header."""
    rest = b" " + keyword + b"=" + value + b"\n"
    length = len(rest) + 1
    while len(b"%d" % length) + len(rest) != length:
        length += 1
    return b"%d" % length + rest


def pax(*records: bytes, kind: bytes = tarfile.XHDTYPE) -> bytes:
    return header(kind, b"".join(records))


def member(name: str = "installer/a", content: bytes = b"x", kind: bytes = tarfile.REGTYPE) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.type, info.mtime = len(content), kind, 1_700_000_000
    return info.tobuf(tarfile.USTAR_FORMAT) + content.ljust(-(-len(content) // 512) * 512, b"\0")


def old_sparse_map(blocks: int) -> bytes:
    """Return a sparse file in the old GNU format, with this number of blocks in its map."""
    entries = b"".join(b"%011o\0%011o\0" % (place, 1) for place in range(1, 22)).ljust(504, b"\0")
    start = bytearray(member("installer/sparse", b"", tarfile.GNUTYPE_SPARSE))
    start[482] = 1
    start[148:156] = b" " * 8
    start[148:156] = b"%06o\0 " % sum(start)
    return bytes(start) + (entries + b"\1").ljust(512, b"\0") * blocks


def new_sparse_map(numbers: int) -> bytes:
    """Return a sparse file in the newest GNU format. Its map is in the data of the member."""
    content = b"%d\n" % (numbers // 2) + b"0\n" * numbers
    records = (record(b"GNU.sparse.major", b"1"), record(b"GNU.sparse.minor", b"0"))
    return pax(*records) + member("installer/sparse", content)


DIGITS = b"9" * 800_000
HOSTILE: list[tuple[str, Callable[[], bytes], str]] = [
    ("chain of pax headers", lambda: pax(record(b"comment", b"c")) * 50_000, "more than 10 extended headers"),
    ("chain of global headers", lambda: pax(kind=tarfile.XGLTYPE) * 50_000, "more than 10 extended headers"),
    ("chain of long names", lambda: header(tarfile.GNUTYPE_LONGNAME, b"n\0") * 50_000, "more than 10 extended"),
    ("chain of empty long links", lambda: header(tarfile.GNUTYPE_LONGLINK, b"") * 50_000, "more than 10 extended"),
    (
        "global header with 200,000 keys",
        lambda: pax(*(record(b"k%d" % n, b"v") for n in range(200_000)), kind=tarfile.XGLTYPE) + member() * 20_000,
        "not between 0 and 64 KiB",
    ),
    (
        "many global headers",
        lambda: b"".join(
            pax(*(record(b"%d.%d" % (m, n), b"v") for n in range(90)), kind=tarfile.XGLTYPE) + member()
            for m in range(1000)
        ),
        "global headers have more than 100 records",
    ),
    ("many records", lambda: pax(record(b"k", b"") * 5000), "more than 1000 records"),
    ("long header", lambda: pax(record(b"comment", b"c" * 70_000)), "not between 0 and 64 KiB"),
    ("long name", lambda: header(tarfile.GNUTYPE_LONGNAME, b"n" * 70_000), "not between 0 and 64 KiB"),
    ("huge size in base 256", lambda: header(tarfile.XHDTYPE, b"", 1 << 80), "not between 0 and 64 KiB"),
    ("negative size in base 256", lambda: header(tarfile.XHDTYPE, b"", -512), "not between 0 and 64 KiB"),
    ("value with 800,000 digits", lambda: pax(record(b"size", DIGITS)), "not between 0 and 64 KiB"),
    ("value with 60,000 digits", lambda: pax(record(b"size", DIGITS[:60_000])), "more than 100 digits"),
    ("length with 60,000 digits", lambda: pax(DIGITS[:60_000]), "more than 100 digits"),
    ("map with 5,000 digits", lambda: pax(record(b"GNU.sparse.map", b"0," + DIGITS[:5000])), "more than 100 digits"),
    ("record longer than its header", lambda: pax(b"99 path=installer/b\n"), "a record of an extended header"),
    ("record without a newline", lambda: pax(b"8 path=x"), "a record of an extended header"),
    ("record of length 0", lambda: pax(b"0 path=x\n"), "a record of an extended header"),
    (
        "record after the end of its header",
        lambda: header(tarfile.XHDTYPE, b"6 k=v\n9 path=x\n", 6),
        "a record of an ext",
    ),
    ("old sparse map", lambda: old_sparse_map(100_000), "longer than 1024 KiB"),
    ("new sparse map", lambda: new_sparse_map(2_000_000), "longer than 1024 KiB"),
]


@pytest.mark.parametrize(("headers", "rule"), [case[1:] for case in HOSTILE], ids=[case[0] for case in HOSTILE])
def test_hostile_headers_are_rejected_in_little_time_and_memory(
    headers: Callable[[], bytes], rule: str, tmp_path: Path
) -> None:
    package = tmp_path / CORE
    package.write_bytes(member("installer/first") + headers() + member() + bytes(1024))
    for read in (inspect, lambda path: extract(path, tmp_path / "target")):
        started = time.process_time()
        with pytest.raises(PackageRefused, match=rule):
            read(package)
        assert time.process_time() - started < SECONDS
    tracemalloc.start()
    try:
        with pytest.raises(PackageRefused, match=rule):
            inspect(package)
        assert tracemalloc.get_traced_memory()[1] < MEMORY
    finally:
        tracemalloc.stop()


def test_headers_of_all_members_together_are_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("acp_tui.package.archive_headers._MAX_TOTAL", 1 << 20)
    package = archive(tmp_path / CORE, *(file(f"installer/{number}") for number in range(3000)))
    with pytest.raises(PackageRefused, match="longer than 1 MiB in total"):
        inspect(package)


def test_number_of_members_is_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("acp_tui.package.archive_safety._MAX_MEMBERS", 100)
    with pytest.raises(PackageRefused, match="more than 100 members"):
        inspect(archive(tmp_path / CORE, *(file(f"installer/{number}") for number in range(101))))


def test_file_that_continues_after_its_archive_is_rejected_without_reading_it(tmp_path: Path) -> None:
    package = archive(tmp_path / CORE, file("installer/a"))
    with package.open("r+b") as opened:
        opened.truncate(1 << 43)  # a hole of 8 TiB
    started = time.process_time()
    for read in (inspect, lambda path: extract(path, tmp_path / "target")):
        with pytest.raises(PackageRefused, match="continues for more than 16 MiB"):
            read(package)
    assert time.process_time() - started < SECONDS


def test_usual_extended_headers_are_accepted(tmp_path: Path) -> None:
    """A global header as from `git archive`, long names and links in both formats, and a sparse map."""
    long = "installer/" + "long/" * 40 + "name"
    parts = []
    for form in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        made = io.BytesIO()
        with tarfile.open(fileobj=made, mode="w", format=form) as tar:
            for info, content in (file(f"{long}.{form}", b"x" * 700), file(f"installer/\u914d{form}", b"y")):
                info.mtime = 1_700_000_000.123456789
                tar.addfile(info, io.BytesIO(content))
        parts.append(made.getvalue().rstrip(b"\0"))
    parts = [part.ljust(-(-len(part) // 512) * 512, b"\0") for part in parts]
    start = pax(record(b"comment", b"0123456789abcdef" * 3), kind=tarfile.XGLTYPE)
    sparse = pax(
        record(b"GNU.sparse.major", b"1"),
        record(b"GNU.sparse.minor", b"0"),
        record(b"GNU.sparse.name", b"installer/sparse"),
        record(b"GNU.sparse.realsize", b"8192"),
    ) + member("installer/GNUSparseFile.0/sparse", b"1\n4096\n5\n".ljust(512, b"\0") + b"hello")
    package = tmp_path / CORE
    package.write_bytes(start + b"".join(parts) + sparse + bytes(1024))
    assert inspect(package).members == 5
    extract(package, tmp_path / "target")
    assert (tmp_path / "target" / f"{long}.{tarfile.PAX_FORMAT}").read_bytes() == b"x" * 700
    assert (tmp_path / "target/installer/sparse").read_bytes() == (bytes(4096) + b"hello").ljust(8192, b"\0")


def test_time_does_not_grow_with_the_square_of_the_members(tmp_path: Path) -> None:
    package = tmp_path / CORE
    package.write_bytes(b"".join(member(f"installer/{number}") for number in range(30_000)) + bytes(1024))
    started = time.process_time()
    assert inspect(package).members == 30_000
    assert time.process_time() - started < SECONDS
