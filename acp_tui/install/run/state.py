"""An install run as it lies on disk: what it was asked to do, how far it came, and what was learned on the way.

The folder holds `state.json` (replaced whole at each change), `setup.log` (all output of setup.sh) and `events.jsonl`
(what the run did, line by line). Nothing secret is in it: of the configuration document only the path.
"""

import json
import os
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from acp_tui.core.files import write_atomically
from acp_tui.core.i18n import _
from acp_tui.install.api.endpoint import Endpoint
from acp_tui.install.run.process import Process

STATE_FILE = "state.json"
SETUP_LOG = "setup.log"
EVENTS_FILE = "events.jsonl"
PROGRESS_FILE = "progress.txt"
"""What the installer last said of its progress, as it said it."""
RUNNER_LOG = "runner.log"
LOCK_FILE = "runner.lock"

DEFAULT_BASE = "http://127.0.0.1:8080"  # API-READY
INSTALLER_LOG = Path("/var/cpaas/data/installer.log")  # API-LOG


CONTAINER = "minialauda-control-plane"  # API-CONTAINER


def container_tool(release: str) -> str:
    """What runs the installer's container (REL-RUNTIME)."""
    return "docker" if release in ("4.0", "4.1") else "nerdctl"


def removal(release: str) -> str:
    """The command that removes a left-over installer (API-DONE, INS-CLEANUP)."""
    return f"{container_tool(release)} rm -f {CONTAINER}"


class Phase(StrEnum):
    STARTING = "starting"
    SETUP = "setup"
    WAITING_API = "waiting-api"
    VERSIONS = "versions"
    NEEDS_VERSION = "needs-version"
    LOOKING = "looking"
    CHANGED = "changed"
    POSTING = "posting"
    POST_UNKNOWN = "post-unknown"
    POSTED = "posted"
    INSTALLING = "installing"
    SUCCESS = "success"
    FAILED = "failed"
    UNKNOWN = "unknown"
    CANCELLED = "cancelled"


FINAL = frozenset({Phase.SUCCESS, Phase.FAILED, Phase.UNKNOWN, Phase.CANCELLED})
ASKING = frozenset({Phase.NEEDS_VERSION, Phase.CHANGED, Phase.POST_UNKNOWN})
"""The runner has ended and waits for an answer of the operator, given with `resume`."""


@dataclass(frozen=True)
class Timeouts:
    """Intervals and patience, all in seconds."""

    setup: float = 0.3
    api: float = 2.0
    api_wait: float = 900.0  # INS-WAIT5
    offer_wait: float = 60.0
    """How long the offered versions may stay unknown once the API answers."""
    look: float = 10.0
    """Until nodes that speak against the install right before the POST are looked at again."""
    progress: float = 10.0  # API-POLL
    silence: float = 180.0
    """How long the installer may give no answer before the run says so (API-NOANSWER)."""
    overall: float = 7200.0
    """From the accepted configuration on; then the outcome is `unknown`, not `failed` (API-POLL)."""


@dataclass(frozen=True)
class RunSpec:
    """What a run does. Everything a later process needs to go on is here, and nothing secret."""

    run_dir: Path
    setup_dir: Path
    """The unpacked `installer` folder."""
    command: tuple[str, ...]
    document: Path
    """The configuration document (mode 0600); read when it is posted."""
    platform_url: str
    release: str = "4.0"
    bases: tuple[str, ...] = (DEFAULT_BASE,)
    """Where the API is looked for beside the address that setup.sh prints."""
    endpoint: str | None = None
    """The operator's own word on the API's address: then no other is asked."""
    installer_log: Path = INSTALLER_LOG
    bundle: Path | None = None
    """The bundle made for this run alone: its secrets are removed once the install has succeeded."""
    guarded: bool = True
    """The nodes are looked at once more before the POST. Those of the practice are gone with its wizard."""
    pace: Timeouts = Timeouts()

    @property
    def removal(self) -> str:
        """The command that removes a left-over installer of this run's release."""
        return removal(self.release)


def now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class RunState:
    spec: RunSpec
    phase: Phase = Phase.STARTING
    started: datetime = field(default_factory=now)
    updated: datetime = field(default_factory=now)
    message: str = ""
    """What the operator should know now: why it waits, what failed."""
    runner: Process | None = None
    setup_exit: int | None = None
    """Exit status of setup.sh; None: not ended, or nobody saw it end."""
    endpoint: Endpoint | None = None
    offered_kubernetes: tuple[str, ...] = ()
    """Newest first."""
    offered_runtimes: tuple[str, ...] = ()
    kubernetes: str | None = None
    """The operator's answer to `needs-version`, later what was posted."""
    runtime: str | None = None
    despite: bool = False
    """The operator knows what has changed on the nodes, and goes on."""
    post_status: int | None = None
    """HTTP status of the answer to the configuration."""
    following_since: datetime | None = None
    step: str | None = None
    failed_answers: int = 0
    """Answers that said Failed so far; the 5th ends the run (API-FAIL5)."""
    unanswered: int = 0
    """Polls without an answer since the last one that had one."""
    silent_since: datetime | None = None
    failed_in: Phase | None = None
    """The phase that failed, where `resume` starts again."""
    interrupted: bool = False
    """The runner is gone although the run is not at its end. Seen when the state is read, never stored."""

    @property
    def at_rest(self) -> bool:
        """Nothing more happens until somebody acts: ended, waiting for an answer, or interrupted."""
        return self.interrupted or self.phase in FINAL or self.phase in ASKING

    @property
    def platform_url(self) -> str:
        return self.spec.platform_url


class RunNotFound(Exception):
    """There is no install run here, or its state cannot be read; the text says which and where."""


_STATE = TypeAdapter(RunState)


def write_state(state: RunState) -> None:
    """Replace the run's state on disk. OSError: the old one is still there, whole."""
    document = _STATE.dump_json(replace(state, interrupted=False), indent=2)
    write_atomically(state.spec.run_dir / STATE_FILE, document + b"\n")


def read_state(run_dir: Path) -> RunState:
    """The state as it was last written. Raises `RunNotFound`."""
    path = run_dir / STATE_FILE
    try:
        return _STATE.validate_json(path.read_bytes())
    except OSError as error:
        raise RunNotFound(_("No install run in {folder}: {why}").format(folder=run_dir, why=error.strerror)) from error
    except ValidationError as error:
        raise RunNotFound(_("{path} is not the state of an install run").format(path=path)) from error


def status(run_dir: Path) -> RunState:
    """The state, with `interrupted` set where the runner died before the end. Raises `RunNotFound`."""
    state = read_state(run_dir)
    if state.at_rest:
        return state
    if state.runner is not None:
        state = replace(state, interrupted=not state.runner.alive)
    else:
        state = replace(state, interrupted=abs((now() - state.updated).total_seconds()) > LAUNCH_TIMEOUT)
    if state.at_rest or not _disk_full(run_dir):
        return state
    words = _("The disk of {folder} is full: what stands here may be old, and nothing is sent until there is room.")
    return replace(state, message=words.format(folder=run_dir))


def _disk_full(folder: Path) -> bool:
    try:
        disk = os.statvfs(folder)
    except OSError:
        return False
    return disk.f_bfree * disk.f_frsize < _ROOM


_ROOM = 16 * 1024  # bytes that a change of the state needs for a moment
LAUNCH_TIMEOUT = 30.0
"""Seconds within which a launched runner must have taken the run over."""


def log_event(run_dir: Path, phase: Phase, text: str) -> None:
    """Add a line to what the run did. A full disk costs the line, not the run."""
    line = json.dumps({"at": now().isoformat(timespec="seconds"), "phase": phase.value, "text": text})
    try:
        with (run_dir / EVENTS_FILE).open("a", encoding="utf-8") as file:
            file.write(line + "\n")
    except OSError:
        return
