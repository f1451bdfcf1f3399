"""Search the folders in which packages are usually found, so that the operator does not need to type a path.

The search has limits for depth, entries and time, and does not follow links. The found packages are only suggestions.
acp-tui verifies them like every other package. A file that another user can change is never suggested as a key or as an
Extensions Package, and a Core Package of another user comes after the others.
"""

import os
import platform
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from acp_tui.core.files import error_reason, open_regular_file
from acp_tui.core.i18n import _, pgettext
from acp_tui.core.ownership import is_trusted, owner_name, trusted_owners, weakness_of
from acp_tui.package.signature.gpg import default_signature
from acp_tui.package.signature.openpgp import fingerprints
from acp_tui.plan.package_name import Arch, PackageName, parse_name
from acp_tui.plan.sections.package import VENDOR_FINGERPRINT

KEY = "verify-key.pub"
"""The file name of the vendor's public key."""
_KEY_ENDINGS = (".pub", ".asc", ".gpg", ".pgp", ".key", ".txt")
"""The file name endings of possible key files."""
_KEY_BYTES, _KEY_FILES = 1 << 16, 1000
"""The maximum number of bytes of a key file, and the maximum number of files that are read to find the trusted key."""
_DEPTH = 3
_ENTRIES = 50_000
_SECONDS = 3.0
_ARCH: Mapping[str, Arch] = {"x86_64": "x86", "aarch64": "arm"}


@dataclass(frozen=True)
class Found:
    """A Core Package in a searched folder, with its signature, its key file and its Extensions Package."""

    core: Path
    name: PackageName
    signed: bool
    """True if the signature file is next to the package."""
    extensions: Path | None = None
    public_key: Path | None = None
    """A file that contains the trusted key, or else a file named `verify-key.pub`; None if there is no such file."""
    caution: str = ""
    """The reason why another user can change `core`, such as its owner; "" if only the operator and root can.

    A package with a caution must not be filled in before the operator has seen it."""


def likely_places(base: Path) -> tuple[Path, ...]:
    """Return the folders in which packages are usually found. `base`: the current folder."""
    named = ("/root", "/home", "/tmp", "/var/tmp", "/opt", "/srv", "/data", "/mnt", "/media", "/run/media")  # noqa: S108 - to look, not to write
    return tuple(dict.fromkeys((base, Path.home(), *map(Path, named), *mounted())))


def mounted(table: Path = Path("/proc/self/mounts")) -> tuple[Path, ...]:
    """Return the mount points of disks such as a USB stick or a DVD. The root file system is not included."""
    try:
        lines = table.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return ()
    entries = [line.split(" ") for line in lines if line.startswith("/dev/")]
    folders = (entry[1].replace("\\040", " ") for entry in entries if len(entry) > 2)
    return tuple(Path(folder) for folder in dict.fromkeys(folders) if folder not in ("/", "/boot", "/boot/efi"))


def find(places: Sequence[Path], machine: str = "", fingerprint: str = VENDOR_FINGERPRINT) -> tuple[Found, ...]:
    """Return the Core Packages in `places` and their subfolders, the most suitable one first.

    The search blocks, so run it in a thread. `machine`: the output of `uname -m`; "" means this host. `fingerprint`:
    the fingerprint of the trusted key."""
    files = tuple(look_for(places))
    likely = [path for path in files if path.name.endswith(_KEY_ENDINGS) and is_trusted(path)][:_KEY_FILES]
    trusted = [path for path in likely if _holds(path, fingerprint)]
    return offers(files, _ARCH.get(machine or platform.machine()), trusted)


def offers(files: Sequence[Path], arch: Arch | None, trusted: Sequence[Path] = ()) -> tuple[Found, ...]:
    """Return one suggestion for each package name, the most suitable one first.

    Packages that another user can change come last. Among the others, packages for the architecture of this host come
    first, and among these, newer versions. `arch`: the architecture of this host; None if it is unknown. `trusted`: the
    files that contain the trusted key."""
    named = [(path, name) for path in files if (name := parse_name(path.name)) is not None]
    cores = [(path, name) for path, name in named if name.kind == "core"]

    def merit(core: tuple[Path, PackageName]) -> tuple[bool, bool, tuple[int, ...], bool, bool]:
        path, name = core
        version = tuple(int(part) for part in name.version.split("."))
        fits = arch is None or name.arch in (arch, "hybrid")
        return is_trusted(path), fits, version, _is_signed(path), name.arch == arch

    by_name: dict[PackageName, Found] = {}
    for core, name in sorted(cores, key=merit, reverse=True):
        extensions_name = PackageName("extensions", name.version, name.arch)
        extensions = _nearest((path for path, other in named if other == extensions_name and is_trusted(path)), core)
        key = _nearest(trusted, core) or _nearest(
            (path for path in files if path.name == KEY and is_trusted(path)), core
        )
        by_name.setdefault(name, Found(core, name, _is_signed(core), extensions, key, _caution(core)))
    return tuple(by_name.values())


def look_for(
    places: Iterable[Path], *, depth: int = _DEPTH, entries: int = _ENTRIES, seconds: float = _SECONDS
) -> Iterator[Path]:
    """Yield the files that have the name of a package or of a possible key file. Upper folders come first.

    `depth`: the number of levels of subfolders to search. `entries`: the maximum number of names to check.
    `seconds`: the time limit."""
    end = time.monotonic() + seconds
    waiting, known = deque((place, 0) for place in places), set[str]()
    while waiting and time.monotonic() < end:
        folder, level = waiting.popleft()
        if str(folder) in known:
            continue
        known.add(str(folder))
        for entry in _entries(folder):
            entries -= 1
            if entries < 0 or time.monotonic() > end:
                return
            if not entry.name.isprintable() or entry.name.startswith("."):
                continue
            if _is_folder(entry):
                if level < depth:
                    waiting.append((folder / entry.name, level + 1))
            elif entry.name.endswith(_KEY_ENDINGS) or parse_name(entry.name) is not None:
                yield folder / entry.name


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            yield from entries
    except OSError:  # the folder is missing, not readable, or was removed during the search
        return


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False


def _holds(path: Path, fingerprint: str) -> bool:
    try:
        with open_regular_file(path) as file:
            return fingerprint in fingerprints(file.read(_KEY_BYTES))
    except OSError:
        return False


def _caution(path: Path) -> str:
    """Return why another user can change the file, in few words; "" if only the operator and root can."""
    try:
        weakness = weakness_of(path)
        if weakness is None:
            return ""
        if weakness.path.lstat().st_uid not in trusted_owners():
            return pgettext("package", "owner {name}").format(name=owner_name(weakness.path))
    except OSError as error:
        return error_reason(error)
    return _("other users can write to it")


def _is_signed(package: Path) -> bool:
    return os.access(default_signature(package), os.R_OK)


def _nearest(files: Iterable[Path], core: Path) -> Path | None:
    """Return one of `files`, preferably one in the folder of the Core Package `core`; None if there are no files."""
    return min(files, key=lambda path: path.parent != core.parent, default=None)
