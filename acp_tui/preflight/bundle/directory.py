"""The folder of a bundle: its files, the verification of their checksums, and its replacement in one step.

A new bundle is written into a temporary folder next to the old one, and synchronised to disk. Then the two folders are
exchanged in one step.
"""

import ctypes
import errno
import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from acp_tui.core.errors import AcpError
from acp_tui.core.files import create_file, make_folders, read_limited, sync_folder, write_atomically
from acp_tui.core.i18n import _
from acp_tui.core.locks import locked_folder
from acp_tui.core.ownership import UntrustedPath, is_trusted, require_trusted
from acp_tui.preflight.bundle.checksums import sums
from acp_tui.preflight.bundle.layout import FILES, MODE, PLAN, PRIVATE, SEALED_NAMES, SETUP, SUMS, mode_of

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2
_NEW = ".new"
"""The part of the name of a temporary folder that comes after the name of the bundle."""


class BundleRefused(AcpError):
    """A bundle cannot be written to the given path. The message has the reason."""


def is_bundle(path: Path) -> bool:
    """Return True if `path` is a folder that was written as a bundle. The bundle can be intact or damaged."""
    return PLAN in sums(path) or ((path / PLAN).is_file() and (path / SETUP).is_file())


def _is_own_bundle(path: Path) -> bool:
    """Return True if `path` is a bundle that only the operator and root can change.

    In a shared folder such as /tmp, files of other users can have the names of a bundle."""
    return is_bundle(path) and is_trusted(path)


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
    if outer := next((above for above in bundle_dir.parents if _is_own_bundle(above)), None):
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
    _require_trusted_place(bundle_dir)
    return bundle_dir


def _require_trusted_place(bundle_dir: Path) -> None:
    """Raise BundleRefused if another user can change or replace the bundle. A sticky folder such as /tmp is safe."""
    try:
        require_trusted(bundle_dir)
    except UntrustedPath as error:
        raise BundleRefused(error.message) from error


def fill(bundle_dir: Path, contents: Mapping[str, bytes]) -> None:
    """Write a bundle with the files `contents` to `bundle_dir`, and replace an earlier bundle.

    `bundle_dir` is a path that `place_for` returned. Raises OSError or BundleRefused; then nothing has changed.
    """
    make_folders(bundle_dir.parent)
    _require_trusted_place(bundle_dir)
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
    """Yield a new empty folder with mode 0700 next to `bundle_dir`. The folder is removed at the end.

    Raises BundleRefused if another process writes the same bundle."""
    # A new folder, and never one that exists: in a shared folder, another user could have created it.
    folder = Path(tempfile.mkdtemp(prefix=f".{bundle_dir.name}{_NEW}.", dir=bundle_dir.parent))
    try:
        # Before the lock, another writer can take this folder for a leftover and remove it.
        with locked_folder(folder) as handle:
            if handle is None or not _remove_leftovers(bundle_dir, folder):
                raise _other_writer(bundle_dir)
            yield folder
    except FileNotFoundError as error:
        if folder.exists():
            raise
        raise _other_writer(bundle_dir) from error
    finally:
        # The folder has either the unfinished bundle or the earlier one.
        shutil.rmtree(folder, ignore_errors=True)


def _other_writer(bundle_dir: Path) -> BundleRefused:
    text = _("Another acp-tui process is writing {path}. Wait until it has finished, then try again.")
    return BundleRefused(text.format(path=bundle_dir))


def _remove_leftovers(bundle_dir: Path, own: Path) -> bool:
    """Remove the temporary folders of killed writers of this bundle, because they can contain secrets.

    Only folders of the current user are removed, and only if all their files have names of a bundle. `own`: the
    temporary folder of this writer, which stays. Return False if another process writes the same bundle."""
    name = re.compile(rf"\.{re.escape(bundle_dir.name)}{re.escape(_NEW)}(\.[a-z0-9_]{{8}})?")
    for folder in bundle_dir.parent.iterdir():
        with suppress(OSError):  # such as a folder that its writer has removed in the meantime
            if folder == own or name.fullmatch(folder.name) is None or folder.lstat().st_uid != os.geteuid():
                continue
            with locked_folder(folder) as handle:
                if handle is None:
                    return False
                if {entry.name for entry in folder.iterdir()} <= {*FILES, *SEALED_NAMES, SUMS}:
                    shutil.rmtree(folder, ignore_errors=True)
    return True


def _earlier(bundle_dir: Path) -> Path:
    return bundle_dir.with_name(f".{bundle_dir.name}.earlier")


def _put_back(bundle_dir: Path) -> None:
    """Complete or undo a replacement of `bundle_dir` that a killed process left unfinished (see `_take_place`).

    A folder that another user can change is not such a replacement, and stays."""
    earlier = _earlier(bundle_dir)
    if not is_trusted(earlier):
        return
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
    with create_file(path, mode=mode) as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
