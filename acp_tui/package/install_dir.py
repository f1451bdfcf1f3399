"""The folder that packages are unpacked into: what is already there, what may be replaced, how new files get in place.

A stamp file tells our own work from anybody else's: a finished package is not unpacked again, an interrupted one is,
and a folder that somebody filled by hand is left alone.
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
from acp_tui.core.units import GIGA
from acp_tui.package.tar_members import OURS
from acp_tui.plan.package_name import Kind

FREE_WANTED = 100 * GIGA
"""Bytes that must be free once the Core Package is unpacked (BND-FREE-100G)."""
STAMP = f"{OURS}unpacked.json"
STAGING = f"{OURS}unpacking"

FreeSpace = Callable[[Path], int]
"""Bytes available to us on the filesystem of an existing folder. OSError as from statvfs."""


class UnpackFailed(AcpError):
    """The package is fine, but could not be unpacked; the text says why and what to do."""


@dataclass(frozen=True)
class FileIdentity:
    """Enough to tell that a package is still the file it was. `size` in bytes."""

    name: str
    size: int
    mtime_ns: int
    inode: int
    device: int

    @classmethod
    def of(cls, path: Path, handle: int | None = None) -> "FileIdentity":
        """`handle`: the file as it was opened, whatever has its name by now. OSError: there is no such file."""
        stat = path.stat() if handle is None else os.fstat(handle)
        return cls(path.name, stat.st_size, stat.st_mtime_ns, stat.st_ino, stat.st_dev)


@dataclass(frozen=True)
class Placed:
    """A package that was unpacked, and what was known of its signature when it was put in place."""

    file: FileIdentity
    signer: str = ""
    """Fingerprint of the trusted key that the signature was good by; "" when it was not held against one."""
    verified: str = ""
    """When that was, ISO 8601 with its zone."""
    entries: tuple[str, ...] = ()
    """What it put directly into the target: only that may make way for another package."""

    @classmethod
    def from_json(cls, entry: Mapping[str, object]) -> "Placed":
        """TypeError, ValueError: it is not what `asdict` made."""
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
    """Bytes that stay free on the filesystem of `target` (which need not exist yet) once `still_to_unpack` bytes are
    written there; below 0 when they do not fit. OSError: the filesystem cannot be asked."""
    folder = next(parent for parent in (target, *target.parents) if parent.is_dir())
    return free_space(folder) - still_to_unpack


_UNFINISHED = FileIdentity("", 0, 0, 0, 0)
"""Stands in the stamp while a package is moved into place."""


def unpacked(target: Path) -> Mapping[str, Placed]:
    """Kind of package → what was unpacked into `target`; empty when nothing was finished there."""
    return {kind: entry for kind, entry in _stamped(target).items() if entry.file != _UNFINISHED}


def _stamped(target: Path) -> Mapping[str, Placed]:
    try:
        stamp = json.loads((target / STAMP).read_text(encoding="utf-8"))
        return {kind: Placed.from_json(entry) for kind, entry in stamp.items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):  # none, or damaged: then it is done again
        return {}


def placed(target: Path, kind: Kind, file: FileIdentity) -> Placed | None:
    """What is known of `file` if it lies there whole, so that nothing is left to do. OSError: the folder cannot be
    read."""
    found = unpacked(target).get(kind)
    return found if found and found.file == file and (target / "installer" / "setup.sh").is_file() else None


@contextmanager
def claimed(target: Path) -> Iterator[Path]:
    """Hold `target` (made if need be) against another unpacking; gives an empty staging folder on the same filesystem.

    The staging folder is gone afterwards in any case, after a kill the next time. UnpackFailed: somebody holds it."""
    target.mkdir(parents=True, exist_ok=True)
    with locked_folder(target) as lock:
        if lock is None:
            raise UnpackFailed(
                _("Another acp-tui is unpacking into {folder}. Wait for it to end.").format(folder=target)
            )
        staging = target / STAGING
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir(mode=0o700)
        try:
            yield staging
        finally:
            shutil.rmtree(staging, ignore_errors=True)


def check_free_to_use(target: Path, kind: Kind) -> None:
    """UnpackFailed: the folder has an installer that is not ours (core), or none to add to (extensions, BND-ORDER)."""
    if kind == "extensions" and "core" not in unpacked(target):
        raise UnpackFailed(_("The Core Package comes first: it is not unpacked in {folder} yet.").format(folder=target))
    if kind == "core" and os.path.lexists(target / "installer") and not (target / STAMP).exists():
        raise UnpackFailed(
            _(
                "{folder} has an installer folder that acp-tui did not unpack. Move it away, or choose another"
                " folder to unpack into."
            ).format(folder=target)
        )


def put_in_place(new: Path, target: Path, kind: Kind, package: Placed) -> None:
    """Move what was unpacked in `new` into `target` and stamp it. An earlier core, with its extensions, makes way.

    UnpackFailed: it would take the place of what is not ours; nothing was changed. OSError: among others when the disk
    turns out not to have taken what was written."""
    _to_disk(new)
    before = _stamped(target)
    ours = {"installer", *(name for at in before.values() for name in at.entries)}
    entries = tuple(sorted(entry.name for entry in new.iterdir()))
    for name in entries:
        if name not in ours and os.path.lexists(target / name):
            raise UnpackFailed(
                _(
                    "{path} is in the way: acp-tui did not put it there. Move it away, or choose another folder to"
                    " unpack into."
                ).format(path=target / name)
            )
    # All are known to fit before the first one moves.
    moves = tuple(_moves(new, target)) if kind == "extensions" else [(new / name, target / name) for name in entries]
    done = {} if kind == "core" else {name: at for name, at in unpacked(target).items() if name != kind}
    _write_stamp(target, {**done, kind: Placed(_UNFINISHED, entries=tuple(sorted({*ours, *entries})))})
    if kind == "core":
        aside = target / STAGING / "replaced"
        aside.mkdir()
        for name in entries:
            if os.path.lexists(target / name):
                (target / name).rename(aside / name)
    for entry, place in moves:
        entry.replace(place)
    _write_stamp(target, {**done, kind: replace(package, entries=entries)})


def _to_disk(folder: Path) -> None:
    """Once for the filesystem: a flush for each of thousands of files would take longer than the unpacking."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        if ctypes.CDLL(None, use_errno=True).syncfs(handle):
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))
    finally:
        os.close(handle)


def _moves(new: Path, target: Path) -> Iterator[tuple[Path, Path]]:
    """What goes where below `target`: never through a link, and never in place of a folder. UnpackFailed otherwise."""
    for entry in sorted(new.iterdir()):
        place = target / entry.name
        if not os.path.lexists(place):
            yield entry, place
        elif _is_folder(entry) != _is_folder(place):
            raise UnpackFailed(_("{path} is in the way: it is of another kind.").format(path=place))
        elif _is_folder(entry):
            yield from _moves(entry, place)
        else:
            yield entry, place


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _write_stamp(target: Path, done: Mapping[str, Placed]) -> None:
    write_atomically(target / STAMP, json.dumps({kind: asdict(entry) for kind, entry in done.items()}), mode=0o644)
