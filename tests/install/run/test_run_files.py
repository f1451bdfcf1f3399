"""The files of real runs: a damaged or unwritable state, and no secrets in any file but the configuration."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from acp_tui.install.run.directory import last_run
from acp_tui.install.run.start_resume_abort import abort
from acp_tui.install.run.state import Phase, RunNotFound, RunState, status
from acp_tui.install.run.state_recorder import Run
from tests.support.install_harness import (
    CANARY,
    QUICK,
    SLOW,
    InstallHarness,
    encoded,
    reports_progress,
    wait,
    wait_until_at_rest,
)


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
