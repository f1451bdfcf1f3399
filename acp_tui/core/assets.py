"""Read files of `assets/`, in a checkout, a wheel and the single-file build alike."""

from importlib.resources import files
from pathlib import Path


def asset_path(name: str) -> Path:
    """Return the path of `name` (separated by slashes) in `assets/`."""
    return Path(str(files("assets"))) / name


def asset_text(name: str) -> str:
    """Return the content of the text file `name` in `assets/`."""
    return asset_path(name).read_text(encoding="utf-8")
