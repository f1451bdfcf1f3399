"""The record of the files of an unpacked package, to detect files that are changed after unpacking.

The record has an entry for each file and each symbolic link of the package:
- files up to SMALL bytes, and programs (ELF files and files that start with "#!") that are not sparse: SHA-256 of the
  content
- other files, such as image archives: size, modification time, change time and inode
- symbolic links: target

Only root can set the change time of a file to an earlier value. So the record proves for every file that no other user
has written to it. For the files with a SHA-256, it also proves that root has not changed the content.
"""

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from acp_tui.core.files import open_regular_file
from acp_tui.core.i18n import pgettext
from acp_tui.core.ownership import own_weakness

SMALL = 1 << 20
"""The maximum size in bytes of a file that gets a SHA-256, unless the file is a program."""
_PROGRAM = (b"\x7fELF", b"#!")
_SHA256, _STATUS, _LINK = "sha256:", "status:", "link:"

FileRecord = Mapping[str, str]
"""Path relative to the install folder → entry of the record. The entry "" has no value yet; see `complete`."""


class ContentDigest:
    """Computes the record entry of a file while the file is written. `size`: the size of the file in bytes."""

    def __init__(self, size: int) -> None:
        self._hash = hashlib.sha256() if size <= SMALL else None
        self._started = False

    def update(self, piece: memoryview) -> None:
        """Add the next piece of the content. The first piece must have at least four bytes if the file has them."""
        if not self._started and self._hash is None and bytes(piece[:4]).startswith(_PROGRAM):
            self._hash = hashlib.sha256()
        self._started = True
        if self._hash is not None:
            self._hash.update(piece)

    @property
    def entry(self) -> str:
        """Return the record entry; "" if the file gets no SHA-256."""
        return f"{_SHA256}{self._hash.hexdigest()}" if self._hash else ""


def sparse_entry(path: Path, size: int) -> str:
    """Return the record entry of a sparse file that was just written; "" if the file gets no SHA-256.

    The content is read from the disk, because the archive does not contain its holes. Raises OSError."""
    return _sha256_entry(path) if size <= SMALL else ""


def _sha256_entry(path: Path) -> str:
    with open_regular_file(path) as file:
        return f"{_SHA256}{hashlib.file_digest(file, 'sha256').hexdigest()}"


def link_entry(target: str) -> str:
    """Return the record entry of a symbolic link."""
    return f"{_LINK}{target}"


def complete(target: Path, files: FileRecord) -> FileRecord:
    """Return `files` with the status of each file that has no entry. All files must be at their final paths.

    Raises OSError."""
    return {name: entry or _status_entry((target / name).lstat()) for name, entry in files.items()}


@dataclass(frozen=True)
class Difference:
    """A file of an install folder that differs from the record, and the reason. `name`: its path in that folder."""

    name: str
    reason: str


def differences(target: Path, files: FileRecord, *, added: bool) -> Iterator[Difference]:
    """Yield the files in `target` that differ from the record, or that another user can change.

    `added`: True to yield also the files that the record does not have. Raises OSError if a file cannot be read."""
    folders = {str(parent) for name in files for parent in PurePosixPath(name).parents} - {"."}
    for name in sorted(folders | files.keys()):
        path = target / name
        try:
            found = path.lstat()
        except (FileNotFoundError, NotADirectoryError):
            if name in files:
                yield Difference(name, pgettext("file", "missing"))
            continue
        if weakness := own_weakness(path, found):
            yield Difference(name, weakness)
        elif not (_is_unchanged(path, found, files[name]) if name in files else stat.S_ISDIR(found.st_mode)):
            yield Difference(name, pgettext("file", "changed"))
    if added:
        for top in sorted({PurePosixPath(name).parts[0] for name in files}):
            yield from _added(target, top, files, folders)


def _added(target: Path, top: str, files: FileRecord, folders: set[str]) -> Iterator[Difference]:
    for place, inner_folders, names in os.walk(target / top):
        for entry in sorted((*inner_folders, *names)):
            path = Path(place, entry)
            name, found = str(path.relative_to(target)), path.lstat()
            if name in files or name in folders:
                continue
            if not stat.S_ISDIR(found.st_mode):
                yield Difference(name, pgettext("file", "added"))
            elif weakness := own_weakness(path, found):
                yield Difference(name, weakness)


def _is_unchanged(path: Path, found: os.stat_result, entry: str) -> bool:
    if entry.startswith(_LINK):
        return stat.S_ISLNK(found.st_mode) and link_entry(os.readlink(path)) == entry  # noqa: PTH115 - text as it is
    if not stat.S_ISREG(found.st_mode):
        return False
    if entry.startswith(_SHA256):
        return _sha256_entry(path) == entry
    return _status_entry(found) == entry


def matches(content: bytes, entry: str) -> bool:
    """Return True if `content` has the SHA-256 of the record entry."""
    return entry == f"{_SHA256}{hashlib.sha256(content).hexdigest()}"


def _status_entry(found: os.stat_result) -> str:
    return f"{_STATUS}{found.st_size}:{found.st_mtime_ns}:{found.st_ctime_ns}:{found.st_ino}"


def reason_text(found: list[Difference], limit: int = 5) -> str:
    """Return the differences as one text. It names the first `limit` files, and the number of the others."""
    shown = "; ".join(f"{ascii(one.name)[1:-1]}: {one.reason}" for one in found[:limit])
    rest = len(found) - limit
    return shown if rest <= 0 else pgettext("files", "{files}; and {count} more").format(files=shown, count=rest)
