"""The folder of a bundle: which files it has, that they are what they were, and how a new one takes its place.

Whole or not at all, and never half replaced: a folder beside it is filled, made durable, and takes its place in one
step.
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
from acp_tui.core.i18n import _
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
"""All that a bundle has beside its sums."""
PRIVATE = (SECRETS_NAME, DOCUMENT)
"""The files with secrets: as they are, each encrypted under its name with `SEALED`, or left out."""
SEALED = ".gpg"

_PUBLIC = tuple(name for name in FILES if name not in PRIVATE)
_SEALED_NAMES = tuple(name + SEALED for name in PRIVATE)
_MODE, _PRIVATE_MODE = 0o644, 0o600
_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


@dataclass(frozen=True)
class FileProblem:
    name: str
    why: str


class BundleCorrupt(AcpError):
    """Something is missing, is not what it was when the bundle was written, or is none of its files."""

    exit_status = ExitStatus.CHECK_FAILED

    def __init__(self, directory: Path, damages: tuple[FileProblem, ...]) -> None:
        told = "; ".join(f"{damage.name}: {damage.why}" for damage in damages)
        super().__init__(
            _("The bundle {folder} is damaged or was changed: {files}. Copy it again whole, or make it anew.").format(
                folder=directory, files=told
            )
        )
        self.files = tuple(damage.name for damage in damages)


class BundleRefused(AcpError):
    """A bundle cannot go where it should; the text says why."""


def is_bundle(path: Path) -> bool:
    """Whether `path` is a folder that was written as a bundle, whole or damaged."""
    return PLAN in sums(path) or ((path / PLAN).is_file() and (path / SETUP).is_file())


def sums(directory: Path) -> Mapping[str, str]:
    """File name → digest; empty where there is no readable list."""
    try:
        lines = read_limited(directory / SUMS).decode("ascii").splitlines()
    except (OSError, UnicodeDecodeError):
        return {}
    return {name: digest for digest, _space, name in (line.partition("  ") for line in lines)}


def check_sums(directory: Path) -> None:
    """BundleDamaged with everything that is missing, changed, added, or open to more people than it was written for."""
    if damages := tuple(_damages(directory)):
        raise BundleCorrupt(directory, damages)


def _damages(directory: Path) -> Iterator[FileProblem]:
    wanted = sums(directory)
    if not wanted:
        yield FileProblem(SUMS, _("missing, or no list of checksums"))
        return
    here = {entry.name: entry for entry in os.scandir(directory)}
    # A bundle whose secrets were left out or removed has no sums of them either; the other files are never missing.
    private = next((names for names in (PRIVATE, _SEALED_NAMES) if set(names) & wanted.keys()), ())
    due = (*_PUBLIC, *private)
    for name in due:
        if name not in wanted:
            yield FileProblem(name, _("not in {sums}").format(sums=SUMS))
        elif name not in here:
            yield FileProblem(name, _("missing"))
        elif not here[name].is_file(follow_symlinks=False):
            yield FileProblem(name, _("not a file"))
        elif differs := _differs(directory / name, wanted[name]):
            yield FileProblem(name, differs)
        else:
            yield from _too_open(name, here[name].stat(follow_symlinks=False), _mode(name))
    for name in sorted({*here, *wanted} - {*due, SUMS}):
        yield FileProblem(ascii(name)[1:-1], _("no file of this bundle"))
    if SUMS in here:
        yield from _too_open(SUMS, here[SUMS].stat(), _MODE)
    yield from _too_open(".", directory.stat(), 0o755)


def _too_open(name: str, found: os.stat_result, wanted: int) -> Iterator[FileProblem]:
    mode = stat.S_IMODE(found.st_mode)
    if mode & ~wanted & ~stat.S_ISGID & ~stat.S_IRWXU:
        yield FileProblem(name, _("mode {mode:o}, chmod {wanted:o} is wanted").format(mode=mode, wanted=wanted))


def _mode(name: str) -> int:
    return _PRIVATE_MODE if name in (*PRIVATE, *_SEALED_NAMES) else _MODE


def _differs(file: Path, digest: str) -> str:
    """Why the file is not known to be what was written; empty: it is."""
    try:
        with open_regular_file(file) as content:
            same = hashlib.file_digest(content, "sha256").hexdigest() == digest
    except OSError as error:
        return _("cannot be read: {why}").format(why=error_reason(error))
    return "" if same else _("not what was written")


def remove_secrets(directory: Path) -> None:
    """Take the secrets out of a bundle that has served its purpose; the rest stays whole. OSError: still there."""
    lines = (directory / SUMS).read_text(encoding="ascii").splitlines()
    kept = [line for line in lines if line.partition("  ")[2] not in (*PRIVATE, *_SEALED_NAMES)]
    write_atomically(directory / SUMS, "".join(f"{line}\n" for line in kept), mode=_MODE)
    for name in (*PRIVATE, *_SEALED_NAMES):
        (directory / name).unlink(missing_ok=True)
    sync_folder(directory)


def place_for(directory: Path) -> Path:
    """Where a bundle that is to be `directory` goes, as an absolute path. Nothing is written.

    BundleRefused: there is, or around it, what must not be touched; OSError: nothing can be written there."""
    place = Path(os.path.abspath(directory))  # noqa: PTH100 - Path.absolute keeps `..`, of which no name is made
    if place.is_symlink() or (place.exists() and not place.is_dir()):
        raise BundleRefused(_("{path} is not a folder; choose another name.").format(path=directory))
    if place.is_mount():
        raise BundleRefused(
            _("{path} is where a file system is mounted; name a new folder in it.").format(path=directory)
        )
    if around := next((above for above in place.parents if is_bundle(above)), None):
        words = _("{path} would lie inside the bundle {bundle}, which is no longer whole then. Choose another folder.")
        raise BundleRefused(words.format(path=directory, bundle=around))
    if place.is_dir():
        names = {entry.name for entry in place.iterdir()}
        known = {*FILES, *_SEALED_NAMES, SUMS} if PLAN in sums(place) else set()
        if foreign := sorted(names - known):
            words = _("{path} has files that are no part of a bundle: {files}. Choose another folder.")
            raise BundleRefused(words.format(path=directory, files=", ".join(foreign[:5])))
    parent = next(above for above in place.parents if above.exists())
    if not parent.is_dir() or not os.access(parent, os.W_OK | os.X_OK):
        reason = errno.EACCES if parent.is_dir() else errno.ENOTDIR
        raise OSError(reason, os.strerror(reason), str(parent))
    return place


def fill(place: Path, contents: Mapping[str, bytes]) -> None:
    """Make `place`, which `place_for` has given, a bundle of these files, in the place of an earlier one.

    OSError, BundleRefused: nothing was changed."""
    place.parent.mkdir(parents=True, exist_ok=True)
    _put_back(place)
    with _beside(place) as folder:
        listed = ""
        for name, data in contents.items():
            _write(folder / name, data, _mode(name))
            listed += f"{hashlib.sha256(data).hexdigest()}  {name}\n"
        _write(folder / SUMS, listed.encode("ascii"), _MODE)
        sync_folder(folder)
        _take_place(folder, place)
        sync_folder(place.parent)


@contextmanager
def _beside(place: Path) -> Iterator[Path]:
    """An empty folder beside `place`; whatever is there in the end goes away."""
    # A fixed name: what a killed writer left, secrets among it, is gone the next time.
    folder = place.with_name(f".{place.name}.new")
    folder.mkdir(mode=0o700, exist_ok=True)
    with locked_folder(folder, follow_link=False) as handle:
        if handle is None:
            raise BundleRefused(_("{path} is being written by another acp-tui.").format(path=place))
        try:
            os.fchmod(handle, 0o700)
            for entry in folder.iterdir():
                entry.unlink()
            yield folder
        finally:
            # What is here now is either what could not be finished, or the earlier bundle.
            shutil.rmtree(folder, ignore_errors=True)


def _earlier(place: Path) -> Path:
    return place.with_name(f".{place.name}.earlier")


def _put_back(place: Path) -> None:
    """After a kill between the two steps of `_take_place`: the earlier bundle is put back, or is done with."""
    earlier = _earlier(place)
    if earlier.is_dir() and not place.exists():
        earlier.rename(place)
    shutil.rmtree(earlier, ignore_errors=True)


def _take_place(folder: Path, place: Path) -> None:
    """Put `folder` where `place` is; what was there is in the place of `folder` afterwards."""
    if PLAN not in sums(place):
        folder.rename(place)
        return
    if _exchange(folder, place):
        return
    # A system that cannot swap two names: between the two steps both are whole, each under another name.
    earlier = _earlier(place)
    place.rename(earlier)
    try:
        folder.rename(place)
    except OSError:
        earlier.rename(place)
        raise
    earlier.rename(folder)


def _exchange(one: Path, other: Path) -> bool:
    """Swap two names in one step; False where the C library, the kernel or the filesystem cannot."""
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
