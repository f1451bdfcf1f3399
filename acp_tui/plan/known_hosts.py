"""Known hosts: the host keys of the nodes of a plan that acp-tui accepts, and where each key comes from.

Keys are OpenSSH public keys (type and base64). A password or a change goes only to a node whose key the operator has
confirmed, or whose key comes from a trusted source. A login with a key file may read a node with a new key. Its key is
then recorded as seen. Drafts, bundles and the state folder contain known hosts.
"""

import hashlib
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from acp_tui.core.files import private_folder, read_trusted, write_atomically
from acp_tui.core.i18n import _

OWN_FILE = "~/.ssh/known_hosts"
"""The known hosts file of the user."""
USER = "user"
"""The value of the plan key `ssh.known_hosts` that stands for `OWN_FILE`."""
PRINT_FINGERPRINTS = "for f in /etc/ssh/ssh_host_*_key.pub; do ssh-keygen -lf $f; done"
"""The command that prints the fingerprints of its host keys on a node."""
_CONFIRMED = "confirmed"


class KeySource(StrEnum):
    """Where a host key comes from. `SEEN` is not confirmed; all others are."""

    SEEN = "seen"
    """Recorded at a login with a key file. The operator has not compared it."""
    CONFIRMED = "confirmed"
    """Confirmed by the operator."""
    FILE = "file"
    """From a known hosts file, or from a bundle."""
    THIS_HOST = "this-host"
    """The node is this host, and the key is one of the public key files of its sshd."""


@dataclass(frozen=True)
class KnownHost:
    """The host keys of one node that acp-tui accepts, each as `type base64`. A host can have a key of each type."""

    keys: tuple[str, ...]
    source: KeySource = KeySource.CONFIRMED

    @property
    def confirmed(self) -> bool:
        """True if a password and changes may be sent to the node."""
        return self.source is not KeySource.SEEN

    def accepts(self, key: str) -> bool:
        """Return True if a password and changes may be sent to a node with the host key `key`."""
        return self.confirmed and key in self.keys

    def is_changed(self, key: str) -> bool:
        """Return True if `key` means that the host key has changed.

        The sshd of this host can have keys in other files, so another key of this host is only new."""
        return self.source is not KeySource.THIS_HOST and key not in self.keys


KnownHosts = Mapping[str, KnownHost]
"""Node address → its known host."""


def is_confirmed(known: KnownHost | None) -> bool:
    """Return True if a password and changes may be sent to a node. `known`: its known host; None if it has none."""
    return known is not None and known.confirmed


def confirmed(key: str) -> KnownHost:
    """Return the known host of a key that the operator has confirmed. `key`: the key as `type base64`."""
    return KnownHost((key,))


def with_seen(known: KnownHosts, keys: Mapping[str, str]) -> dict[str, KnownHost]:
    """Return `known` with the new keys of nodes that acp-tui has read. Known nodes stay unchanged.

    `keys`: node address → key as `type base64`."""
    return {**{address: KnownHost((key,), KeySource.SEEN) for address, key in keys.items()}, **known}


def known_hosts_path(home: Path, plan_file: Path) -> Path:
    """Return the path of the known hosts file for `plan_file` in the state folder. Each plan file has its own file."""
    name = hashlib.sha256(str(plan_file.absolute()).encode()).hexdigest()[:16]
    return home / "known_hosts" / name


def read_known_hosts(path: Path) -> dict[str, KnownHost]:
    """Return the known hosts in a file of the state folder; empty if it does not exist.

    Raises UntrustedPath if another user can change the file; OSError if it cannot be read, or is not UTF-8 text.
    A line without the word `confirmed` at its end is a key that was only seen. Earlier versions of acp-tui wrote only
    such lines."""
    try:
        content = read_trusted(path)
    except FileNotFoundError:
        return {}
    try:
        lines = content.decode("utf-8").splitlines()
    except UnicodeDecodeError:
        raise OSError(_("the file is not UTF-8 text")) from None
    known: dict[str, KnownHost] = {}
    for line in lines:
        address, *key = line.split()[:3] if line.strip() else [""]
        if len(key) == 2 and not address.startswith("#"):
            source = KeySource.CONFIRMED if line.split()[3:] == [_CONFIRMED] else KeySource.SEEN
            known[address] = KnownHost((" ".join(key),), source)
    return known


def write_known_hosts(path: Path, known: KnownHosts) -> None:
    """Save the keys that were seen or confirmed, one line for each node. Raises OSError.

    Keys from other sources are not saved, because their source is read each time."""
    private_folder(path.parent)
    write_atomically(path, "".join(_line(address, host) for address, host in sorted(recorded(known).items())))


def recorded(known: KnownHosts) -> dict[str, KnownHost]:
    """Return only the known hosts that acp-tui itself has recorded."""
    return {a: host for a, host in known.items() if host.source in (KeySource.SEEN, KeySource.CONFIRMED)}


def _line(address: str, host: KnownHost) -> str:
    return " ".join((address, host.keys[0], *([_CONFIRMED] if host.confirmed else []))) + "\n"


def fingerprint(key: str) -> str:
    """Return the fingerprint of a public key (`type base64`) as OpenSSH prints it; "" if the text is not a key."""
    try:
        raw = b64decode(key.split()[1], validate=True)
    except (IndexError, ValueError):
        return ""
    return "SHA256:" + b64encode(hashlib.sha256(raw).digest()).decode().rstrip("=")


def key_type(key: str) -> str:
    """Return the type of a public key as ssh-keygen prints it, such as ED25519."""
    name = key.partition(" ")[0]
    return {"ssh-rsa": "RSA", "ssh-dss": "DSA"}.get(name, name.split("-")[1 if name.startswith("ssh-") else 0].upper())
