"""Where the last install from this machine went: enough to find it again, without a secret.

How to log in there, the plan tells.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from acp_tui.files import private_folder, write_atomically

_FILE = "afar.json"


@dataclass(frozen=True)
class Trail:
    """`plan`: plan file or bundle folder. `address`: the installer node in it."""

    plan: Path
    address: str
    started: datetime


def keep_trail(home: Path, trail: Trail) -> None:
    """OSError: it could not be kept."""
    told = {"plan": str(trail.plan), "address": trail.address, "started": trail.started.isoformat()}
    write_atomically(private_folder(home) / _FILE, json.dumps(told) + "\n")


def last_trail(home: Path) -> Trail | None:
    """None: no install has gone from here to another machine, or it cannot be told any more."""
    try:
        told = json.loads((home / _FILE).read_text(encoding="utf-8"))
        started = datetime.fromisoformat(told["started"]).astimezone(UTC)
        return Trail(Path(str(told["plan"])), str(told["address"]), started)
    except (OSError, ValueError, KeyError, TypeError):
        return None
