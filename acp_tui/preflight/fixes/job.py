"""The job of a fix on one node, and the events that report its progress."""

import secrets
from dataclasses import dataclass
from datetime import datetime

from acp_tui.nodes.events import NodeStage
from acp_tui.nodes.ssh.target import Target
from acp_tui.plan.known_hosts import KnownHost
from acp_tui.plan.secret_mask import Mask
from acp_tui.preflight.fixes.script import BACKUPS
from acp_tui.preflight.fixes.step import FixStep, InitScript


@dataclass(frozen=True)
class Job:
    """The fix steps for one node, and its login.

    `folder`: the folder on the node for the backups, below `script.BACKUPS`.
    """

    target: Target
    known_host: KnownHost | None
    steps: tuple[FixStep, ...]
    folder: str
    mask: Mask
    """Masks the secrets of the plan in the output of the node."""
    init: InitScript | None = None
    """The vendor's script. It is required if PRE-INIT is one of the steps."""

    @property
    def undo(self) -> str:
        """The command that a person runs on the node to undo the fixes."""
        return f"bash {self.folder}/undo.sh"


@dataclass(frozen=True)
class StepDone:
    """An event: the commands of one step have ended.

    It contains the exit status, and the end of the output without control characters.
    """

    address: str
    requirement: str
    status: int
    output: str


@dataclass(frozen=True)
class SecondLogin:
    """The result of the second login. `confirmed`: the new settings of sshd are kept. `detail`: the reason."""

    address: str
    confirmed: bool
    detail: str


@dataclass(frozen=True)
class NodeFixed:
    """The last event of a node.

    `detail`: the error that ended the fix early; "" without an error. `started`: True if the node was possibly changed.
    """

    address: str
    detail: str
    started: bool


FixEvent = NodeStage | StepDone | SecondLogin | NodeFixed


def new_folder(now: datetime) -> str:
    """Return the path of a new folder on the node, for the backups of one fix."""
    return f"{BACKUPS}/{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"
