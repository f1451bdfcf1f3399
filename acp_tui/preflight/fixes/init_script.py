"""Read the vendor's preparation script from the unpacked package, with its checksum (PRE-INIT)."""

from errno import EPERM
from hashlib import sha256
from pathlib import Path

from acp_tui.package.archive import INIT
from acp_tui.package.unpacked_package import PackageChanged, verified_content
from acp_tui.preflight.fixes.step import InitScript

_LARGEST = 4 * 1024 * 1024


def find_init(install_dir: Path) -> InitScript:
    """Return `installer/res/init.sh` below `install_dir`.

    Raises OSError if the script is missing or cannot be read, if it was changed after unpacking, or if another user can
    change it: it runs as root on every node."""
    path = install_dir / INIT
    try:
        content = verified_content(install_dir, INIT, _LARGEST)
    except PackageChanged as error:
        raise PermissionError(EPERM, error.message, str(path)) from error
    return InitScript(str(path), content, sha256(content).hexdigest())
