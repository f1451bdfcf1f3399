"""The install folder: record unpacked packages in a stamp, and move new files into place.

The stamp lists the files of acp-tui. A finished package is not unpacked again, an interrupted one is. Files that
acp-tui did not create are not changed.
"""

import ctypes
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path

from acp_tui.core.errors import AcpError
from acp_tui.core.files import write_atomically
from acp_tui.core.i18n import _
from acp_tui.core.locks import locked_folder
from acp_tui.package.tar_members import OURS
from acp_tui.plan.package_name import Kind

REQUIRED_FREE = 100 * 10**9
"""Bytes that must be free once the Core Package is unpacked (BND-FREE-100G)."""
STAMP = f"{OURS}unpacked.json"
STAGING = f"{OURS}unpacking"

FreeSpace = Callable[[Path], int]
"""Returns the available bytes on the filesystem of an existing folder. Raises OSError as statvfs does."""


class UnpackFailed(AcpError):
    """The package is valid but could not be unpacked; the text has the reason and the next step."""


@dataclass(frozen=True)
class FileIdentity:
    """Identifies a package file and its version. `size` in bytes."""

    name: str
    size: int
    mtime_ns: int
    inode: int
    device: int

    @classmethod
    def of(cls, path: Path, handle: int | None = None) -> "FileIdentity":
        """Return the identity of a file. `handle`: the opened file, in case its name was replaced. Raises OSError."""
        stat = path.stat() if handle is None else os.fstat(handle)
        return cls(path.name, stat.st_size, stat.st_mtime_ns, stat.st_ino, stat.st_dev)


@dataclass(frozen=True)
class Placed:
    """An unpacked package, and the result of its verification."""

    file: FileIdentity
    signer: str = ""
    """Fingerprint of the trusted key that verified the signature; "" if the signature was not verified."""
    verified: str = ""
    """Time of the verification, ISO 8601 with its zone."""
    entries: tuple[str, ...] = ()
    """Its entries directly in the target: only these may be replaced by another package."""

    @classmethod
    def from_json(cls, entry: Mapping[str, object]) -> "Placed":
        """Return the entry of a stamp. Raises TypeError, ValueError or KeyError if it is not valid."""
        file, signer, verified, entries = entry["file"], entry["signer"], entry["verified"], entry["entries"]
        if not isinstance(file, dict) or not isinstance(signer, str) or not isinstance(verified, str):
            raise TypeError("not a stamp")
        if not isinstance(entries, list):
            raise TypeError("not a stamp")
        if signer:
            datetime.fromisoformat(verified)
        return cls(FileIdentity(**file), signer, verified, tuple(map(str, entries)))


def disk_free(folder: Path) -> int:
    return shutil.disk_usage(folder).free


def free_space_after(target: Path, still_to_unpack: int, free_space: FreeSpace = disk_free) -> int:
    """Return the free bytes on the filesystem of `target` after `still_to_unpack` bytes are written there.

    Below 0: they do not fit. `target` may be missing. Raises OSError if the filesystem cannot be queried."""
    folder = next(parent for parent in (target, *target.parents) if parent.is_dir())
    return free_space(folder) - still_to_unpack


_UNFINISHED = FileIdentity("", 0, 0, 0, 0)
"""The stamp has this identity while a package is moved into place."""


def unpacked(target: Path) -> Mapping[str, Placed]:
    """Return the packages that are completely unpacked in `target`, by kind."""
    return {kind: entry for kind, entry in _stamped(target).items() if entry.file != _UNFINISHED}


def _stamped(target: Path) -> Mapping[str, Placed]:
    try:
        stamp = json.loads((target / STAMP).read_text(encoding="utf-8"))
        return {kind: Placed.from_json(entry) for kind, entry in stamp.items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):  # missing or damaged: unpack again
        return {}


def placed(target: Path, kind: Kind, file: FileIdentity) -> Placed | None:
    """Return the stamp of `file` if it is completely unpacked in `target`, else None.

    Raises OSError if the folder cannot be read."""
    stamp = unpacked(target).get(kind)
    return stamp if stamp and stamp.file == file and (target / "installer" / "setup.sh").is_file() else None


@contextmanager
def locked_install_dir(target: Path) -> Iterator[Path]:
    """Lock `target` (created if missing) against another unpacking; yield an empty staging folder in it.

    The staging folder is removed at the end, or by the next call after a kill. Raises UnpackFailed if it is locked."""
    target.mkdir(parents=True, exist_ok=True)
    with locked_folder(target) as lock:
        if lock is None:
            raise UnpackFailed(
                _("Another acp-tui is unpacking into {folder}. Wait until it has finished.").format(folder=target)
            ) from None
        staging = target / STAGING
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir(mode=0o700)
        try:
            yield staging
        finally:
            shutil.rmtree(staging, ignore_errors=True)


def check_free_to_use(target: Path, kind: Kind) -> None:
    """Raise UnpackFailed if the folder has another installer (core), or no Core Package yet (extensions; BND-ORDER)."""
    if kind == "extensions" and "core" not in unpacked(target):
        raise UnpackFailed(_("Unpack the Core Package into {folder} first.").format(folder=target))
    if kind == "core" and os.path.lexists(target / "installer") and not (target / STAMP).exists():
        raise UnpackFailed(
            _(
                "{folder} has an installer folder that acp-tui did not unpack. Move it to another place, or"
                " choose another install folder."
            ).format(folder=target)
        )


def put_in_place(new: Path, target: Path, kind: Kind, package: Placed) -> None:
    """Move the files in `new` into `target` and write the stamp. An earlier core and its extensions are replaced.

    Raises UnpackFailed if files of others would be replaced; then nothing changed. Raises OSError, for example if the
    disk did not store the files."""
    _to_disk(new)
    before = _stamped(target)
    ours = {"installer", *(name for entry_stamp in before.values() for name in entry_stamp.entries)}
    entries = tuple(sorted(entry.name for entry in new.iterdir()))
    for name in entries:
        if name not in ours and os.path.lexists(target / name):
            raise UnpackFailed(
                _(
                    "{path} already exists, and acp-tui did not create it. Move it to another place, or"
                    " choose another install folder."
                ).format(path=target / name)
            )
    # All moves are checked before the first one is made.
    moves = tuple(_moves(new, target)) if kind == "extensions" else [(new / name, target / name) for name in entries]
    done = (
        {} if kind == "core" else {name: entry_stamp for name, entry_stamp in unpacked(target).items() if name != kind}
    )
    _write_stamp(target, {**done, kind: Placed(_UNFINISHED, entries=tuple(sorted({*ours, *entries})))})
    if kind == "core":
        replaced = target / STAGING / "replaced"
        replaced.mkdir()
        for name in entries:
            if os.path.lexists(target / name):
                (target / name).rename(replaced / name)
    for entry, place in moves:
        entry.replace(place)
    _write_stamp(target, {**done, kind: replace(package, entries=entries)})


def _to_disk(folder: Path) -> None:
    """Flush the filesystem once: a flush for each of thousands of files would take longer than the unpacking."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        if ctypes.CDLL(None, use_errno=True).syncfs(handle):
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))
    finally:
        os.close(handle)


def _moves(new: Path, target: Path) -> Iterator[tuple[Path, Path]]:
    """Yield source and destination of each move. Raises UnpackFailed if a folder would replace a file, or reverse."""
    for entry in sorted(new.iterdir()):
        place = target / entry.name
        if not os.path.lexists(place):
            yield entry, place
        elif _is_folder(entry) != _is_folder(place):
            text = _(
                "{path} exists, but is a file where the package has a folder, or the reverse. Move it to another place."
            )
            raise UnpackFailed(text.format(path=place))
        elif _is_folder(entry):
            yield from _moves(entry, place)
        else:
            yield entry, place


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _write_stamp(target: Path, done: Mapping[str, Placed]) -> None:
    write_atomically(target / STAMP, json.dumps({kind: asdict(entry) for kind, entry in done.items()}), mode=0o644)
