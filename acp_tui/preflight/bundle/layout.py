"""The files of a bundle: their names, their modes, and which of them are secret."""

from acp_tui.plan.file import SECRETS_NAME

PLAN = "plan.yaml"
DOCUMENT = "installer-config.json"
SETUP = "setup.txt"
REPORT = "preflight.json"
PAGE = "preflight.html"
KNOWN_HOSTS = "known_hosts"
SUMS = "SHA256SUMS"
FILES = (PLAN, SECRETS_NAME, DOCUMENT, SETUP, REPORT, PAGE, KNOWN_HOSTS)
"""All files of a bundle except the list of checksums."""
PRIVATE = (SECRETS_NAME, DOCUMENT)
"""The files with secrets. A bundle has them in plain text, has them encrypted, or does not have them.

The name of an encrypted file has `SEALED` at its end.
"""
SEALED = ".gpg"
PUBLIC = tuple(name for name in FILES if name not in PRIVATE)
SEALED_NAMES = tuple(name + SEALED for name in PRIVATE)
LARGEST = 64 << 20
"""Maximum size in bytes of a file in a bundle. Only the report of a cluster with hundreds of nodes has this size."""
MODE, _PRIVATE_MODE = 0o644, 0o600


def mode_of(name: str) -> int:
    """Return the file mode with which a file of a bundle is written."""
    return _PRIVATE_MODE if name in (*PRIVATE, *SEALED_NAMES) else MODE
