"""Real runs: the runner, the practice setup.sh and the fake installer as processes of this host."""

import asyncio
import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import chain, repeat
from pathlib import Path

import pytest

import acp_tui
from acp_tui.core.retry import poll_until
from acp_tui.demo.fake_installer import console
from acp_tui.demo.installer_behaviour import Behaviour, write_behaviour
from acp_tui.demo.simulated_install import PracticeInstaller
from acp_tui.install.observe.follow import RunUpdate, follow
from acp_tui.install.run import progress
from acp_tui.install.run import spawn_runner as spawn
from acp_tui.install.run import state as states
from acp_tui.install.run.directory import last_run
from acp_tui.install.run.setup_script import process
from acp_tui.install.run.spawn_runner import RunError
from acp_tui.install.run.start_resume_abort import RunInProgress, abort, resume, start
from acp_tui.install.run.state import Phase, RunNotFound, RunState, status
from acp_tui.install.run.state_recorder import Run
from tests.support.install_harness import CANARY, FAST, InstallHarness, config, encoded, wait, wait_until_at_rest

QUICK = Behaviour(seconds=0.4, setup_seconds=0.1)
SLOW = Behaviour(seconds=30, setup_seconds=0.1)


def in_phase(phase: Phase) -> Callable[[RunState], bool]:
    return lambda state: state.phase is phase


def reports_progress(state: RunState) -> bool:
    return state.phase is Phase.INSTALLING and state.step is not None


def kill_runner(run_dir: Path) -> None:
    runner = status(run_dir).runner
    assert runner is not None
    os.kill(runner.pid, signal.SIGKILL)
    wait(run_dir, lambda state: state.interrupted)


def test_an_install_succeeds(harness: InstallHarness) -> None:
    harness.unpack(QUICK)
    state = wait_until_at_rest(harness.start())
    assert state.phase is Phase.SUCCESS, state
    assert (state.setup_exit, state.post_status, state.step) == (0, 200, "5")
    assert "https://acp.example.com" in state.message
    assert harness.posts.sha256 == (hashlib.sha256(harness.document.read_bytes()).hexdigest(),)


def test_versions_left_open_become_the_newest_offered(harness: InstallHarness) -> None:
    harness.write_document(version="", runtime="")
    harness.unpack(replace(QUICK, kubernetes=("1.30.10", "1.30.9", "1.29.13")))
    state = wait_until_at_rest(harness.start())
    assert (state.phase, state.kubernetes, state.runtime) == (Phase.SUCCESS, "1.30.10", "containerd://1.7.27-4")
    assert harness.posts.count == 1


@pytest.mark.parametrize(
    "behaviour",
    [
        replace(QUICK, failed_answers=4),
        replace(QUICK, prefixed=True),
        replace(QUICK, bare_token=True),
        replace(QUICK, drop_every=3),
        replace(QUICK, listen_after=1.0),
        replace(QUICK, answer_after=0.2),
    ],
    ids=["four Failed", "web page at the root", "bare token", "dropped connections", "slow to listen", "slow answers"],
)
def test_install_succeeds_despite_temporary_failures(harness: InstallHarness, behaviour: Behaviour) -> None:
    harness.unpack(behaviour)
    state = wait_until_at_rest(harness.start())
    assert state.phase is Phase.SUCCESS, state
    assert state.failed_answers == behaviour.failed_answers
    assert harness.posts.count == 1


def test_fifth_failed_answer_fails_the_run(harness: InstallHarness) -> None:
    harness.unpack(replace(QUICK, failed_answers=5))
    run_dir = harness.start()
    state = wait_until_at_rest(run_dir)
    assert (state.phase, state.failed_answers, state.failed_in) == (Phase.FAILED, 5, Phase.INSTALLING)
    assert '"status": "Failed"' in state.message
    # The installer continues to retry. The operator can follow it again without a second configuration.
    resume(run_dir)
    assert wait_until_at_rest(run_dir).phase is Phase.SUCCESS
    assert harness.posts.count == 1


def test_stalled_install_is_unknown_and_can_be_resumed(harness: InstallHarness) -> None:
    harness.unpack(replace(QUICK, stall=True))
    run_dir = harness.start(replace(FAST, overall=1.0))
    assert wait_until_at_rest(run_dir).phase is Phase.UNKNOWN
    resume(run_dir)
    assert wait_until_at_rest(run_dir).phase is Phase.UNKNOWN
    assert harness.posts.count == 1


def test_missing_replies_are_reported_and_do_not_end_the_run(harness: InstallHarness) -> None:
    harness.unpack(replace(SLOW, seconds=60))
    run_dir = harness.start()
    wait(run_dir, reports_progress)
    installer_pid = int((harness.setup_dir / "practice" / "pid").read_text())
    os.kill(installer_pid, signal.SIGKILL)
    state = wait(run_dir, lambda state: "The install has possibly succeeded" in state.message)
    assert state.phase is Phase.INSTALLING
    assert state.unanswered > 0


def test_version_that_is_not_offered_needs_an_answer(harness: InstallHarness) -> None:
    harness.write_document(version="1.27.1", runtime="containerd://1.0.0")
    harness.unpack(QUICK)
    run_dir = harness.start()
    state = wait_until_at_rest(run_dir)
    assert state.phase is Phase.NEEDS_VERSION
    assert state.offered_kubernetes == ("1.31.6", "1.30.9", "1.29.13", "1.28.15")
    assert harness.posts.count == 0
    with pytest.raises(RunError):
        resume(run_dir)
    resume(run_dir, kubernetes="1.26.0", runtime="containerd://1.7.27-4")
    assert wait_until_at_rest(run_dir).phase is Phase.NEEDS_VERSION
    resume(run_dir, kubernetes="1.30.9", runtime="containerd://1.7.27-4")
    state = wait_until_at_rest(run_dir)
    assert (state.phase, state.kubernetes) == (Phase.SUCCESS, "1.30.9")
    assert harness.posts.count == 1


def test_unreadable_version_offer_needs_an_answer(harness: InstallHarness) -> None:
    harness.unpack(replace(QUICK, kubernetes=("the usual",), runtimes=()))
    run_dir = harness.start()
    state = wait_until_at_rest(run_dir)
    assert state.phase is Phase.NEEDS_VERSION
    assert "the usual" in state.message
    resume(run_dir, kubernetes="1.31.6", runtime="containerd://1.7.27-4")
    state = wait_until_at_rest(run_dir)
    assert (state.phase, state.post_status) == (Phase.FAILED, 400)  # the installer rejects it


def test_rejected_configuration_is_fixed_and_sent_again(harness: InstallHarness) -> None:
    harness.document.write_text(json.dumps({**config(), "product": "base"}))
    harness.unpack(replace(QUICK, quote_refused=True))
    run_dir = harness.start()
    state = wait_until_at_rest(run_dir)
    assert (state.phase, state.post_status) == (Phase.FAILED, 400)
    assert "product" in state.message
    assert encoded(CANARY) not in (run_dir / "state.json").read_text()
    corrected = harness.root / "corrected.json"
    corrected.write_text(json.dumps(config()))
    resume(run_dir, document=corrected)
    assert wait_until_at_rest(run_dir).phase is Phase.SUCCESS
    assert harness.posts.count == 2


def test_failed_setup_fails_the_run_and_can_be_retried(harness: InstallHarness) -> None:
    harness.unpack(replace(QUICK, setup_exit=7))
    run_dir = harness.start()
    state = wait_until_at_rest(run_dir)
    assert (state.phase, state.failed_in) == (Phase.FAILED, Phase.SETUP)
    assert "7" in state.message
    write_behaviour(harness.setup_dir, QUICK)
    resume(run_dir)
    assert wait_until_at_rest(run_dir).phase is Phase.SUCCESS


def test_flags_reach_setup_and_an_invalid_flag_fails(harness: InstallHarness) -> None:
    harness.unpack(QUICK)
    run_dir = harness.start(flags=("--network-mode", "calico", "--ip-family", "ipv6"))
    assert wait_until_at_rest(run_dir).phase is Phase.SUCCESS
    assert "network calico, address family ipv6" in (run_dir / "setup.log").read_text()
    wrong = harness.start(flags=("--network-mode", "flannel"))
    assert wait_until_at_rest(wrong).phase is Phase.FAILED
    assert "unknown option" in (wrong / "setup.log").read_text()


def test_missing_setup_fails_the_run(harness: InstallHarness) -> None:
    run_dir = harness.start()
    state = wait_until_at_rest(run_dir)
    assert (state.phase, state.failed_in) == (Phase.FAILED, Phase.SETUP)
    assert str(harness.setup_dir) in state.message


def test_unreachable_api_fails_the_run(harness: InstallHarness) -> None:
    harness.setup_dir.mkdir(parents=True)
    (harness.setup_dir / "setup.sh").write_text("echo http://192.0.2.1:8080\n")  # not an address of this host
    run_dir = harness.start(replace(FAST, api_wait=0.5))
    state = wait_until_at_rest(run_dir)
    assert (state.phase, state.failed_in) == (Phase.FAILED, Phase.WAITING_API)


def test_existing_installer_receives_no_post_without_an_answer(harness: InstallHarness) -> None:
    harness.unpack(QUICK)
    folder = harness.root / "other"
    folder.mkdir()
    server = console(PracticeInstaller(folder, QUICK))
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    spec = replace(harness.spec(), bases=(f"http://127.0.0.1:{server.server_address[1]}",))
    start(spec)
    harness.runs.append(spec.run_dir)
    state = wait_until_at_rest(spec.run_dir)
    assert state.phase is Phase.POST_UNKNOWN
    assert "docker rm -f minialauda-control-plane" in state.message
    assert not (spec.run_dir / "setup.log").exists()
    resume(spec.run_dir, config_received=False)
    assert wait_until_at_rest(spec.run_dir).phase is Phase.SUCCESS
    server.shutdown()
    server.server_close()


def test_uncertain_post_needs_an_answer(harness: InstallHarness) -> None:
    harness.unpack(replace(QUICK, drop_post="after"))
    run_dir = harness.start()
    assert wait_until_at_rest(run_dir).phase is Phase.POST_UNKNOWN
    with pytest.raises(RunError):
        resume(run_dir)
    assert harness.posts.count == 1
    resume(run_dir, config_received=True)
    assert wait_until_at_rest(run_dir).phase is Phase.SUCCESS
    assert harness.posts.count == 1


@pytest.mark.parametrize("phase", [Phase.STARTING, Phase.SETUP, Phase.WAITING_API, Phase.VERSIONS, Phase.INSTALLING])
def test_killed_runner_is_resumed_without_a_second_setup_or_post(harness: InstallHarness, phase: Phase) -> None:
    slow_in_phase = {
        Phase.SETUP: replace(QUICK, setup_seconds=2.0),
        Phase.WAITING_API: replace(QUICK, listen_after=2.0, setup_seconds=2.0),
        Phase.VERSIONS: replace(QUICK, answer_after=0.3),
        Phase.INSTALLING: replace(QUICK, seconds=3),
    }
    harness.unpack(slow_in_phase.get(phase, QUICK))
    run_dir = harness.start()
    wait(run_dir, in_phase(phase)) if phase is not Phase.STARTING else None
    kill_runner(run_dir)
    resume(run_dir)
    state = wait_until_at_rest(run_dir)
    assert state.phase is Phase.SUCCESS, state
    assert harness.posts.count == 1
    assert (run_dir / "setup.log").read_text().count("checking this node") == 1


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


async def test_unwritable_state_is_written_later(harness: InstallHarness) -> None:
    spec = harness.spec()
    spec.run_dir.mkdir(parents=True)
    run = Run(RunState(spec))
    moved = spec.run_dir.rename(spec.run_dir.with_name("moved"))
    run.record(replace(run.state, phase=Phase.SUCCESS), "cannot be written")
    saving = asyncio.create_task(run.wait_until_saved())
    await asyncio.sleep(0)
    assert not saving.done()
    moved.rename(spec.run_dir)
    await saving
    assert status(spec.run_dir).phase is Phase.SUCCESS


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


async def test_clock_set_forward_does_not_time_out_the_install(
    harness: InstallHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    harness.unpack(SLOW)
    spec = replace(harness.spec(), endpoint="http://127.0.0.1:1")
    spec.run_dir.mkdir(parents=True)
    started = states.now()
    times = chain([started], repeat(started + timedelta(days=1)))
    monkeypatch.setattr(progress, "now", lambda: next(times))
    run = Run(RunState(spec, phase=Phase.INSTALLING, following_since=started))
    following = asyncio.create_task(progress.installing(run))

    async def ended() -> bool:
        return run.state.unanswered > 1 or following.done()

    await poll_until(ended, bool, every=0.02, within=30)
    following.cancel()
    assert run.state.unanswered > 1
    assert run.state.phase is Phase.INSTALLING


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


async def test_all_followers_receive_all_lines(harness: InstallHarness) -> None:
    harness.unpack(replace(QUICK, seconds=1.5))
    run_dir = await asyncio.to_thread(harness.start)

    async def updates_of_run() -> list[RunUpdate]:
        return [update async for update in follow(run_dir)]

    for updates in await asyncio.gather(updates_of_run(), updates_of_run(), updates_of_run()):
        assert updates[-1].state.phase is Phase.SUCCESS
        text = {(line.source, line.text) for update in updates for line in update.lines}
        assert ("setup.sh", "[PRACTICE] loading images ...") in text
        assert ("acp-tui", "The installer accepted the configuration.") in text
        assert any(source == "installer" and "configuration accepted" in line for source, line in text)
    late_updates = await updates_of_run()
    assert late_updates[-1].state.phase is Phase.SUCCESS
    assert any(line.source == "setup.sh" for update in late_updates for line in update.lines)


async def test_hostile_output_has_no_control_characters_or_long_lines(harness: InstallHarness) -> None:
    harness.setup_dir.mkdir(parents=True)
    (harness.setup_dir / "setup.sh").write_text(
        r"""printf 'a\033[2Jb\033]0;title\007c\r50%%\r100%%\n'; printf '\377\376 bytes\n'
        head -c 300000 /dev/zero | tr '\0' x; printf '\nno newline at the end'; exit 3"""
    )
    run_dir = await asyncio.to_thread(harness.start)
    lines = [line.text async for update in follow(run_dir) for line in update.lines if line.source == "setup.sh"]
    assert lines[-1] == "no newline at the end"
    assert all(len(line) <= 500 for line in lines)
    assert not any("\x1b" in line or "\r" in line for line in lines)


async def test_following_ends_when_the_runner_dies(harness: InstallHarness) -> None:
    harness.unpack(SLOW)
    run_dir = await asyncio.to_thread(harness.start)
    await asyncio.to_thread(wait, run_dir, reports_progress)
    await asyncio.to_thread(kill_runner, run_dir)
    updates = [update async for update in follow(run_dir)]
    assert updates[-1].state.interrupted
    assert updates[-1].state.phase is Phase.INSTALLING


def test_secrets_are_only_in_the_configuration(harness: InstallHarness) -> None:
    harness.unpack(replace(SLOW, failed_answers=2))
    run_dir = harness.start()
    wait(run_dir, reports_progress)
    secrets = (CANARY.encode(), encoded(CANARY).encode())
    for process_dir in Path("/proc").glob("[0-9]*"):
        for name in ("cmdline", "environ"):
            try:
                content = (process_dir / name).read_bytes()
            except OSError:
                continue
            assert not any(secret in content for secret in secrets), process_dir
    abort(run_dir)
    for file in harness.root.rglob("*"):
        if file.is_file() and file != harness.document:
            assert not any(secret in file.read_bytes() for secret in secrets), file
    assert (run_dir / "state.json").stat().st_mode & 0o777 == 0o600
    assert run_dir.stat().st_mode & 0o777 == 0o700


def test_environment_of_the_caller_is_not_passed_to_setup(
    harness: InstallHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACP_ADMIN_PASSWORD", CANARY)
    harness.setup_dir.mkdir(parents=True)
    (harness.setup_dir / "setup.sh").write_text("env; exit 1\n")
    run_dir = harness.start()
    wait_until_at_rest(run_dir)
    log = (run_dir / "setup.log").read_text()
    assert "PATH=" in log
    assert CANARY not in log
    assert "PYTHONPATH" not in log


def test_last_run_skips_a_damaged_state(harness: InstallHarness) -> None:
    home = harness.root / "state"
    assert last_run(home) is None
    harness.unpack(QUICK)
    first = harness.start()
    wait_until_at_rest(first)
    second = harness.start()
    assert last_run(home) == second
    wait_until_at_rest(second)
    (second / "state.json").write_text('{"phase": "success"}')
    assert last_run(home) == first
    with pytest.raises(RunNotFound):
        status(second)
    harness.runs.remove(second)
