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

from acp_tui.cli.context import CommandFailed
from acp_tui.cli.install_status import show_status
from acp_tui.demo.installer_behaviour import Behaviour, write_behaviour
from acp_tui.install.run import state as states
from acp_tui.install.run.control import RunInProgress, resume, start
from acp_tui.install.run.directory import damaged_run, last_run, new_run_dir
from acp_tui.install.run.setup_script import forget, kill, process
from acp_tui.install.run.spawn import RunError
from acp_tui.install.run.state import Phase, RunState, status
from tests.support.install_harness import Bench, rest, wait

QUICK = Behaviour(seconds=0.4, setup_seconds=0.1)
ONWARD = (Phase.STARTING, Phase.SETUP, Phase.WAITING_API, Phase.VERSIONS, Phase.LOOKING, Phase.POSTING,
          Phase.POSTED, Phase.INSTALLING, Phase.SUCCESS)  # fmt: skip


def dying(bench: Bench, phase: Phase, moment: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Kill the next runner when it writes `phase`. Return the file that exists afterwards."""
    marker, python = bench.root / "died", bench.root / "dying-python"
    runner = Path(__file__).parents[2] / "support/crashing_runner.py"
    # In the place of `python -m acp_tui.install.run.runner`: its first two arguments are dropped.
    python.write_text(
        f'#!/bin/sh\nshift 2\nexec "{sys.executable}" "{runner}" {phase.value} {moment} "{marker}" "$@"\n'
    )
    python.chmod(0o755)
    monkeypatch.setattr("acp_tui.install.run.spawn.sys.executable", str(python))
    # Before its first write a runner has not taken the run over, and that it never will is known by the time alone.
    monkeypatch.setattr("acp_tui.install.run.state.LAUNCH_TIMEOUT", 1.0)
    monkeypatch.setattr("acp_tui.install.run.spawn.LAUNCH_TIMEOUT", 1.0)
    return marker


def goes_on(bench: Bench, run_dir: Path) -> RunState:
    """Continue the run to its end as an operator does, with correct answers."""
    for _turn in range(8):
        state = rest(run_dir)
        if state.phase is Phase.NEEDS_VERSION:
            resume(run_dir, kubernetes=state.offered_kubernetes[0], runtime=state.offered_runtimes[0])
        elif state.phase is Phase.POST_UNKNOWN:
            resume(run_dir, config_received=bench.posts.count > 0)
        elif state.phase is Phase.FAILED or state.interrupted:
            resume(run_dir)
        else:
            return state
    raise AssertionError(status(run_dir))


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("phase", [*ONWARD, Phase.NEEDS_VERSION, Phase.POST_UNKNOWN, Phase.FAILED])
def test_a_runner_killed_at_a_change_of_its_state(
    bench: Bench, phase: Phase, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    behaviour = QUICK
    if phase is Phase.NEEDS_VERSION:
        bench.write_document(version="1.2.3")
    elif phase is Phase.POST_UNKNOWN:
        behaviour = replace(QUICK, drop_post="after")
    elif phase is Phase.FAILED:
        behaviour = replace(QUICK, failed_answers=5)
    bench.unpack(behaviour)
    marker = dying(bench, phase, moment, monkeypatch)
    spec = bench.spec()
    bench.runs.append(spec.run_dir)
    try:
        start(spec)
    except RunError:
        assert phase is Phase.STARTING
    wait(spec.run_dir, lambda _state: marker.exists())
    state = goes_on(bench, spec.run_dir)
    assert state.phase is Phase.SUCCESS
    assert bench.posts.count == 1
    if phase is not Phase.NEEDS_VERSION:  # there another version is filled in
        assert bench.posts.sha256 == (hashlib.sha256(bench.document.read_bytes()).hexdigest(),)


_LAUNCHER = """\
import asyncio, os, signal, sys
from pathlib import PosixPath
from acp_tui.install.run import control as run
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


def launched_by_one_that_dies(bench: Bench, phase: Phase, moment: str = "") -> Path:
    """Start a run from a process that is killed once the run is in `phase`, or as it writes the first state down."""
    spec = bench.spec()
    program = bench.root / "launcher.py"
    program.write_text(_LAUNCHER.replace("{spec!r}", repr(spec)))
    paths = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    died = subprocess.run([sys.executable, str(program), phase.value, moment], env=paths, check=False)
    assert died.returncode == -signal.SIGKILL
    return spec.run_dir


@pytest.mark.parametrize("phase", ONWARD)
def test_starter_killed_at_a_change_of_the_state(bench: Bench, phase: Phase) -> None:
    bench.unpack(QUICK)
    run_dir = launched_by_one_that_dies(bench, phase)
    bench.runs.append(run_dir)
    assert rest(run_dir).phase is Phase.SUCCESS
    assert bench.posts.sha256 == (hashlib.sha256(bench.document.read_bytes()).hexdigest(),)


def test_killed_before_anything_was_written_nothing_has_begun(bench: Bench) -> None:
    bench.unpack(QUICK)
    never = launched_by_one_that_dies(bench, Phase.SUCCESS, "before-the-state")
    assert last_run(never.parents[1]) is None
    bench.runs.append(never)
    assert rest(bench.start()).phase is Phase.SUCCESS
    bench.runs.remove(never)


def test_killed_before_the_runner_was_launched(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.unpack(QUICK)
    run_dir = launched_by_one_that_dies(bench, Phase.SUCCESS, "after-the-state")
    bench.runs.append(run_dir)
    with pytest.raises(RunInProgress):
        start(bench.spec())
    with monkeypatch.context() as late:
        late.setattr(states, "LAUNCH_TIMEOUT", 0.0)
        assert status(run_dir).interrupted
        resume(run_dir)
    assert rest(run_dir).phase is Phase.SUCCESS
    assert bench.posts.count == 1


def test_only_one_of_concurrent_starts_runs(bench: Bench) -> None:
    bench.unpack(replace(QUICK, seconds=30))
    home = bench.root / "state"
    specs = [replace(bench.spec(), run_dir=new_run_dir(home)) for _one in range(4)]
    starts = "import sys; from pathlib import PosixPath\nfrom acp_tui.install.run.control import *\n"
    programs = [f"{starts}try: start({spec!r})\nexcept RunInProgress: sys.exit(7)" for spec in specs]
    paths = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    together = [subprocess.Popen([sys.executable, "-c", program], env=paths) for program in programs]
    assert sorted(one.wait() for one in together) == [0, 7, 7, 7]
    running = last_run(home)
    assert running is not None
    bench.runs.append(running)
    wait(running, lambda state: state.phase is Phase.INSTALLING)
    assert not status(running).at_rest


def test_a_clock_that_is_set_back_does_not_hide_the_newest_run(bench: Bench) -> None:
    home = bench.root / "state"
    ahead = home / "installs" / "29991231T235959.000000Z"
    ahead.mkdir(parents=True)
    assert new_run_dir(home).name == "29991231T235959.000001Z"


def test_an_unfinished_run_goes_before_a_newer_one_that_is_over(bench: Bench) -> None:
    bench.unpack(replace(QUICK, seconds=30))
    running = bench.start()
    over = running.with_name("999")
    over.mkdir()
    states.write_state(RunState(replace(bench.spec(), run_dir=over), phase=Phase.CANCELLED))
    assert last_run(bench.root / "state") == running


@pytest.mark.parametrize("told", [b"", b"0123-boot\n", None])
def test_setup_without_record_after_power_loss_is_run_again(bench: Bench, told: bytes | None) -> None:
    bench.unpack(replace(QUICK, setup_seconds=60))
    run_dir = bench.start()
    who = run_dir / "setup.pid"
    state = wait(run_dir, lambda state: state.phase is Phase.SETUP and process(run_dir) is not None)
    assert state.runner is not None
    os.kill(state.runner.pid, signal.SIGKILL)
    kill(run_dir)
    wait(run_dir, lambda state: state.interrupted)
    if told is None:  # the runner died between its word that it begins and the beginning
        forget(run_dir)
    who.write_bytes(told or b"")
    os.utime(who, (0, 0))
    write_behaviour(bench.setup_dir, QUICK)
    resume(run_dir)
    assert rest(run_dir).phase is Phase.SUCCESS
    assert bench.posts.count == 1


@pytest.mark.parametrize("damage", [b"", b'{"phase": "inst', b"\xff\x00\x01garbage"])
def test_unreadable_state_prevents_a_new_run(bench: Bench, damage: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.unpack(QUICK)
    run_dir = bench.start()
    rest(run_dir)
    bench.runs.remove(run_dir)
    (run_dir / "state.json").write_bytes(damage)
    with pytest.raises(RunError, match=r"move .*000 away"):
        start(replace(bench.spec(), run_dir=run_dir.with_name("001")))
    assert str(run_dir) in str(damaged_run(bench.root / "state"))
    assert last_run(bench.root / "state") is None
    # The only run there is: that there was none would be a reason to start another.
    monkeypatch.setattr("acp_tui.cli.install_status.state_home", lambda: bench.root / "state")
    with pytest.raises(CommandFailed, match=r"state.json.* may still be active.* move .*000 away"):
        show_status(Namespace(json=False, look=False))


@pytest.mark.parametrize("reused", ["pid", "boot"])
def test_another_process_with_the_runners_number_is_not_the_runner(bench: Bench, reused: str) -> None:
    bench.unpack(replace(QUICK, seconds=2))
    run_dir = bench.start()
    state = wait(run_dir, lambda state: state.phase is Phase.INSTALLING)
    assert state.runner is not None
    os.kill(state.runner.pid, signal.SIGKILL)
    wait(run_dir, lambda state: state.interrupted)
    mine = Path("/proc/self/stat").read_text().split()
    other = replace(state.runner, pid=os.getpid(), boot=state.runner.boot if reused == "pid" else "0" * 8,
                    began=state.runner.began if reused == "pid" else int(mine[21]))  # fmt: skip
    states.write_state(replace(status(run_dir), runner=other))
    assert status(run_dir).interrupted
    resume(run_dir)
    assert rest(run_dir).phase is Phase.SUCCESS
    assert bench.posts.count == 1
