"""Move unpacked files into the install folder, and record them in a file, the stamp.

The stamp lists the unpacked packages and the files that acp-tui created. A package that is completely unpacked is not
unpacked again. If the unpacking was interrupted, acp-tui repeats it. acp-tui does not change files that it did not
create. A stamp that another user can change is ignored. Next to the stamp, each package has a record of its files; the
module `unpacked_package` compares the files with it.
"""

import ctypes
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path

from acp_tui.core.errors import AcpError
from acp_tui.core.files import make_folders, read_limited, write_atomically
from acp_tui.core.i18n import _
from acp_tui.core.locks import new_locked_folder
from acp_tui.core.ownership import UntrustedPath, is_trusted, require_trusted
from acp_tui.package.archive_safety import OURS
from acp_tui.package.file_record import FileRecord, complete
from acp_tui.plan.package_name import STAMP, Kind

STAGING = f"{OURS}unpacking"

FreeSpace = Callable[[Path], int]
"""A function that returns the free bytes on the file system of an existing folder. Raises OSError."""


class UnpackFailed(AcpError):
    """The package is valid, but unpacking failed. The message has the reason and the next step."""


@dataclass(frozen=True)
class FileIdentity:
    """The identity of a package file. It changes when the file is changed or replaced. `size` is in bytes."""

    name: str
    size: int
    mtime_ns: int
    inode: int
    device: int

    @classmethod
    def of(cls, path: Path, handle: int | None = None) -> "FileIdentity":
        """Return the identity of a file. Raises OSError.

        `handle`: the descriptor of the open file. With `handle`, the result is correct even if a different file has
        replaced the file at `path`."""
        stat = path.stat() if handle is None else os.fstat(handle)
        return cls(path.name, stat.st_size, stat.st_mtime_ns, stat.st_ino, stat.st_dev)


@dataclass(frozen=True)
class Placed:
    """The entry of the stamp for an unpacked package, with the result of its verification."""

    file: FileIdentity
    signer: str = ""
    """The fingerprint of the trusted key that made the signature; "" if the signature was not verified."""
    verified: str = ""
    """The time of the verification in ISO 8601 format with time zone; "" if the signature was not verified."""
    entries: tuple[str, ...] = ()
    """The names of the files and folders that the package has at its top level.

    A package that is unpacked later can replace them, because acp-tui created them."""
    files: str = ""
    """The SHA-256 of the record of the package's files; "" in a stamp of a version that made no record.

    Such a package is unpacked again."""
    started: bool = False
    """True if setup.sh was started from these files."""
    not_verified: str = ""
    """The name of the package and the reason, if the package has no valid signature; otherwise ""."""

    @classmethod
    def from_json(cls, entry: Mapping[str, object]) -> "Placed":
        """Parse an entry of a stamp. Raises TypeError, ValueError or KeyError if the entry is not valid."""
        file, signer, verified, entries = entry["file"], entry["signer"], entry["verified"], entry["entries"]
        if not isinstance(file, dict) or not isinstance(signer, str) or not isinstance(verified, str):
            raise TypeError("not a stamp")
        if not isinstance(entries, list):
            raise TypeError("not a stamp")
        if signer:
            datetime.fromisoformat(verified)
        files, started = str(entry.get("files", "")), entry.get("started") is True
        reason = str(entry.get("not_verified", ""))
        return cls(FileIdentity(**file), signer, verified, tuple(map(str, entries)), files, started, reason)


def disk_free(folder: Path) -> int:
    return shutil.disk_usage(folder).free


def free_space_after(target: Path, still_to_unpack: int, free_space: FreeSpace = disk_free) -> int:
    """Return the free bytes on the file system of `target` after `still_to_unpack` bytes are written to it.

    A result below 0 means that there is not enough space. `target` does not have to exist. Raises OSError if the file
    system cannot be queried."""
    folder = next(parent for parent in (target, *target.parents) if parent.is_dir())
    return free_space(folder) - still_to_unpack


_UNFINISHED = FileIdentity("", 0, 0, 0, 0)
"""The identity in the stamp entry of a package whose files are still being moved into the install folder."""


def unpacked(target: Path) -> Mapping[str, Placed]:
    """Return the stamp entry of each package that is completely unpacked in `target`: package kind → entry."""
    return {kind: entry for kind, entry in _stamped(target).items() if entry.file != _UNFINISHED and entry.files}


def _stamped(target: Path) -> Mapping[str, Placed]:
    if not is_trusted(target / STAMP):  # another user could claim that a package is verified
        return {}
    try:
        stamp = json.loads(read_limited(target / STAMP))
        return {kind: Placed.from_json(entry) for kind, entry in stamp.items()}
    except (
        OSError,
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        RecursionError,
    ):  # the stamp is missing or damaged, so the packages are unpacked again
        return {}


def placed(target: Path, kind: Kind, file: FileIdentity) -> Placed | None:
    """Return the stamp entry of the package `file` if it is completely unpacked in `target`; otherwise None.

    Raises OSError if the folder cannot be read."""
    stamp = unpacked(target).get(kind)
    return stamp if stamp and stamp.file == file and (target / "installer" / "setup.sh").is_file() else None


@contextmanager
def locked_install_dir(target: Path) -> Iterator[Path]:
    """Lock `target` so that no other process unpacks into it, and yield an empty staging folder in it.

    `target` is created if it is missing. The staging folder is removed at the end. If the process is killed, the next
    call removes the staging folder. Raises UnpackFailed if another process has locked `target`, or if another user can
    change `target`."""
    try:
        require_trusted(target)
        make_folders(target)
        require_trusted(target)  # in a shared folder such as /tmp, another user can be faster
    except UntrustedPath as error:
        raise UnpackFailed(error.message) from error
    staging = target / STAGING
    # Other users cannot open this folder, so they cannot hold its lock. They could lock the install folder.
    with new_locked_folder(staging) as locked:
        if not locked:
            raise UnpackFailed(
                _("Another acp-tui process is unpacking into {folder}. Wait until it has finished.").format(
                    folder=target
                )
            ) from None
        for leftover in staging.iterdir():
            shutil.rmtree(leftover, ignore_errors=True)
        try:
            yield staging
        finally:
            shutil.rmtree(staging, ignore_errors=True)


def check_free_to_use(target: Path, kind: Kind) -> None:
    """Raise UnpackFailed if the package of this kind must not be unpacked into `target` (BND-ORDER).

    For a Core Package, the folder must not contain an installer that acp-tui did not unpack. For an Extensions Package,
    the folder must contain a Core Package."""
    if kind == "extensions" and "core" not in unpacked(target):
        raise UnpackFailed(
            _("{folder} does not contain a Core Package. Unpack the Core Package into this folder first.").format(
                folder=target
            )
        )
    if kind == "core" and os.path.lexists(target / "installer") and not (target / STAMP).exists():
        raise UnpackFailed(
            _(
                '{folder} contains a folder "installer" that acp-tui did not unpack. Move that folder, or'
                " choose a different install folder."
            ).format(folder=target)
        )


def put_in_place(new: Path, target: Path, kind: Kind, package: Placed, files: FileRecord) -> None:
    """Move the files in `new` into `target`, and write the stamp and the record `files`.

    A new Core Package replaces the earlier Core Package and its Extensions Package. Raises UnpackFailed, and changes
    nothing, if files that acp-tui did not create would be replaced. Raises OSError, for example if the disk failed."""
    _to_disk(new)
    before = _stamped(target)
    ours = {"installer", *(name for entry_stamp in before.values() for name in entry_stamp.entries)}
    entries = tuple(sorted(entry.name for entry in new.iterdir()))
    for name in entries:
        if name not in ours and os.path.lexists(target / name):
            raise UnpackFailed(
                _(
                    "{path} already exists, and acp-tui did not create it. Move it to a different folder, or "
                    "choose a different install folder."
                ).format(path=target / name)
            )
    # All moves are checked before the first one is made.
    moves = tuple(_moves(new, target)) if kind == "extensions" else [(new / name, target / name) for name in entries]
    done = (
        {} if kind == "core" else {name: entry_stamp for name, entry_stamp in unpacked(target).items() if name != kind}
    )
    write_stamp(target, {**done, kind: Placed(_UNFINISHED, entries=tuple(sorted({*ours, *entries})))})
    if kind == "core":
        replaced = target / STAGING / "replaced"
        replaced.mkdir()
        for name in entries:
            if os.path.lexists(target / name):
                (target / name).rename(replaced / name)
    for entry, place in moves:
        entry.replace(place)
    digest = write_record(target, kind, complete(target, files))
    if kind == "core":
        record_path(target, "extensions").unlink(missing_ok=True)
    write_stamp(target, {**done, kind: replace(package, entries=entries, files=digest)})


def _to_disk(folder: Path) -> None:
    """Flush the file system of `folder` to disk with one call.

    A separate call for each of the thousands of files would be too slow."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        if ctypes.CDLL(None, use_errno=True).syncfs(handle):
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))
    finally:
        os.close(handle)


def _moves(new: Path, target: Path) -> Iterator[tuple[Path, Path]]:
    """Yield source and destination of each file or folder that must be moved.

    Raises UnpackFailed if a folder would replace a file, or a file would replace a folder."""
    for entry in sorted(new.iterdir()):
        place = target / entry.name
        if not os.path.lexists(place):
            yield entry, place
        elif _is_folder(entry) != _is_folder(place):
            text = _(
                "{path} has the wrong type: it is a file where the package has a folder, or a folder where "
                "the package has a file. Move it to a different folder."
            )
            raise UnpackFailed(text.format(path=place))
        elif _is_folder(entry):
            yield from _moves(entry, place)
        else:
            yield entry, place


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def record_path(target: Path, kind: str) -> Path:
    """Return the path of the record of a package's files."""
    return target / f"{OURS}{kind}-files.json"


def write_record(target: Path, kind: Kind, files: FileRecord) -> str:
    """Write the record of a package's files, and return its SHA-256."""
    content = json.dumps(files).encode("ascii")
    write_atomically(record_path(target, kind), content, mode=0o644)
    return hashlib.sha256(content).hexdigest()


def write_stamp(target: Path, done: Mapping[str, Placed]) -> None:
    """Replace the stamp. `done`: package kind → stamp entry. Raises OSError."""
    write_atomically(target / STAMP, json.dumps({kind: asdict(entry) for kind, entry in done.items()}), mode=0o644)
