"""The one way to read a file of `assets/`: the same from a checkout, a wheel and the single-file build."""

from importlib.resources import files
from pathlib import Path


def asset_path(name: str) -> Path:
    """The file or folder `name` (slash separated) below `assets/`."""
    return Path(str(files("assets"))) / name


def asset_text(name: str) -> str:
    return asset_path(name).read_text(encoding="utf-8")
