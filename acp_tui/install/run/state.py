"""The files of an install run: its specification and its state.

The run's folder has `state.json` (replaced atomically at each change), `setup.log` (all output of setup.sh) and
`events.jsonl` (one line for each event of the run). These files have no secrets: the state
has only the path of the configuration.
"""

import json
import os
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import AwareDatetime, Field, TypeAdapter, ValidationError

from acp_tui.checks.release_traits import release_traits
from acp_tui.core.clock import now as now
from acp_tui.core.errors import AcpError
from acp_tui.core.files import error_reason, read_trusted, write_atomically
from acp_tui.core.i18n import _
from acp_tui.core.text import sanitize
from acp_tui.install.api.endpoint import Endpoint
from acp_tui.install.run.process_identity import Process
from acp_tui.plan.release import RELEASES

STATE_FILE = "state.json"
SETUP_LOG = "setup.log"
EVENTS_FILE = "events.jsonl"
PROGRESS_FILE = "progress.txt"
"""The installer's last progress reply, with secrets masked."""
RUNNER_LOG = "runner.log"
LOCK_FILE = "runner.lock"

DEFAULT_BASE = "http://127.0.0.1:8080"  # API-READY
INSTALLER_LOG = Path("/var/cpaas/data/installer.log")  # API-LOG
CONTAINER = "minialauda-control-plane"  # API-CONTAINER


def container_tool(release: str) -> str:
    """Return the command line tool for the installer's container (REL-RUNTIME)."""
    return release_traits(release).container_tool


def removal(release: str) -> str:
    """Return the command that removes a left-over installer container (API-DONE, INS-CLEANUP)."""
    return f"{container_tool(release)} rm -f {CONTAINER}"


class Phase(StrEnum):
    STARTING = "starting"
    SETUP = "setup"
    WAITING_API = "waiting-api"
    VERSIONS = "versions"
    NEEDS_VERSION = "needs-version"
    LOOKING = "looking"
    CHANGED = "changed"
    FOREIGN_LISTENER = "foreign-listener"
    POSTING = "posting"
    POST_UNKNOWN = "post-unknown"
    POSTED = "posted"
    INSTALLING = "installing"
    SUCCESS = "success"
    FAILED = "failed"
    UNKNOWN = "unknown"
    CANCELLED = "cancelled"


FINAL = frozenset({Phase.SUCCESS, Phase.FAILED, Phase.UNKNOWN, Phase.CANCELLED})
ASKING = frozenset({Phase.NEEDS_VERSION, Phase.CHANGED, Phase.FOREIGN_LISTENER, Phase.POST_UNKNOWN})
"""Phases in which a run waits for the operator, without a runner. `resume` starts a new runner with the answer."""


@dataclass(frozen=True)
class Timeouts:
    """Poll intervals and time limits, all in seconds."""

    setup: float = 0.3
    api: float = 2.0
    api_wait: float = 900.0  # INS-WAIT5
    offer_wait: float = 60.0
    """Time limit for the list of offered versions, counted from the first response of the API."""
    look: float = 10.0
    """Interval between two rechecks of the nodes before the POST."""
    progress: float = 10.0  # API-POLL
    silence: float = 180.0
    """Time without a progress reply after which the operator sees a warning (API-NOANSWER)."""
    overall: float = 7200.0
    """Time limit of the install, counted from the moment when the installer accepts the configuration.

    After this time, the phase of the run is `unknown`, not `failed` (API-POLL)."""


@dataclass(frozen=True)
class RunSpec:
    """The specification of a run: everything that a later process needs to resume it. It has no secrets."""

    run_dir: Path
    setup_dir: Path
    """The folder `installer` of the unpacked package."""
    command: tuple[str, ...]
    document: Path
    """The file with the configuration (mode 0600). It is read right before the POST."""
    platform_url: str
    release: str = RELEASES[0]
    bases: tuple[str, ...] = (DEFAULT_BASE,)
    """Addresses at which to search for the API, in addition to those that setup.sh prints."""
    endpoint: str | None = None
    """The API's address that the operator set as INSTALLER_ENDPOINT. If it is set, no other address is tried."""
    installer_log: Path = INSTALLER_LOG
    bundle: Path | None = None
    """The bundle of this run. The secrets in the bundle are removed after a successful install."""
    recheck_before_post: Annotated[bool, Field(alias="guarded")] = True
    """True if the run must recheck the nodes before the POST. In the state file, this field has the name `guarded`.

    False for the practice cluster, because its simulated nodes can end together with the wizard."""
    pace: Timeouts = Timeouts()

    @property
    def removal(self) -> str:
        """The command that removes the installer container. It depends on the release."""
        return removal(self.release)


@dataclass(frozen=True)
class RunState:
    spec: RunSpec
    phase: Phase = Phase.STARTING
    started: AwareDatetime = field(default_factory=now)
    updated: AwareDatetime = field(default_factory=now)
    message: str = ""
    """The message for the operator: why the run waits, or what failed."""
    runner: Process | None = None
    setup_exit: int | None = None
    """Exit status of setup.sh. None: it has not ended, or its end was not recorded."""
    endpoint: Endpoint | None = None
    offered_kubernetes: tuple[str, ...] = ()
    """The Kubernetes versions that the installer offers, newest first."""
    offered_runtimes: tuple[str, ...] = ()
    kubernetes: str | None = None
    """The Kubernetes version that the operator chose in the phase `needs-version`; later the submitted version."""
    runtime: str | None = None
    ignore_node_changes: Annotated[bool, Field(alias="despite")] = False
    """True if the operator continues although nodes have changed. In the state file, this field is `despite`."""
    foreign_listener: str = ""
    """The listener at the API's address because of which the run waits in the phase `foreign-listener`."""
    accepted_listener: str = ""
    """The listener that the operator accepted. The configuration is sent to it, whoever owns it."""
    post_status: int | None = None
    """HTTP status of the response to the POST."""
    following_since: AwareDatetime | None = None
    step: str | None = None
    failed_answers: int = 0
    """Number of progress replies with Failed so far. The fifth one ends the run (API-FAIL5)."""
    unanswered: int = 0
    """Number of consecutive polls without a reply."""
    silent_since: AwareDatetime | None = None
    failed_in: Phase | None = None
    """The phase that failed. `resume` starts with this phase."""
    interrupted: bool = False
    """True if the runner died before the end of the run. It is computed when the state is read, and never stored."""

    @property
    def at_rest(self) -> bool:
        """Return True if the run has ended, waits for an answer, or was interrupted, so that the operator must act."""
        return self.interrupted or self.phase in FINAL or self.phase in ASKING

    @property
    def platform_url(self) -> str:
        return self.spec.platform_url


class RunNotFound(AcpError):
    """A folder has no install run, or the state of the run cannot be read. The message has the reason and the path."""


_STATE = TypeAdapter(RunState)


def post_unknown_text() -> str:
    """Return the message of the phase `post-unknown`."""
    return _(
        "It is not known whether the installer received the configuration. Check the Web UI or the log "
        "of the installer. "
        "Then follow the install, or send the configuration again."
    )


def write_state(state: RunState) -> None:
    """Replace the state of the run on disk. Raises: OSError; the state on disk is then unchanged."""
    document = _STATE.dump_json(replace(state, interrupted=False), indent=2, by_alias=True)
    write_atomically(state.spec.run_dir / STATE_FILE, document + b"\n")


def read_state(run_dir: Path) -> RunState:
    """Read the last written state of the run in `run_dir`.

    Raises: `RunNotFound`, also if another user can change the state, because the state names a command to run."""
    path = run_dir / STATE_FILE
    try:
        return _STATE.validate_json(read_trusted(path))
    except OSError as error:
        raise RunNotFound(
            _("Cannot read the install run in {folder}: {reason}").format(folder=run_dir, reason=error_reason(error))
        ) from error
    except ValidationError as error:
        raise RunNotFound(_("{path} is not a valid state file of an install run").format(path=path)) from error


def status(run_dir: Path) -> RunState:
    """Return the state of a run, with `interrupted` set if its runner died. Raises: `RunNotFound`."""
    state = read_state(run_dir)
    if state.at_rest:
        return state
    if state.runner is not None:
        state = replace(state, interrupted=not state.runner.alive)
    else:
        state = replace(state, interrupted=abs((now() - state.updated).total_seconds()) > LAUNCH_TIMEOUT)
    if state.at_rest or not _disk_full(run_dir):
        return state
    message = _(
        "The disk of {folder} is full, so the state of the run is possibly old. acp-tui sends nothing to the installer "
        "until disk space is free."
    )
    return replace(state, message=message.format(folder=run_dir))


def _disk_full(folder: Path) -> bool:
    try:
        disk = os.statvfs(folder)
    except OSError:
        return False
    return disk.f_bfree * disk.f_frsize < _ROOM


_ROOM = 16 * 1024  # bytes that an atomic write of the state needs
LAUNCH_TIMEOUT = 30.0
"""Time limit in seconds for a launched runner to record its process."""


def log_event(run_dir: Path, phase: Phase, text: str) -> None:
    """Append a line to the run's `events.jsonl`. On a full disk the line is lost, and the run continues."""
    line = json.dumps({"at": now().isoformat(timespec="seconds"), "phase": phase.value, "text": sanitize(text)})
    try:
        with (run_dir / EVENTS_FILE).open("a", encoding="utf-8") as file:
            file.write(line + "\n")
    except OSError:
        return
