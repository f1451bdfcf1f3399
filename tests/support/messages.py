"""Texts for translators, extracted from the sources as by `make messages`."""

import subprocess
import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from babel.messages import Catalog
from babel.messages.pofile import read_po

_SCRIPT = Path(__file__).parents[2] / "scripts" / "messages.py"


@cache
def extracted() -> tuple[Catalog, str]:
    """Return all texts, and the warnings of the extraction."""
    with TemporaryDirectory() as folder:
        template = Path(folder, "acp-tui.pot")
        done = subprocess.run(
            [sys.executable, str(_SCRIPT), "extract", str(template)], capture_output=True, text=True, check=True
        )
        with template.open("rb") as file:
            return read_po(file), done.stderr
