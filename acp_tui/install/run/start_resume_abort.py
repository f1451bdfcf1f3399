"""Start, resume and abort an install run.

A detached process (`runner.py`) executes the run. The functions of this module only launch or end this process, and
return within seconds. They block, so an event loop must call them with `asyncio.to_thread`.
"""

import os
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from acp_tui.core.i18n import _
from acp_tui.install.run import setup_script as setup
from acp_tui.install.run.process_identity import Process
from acp_tui.install.run.setup_script import setup_command
from acp_tui.install.run.spawn_runner import RunError, launch_lock, launch_runner
from acp_tui.install.run.state import (
    DEFAULT_BASE,
    FINAL,
    INSTALLER_LOG,
    STATE_FILE,
    Phase,
    RunNotFound,
    RunSpec,
    RunState,
    Timeouts,
    log_event,
    now,
    post_unknown_text,
    read_state,
    status,
    write_state,
)
from acp_tui.plan.model import Plan

_BEFORE_POST = frozenset(
    {
        Phase.STARTING,
        Phase.SETUP,
        Phase.WAITING_API,
        Phase.VERSIONS,
        Phase.NEEDS_VERSION,
        Phase.LOOKING,
        Phase.CHANGED,
        Phase.FOREIGN_LISTENER,
    }
)
_TICK = 0.05  # seconds
_GRACE = 5.0  # seconds between SIGTERM and SIGKILL


class RunInProgress(RunError):
    """Another run has not ended. `run_dir` is its folder."""

    def __init__(self, run_dir: Path) -> None:
        super().__init__(
            _("The install run in {folder} has not ended. Resume or abort it before you start a new one.").format(
                folder=run_dir
            )
        )
        self.run_dir = run_dir


def run_spec(
    plan: Plan,
    run_dir: Path,
    *,
    document: Path,
    install_dir: Path,
    pace: Timeouts | None = None,
    bases: Sequence[str] = (DEFAULT_BASE,),
    installer_log: Path = INSTALLER_LOG,
    bundle: Path | None = None,
    recheck_before_post: bool = True,
) -> RunSpec:
    """Return the specification of a run for `plan`. INSTALLER_ENDPOINT is read from the environment.

    `install_dir`: the folder with the unpacked packages. `bundle`: the bundle of this run; see `RunSpec`."""
    return RunSpec(
        run_dir=run_dir.absolute(),
        setup_dir=(install_dir / "installer").absolute(),
        command=setup_command(plan),
        document=document.absolute(),
        platform_url=platform_url(plan),
        release=plan.effective_release,
        bases=tuple(bases),
        endpoint=os.environ.get("INSTALLER_ENDPOINT") or None,
        installer_log=installer_log.absolute(),
        bundle=bundle.absolute() if bundle else None,
        recheck_before_post=recheck_before_post,
        pace=pace or Timeouts(),
    )


def platform_url(plan: Plan) -> str:
    """Return the URL of the platform's Web UI (INS-ACCESS)."""
    host = f"[{plan.platform_address}]" if ":" in plan.platform_address else plan.platform_address
    port = plan.address.https_port
    return f"https://{host}" + ("" if port == 443 else f":{port}")


def start(spec: RunSpec) -> RunState:
    """Launch a new run in the new folder `spec.run_dir`. Return when the runner has recorded its process.

    Raises: `RunInProgress` if another run has not ended; `RunError` if the runner cannot be launched."""
    with launch_lock(spec.run_dir.parent):
        for other in sorted(spec.run_dir.parent.glob("*/")):
            _require_finished(other)
        spec.run_dir.mkdir(mode=0o700)
        state = RunState(spec)
        write_state(state)
        return launch_runner(state)


def _require_finished(run_dir: Path) -> None:
    """Raise `RunInProgress` if the run has not ended, and `RunError` if its state cannot be read.

    A folder without a state file raises no error: it belongs to a run that never started."""
    try:
        if status(run_dir).phase not in FINAL:
            raise RunInProgress(run_dir)
    except RunNotFound as damaged:
        if (run_dir / STATE_FILE).exists():
            raise RunError(maybe_running_text(damaged, run_dir)) from damaged


def maybe_running_text(damaged: RunNotFound, run_dir: Path) -> str:
    """Return the message for a run whose state cannot be read."""
    message = _(
        "{reason}. The install is possibly still running. After it has ended, move the folder {folder} to a different "
        "place. Only then can a new install start."
    )
    return message.format(reason=damaged, folder=run_dir)


def resume(
    run_dir: Path,
    *,
    kubernetes: str | None = None,
    runtime: str | None = None,
    config_received: bool | None = None,
    ignore_node_changes: bool = False,
    accept_listener: bool = False,
    document: Path | None = None,
) -> RunState:
    """Resume a run from the phase in which it stopped. A run that is active cannot be resumed.

    - `needs-version`: requires `kubernetes` and `runtime`.
    - `changed`: rechecks the nodes, unless `ignore_node_changes`.
    - `foreign-listener`: searches for the API again. With `accept_listener`, it may be the same listener.
    - `post-unknown`: follows the install if `config_received` is True; sends the configuration again if it is False.
    - `failed`: retries the failed phase; `document` replaces the configuration, unless it is None.
    - `unknown`: polls the installer again.
    - interrupted: continues in the same phase; after an interrupted POST, the phase becomes `post-unknown`.

    Raises: `RunNotFound`; `RunError` if the run is active, or if the required answer is missing."""
    with launch_lock(run_dir.parent):
        state = status(run_dir)
        state = replace(
            state,
            ignore_node_changes=state.ignore_node_changes or ignore_node_changes,
            accepted_listener=state.foreign_listener if accept_listener else state.accepted_listener,
        )
        return _resumed(state, kubernetes, runtime, config_received, document)


def _resumed(
    state: RunState, kubernetes: str | None, runtime: str | None, config_received: bool | None, document: Path | None
) -> RunState:
    if not state.at_rest:
        raise RunError(_("The install is running, so it cannot be resumed."))
    if state.interrupted and state.phase is Phase.POSTING:
        state = replace(state, phase=Phase.POST_UNKNOWN, message=post_unknown_text(), updated=now())
        if config_received is None:
            write_state(state)
            return state
    phase = _next_phase(state, kubernetes or runtime, config_received)
    if document is not None:
        state = replace(state, spec=replace(state.spec, document=document.absolute()), kubernetes=None, runtime=None)
    again = phase is Phase.INSTALLING and state.phase in FINAL
    state = replace(
        state,
        phase=phase,
        kubernetes=kubernetes or state.kubernetes,
        runtime=runtime or state.runtime,
        failed_answers=0 if again else state.failed_answers,
        following_since=now() if again else state.following_since,
        failed_in=None,
        message="",
        runner=None,
        interrupted=False,
        updated=now(),
    )
    write_state(state)
    return launch_runner(state)


def _next_phase(state: RunState, version: str | None, config_received: bool | None) -> Phase:
    """Return the phase from which `resume` continues the run.

    Raises: `RunError` if the required answer is missing, or if the run cannot be resumed."""
    match state.phase:
        case Phase.NEEDS_VERSION:
            if version is None:
                raise RunError(_("Choose a Kubernetes version and a container runtime that the installer offers."))
            return Phase.VERSIONS
        case Phase.POST_UNKNOWN:
            if config_received is None:
                raise RunError(_("Answer this question first: did the installer receive the configuration?"))
            return Phase.POSTED if config_received else Phase.WAITING_API
        case Phase.CHANGED:
            return Phase.VERSIONS
        case Phase.FOREIGN_LISTENER:
            return Phase.WAITING_API
        case Phase.UNKNOWN:
            return Phase.INSTALLING
        case Phase.FAILED:
            failed = state.failed_in or Phase.STARTING
            return {Phase.SETUP: Phase.STARTING, Phase.POSTING: Phase.WAITING_API}.get(failed, failed)
        case Phase.SETUP if setup.lost(state.spec.run_dir):
            return Phase.STARTING
        case Phase.SUCCESS | Phase.CANCELLED:
            raise RunError(_("The install has ended, so it cannot be resumed."))
        case phase:
            return phase


def abort(run_dir: Path) -> RunState:
    """Abort the run, and end its runner.

    Before the POST, setup.sh is killed, and the phase becomes `cancelled`. After the POST, the installer continues on
    its own, and the phase becomes `unknown`. Raises: `RunNotFound`, `RunError`."""
    _terminate(status(run_dir).runner)
    with launch_lock(run_dir.parent):
        _terminate(read_state(run_dir).runner)  # one that another process has launched in the meantime
        return _aborted(read_state(run_dir))


def _aborted(state: RunState) -> RunState:
    run_dir = state.spec.run_dir
    if state.phase in FINAL:
        return state
    if state.phase in _BEFORE_POST:
        setup.kill(run_dir)
        message = _(
            "The install was aborted before the configuration was sent. If the installer container exists, remove it: "
            "{command}"
        )
        state = replace(state, phase=Phase.CANCELLED, message=message.format(command=state.spec.removal))
    else:
        message = _(
            "The run was aborted, but the installer is possibly still running. To end the installer, run on the "
            "installer node: {command}. Installed components stay on the nodes."
        ).format(command=state.spec.removal)
        state = replace(state, phase=Phase.UNKNOWN, failed_in=Phase.INSTALLING, message=message)
    write_state(replace(state, updated=now()))
    log_event(run_dir, state.phase, state.message)
    return state


def _terminate(runner: Process | None) -> None:
    if runner is None:
        return
    for number in (signal.SIGTERM, signal.SIGKILL):
        if runner.alive:
            with suppress(ProcessLookupError):
                os.kill(runner.pid, number)
        deadline = time.monotonic() + _GRACE
        while runner.alive and time.monotonic() < deadline:
            time.sleep(_TICK)  # not a child of this process, and a pidfd needs Linux 5.3
