"""The releases of Alauda Container Platform for which acp-tui has a requirement catalogue.

Each release has one file, `assets/catalog/releases/<release>.yaml`. To add a release, add such a file; the code
contains no list of releases.
"""

import re
from pathlib import Path
from typing import Self

from acp_tui.core.assets import asset_path

_VERSION = re.compile(r"((?:0|[1-9]\d*)\.(?:0|[1-9]\d*))(?:\.(?:0|[1-9]\d*))?", re.ASCII)


class Release(str):
    """A release of ACP such as `4.0`. The text can also be a version such as `4.0.3`, which belongs to release `4.0`.

    Releases are compared by number: 4.10 is newer than 4.3. Raises ValueError if the text is not a release or
    version."""

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        match = _VERSION.fullmatch(text)
        if match is None:
            raise ValueError(f"'{text}' is not a release. Use a number such as 4.0 or 4.0.3")
        return super().__new__(cls, match[1])

    @property
    def numbers(self) -> tuple[int, int]:
        """Return the major and the minor number of the release."""
        major, _dot, minor = self.partition(".")
        return int(major), int(minor)

    def __lt__(self, other: str) -> bool:
        return self.numbers < Release(other).numbers

    def __le__(self, other: str) -> bool:
        return self.numbers <= Release(other).numbers

    def __gt__(self, other: str) -> bool:
        return self.numbers > Release(other).numbers

    def __ge__(self, other: str) -> bool:
        return self.numbers >= Release(other).numbers


def listed_releases(folder: Path) -> tuple[Release, ...]:
    """Return the releases that have a file in `folder`, the oldest first.

    Raises ValueError if the folder has no release file, or if the name of a file is not a release."""
    releases = []
    for file in folder.glob("*.yaml"):
        try:
            release = Release(file.stem)
        except ValueError as error:
            raise ValueError(f"{file}: {error}") from error
        if release != file.stem:
            raise ValueError(f"{file}: the name of this release file must be {release}.yaml")
        releases.append(release)
    if not releases:
        raise ValueError(f"{folder}: the folder contains no release file")
    return tuple(sorted(releases))


RELEASES = listed_releases(asset_path("catalog") / "releases")
"""All releases, the oldest first."""
