"""The folder of a bundle: its files, the verification of their checksums, and its replacement in one step.

A new bundle is written into a temporary folder next to the old one, and synchronised to disk. Then the two folders are
exchanged in one step.
"""

import ctypes
import errno
import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from acp_tui.core.errors import AcpError
from acp_tui.core.files import read_limited, sync_folder, write_atomically
from acp_tui.core.i18n import _
from acp_tui.core.locks import locked_folder
from acp_tui.preflight.bundle.checksums import sums
from acp_tui.preflight.bundle.layout import FILES, MODE, PLAN, PRIVATE, SEALED_NAMES, SETUP, SUMS, mode_of

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


class BundleRefused(AcpError):
    """A bundle cannot be written to the given path. The message has the reason."""


def is_bundle(path: Path) -> bool:
    """Return True if `path` is a folder that was written as a bundle. The bundle can be intact or damaged."""
    return PLAN in sums(path) or ((path / PLAN).is_file() and (path / SETUP).is_file())


def remove_secrets(directory: Path) -> None:
    """Remove the secrets from a bundle after the install. The bundle is still valid. Raises OSError if that fails."""
    lines = read_limited(directory / SUMS).splitlines()
    public = [line for line in lines if os.fsdecode(line.partition(b"  ")[2]) not in (*PRIVATE, *SEALED_NAMES)]
    write_atomically(directory / SUMS, b"".join(line + b"\n" for line in public), mode=MODE)
    for name in (*PRIVATE, *SEALED_NAMES):
        (directory / name).unlink(missing_ok=True)
    sync_folder(directory)


def place_for(directory: Path) -> Path:
    """Return the absolute path for a new bundle at `directory`, after checks. Nothing is written.

    Raises BundleRefused if the bundle would overwrite or damage other files, and OSError if the path is not writable.
    """
    bundle_dir = Path(os.path.abspath(directory))  # noqa: PTH100 - Path.absolute keeps `..`, of which no name is made
    if bundle_dir.is_symlink() or (bundle_dir.exists() and not bundle_dir.is_dir()):
        raise BundleRefused(_("{path} is not a folder. Choose a different name for the bundle.").format(path=directory))
    if bundle_dir.is_mount():
        raise BundleRefused(
            _("{path} is a mount point. Choose a new folder below it for the bundle.").format(path=directory)
        )
    if outer := next((above for above in bundle_dir.parents if is_bundle(above)), None):
        text = _(
            "{path} is inside the bundle {bundle}. A new bundle would make the outer one invalid. "
            "Choose a different folder."
        )
        raise BundleRefused(text.format(path=directory, bundle=outer))
    if bundle_dir.is_dir():
        names = {entry.name for entry in bundle_dir.iterdir()}
        known = {*FILES, *SEALED_NAMES, SUMS} if PLAN in sums(bundle_dir) else set()
        if foreign := sorted(names - known):
            text = _("{path} has files that do not belong to a bundle: {files}. Choose a different folder.")
            raise BundleRefused(text.format(path=directory, files=", ".join(foreign[:5])))
    parent = next(above for above in bundle_dir.parents if above.exists())
    if not parent.is_dir() or not os.access(parent, os.W_OK | os.X_OK):
        reason = errno.EACCES if parent.is_dir() else errno.ENOTDIR
        raise OSError(reason, os.strerror(reason), str(parent))
    return bundle_dir


def fill(bundle_dir: Path, contents: Mapping[str, bytes]) -> None:
    """Write a bundle with the files `contents` to `bundle_dir`, and replace an earlier bundle.

    `bundle_dir` is a path that `place_for` returned. Raises OSError or BundleRefused; then nothing has changed.
    """
    bundle_dir.parent.mkdir(parents=True, exist_ok=True)
    _put_back(bundle_dir)
    with _temporary_folder(bundle_dir) as folder:
        listed = ""
        for name, data in contents.items():
            _write(folder / name, data, mode_of(name))
            listed += f"{hashlib.sha256(data).hexdigest()}  {name}\n"
        _write(folder / SUMS, listed.encode("ascii"), MODE)
        sync_folder(folder)
        _take_place(folder, bundle_dir)
        sync_folder(bundle_dir.parent)


@contextmanager
def _temporary_folder(bundle_dir: Path) -> Iterator[Path]:
    """Yield an empty folder next to `bundle_dir`. The folder is removed at the end."""
    # A fixed name: the next writer removes what a killed one left, secrets included.
    folder = bundle_dir.with_name(f".{bundle_dir.name}.new")
    folder.mkdir(mode=0o700, exist_ok=True)
    with locked_folder(folder, follow_link=False) as handle:
        if handle is None:
            raise BundleRefused(
                _("Another acp-tui process is writing {path}. Wait until it has finished, then try again.").format(
                    path=bundle_dir
                )
            )
        try:
            os.fchmod(handle, 0o700)
            for entry in folder.iterdir():
                entry.unlink()
            yield folder
        finally:
            # The folder has either the unfinished bundle or the earlier one.
            shutil.rmtree(folder, ignore_errors=True)


def _earlier(bundle_dir: Path) -> Path:
    return bundle_dir.with_name(f".{bundle_dir.name}.earlier")


def _put_back(bundle_dir: Path) -> None:
    """Complete or undo a replacement of `bundle_dir` that a killed process left unfinished (see `_take_place`)."""
    earlier = _earlier(bundle_dir)
    if earlier.is_dir() and not bundle_dir.exists():
        earlier.rename(bundle_dir)
    shutil.rmtree(earlier, ignore_errors=True)


def _take_place(folder: Path, bundle_dir: Path) -> None:
    """Exchange the names of `folder` and `bundle_dir`."""
    if PLAN not in sums(bundle_dir):
        folder.rename(bundle_dir)
        return
    if _exchange(folder, bundle_dir):
        return
    # The system cannot exchange two names: between the two steps both bundles are complete, under other names.
    earlier = _earlier(bundle_dir)
    bundle_dir.rename(earlier)
    try:
        folder.rename(bundle_dir)
    except OSError:
        earlier.rename(bundle_dir)
        raise
    earlier.rename(folder)


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two names in one step. Return False if the C library, the kernel or the file system cannot do it."""
    with suppress(AttributeError):
        renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
        names = os.fsencode(one), os.fsencode(other)
        return bool(renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE) == 0)
    return False


def _write(path: Path, data: bytes, mode: int) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        os.fchmod(handle, mode)
        file.write(data)
        file.flush()
        os.fsync(handle)
