"""Pinned host keys of the nodes: kept with a draft, with a bundle, and for a plan file that is checked by command.

Keys are OpenSSH public keys (type and base64). The first contact is trusted and shown; a changed key stops that node.
"""

import hashlib
from base64 import b64decode, b64encode
from collections.abc import Mapping
from pathlib import Path

from acp_tui.core.files import private_folder, write_atomically


def pins_file(home: Path, plan_file: Path) -> Path:
    """Where the pins of this plan file are kept below the state folder. Another file, another set of nodes."""
    name = hashlib.sha256(str(plan_file.absolute()).encode()).hexdigest()[:16]
    return home / "known_hosts" / name


def read_pins(path: Path) -> dict[str, str]:
    """Node address → key; empty when there is no file yet. OSError: it cannot be read."""
    if not path.exists():
        return {}
    pairs = (line.split(" ", 1) for line in path.read_text(encoding="utf-8").splitlines() if " " in line)
    return {host: key.strip() for host, key in pairs if not host.startswith("#")}


def write_pins(path: Path, pins: Mapping[str, str]) -> None:
    """Keep the pins, one `address key` a line. OSError: not kept."""
    private_folder(path.parent)
    write_atomically(path, "".join(f"{address} {key}\n" for address, key in sorted(pins.items())))


def fingerprint(key: str) -> str:
    """Of an OpenSSH public key (`type base64`), as OpenSSH prints it; "" for what is none."""
    try:
        raw = b64decode(key.split()[1], validate=True)
    except (IndexError, ValueError):
        return ""
    return "SHA256:" + b64encode(hashlib.sha256(raw).digest()).decode().rstrip("=")
