"""Pack the running acp-tui into one archive, for an installer node without acp-tui.

If the launcher, Python and the libraries are in one folder, the archive contains this folder and needs nothing else on
the node. Otherwise the archive contains the code and the libraries, and needs the same Python version on the node.
"""

import gzip
import os
import platform
import re
import sys
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

import acp_tui

_NAME = "acp-tui"
_REQUIREMENT = re.compile(r"\s*([A-Za-z0-9._-]+)\s*(?:\[([^\]]*)\])?")
_EXTRA = re.compile(r"""\bextra\s*==\s*['"]([^'"]+)""")


@dataclass(frozen=True)
class SelfArchive:
    """The content of an archive of acp-tui. `files`: pairs of a local file and its name in the archive.

    `launcher`: the Python interpreter in the archive; "" if it has none. `python`: the Python that the node must have,
    as in `sys.implementation.cache_tag`. `machine`: the architecture that it must have, as in `uname -m`."""

    files: tuple[tuple[Path, str], ...]
    launcher: str
    python: str = str(sys.implementation.cache_tag)
    machine: str = platform.machine()


def this_program() -> SelfArchive:
    """Return the content of an archive of the running acp-tui.

    Raises: PackageNotFoundError if acp-tui is not an installed Python package. Its libraries are then unknown."""
    home = Path(sys.executable).parent
    if all(Path(part).is_relative_to(home) for part in (acp_tui.__file__, os.__file__)):
        return SelfArchive(tuple(_below(home, home)), Path(sys.executable).name)
    top = Path(acp_tui.__file__).parents[1]
    own = (file for folder in ("acp_tui", "screens", "assets") for file in _below(top / folder, top))
    return SelfArchive((*own, *_libraries()), "")


def pack(program: SelfArchive, archive: Path) -> None:
    """Write `program` to the file `archive`. The same content always gives the same bytes. Raises: OSError."""
    with (
        archive.open("wb") as raw,
        gzip.GzipFile("", "wb", compresslevel=6, fileobj=raw, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w") as tar,
    ):
        for file, name in sorted(program.files, key=lambda pair: pair[1]):
            entry = tar.gettarinfo(file, name)
            entry.uid = entry.gid = 0
            entry.uname = entry.gname = "root"
            if entry.isreg():
                with file.open("rb") as content:
                    tar.addfile(entry, content)
            else:
                tar.addfile(entry)


def _below(folder: Path, top: Path) -> Iterator[tuple[Path, str]]:
    for place, folders, names in os.walk(folder):
        # Bytecode is valid for one build of Python only, and is created again when needed.
        folders[:] = [name for name in folders if name != "__pycache__" or top == folder]
        for name in names:
            file = Path(place, name)
            yield file, str(file.relative_to(top))


def _libraries() -> Iterator[tuple[Path, str]]:
    found: dict[str, Distribution] = {}
    _collect(_NAME, frozenset(), found)
    del found[_NAME]
    for library in found.values():
        for part in library.files or ():
            file = Path(str(part.locate()))
            if ".." not in part.parts and part.suffix != ".pyc" and file.is_file():
                yield file, str(part)


def _collect(name: str, extras: frozenset[str], found: dict[str, Distribution]) -> None:
    """Add the Python package `name` and the packages that it requires to `found`.

    A required package that is not installed is skipped, because it is for another operating system."""
    found[name.lower()] = installed = distribution(name)
    for line in installed.requires or ():
        wanted, _sep, marker = line.partition(";")
        match, extra = _REQUIREMENT.match(wanted), _EXTRA.search(marker)
        if match is None or (extra and extra[1] not in extras) or match[1].lower() in found:
            continue
        try:
            _collect(match[1], frozenset((match[2] or "").replace(" ", "").split(",")), found)
        except PackageNotFoundError:
            continue
