"""Remember in the state folder which references of a plan the operator has confirmed. So acp-tui asks only once."""

from pathlib import Path

from acp_tui.core.files import private_folder, read_trusted, write_atomically
from acp_tui.plan.file.references import FoundReferences

_NAME = "confirmed-references"
"""A file with one digest on each line."""


def needs_confirmation(home: Path, found: FoundReferences) -> bool:
    """Return True if the operator must confirm these references first. `home`: the state folder."""
    return bool(found.weakness) and not is_confirmed(home, found)


def is_confirmed(home: Path, found: FoundReferences) -> bool:
    """Return True if the operator has confirmed these references earlier. `home`: the state folder.

    A package without the vendor's signature is never confirmed, because its content can change at any time."""
    if any(one.kind == "package" for one in found.references):
        return False
    return found.digest in _digests(home)


def remember_confirmed(home: Path, found: FoundReferences) -> None:
    """Record that the operator has confirmed these references. Raises OSError if the record cannot be written."""
    digests = dict.fromkeys((*_digests(home), found.digest))
    write_atomically(private_folder(home) / _NAME, "".join(f"{digest}\n" for digest in digests), mode=0o600)


def _digests(home: Path) -> tuple[str, ...]:
    try:
        return tuple(read_trusted(home / _NAME).decode("ascii").split())
    except (OSError, UnicodeDecodeError):
        return ()
