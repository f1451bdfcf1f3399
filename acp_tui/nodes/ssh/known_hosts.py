"""Known hosts: the recorded host keys of the nodes of a plan, in a file of the state folder.

Keys are OpenSSH public keys (type and base64). At the first connection to a node, acp-tui trusts its key and shows it.
If the key has changed at a later connection, acp-tui does not collect facts from the node. Drafts and bundles contain
their own known hosts.
"""

import hashlib
from base64 import b64decode, b64encode
from collections.abc import Mapping
from pathlib import Path

from acp_tui.core.files import READ_LIMIT, private_folder, read_at_most, write_atomically
from acp_tui.core.i18n import _


def known_hosts_path(home: Path, plan_file: Path) -> Path:
    """Return the path of the known hosts file for `plan_file` in the state folder. Each plan file has its own file."""
    name = hashlib.sha256(str(plan_file.absolute()).encode()).hexdigest()[:16]
    return home / "known_hosts" / name


def read_known_hosts(path: Path) -> dict[str, str]:
    """Return node address → host key; empty if the file does not exist.

    Raises OSError if the file cannot be read, is larger than READ_LIMIT, or is not UTF-8 text."""
    try:
        content = read_at_most(path, READ_LIMIT)
    except FileNotFoundError:
        return {}
    try:
        lines = content.decode("utf-8").splitlines()
    except UnicodeDecodeError:
        raise OSError(_("the file is not UTF-8 text")) from None
    pairs = (line.split(" ", 1) for line in lines if " " in line)
    return {host: key.strip() for host, key in pairs if not host.startswith("#")}


def write_known_hosts(path: Path, known_hosts: Mapping[str, str]) -> None:
    """Save the known hosts with one line `address key` for each node. Raises OSError."""
    private_folder(path.parent)
    write_atomically(path, "".join(f"{address} {key}\n" for address, key in sorted(known_hosts.items())))


def fingerprint(key: str) -> str:
    """Return the fingerprint of a public key (`type base64`) as OpenSSH prints it; "" if the text is not a key."""
    try:
        raw = b64decode(key.split()[1], validate=True)
    except (IndexError, ValueError):
        return ""
    return "SHA256:" + b64encode(hashlib.sha256(raw).digest()).decode().rstrip("=")
