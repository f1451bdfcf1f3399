"""The record of the last remote install from this host, in the file `afar.json`.

The record has no secrets, because the login is only in the plan.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic_core import from_json

from acp_tui.core.files import private_folder, read_limited, write_atomically
from acp_tui.core.ownership import require_trusted

_FILE = "afar.json"


@dataclass(frozen=True)
class LastRemoteInstall:
    """The last remote install. `plan`: its plan file or bundle folder. `address`: the address of the installer node.

    `ended`: exit status of the install on the node. None: this host does not know the exit status."""

    plan: Path
    address: str
    started: datetime
    ended: int | None = None


def save_last_remote(home: Path, remote: LastRemoteInstall) -> None:
    """Save the record of the last remote install. Raises: OSError."""
    document = {"plan": str(remote.plan), "address": remote.address, "started": remote.started.isoformat(),
            "ended": remote.ended}  # fmt: skip
    write_atomically(private_folder(home) / _FILE, json.dumps(document) + "\n")


def load_last_remote(home: Path) -> LastRemoteInstall | None:
    """Load the record of the last remote install. None: the record is missing or not valid.

    Raises: UntrustedPath if another user can change the record, because it names the plan to open."""
    require_trusted(home / _FILE)
    try:
        document = from_json(read_limited(home / _FILE))
        started = datetime.fromisoformat(document["started"]).astimezone(UTC)
        ended = document["ended"]
        return LastRemoteInstall(
            Path(str(document["plan"])), str(document["address"]), started, None if ended is None else int(ended)
        )
    except (OSError, ValueError, KeyError, TypeError, OverflowError):
        return None
