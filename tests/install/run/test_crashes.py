"""Runner and starter are killed at every change of the state: one POST and the same result follow."""

import hashlib
import os
import signal
import subprocess
import sys
from argparse import Namespace
from dataclasses import replace
from pathlib import Path

import pytest

from acp_tui.cli.actions.install_status import show_status
from acp_tui.cli.context import CommandFailed
from acp_tui.install.run import state as states
from acp_tui.install.run.directory import damaged_run, last_run, new_run_dir
from acp_tui.install.run.setup_script import forget, kill, process
from acp_tui.install.run.spawn_runner import RunError
from acp_tui.install.run.start_resume_abort import RunInProgress, resume, start
from acp_tui.install.run.state import Phase, RunState, status
from tests.support.install_harness import QUICK, InstallHarness, wait, wait_until_at_rest

ONWARD = (Phase.STARTING, Phase.SETUP, Phase.WAITING_API, Phase.VERSIONS, Phase.LOOKING, Phase.POSTING,
          Phase.POSTED, Phase.INSTALLING, Phase.SUCCESS)  # fmt: skip


def make_runner_crash(harness: InstallHarness, phase: Phase, moment: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Kill the next runner when it writes `phase`. Return the file that exists afterwards."""
    marker, python = harness.root / "died", harness.root / "make_runner_crash-python"
    runner = Path(__file__).parents[2] / "support/crashing_runner.py"
    # In the place of `python -m acp_tui.install.run.runner`: its first two arguments are dropped.
    python.write_text(
        f'#!/bin/sh\nshift 3\nexec "{sys.executable}" "{runner}" {phase.value} {moment} "{marker}" "$@"\n'
    )
    python.chmod(0o755)
    monkeypatch.setattr("acp_tui.core.python_command.sys.executable", str(python))
    # Before its first write a runner does not own the run; only a timeout shows that it died.
    monkeypatch.setattr("acp_tui.install.run.state.LAUNCH_TIMEOUT", 1.0)
    monkeypatch.setattr("acp_tui.install.run.spawn_runner.LAUNCH_TIMEOUT", 1.0)
    return marker


def resume_to_the_end(harness: InstallHarness, run_dir: Path) -> RunState:
    """Continue the run to its end as an operator does, with correct answers."""
    for _turn in range(8):
        state = wait_until_at_rest(run_dir)
        if state.phase is Phase.NEEDS_VERSION:
            resume(run_dir, kubernetes=state.offered_kubernetes[0], runtime=state.offered_runtimes[0])
        elif state.phase is Phase.POST_UNKNOWN:
            resume(run_dir, config_received=harness.posts.count > 0)
        elif state.phase is Phase.FAILED or state.interrupted:
            resume(run_dir)
        else:
            return state
    raise AssertionError(status(run_dir))


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("phase", [*ONWARD, Phase.NEEDS_VERSION, Phase.POST_UNKNOWN, Phase.FAILED])
def test_killed_runner_resumes_and_posts_once(
    harness: InstallHarness, phase: Phase, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    behaviour = QUICK
    if phase is Phase.NEEDS_VERSION:
        harness.write_document(version="1.2.3")
    elif phase is Phase.POST_UNKNOWN:
        behaviour = replace(QUICK, drop_post="after")
    elif phase is Phase.FAILED:
        behaviour = replace(QUICK, failed_answers=5)
    harness.unpack(behaviour)
    marker = make_runner_crash(harness, phase, moment, monkeypatch)
    spec = harness.spec()
    harness.runs.append(spec.run_dir)
    try:
        start(spec)
    except RunError:
        assert phase is Phase.STARTING
    wait(spec.run_dir, lambda _state: marker.exists())
    state = resume_to_the_end(harness, spec.run_dir)
    assert state.phase is Phase.SUCCESS
    assert harness.posts.count == 1
    if phase is not Phase.NEEDS_VERSION:  # that run sends another version
        assert harness.posts.sha256 == (hashlib.sha256(harness.document.read_bytes()).hexdigest(),)


_LAUNCHER = """\
import asyncio, os, signal, sys
from pathlib import PosixPath
from acp_tui.install.run import start_resume_abort as run
from acp_tui.install.run.state import *
phase, moment = sys.argv[1:]
written = run.write_state
def write(state):
    if moment == "before-the-state":
        os.kill(os.getpid(), signal.SIGKILL)
    written(state)
    if moment == "after-the-state":
        os.kill(os.getpid(), signal.SIGKILL)
run.write_state = write
spec = {spec!r}
run.start(spec)
passed = list(Phase)
while passed.index(status(spec.run_dir).phase) < passed.index(Phase(phase)):
    pass
os.kill(os.getpid(), signal.SIGKILL)
"""


def launch_and_kill_starter(harness: InstallHarness, phase: Phase, moment: str = "") -> Path:
    """Start a run from a process that is killed when the run reaches `phase`, or when it writes the first state."""
    spec = harness.spec()
    program = harness.root / "launcher.py"
    program.write_text(_LAUNCHER.replace("{spec!r}", repr(spec)))
    paths = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    died = subprocess.run([sys.executable, str(program), phase.value, moment], env=paths, check=False)
    assert died.returncode == -signal.SIGKILL
    return spec.run_dir


@pytest.mark.parametrize("phase", ONWARD)
def test_killed_starter_does_not_end_the_run(harness: InstallHarness, phase: Phase) -> None:
    harness.unpack(QUICK)
    run_dir = launch_and_kill_starter(harness, phase)
    harness.runs.append(run_dir)
    assert wait_until_at_rest(run_dir).phase is Phase.SUCCESS
    assert harness.posts.sha256 == (hashlib.sha256(harness.document.read_bytes()).hexdigest(),)


def test_starter_killed_before_the_first_state_leaves_no_run(harness: InstallHarness) -> None:
    harness.unpack(QUICK)
    lost_run = launch_and_kill_starter(harness, Phase.SUCCESS, "before-the-state")
    assert last_run(lost_run.parents[1]) is None
    harness.runs.append(lost_run)
    assert wait_until_at_rest(harness.start()).phase is Phase.SUCCESS
    harness.runs.remove(lost_run)


def test_run_without_launched_runner_is_interrupted_and_resumable(
    harness: InstallHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    harness.unpack(QUICK)
    run_dir = launch_and_kill_starter(harness, Phase.SUCCESS, "after-the-state")
    harness.runs.append(run_dir)
    with pytest.raises(RunInProgress):
        start(harness.spec())
    with monkeypatch.context() as late:
        late.setattr(states, "LAUNCH_TIMEOUT", 0.0)
        assert status(run_dir).interrupted
        resume(run_dir)
    assert wait_until_at_rest(run_dir).phase is Phase.SUCCESS
    assert harness.posts.count == 1


def test_only_one_of_concurrent_starts_runs(harness: InstallHarness) -> None:
    harness.unpack(replace(QUICK, seconds=30))
    home = harness.root / "state"
    specs = [replace(harness.spec(), run_dir=new_run_dir(home)) for _number in range(4)]
    starts = "import sys; from pathlib import PosixPath\nfrom acp_tui.install.run.start_resume_abort import *\n"
    programs = [f"{starts}try: start({spec!r})\nexcept RunInProgress: sys.exit(7)" for spec in specs]
    paths = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    starters = [subprocess.Popen([sys.executable, "-c", program], env=paths) for program in programs]
    assert sorted(starter.wait() for starter in starters) == [0, 7, 7, 7]
    running = last_run(home)
    assert running is not None
    harness.runs.append(running)
    wait(running, lambda state: state.phase is Phase.INSTALLING)
    assert not status(running).at_rest


def test_new_run_is_the_newest_after_the_clock_is_set_back(harness: InstallHarness) -> None:
    home = harness.root / "state"
    ahead = home / "installs" / "29991231T235959.000000Z"
    ahead.mkdir(parents=True)
    assert new_run_dir(home).name == "29991231T235959.000001Z"


def test_unfinished_run_has_priority_over_a_newer_ended_one(harness: InstallHarness) -> None:
    harness.unpack(replace(QUICK, seconds=30))
    running = harness.start()
    ended = running.with_name("999")
    ended.mkdir()
    states.write_state(RunState(replace(harness.spec(), run_dir=ended), phase=Phase.CANCELLED))
    assert last_run(harness.root / "state") == running


@pytest.mark.parametrize("record", [b"", b"0123-boot\n", None])
def test_setup_without_record_after_power_loss_is_run_again(harness: InstallHarness, record: bytes | None) -> None:
    harness.unpack(replace(QUICK, setup_seconds=60))
    run_dir = harness.start()
    pid_file = run_dir / "setup.pid"
    state = wait(run_dir, lambda state: state.phase is Phase.SETUP and process(run_dir) is not None)
    assert state.runner is not None
    os.kill(state.runner.pid, signal.SIGKILL)
    kill(run_dir)
    wait(run_dir, lambda state: state.interrupted)
    if record is None:  # the runner died after it recorded the phase and before it started setup.sh
        forget(run_dir)
    pid_file.write_bytes(record or b"")
    os.utime(pid_file, (0, 0))
    harness.set_behaviour(QUICK)
    resume(run_dir)
    assert wait_until_at_rest(run_dir).phase is Phase.SUCCESS
    assert harness.posts.count == 1


@pytest.mark.parametrize("damage", [b"", b'{"phase": "inst', b"\xff\x00\x01garbage"])
def test_unreadable_state_prevents_a_new_run(
    harness: InstallHarness, damage: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    harness.unpack(QUICK)
    run_dir = harness.start()
    wait_until_at_rest(run_dir)
    harness.runs.remove(run_dir)
    (run_dir / "state.json").write_bytes(damage)
    with pytest.raises(RunError, match=r"move the folder .*000 to a different place"):
        start(replace(harness.spec(), run_dir=run_dir.with_name("001")))
    assert str(run_dir) in str(damaged_run(harness.root / "state"))
    assert last_run(harness.root / "state") is None
    # It is the only run. If `status` reported no run, the operator would start a second one.
    monkeypatch.setattr("acp_tui.cli.actions.install_status.state_home", lambda: harness.root / "state")
    with pytest.raises(
        CommandFailed, match=r"state.json.* is possibly still running.* move the folder .*000 to a different place"
    ):
        show_status(Namespace(json=False, look=False))


@pytest.mark.parametrize("reused", ["pid", "boot"])
def test_process_with_a_reused_pid_is_not_the_runner(harness: InstallHarness, reused: str) -> None:
    harness.unpack(replace(QUICK, seconds=2))
    run_dir = harness.start()
    state = wait(run_dir, lambda state: state.phase is Phase.INSTALLING)
    assert state.runner is not None
    os.kill(state.runner.pid, signal.SIGKILL)
    wait(run_dir, lambda state: state.interrupted)
    own_stat = Path("/proc/self/stat").read_text().split()
    other = replace(state.runner, pid=os.getpid(), boot=state.runner.boot if reused == "pid" else "0" * 8,
                    began=state.runner.began if reused == "pid" else int(own_stat[21]))  # fmt: skip
    states.write_state(replace(status(run_dir), runner=other))
    assert status(run_dir).interrupted
    resume(run_dir)
    assert wait_until_at_rest(run_dir).phase is Phase.SUCCESS
    assert harness.posts.count == 1
