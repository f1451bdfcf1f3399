"""Import public keys into a home folder of gpg, and list their fingerprints.

python-gnupg also ends a line at characters that the name of a key can contain. Then it fails or reports wrong keys.
This module ends a line only at a newline, which gpg never prints as part of a name.
"""

import subprocess
from dataclasses import dataclass

import gnupg

_TIMEOUT = 60.0
"""Time limit for one run of gpg, in seconds. A file of 1 MiB with thousands of keys needs half of it."""


@dataclass(frozen=True)
class ImportedKeys:
    """The result of an import."""

    fingerprints: tuple[str, ...]
    """The fingerprints of all keys in the keyring, the primary keys before the subkeys."""
    messages: str
    """The messages of gpg, in the language of its environment."""
    without_name: int
    """The number of keys without a valid user ID. gpg does not import them."""
    crashed: bool
    """True if a signal ended gpg."""


def import_keys(gpg: gnupg.GPG, content: bytes) -> ImportedKeys:
    """Import the content of a key file. Raises TimeoutError if gpg does not finish in time; OSError."""
    imported = _run(gpg, ["--import"], content)
    results = [line.split() for line in imported.stderr.split(b"\n") if line.startswith(b"[GNUPG:] IMPORT_RES ")]
    without_name = int(results[-1][3]) if results and len(results[-1]) > 3 and results[-1][3].isdigit() else 0
    primary: list[str] = []
    subkeys: list[str] = []
    found = primary
    for line in _run(gpg, ["--list-keys", "--fingerprint", "--fingerprint"], b"").stdout.split(b"\n"):
        fields = line.split(b":")
        if fields[0] in (b"pub", b"sub"):
            found = primary if fields[0] == b"pub" else subkeys
        elif fields[0] == b"fpr" and len(fields) > 9:
            found.append(fields[9].decode("ascii", "replace"))
    return ImportedKeys(
        (*primary, *subkeys), imported.stderr.decode("utf-8", "replace"), without_name, imported.returncode < 0
    )


def _run(gpg: gnupg.GPG, arguments: list[str], content: bytes) -> subprocess.CompletedProcess[bytes]:
    command = gpg.make_args(arguments, False)
    try:
        return subprocess.run(command, input=content, capture_output=True, env=gpg.env, timeout=_TIMEOUT, check=False)
    except subprocess.TimeoutExpired as error:
        raise TimeoutError from error
