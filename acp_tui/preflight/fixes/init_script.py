"""Read the vendor's preparation script from the unpacked package, with its checksum (PRE-INIT)."""

from hashlib import sha256
from pathlib import Path

from acp_tui.package.archive import INIT
from acp_tui.preflight.fixes.step import InitScript

_LARGEST = 4 * 1024 * 1024


def find_init(install_dir: Path) -> InitScript:
    """Return `installer/res/init.sh` below `install_dir`. Raises OSError if it is missing or cannot be read."""
    path = install_dir / INIT
    with path.open("rb") as file:
        content = file.read(_LARGEST)
    return InitScript(str(path), content, sha256(content).hexdigest())
