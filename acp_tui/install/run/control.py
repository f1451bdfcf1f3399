"""Starting an install run, going on with one, and giving one up: what the wizard and the commands call.

The work is done by a process of its own (`runner.py`) that the caller only launches. These functions wait for moments,
not for the install; from an event loop call them with `asyncio.to_thread`.
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
from acp_tui.install.run.phases import post_unknown_text
from acp_tui.install.run.process import Process
from acp_tui.install.run.setup_script import setup_command
from acp_tui.install.run.spawn import RunError, launch_lock, launch_runner
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
    }
)
_TICK = 0.05  # seconds
_GRACE = 5.0  # seconds a runner has to end after being asked


class RunInProgress(RunError):
    """Another run is not at its end. `run_dir` is its folder."""

    def __init__(self, run_dir: Path) -> None:
        super().__init__(
            _("The install run in {folder} is not finished; go on with it or give it up.").format(folder=run_dir)
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
    guarded: bool = True,
) -> RunSpec:
    """What a run for `plan` does. `install_dir`: where the packages are unpacked; INSTALLER_ENDPOINT is heeded.

    `bundle`: one made for this run alone, which loses its secrets in the end. `guarded`: see `RunSpec`."""
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
        guarded=guarded,
        pace=pace or Timeouts(),
    )


def platform_url(plan: Plan) -> str:
    """Where users reach the platform (INS-ACCESS)."""
    host = f"[{plan.platform_address}]" if ":" in plan.platform_address else plan.platform_address
    port = plan.address.https_port
    return f"https://{host}" + ("" if port == 443 else f":{port}")


def start(spec: RunSpec) -> RunState:
    """Launch a new run in `spec.run_dir`, which must not exist yet. Returns once the runner has taken it over.

    Raises `RunInProgress` while another run beside it is not at its end, `RunError` when it cannot be launched."""
    with launch_lock(spec.run_dir.parent):
        for other in sorted(spec.run_dir.parent.glob("*/")):
            _must_be_over(other)
        spec.run_dir.mkdir(mode=0o700)
        state = RunState(spec)
        write_state(state)
        return launch_runner(state)


def _must_be_over(run_dir: Path) -> None:
    """Raises `RunInProgress`; `RunError` where nobody can tell. A folder without a state never began."""
    try:
        if status(run_dir).phase not in FINAL:
            raise RunInProgress(run_dir)
    except RunNotFound as damaged:
        if (run_dir / STATE_FILE).exists():
            words = _("{what}, so it may still be going on. Once you know that it is not, move {folder} away.")
            raise RunError(words.format(what=damaged, folder=run_dir)) from damaged


def resume(
    run_dir: Path,
    *,
    kubernetes: str | None = None,
    runtime: str | None = None,
    posted: bool | None = None,
    despite: bool = False,
    document: Path | None = None,
) -> RunState:
    """Go on with a run that rests, from where it stopped.

    `needs-version`: with `kubernetes` and `runtime` as chosen. `changed`: looks at the nodes again; with `despite`
    does not. `post-unknown`: `posted` True follows the install, False sends the configuration again. Failed: tries the
    failed part again, with another `document` if given. `unknown`: follows again. Interrupted: goes on; where the POST
    may have been sent it becomes `post-unknown` and asks.
    Raises `RunNotFound`; `RunError` when the run is going on, or the answer it waits for is not given."""
    with launch_lock(run_dir.parent):
        state = status(run_dir)
        return _resumed(replace(state, despite=state.despite or despite), kubernetes, runtime, posted, document)


def _resumed(
    state: RunState, kubernetes: str | None, runtime: str | None, posted: bool | None, document: Path | None
) -> RunState:
    if not state.at_rest:
        raise RunError(_("The install is going on; there is nothing to resume."))
    if state.interrupted and state.phase is Phase.POSTING:
        state = replace(state, phase=Phase.POST_UNKNOWN, message=post_unknown_text(), updated=now())
        if posted is None:
            write_state(state)
            return state
    phase = _next_phase(state, kubernetes or runtime, posted)
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


def _next_phase(state: RunState, version: str | None, posted: bool | None) -> Phase:
    """Where a resting run goes on. RunRefused: it needs an answer first, or there is nothing left to do."""
    match state.phase:
        case Phase.NEEDS_VERSION:
            if version is None:
                raise RunError(_("Choose a Kubernetes version and a container runtime that the installer offers."))
            return Phase.VERSIONS
        case Phase.POST_UNKNOWN:
            if posted is None:
                raise RunError(_("Say whether the configuration has reached the installer."))
            return Phase.POSTED if posted else Phase.WAITING_API
        case Phase.CHANGED:
            return Phase.VERSIONS
        case Phase.UNKNOWN:
            return Phase.INSTALLING
        case Phase.FAILED:
            failed = state.failed_in or Phase.STARTING
            return {Phase.SETUP: Phase.STARTING, Phase.POSTING: Phase.WAITING_API}.get(failed, failed)
        case Phase.SETUP if setup.lost(state.spec.run_dir):
            return Phase.STARTING
        case Phase.SUCCESS | Phase.CANCELLED:
            raise RunError(_("The run is at its end; there is nothing to resume."))
        case phase:
            return phase


def cancel(run_dir: Path) -> RunState:
    """Give the run up. Before the configuration was sent setup.sh is ended and the run is `cancelled`; afterwards the
    installer goes on by itself, nobody follows it, and the run is `unknown`. No process of the run is left in any case.
    Raises `RunNotFound`, `RunError`."""
    _end(status(run_dir).runner)
    with launch_lock(run_dir.parent):
        _end(read_state(run_dir).runner)  # one that somebody has launched meanwhile
        return _given_up(read_state(run_dir))


def _given_up(state: RunState) -> RunState:
    run_dir = state.spec.run_dir
    if state.phase in FINAL:
        return state
    if state.phase in _BEFORE_POST:
        setup.kill(run_dir)
        text = _("Given up before the configuration was sent. If the installer is still there, remove it: {command}")
        state = replace(state, phase=Phase.CANCELLED, message=text.format(command=state.spec.removal))
    else:
        text = _(
            "No longer followed; the installer may still be at work. To end it, on its node: {command}. What it has "
            "installed on the nodes stays there."
        )
        text = text.format(command=state.spec.removal)
        state = replace(state, phase=Phase.UNKNOWN, failed_in=Phase.INSTALLING, message=text)
    write_state(replace(state, updated=now()))
    log_event(run_dir, state.phase, state.message)
    return state


def _end(runner: Process | None) -> None:
    if runner is None:
        return
    for demand in (signal.SIGTERM, signal.SIGKILL):
        if runner.alive:
            with suppress(ProcessLookupError):
                os.kill(runner.pid, demand)
        deadline = time.monotonic() + _GRACE
        while runner.alive and time.monotonic() < deadline:
            time.sleep(_TICK)  # it is not our child, and a pidfd needs Linux 5.3
