"""Parse the file name of a package into kind, version and architecture.

The file name does not prove what the package contains. acp-tui uses the name to select the requirement catalogue, and
to compare the version and architecture of two packages.
"""

import re
from dataclasses import dataclass
from typing import Literal

from acp_tui.plan.release import Release

Kind = Literal["core", "extensions"]
Arch = Literal["x86", "arm", "hybrid"]

STAMP = ".acp-tui-unpacked.json"
"""The file in the install folder in which acp-tui records the packages that it unpacked."""

_NUMBER = r"(?:0|[1-9]\d*)"
_NAME = re.compile(rf"installer-(core|extensions)-v(4\.{_NUMBER}\.{_NUMBER})-(x86|arm|hybrid)\.tar", re.ASCII)
_RELEASE = re.compile(rf"-v(4\.{_NUMBER})\.", re.ASCII)
_ARCHES: tuple[Arch, ...] = ("x86", "arm", "hybrid")


@dataclass(frozen=True)
class PackageName:
    """The parts of a package file name such as `installer-core-v4.0.3-x86.tar` (BND-CORE-NAME, BND-EXT-NAME)."""

    kind: Kind
    version: str
    """The version in the name, such as `4.0.3`."""
    arch: Arch

    @property
    def release(self) -> Release:
        """Return the release of the package, such as `4.0` for version `4.0.3`."""
        return Release(self.version)


def parse_name(filename: str) -> PackageName | None:
    """Return the parts of a package file name; None if `filename` is not the name of a package.

    The folders in a path are ignored."""
    match = _NAME.fullmatch(filename.rpartition("/")[2])
    if match is None:
        return None
    kind, version, arch = match.groups()
    return PackageName("core" if kind == "core" else "extensions", version, _arch(arch))


def release_in_name(filename: str) -> Release | None:
    """Return the release in a file name such as `core-v4.1.0-copy.tar`, even if the name is not that of a package."""
    match = _RELEASE.search(filename.rpartition("/")[2])
    return Release(match[1]) if match else None


def _arch(text: str) -> Arch:
    return next(arch for arch in _ARCHES if arch == text)
