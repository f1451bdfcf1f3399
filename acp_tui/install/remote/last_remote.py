"""Where the last install from this machine went: enough to find it again, without a secret.

How to log in there, the plan tells.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from acp_tui.core.files import private_folder, write_atomically

_FILE = "afar.json"


@dataclass(frozen=True)
class LastRemoteInstall:
    """`plan`: plan file or bundle folder. `address`: the installer node in it.

    `ended`: exit status of the install there; None: its end was not seen from here."""

    plan: Path
    address: str
    started: datetime
    ended: int | None = None


def save_last_remote(home: Path, trail: LastRemoteInstall) -> None:
    """OSError: it could not be kept."""
    told = {"plan": str(trail.plan), "address": trail.address, "started": trail.started.isoformat(),
            "ended": trail.ended}  # fmt: skip
    write_atomically(private_folder(home) / _FILE, json.dumps(told) + "\n")


def load_last_remote(home: Path) -> LastRemoteInstall | None:
    """None: no install has gone from here to another machine, or it cannot be told any more."""
    try:
        told = json.loads((home / _FILE).read_text(encoding="utf-8"))
        started = datetime.fromisoformat(told["started"]).astimezone(UTC)
        ended = told["ended"]
        return LastRemoteInstall(
            Path(str(told["plan"])), str(told["address"]), started, None if ended is None else int(ended)
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
