"""The releases of Alauda Container Platform: an ordered type, and the list of those with a catalogue.

A release is one file, `assets/catalog/releases/<release>.yaml`. A new file is a new release; no code lists them.
"""

import re
from pathlib import Path
from typing import Self

from acp_tui.core.assets import asset_path

_VERSION = re.compile(r"((?:0|[1-9]\d*)\.(?:0|[1-9]\d*))(?:\.(?:0|[1-9]\d*))?", re.ASCII)


class Release(str):
    """`4.0`, also made from a version such as `4.0.3`. Releases are text that sorts by number: 4.10 is above 4.3.

    Raises ValueError: the text is not a release or version.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        match = _VERSION.fullmatch(text)
        if match is None:
            raise ValueError(f"'{text}' is not a release; expected a number such as 4.0 or 4.0.3")
        return super().__new__(cls, match[1])

    @property
    def numbers(self) -> tuple[int, int]:
        """Major and minor number."""
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

    Raises ValueError: the folder is empty, or the name of a file is not a release.
    """
    releases = []
    for file in folder.glob("*.yaml"):
        try:
            release = Release(file.stem)
        except ValueError as error:
            raise ValueError(f"{file}: {error}") from error
        if release != file.stem:
            raise ValueError(f"{file}: the file of a release is named {release}.yaml")
        releases.append(release)
    if not releases:
        raise ValueError(f"{folder}: no file of a release")
    return tuple(sorted(releases))


RELEASES = listed_releases(asset_path("catalog") / "releases")
"""All releases, the oldest first."""
