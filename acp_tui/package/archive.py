"""Read the tar archive of a package once from start to end, to inspect its members or to unpack them."""

import os
import tarfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from acp_tui.core.files import open_regular_file
from acp_tui.core.i18n import _
from acp_tui.package.archive_headers import BoundedTarInfo
from acp_tui.package.archive_safety import Guard, PackageRefused, link_target
from acp_tui.package.file_record import ContentDigest, FileRecord, link_entry, sparse_entry
from acp_tui.package.file_type import describe_other_type
from acp_tui.package.forward_reader import Forward, Skim
from acp_tui.package.reader import Cancelled, Feed

SETUP = "installer/setup.sh"
INIT = "installer/res/init.sh"
_END = 2 * tarfile.BLOCKSIZE
"""A complete archive ends with at least this number of zero bytes (two blocks)."""
_MODES = 0o755
"""The permissions that an unpacked member can have."""
_MAX_AFTER_END = 16 << 20
"""The maximum number of bytes after the last member. tar fills its last record with zeros, which is at most 1 MiB."""


@dataclass(frozen=True)
class PackageContents:
    """The contents of a complete and safe archive. `size`: the total size of its files in bytes."""

    members: int
    size: int
    setup: bool
    """True if the archive contains the file `installer/setup.sh`."""
    init: bool
    """True if the archive contains the file `installer/res/init.sh`."""

    @property
    def installable(self) -> bool:
        """Return True if the archive has the files that a Core Package must contain (BND-TAR-OK)."""
        return self.setup and self.init


def inspect(package: Path) -> PackageContents:
    """Check every member of an archive without reading the content of its files.

    Raises PackageRefused if the file is not a tar archive, is truncated, or has a member that would be unpacked outside
    the target folder. Raises OSError if the file cannot be read."""
    guard, members, size, names = Guard(), 0, 0, set[str]()
    with (
        open_package(package) as file,
        _readable(),
        _opened(skim := Skim(file)) as tar,
    ):
        while (member := _next(tar, skim)) is not None:
            name = guard.place(member)
            members += 1
            size += _written(member)
            if (member.isreg() or member.islnk()) and name in (SETUP, INIT):
                names.add(name)
        _check_rest(os.fstat(file.fileno()).st_size - tar.offset)
        file.seek(tar.offset)
        rest = Feed(file, package.name, 0)
        rest.drain()
        _check_end(rest, 0)
    return PackageContents(members, size, SETUP in names, INIT in names)


def unpack(feed: Feed, folder: Path) -> FileRecord:
    """Write the members of an archive into an empty folder, and return the record of its files.

    Other users get no write access, whatever the modes in the archive are.
    Raises PackageRefused, Cancelled or OSError. After such an error, the content of the folder is incomplete."""
    guard = Guard()
    folders: list[tuple[Path, tarfile.TarInfo]] = []
    made = {folder}
    files: dict[str, str] = {}
    stream = Forward(feed)
    with _readable(feed), _opened(stream) as tar:
        while (member := _next(tar, stream)) is not None:
            name = guard.place(member)
            place = folder / name
            _make_folders(place if member.isdir() else place.parent, made)
            if member.isdir():
                folders.append((place, member))
            elif member.issym():
                place.symlink_to(member.linkname)
                files[name] = link_entry(member.linkname)
            elif member.islnk():
                place.unlink(missing_ok=True)
                place.hardlink_to(folder / link_target(member))
                files[name] = files[link_target(member)]
            else:
                files[name] = _write(tar, stream, member, place)
        end = tar.offset
        _check_rest(feed.size - end)
        feed.drain()
        if feed.stopped:
            raise Cancelled
        _check_end(feed, end)
        for place, member in reversed(folders):
            _apply_metadata(place, member)
    return files


def _make_folders(folder: Path, made: set[Path]) -> None:
    """Create `folder` and its missing parents, unless they are in `made`. The umask can only remove permissions."""
    if folder not in made:
        _make_folders(folder.parent, made)
        folder.mkdir(mode=_MODES)
        made.add(folder)


def open_package(package: Path) -> IO[bytes]:
    """Open a package for reading.

    Raises OSError if it is not a readable regular file, PackageRefused if it is not a tar archive."""
    file = open_regular_file(package)
    try:
        if problem := describe_other_type(file.fileno(), package):
            raise PackageRefused(problem)
    except BaseException:
        file.close()
        raise
    return file


def _opened(reader: Forward | Skim) -> tarfile.TarFile:
    return tarfile.open(fileobj=cast(IO[bytes], reader), mode="r:", tarinfo=BoundedTarInfo)


def _next(tar: tarfile.TarFile, reader: Forward | Skim) -> tarfile.TarInfo | None:
    reader.limits.start_member()
    member = tar.next()
    tar.members.clear()  # type: ignore[attr-defined] # tarfile keeps them for seeking back; that costs memory here
    if member is not None and member.issparse():
        stored = sum(length for _start, length in _segments(member))
        if stored > tar.offset - member.offset_data:  # the data would extend into the next member
            raise tarfile.ReadError(_("a sparse file in the archive is invalid"))
    return member


def _write(tar: tarfile.TarFile, stream: Forward, member: tarfile.TarInfo, place: Path) -> str:
    """Write a file, and return its entry of the record."""
    place.unlink(missing_ok=True)
    digest = ContentDigest(member.size)
    with place.open("xb") as out:
        for start, length in _segments(member):
            out.seek(start)
            for piece in stream.pieces(length):
                out.write(piece)
                digest.update(piece)
            if out.tell() != start + length:
                raise tarfile.ReadError(_("the archive ends before its last file is complete"))
        out.truncate(member.size)
    entry = sparse_entry(place, member.size) if member.issparse() else digest.entry
    _apply_metadata(place, member)
    return entry


def _segments(member: tarfile.TarInfo) -> Sequence[tuple[int, int]]:
    """Return start and length of each data part of a file. A sparse file has holes between these parts."""
    if not member.issparse():
        return ((0, member.size),)
    padded, end = cast(Sequence[tuple[int, int]], member.sparse), 0
    segments = [(start, length) for start, length in padded if length]
    for start, length in segments:
        if start < end or length < 0 or start + length > member.size:
            raise tarfile.ReadError(_("a sparse file in the archive is invalid"))
        end = start + length
    return segments


def _written(member: tarfile.TarInfo) -> int:
    """Return the number of bytes that a member needs on the disk."""
    return sum(length for _start, length in _segments(member)) if member.isreg() else 0


def _apply_metadata(place: Path, member: tarfile.TarInfo) -> None:
    """Set the mode and the modification time of an unpacked member to the values from the archive.

    The owner stays the current user. Special bits such as set-user-ID are removed, and the write permission of group
    and others: root runs these files."""
    place.chmod(member.mode & _MODES)
    os.utime(place, (member.mtime, member.mtime))


def _check_rest(size: int) -> None:
    """Raise PackageRefused if the archive continues for `size` bytes after its last member, and this is too much."""
    if size > _MAX_AFTER_END:
        raise PackageRefused(
            _(
                "The file continues for more than {size} MiB after the last member of the archive, so it is damaged."
                " Copy the package again."
            ).format(size=_MAX_AFTER_END >> 20)
        )


def _check_end(feed: Feed, end: int) -> None:
    """Raise PackageRefused if the archive has no end mark. `end`: the offset after the last member."""
    if feed.data_end > end or feed.position - end < _END:
        raise PackageRefused(
            _("The end of the archive is missing, so the archive is damaged or truncated. Copy the package again.")
        )


@contextmanager
def _readable(feed: Feed | None = None) -> Iterator[None]:
    try:
        yield
    except (
        tarfile.TarError,
        ValueError,
        IndexError,
        OverflowError,
    ) as error:  # hostile headers raise OverflowError or a similar error
        if feed is not None and feed.stopped:
            raise Cancelled from None
        text = _("The file is not a complete tar archive ({reason}). Copy the package again.")
        raise PackageRefused(text.format(reason=error)) from error
