"""Read the files of the folder `assets/`.

This works in a checkout, in an installed wheel and in the single-file build.
"""

from importlib.resources import files
from pathlib import Path


def asset_path(name: str) -> Path:
    """Return the path of a file in `assets/`. `name` is relative to that folder and uses slashes."""
    return Path(str(files("assets"))) / name


def asset_text(name: str) -> str:
    """Return the content of the text file `name` in `assets/`."""
    return asset_path(name).read_text(encoding="utf-8")
