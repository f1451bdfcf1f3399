"""The folder of a bundle: its files, the verification of their checksums, and its atomic replacement.

A new bundle is written into a temporary folder next to it and synchronised; then the folders are exchanged in one step.
"""

import ctypes
import errno
import hashlib
import os
import shutil
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from acp_tui.core.errors import AcpError, ExitStatus
from acp_tui.core.files import error_reason, open_regular_file, read_limited, sync_folder, write_atomically
from acp_tui.core.i18n import _, pgettext
from acp_tui.core.locks import locked_folder
from acp_tui.plan.file import SECRETS_NAME

PLAN = "plan.yaml"
DOCUMENT = "installer-config.json"
SETUP = "setup.txt"
REPORT = "preflight.json"
PAGE = "preflight.html"
KNOWN_HOSTS = "known_hosts"
SUMS = "SHA256SUMS"
FILES = (PLAN, SECRETS_NAME, DOCUMENT, SETUP, REPORT, PAGE, KNOWN_HOSTS)
"""All files of a bundle except the checksums."""
PRIVATE = (SECRETS_NAME, DOCUMENT)
"""The files with secrets: in plain text, encrypted under their names with `SEALED`, or left out."""
SEALED = ".gpg"

_PUBLIC = tuple(name for name in FILES if name not in PRIVATE)
_SEALED_NAMES = tuple(name + SEALED for name in PRIVATE)
_MODE, _PRIVATE_MODE = 0o644, 0o600
_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


@dataclass(frozen=True)
class FileProblem:
    """A file of a bundle that failed verification."""

    name: str
    reason: str


class BundleCorrupt(AcpError):
    """A file of the bundle is missing, changed, readable by too many users, or does not belong to the bundle."""

    exit_status = ExitStatus.CHECK_FAILED

    def __init__(self, directory: Path, problems: tuple[FileProblem, ...]) -> None:
        files = "; ".join(f"{problem.name}: {problem.reason}" for problem in problems)
        super().__init__(
            _(
                "The bundle {folder} is damaged or was changed: {files}. Copy the bundle again, or write a new one."
            ).format(folder=directory, files=files)
        )
        self.files = tuple(problem.name for problem in problems)


class BundleRefused(AcpError):
    """A bundle cannot be written to the given path; the text has the reason."""


def is_bundle(path: Path) -> bool:
    """Whether `path` is a folder that was written as a bundle, intact or damaged."""
    return PLAN in sums(path) or ((path / PLAN).is_file() and (path / SETUP).is_file())


def sums(directory: Path) -> Mapping[str, str]:
    """Return the digests by file name; empty if there is no readable list."""
    try:
        lines = read_limited(directory / SUMS).decode("ascii").splitlines()
    except (OSError, UnicodeDecodeError):
        return {}
    return {name: digest for digest, _space, name in (line.partition("  ") for line in lines)}


def check_sums(directory: Path) -> None:
    """Raise BundleCorrupt with every file that is missing, changed, added, or readable by too many users."""
    if problems := tuple(_problems(directory)):
        raise BundleCorrupt(directory, problems)


def _problems(directory: Path) -> Iterator[FileProblem]:
    digests = sums(directory)
    if not digests:
        yield FileProblem(SUMS, _("missing, or not a list of checksums"))
        return
    present = {entry.name: entry for entry in os.scandir(directory)}
    # A bundle whose secrets were left out or removed has no checksums of them; the other files are always required.
    private = next((names for names in (PRIVATE, _SEALED_NAMES) if set(names) & digests.keys()), ())
    required = (*_PUBLIC, *private)
    for name in required:
        if name not in digests:
            yield FileProblem(name, pgettext("bundle", "not in {sums}").format(sums=SUMS))
        elif name not in present:
            yield FileProblem(name, pgettext("file", "missing"))
        elif not present[name].is_file(follow_symlinks=False):
            yield FileProblem(name, _("not a regular file"))
        elif difference := _difference(directory / name, digests[name]):
            yield FileProblem(name, difference)
        else:
            yield from _mode_problem(name, present[name].stat(follow_symlinks=False), _mode(name))
    for name in sorted({*present, *digests} - {*required, SUMS}):
        yield FileProblem(ascii(name)[1:-1], _("does not belong to this bundle"))
    if SUMS in present:
        yield from _mode_problem(SUMS, present[SUMS].stat(), _MODE)
    yield from _mode_problem(".", directory.stat(), 0o755)


def _mode_problem(name: str, found: os.stat_result, expected: int) -> Iterator[FileProblem]:
    mode = stat.S_IMODE(found.st_mode)
    if mode & ~expected & ~stat.S_ISGID & ~stat.S_IRWXU:
        yield FileProblem(name, _("mode is {mode:o}; run chmod {expected:o}").format(mode=mode, expected=expected))


def _mode(name: str) -> int:
    return _PRIVATE_MODE if name in (*PRIVATE, *_SEALED_NAMES) else _MODE


def _difference(file: Path, digest: str) -> str:
    """Return why the file cannot be trusted; "" if its checksum is correct."""
    try:
        with open_regular_file(file) as content:
            same = hashlib.file_digest(content, "sha256").hexdigest() == digest
    except OSError as error:
        return _("cannot be read: {reason}").format(reason=error_reason(error))
    return "" if same else pgettext("bundle", "checksum differs")


def remove_secrets(directory: Path) -> None:
    """Remove the secrets from a bundle after the install; it stays a valid bundle. Raises OSError if that fails."""
    lines = (directory / SUMS).read_text(encoding="ascii").splitlines()
    public = [line for line in lines if line.partition("  ")[2] not in (*PRIVATE, *_SEALED_NAMES)]
    write_atomically(directory / SUMS, "".join(f"{line}\n" for line in public), mode=_MODE)
    for name in (*PRIVATE, *_SEALED_NAMES):
        (directory / name).unlink(missing_ok=True)
    sync_folder(directory)


def place_for(directory: Path) -> Path:
    """Return the absolute path for a bundle at `directory`, after checks. Nothing is written.

    Raises BundleRefused if the bundle would overwrite or damage other files, OSError if the path is not writable."""
    bundle_dir = Path(os.path.abspath(directory))  # noqa: PTH100 - Path.absolute keeps `..`, of which no name is made
    if bundle_dir.is_symlink() or (bundle_dir.exists() and not bundle_dir.is_dir()):
        raise BundleRefused(_("{path} is not a folder. Choose another name.").format(path=directory))
    if bundle_dir.is_mount():
        raise BundleRefused(_("{path} is a mount point. Choose a new folder in it.").format(path=directory))
    if outer := next((above for above in bundle_dir.parents if is_bundle(above)), None):
        text = _("{path} is inside the bundle {bundle}, which would no longer be valid. Choose another folder.")
        raise BundleRefused(text.format(path=directory, bundle=outer))
    if bundle_dir.is_dir():
        names = {entry.name for entry in bundle_dir.iterdir()}
        known = {*FILES, *_SEALED_NAMES, SUMS} if PLAN in sums(bundle_dir) else set()
        if foreign := sorted(names - known):
            text = _("{path} has files that do not belong to a bundle: {files}. Choose another folder.")
            raise BundleRefused(text.format(path=directory, files=", ".join(foreign[:5])))
    parent = next(above for above in bundle_dir.parents if above.exists())
    if not parent.is_dir() or not os.access(parent, os.W_OK | os.X_OK):
        reason = errno.EACCES if parent.is_dir() else errno.ENOTDIR
        raise OSError(reason, os.strerror(reason), str(parent))
    return bundle_dir


def fill(bundle_dir: Path, contents: Mapping[str, bytes]) -> None:
    """Write a bundle of these files to `bundle_dir`, which `place_for` has returned, and replace an earlier bundle.

    Raises OSError or BundleRefused; then nothing has changed."""
    bundle_dir.parent.mkdir(parents=True, exist_ok=True)
    _put_back(bundle_dir)
    with _temporary_folder(bundle_dir) as folder:
        listed = ""
        for name, data in contents.items():
            _write(folder / name, data, _mode(name))
            listed += f"{hashlib.sha256(data).hexdigest()}  {name}\n"
        _write(folder / SUMS, listed.encode("ascii"), _MODE)
        sync_folder(folder)
        _take_place(folder, bundle_dir)
        sync_folder(bundle_dir.parent)


@contextmanager
def _temporary_folder(bundle_dir: Path) -> Iterator[Path]:
    """Yield an empty folder next to `bundle_dir`; it is removed at the end."""
    # A fixed name: the next writer removes what a killed one left, secrets included.
    folder = bundle_dir.with_name(f".{bundle_dir.name}.new")
    folder.mkdir(mode=0o700, exist_ok=True)
    with locked_folder(folder, follow_link=False) as handle:
        if handle is None:
            raise BundleRefused(_("{path} is being written by another acp-tui.").format(path=bundle_dir))
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
    """Restore or remove the earlier bundle if a writer was killed between the two steps of `_take_place`."""
    earlier = _earlier(bundle_dir)
    if earlier.is_dir() and not bundle_dir.exists():
        earlier.rename(bundle_dir)
    shutil.rmtree(earlier, ignore_errors=True)


def _take_place(folder: Path, bundle_dir: Path) -> None:
    """Exchange `folder` and `bundle_dir`."""
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
    """Exchange two names in one step; False if the C library, the kernel or the filesystem cannot."""
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
