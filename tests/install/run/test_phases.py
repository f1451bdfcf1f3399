"""The phases of real runs: success, failures, and the questions that stop a run until the operator answers."""

import asyncio
import hashlib
import json
import os
import signal
import threading
from dataclasses import replace
from datetime import timedelta
from itertools import chain, repeat

import pytest

from acp_tui.core.retry import poll_until
from acp_tui.demo.fake_installer import console
from acp_tui.demo.installer_behaviour import Behaviour
from acp_tui.demo.simulated_install import PracticeInstaller
from acp_tui.install.run import progress
from acp_tui.install.run import state as states
from acp_tui.install.run.spawn_runner import RunError
from acp_tui.install.run.start_resume_abort import resume, start
from acp_tui.install.run.state import Phase, RunNotFound, RunState
from acp_tui.install.run.state_recorder import Run
from tests.support.install_harness import (
    CANARY,
    FAST,
    QUICK,
    SLOW,
    InstallHarness,
    config,
    encoded,
    reports_progress,
    wait,
    wait_until_at_rest,
)
from tests.support.other_users import STRANGER, needs_root


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
    harness.set_behaviour(QUICK)
    resume(run_dir)
    assert wait_until_at_rest(run_dir).phase is Phase.SUCCESS


def test_setup_that_was_changed_after_unpacking_is_not_run(harness: InstallHarness) -> None:
    harness.unpack(replace(QUICK, setup_exit=7))
    run_dir = harness.start()
    wait_until_at_rest(run_dir)
    (harness.setup_dir / "setup.sh").write_text(f"touch {harness.root}/attacked\n")
    resume(run_dir)
    state = wait_until_at_rest(run_dir)
    assert (state.phase, state.failed_in) == (Phase.FAILED, Phase.SETUP)
    assert "installer/setup.sh: changed" in state.message
    assert not (harness.root / "attacked").exists()


@needs_root
def test_state_of_another_user_names_no_command_to_run(harness: InstallHarness) -> None:
    """A state file names a command that runs as root."""
    harness.unpack(replace(QUICK, setup_exit=7))
    run_dir = harness.start()
    wait_until_at_rest(run_dir)
    state_file = run_dir / "state.json"
    state_file.write_text(state_file.read_text().replace('"setup.sh"', f'"-c", "touch {harness.root}/attacked"'))
    os.chown(state_file, STRANGER, -1)
    with pytest.raises(RunNotFound, match="belongs to the user nobody"):
        resume(run_dir)
    with pytest.raises(RunError, match="belongs to the user nobody"):
        harness.start()
    harness.runs.pop()
    assert not (harness.root / "attacked").exists()
    os.chown(state_file, 0, -1)


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
    assert str(harness.setup_dir.parent) in state.message


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
