"""Read the files of the folder `assets/`.

The functions work in a checkout, in an installed wheel and in the single-file build.
"""

from importlib.resources import files
from pathlib import Path


def asset_path(name: str) -> Path:
    """Return the path of a file in `assets/`. `name` is a path relative to `assets/`, with slashes."""
    return Path(str(files("assets"))) / name


def asset_text(name: str) -> str:
    """Return the content of the text file `name` in `assets/`."""
    return asset_path(name).read_text(encoding="utf-8")
