"""Real runs are started, resumed and aborted; the runner is killed, or its starter ends."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import acp_tui
from acp_tui.install.run import spawn_runner as spawn
from acp_tui.install.run.setup_script import process
from acp_tui.install.run.spawn_runner import RunError
from acp_tui.install.run.start_resume_abort import RunInProgress, abort, resume, start
from acp_tui.install.run.state import Phase, RunState, status
from tests.support.install_harness import (
    QUICK,
    SLOW,
    InstallHarness,
    kill_runner,
    reports_progress,
    wait,
    wait_until_at_rest,
)


def in_phase(phase: Phase) -> Callable[[RunState], bool]:
    return lambda state: state.phase is phase


def assert_installed_once(harness: InstallHarness, run_dir: Path) -> None:
    """Wait for the end of the run. It has succeeded, with one setup.sh and one POST."""
    state = wait_until_at_rest(run_dir)
    assert state.phase is Phase.SUCCESS, state
    assert harness.posts.count == 1
    assert (run_dir / "setup.log").read_text().count("checking this node") == 1


@pytest.mark.parametrize("phase", [Phase.SETUP, Phase.WAITING_API, Phase.VERSIONS, Phase.INSTALLING])
def test_killed_runner_is_resumed_without_a_second_setup_or_post(harness: InstallHarness, phase: Phase) -> None:
    slow_in_phase = {
        Phase.SETUP: replace(QUICK, setup_seconds=2.0),
        Phase.VERSIONS: replace(QUICK, answer_after=0.3),
        Phase.INSTALLING: replace(QUICK, seconds=3),
    }
    harness.unpack(slow_in_phase.get(phase, QUICK))
    # With the address, this phase takes only milliseconds: `wait` can miss it.
    address = harness.hold_address() if phase is Phase.WAITING_API else None
    run_dir = harness.start()
    wait(run_dir, in_phase(phase))
    # Between the record of this phase and the start of setup.sh, a killed runner leaves a run that has failed.
    wait(run_dir, lambda _state: phase is not Phase.SETUP or process(run_dir) is not None)
    kill_runner(run_dir)
    if address is not None:
        address.touch()
    resume(run_dir)
    assert_installed_once(harness, run_dir)


def test_runner_killed_before_setup_is_resumed(harness: InstallHarness) -> None:
    harness.unpack(QUICK)
    with socket.create_server(("127.0.0.1", 0)) as silent:  # the search for a running installer waits for its reply
        run_dir = harness.start(bases=(f"http://127.0.0.1:{silent.getsockname()[1]}",))
        wait(run_dir, in_phase(Phase.STARTING))
        kill_runner(run_dir)
    resume(run_dir)
    assert_installed_once(harness, run_dir)


def test_setup_outlives_the_runner(harness: InstallHarness) -> None:
    harness.unpack(replace(QUICK, setup_seconds=1.0))
    run_dir = harness.start()
    wait(run_dir, lambda _state: process(run_dir) is not None)
    kill_runner(run_dir)
    setup = process(run_dir)
    assert setup is not None
    assert setup.alive
    deadline = time.monotonic() + 20
    while setup.alive and time.monotonic() < deadline:
        time.sleep(0.05)
    assert (run_dir / "setup.exit").read_text().split() == ["0"]


def test_runner_killed_while_posting_does_not_post_again_without_an_answer(harness: InstallHarness) -> None:
    harness.unpack(replace(QUICK, post_after=3.0))
    run_dir = harness.start()
    wait(run_dir, lambda _state: harness.posts.count == 1)
    assert status(run_dir).phase is Phase.POSTING
    kill_runner(run_dir)
    assert resume(run_dir).phase is Phase.POST_UNKNOWN
    assert status(run_dir).phase is Phase.POST_UNKNOWN
    assert harness.posts.count == 1
    resume(run_dir, config_received=True)
    assert wait_until_at_rest(run_dir).phase is Phase.SUCCESS
    assert harness.posts.count == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts system units")
@pytest.mark.parametrize("works", ["with --collect", "without --collect", "never"])
def test_runner_is_a_separate_unit_under_systemd(
    harness: InstallHarness, monkeypatch: pytest.MonkeyPatch, works: str
) -> None:
    # A fake systemd-run: it starts a separate process with a clean environment and returns immediately.
    program = harness.root / "bin" / "systemd-run"
    program.parent.mkdir()
    program.write_text(
        f"""#!/bin/bash
        printf '%s\n' "$*" >>{harness.root}/units
        values=()
        while [[ $1 == --* ]]; do
          case $1 in
            --setenv=*) values+=("${{1#--setenv=}}") ;;
            --collect) [[ "{works}" == "with --collect" ]] || exit 1 ;;
          esac
          shift
        done
        [[ "{works}" != never ]] || exit 1
        setsid env -i "${{values[@]}}" "$@" </dev/null >/dev/null 2>&1 &"""
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setattr(spawn, "SYSTEMD_FOLDER", harness.root)
    harness.unpack(QUICK)
    assert wait_until_at_rest(harness.start()).phase is Phase.SUCCESS
    units = (harness.root / "units").read_text().splitlines()
    assert all("--property=KillMode=process" in unit for unit in units)
    assert len(units) == (1 if works == "with --collect" else 2)


def test_run_continues_after_its_starter_ends(harness: InstallHarness) -> None:
    harness.unpack(replace(QUICK, seconds=2))
    spec = harness.spec()
    harness.runs.append(spec.run_dir)
    write_spec = harness.root / "spec.py"
    write_spec.write_text(
        "import pathlib, sys, time\nfrom pathlib import PosixPath\n"
        "from acp_tui.install.run.start_resume_abort import start\nfrom acp_tui.install.run.state import *\n"
        f"start({spec!r})\nprint('started', flush=True)\ntime.sleep(60)\n"
    )
    launcher = subprocess.Popen(
        [sys.executable, str(write_spec)],
        env={**os.environ, "PYTHONPATH": str(Path(acp_tui.__file__).parents[1])},
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert launcher.stdout is not None
    assert launcher.stdout.readline() == b"started\n"
    os.killpg(launcher.pid, signal.SIGHUP)
    launcher.wait()
    launcher.stdout.close()
    runner = status(spec.run_dir).runner
    assert runner is not None
    os.kill(runner.pid, signal.SIGHUP)
    assert wait_until_at_rest(spec.run_dir).phase is Phase.SUCCESS


def test_second_start_is_rejected_and_the_run_can_be_aborted(harness: InstallHarness) -> None:
    harness.unpack(SLOW)
    run_dir = harness.start()
    wait(run_dir, reports_progress)
    with pytest.raises(RunInProgress) as busy:
        start(harness.spec())
    assert busy.value.run_dir == run_dir
    with pytest.raises(RunError):
        resume(run_dir)
    state = abort(run_dir)
    assert state.phase is Phase.UNKNOWN
    assert state.runner is not None
    assert not state.runner.alive


def test_abort_before_the_post_ends_setup(harness: InstallHarness) -> None:
    harness.unpack(replace(QUICK, setup_seconds=60))
    run_dir = harness.start()
    wait(run_dir, lambda _state: process(run_dir) is not None)
    setup = process(run_dir)
    assert setup is not None
    assert abort(run_dir).phase is Phase.CANCELLED
    deadline = time.monotonic() + 5
    while setup.alive:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    with pytest.raises(RunError):
        resume(run_dir)


def test_abort_waits_for_a_concurrent_launch(harness: InstallHarness) -> None:
    harness.unpack(SLOW)
    run_dir = harness.start()
    wait(run_dir, in_phase(Phase.INSTALLING))
    aborting = threading.Thread(target=abort, args=(run_dir,))
    with spawn.launch_lock(run_dir.parent):
        aborting.start()
        wait(run_dir, lambda state: state.interrupted)
        launched = spawn.launch_runner(replace(status(run_dir), runner=None))
        assert launched.runner is not None
    aborting.join()
    assert status(run_dir).phase is Phase.UNKNOWN
    assert not launched.runner.alive
