"""Parse the file name of a package: kind, version, architecture.

The name proves nothing: it selects the requirement catalogue, and shows whether two packages belong together.
"""

import re
from dataclasses import dataclass
from typing import Literal

from acp_tui.plan.release import Release

Kind = Literal["core", "extensions"]
Arch = Literal["x86", "arm", "hybrid"]

_NAME = re.compile(r"installer-(core|extensions)-v(4\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*))-(x86|arm|hybrid)\.tar", re.ASCII)
_ARCHES: tuple[Arch, ...] = ("x86", "arm", "hybrid")


@dataclass(frozen=True)
class PackageName:
    """`installer-core-v4.0.3-x86.tar` in parts (BND-CORE-NAME, BND-EXT-NAME)."""

    kind: Kind
    version: str
    """`4.0.3`."""
    arch: Arch

    @property
    def release(self) -> Release:
        """`4.0` of `4.0.3`."""
        return Release(self.version)


def parse_name(filename: str) -> PackageName | None:
    """Return the parts of a file name (folders are ignored); None if it is not the name of a package."""
    match = _NAME.fullmatch(filename.rpartition("/")[2])
    if match is None:
        return None
    kind, version, arch = match.groups()
    return PackageName("core" if kind == "core" else "extensions", version, _arch(arch))


def _arch(text: str) -> Arch:
    return next(arch for arch in _ARCHES if arch == text)
