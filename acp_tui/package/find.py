"""Looks for packages where people put them, so that a path need not be typed.

Bounded in depth, entries and time; links are not followed. What is found is only offered: it is judged like any other.
"""

import os
import platform
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from acp_tui.package.name import Arch, PackageName, parse_name
from acp_tui.package.signature import default_signature

KEY = "verify-key.pub"
"""What the vendor calls its public key file."""
_DEPTH = 3
_ENTRIES = 50_000
_SECONDS = 3.0
_ARCH: Mapping[str, Arch] = {"x86_64": "x86", "aarch64": "arm"}


@dataclass(frozen=True)
class Found:
    """A Core Package and what belongs to it."""

    core: Path
    name: PackageName
    signed: bool
    """Its signature lies beside it."""
    extensions: Path | None = None
    public_key: Path | None = None


def likely_places(base: Path) -> tuple[Path, ...]:
    """Folders that packages are copied to, or mounted below. `base`: the folder that we were started in."""
    named = ("/root", "/tmp", "/var/tmp", "/opt", "/mnt", "/media", "/run/media")  # noqa: S108 - to look, not to write
    return tuple(dict.fromkeys((base, Path.home(), *map(Path, named))))


def find(places: Sequence[Path], machine: str = "") -> Found | None:
    """The newest Core Package in or below `places` that suits this host; else the newest. Blocks; meant for a thread.

    `machine`: as `uname -m` says, this host's by default."""
    return choose(tuple(look_for(places)), _ARCH.get(machine or platform.machine()))


def choose(files: Sequence[Path], arch: Arch | None) -> Found | None:
    """The package that an operator would take. `arch`: of this host, which becomes the first control plane node."""
    named = [(path, name) for path in files if (name := parse_name(path.name)) is not None]
    cores = [(path, name) for path, name in named if name.kind == "core"]
    if not cores:
        return None

    def merit(core: tuple[Path, PackageName]) -> tuple[bool, tuple[int, ...], bool, bool]:
        path, name = core
        version = tuple(int(part) for part in name.version.split("."))
        return arch is None or name.arch in (arch, "hybrid"), version, _is_signed(path), name.arch == arch

    core, name = max(cores, key=merit)
    wanted = PackageName("extensions", name.version, name.arch)
    extensions = _nearest((path for path, found in named if found == wanted), core)
    key = _nearest((path for path in files if path.name == KEY), core)
    return Found(core, name, _is_signed(core), extensions, key)


def look_for(
    places: Iterable[Path], *, depth: int = _DEPTH, entries: int = _ENTRIES, seconds: float = _SECONDS
) -> Iterator[Path]:
    """Files with the names of packages or of the vendor's key, the ones that lie highest first.

    `depth`: folders below a place that are entered; `entries`: names that are looked at in all."""
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
            elif entry.name == KEY or parse_name(entry.name) is not None:
                yield folder / entry.name


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            yield from found
    except OSError:  # not there, not for us, or gone meanwhile
        return


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False


def _is_signed(package: Path) -> bool:
    return os.access(default_signature(package), os.R_OK)


def _nearest(files: Iterable[Path], core: Path) -> Path | None:
    """One beside `core` rather than one elsewhere."""
    return min(files, key=lambda path: path.parent != core.parent, default=None)
