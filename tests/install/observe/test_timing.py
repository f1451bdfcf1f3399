"""The duration of installs, and the detection of a stalled one."""

import json
import os
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from acp_tui.core.clock import now
from acp_tui.install.observe.timing import idle_time, is_stalled, spans, stall_threshold, typical_duration
from acp_tui.install.run.process_identity import running
from acp_tui.install.run.state import EVENTS_FILE, SETUP_LOG, Phase, RunSpec, RunState, write_state

NOW = now()


def run(home: Path, name: str, phase: Phase, began: int, *events: tuple[int, Phase], updated: int = 0) -> RunState:
    """Create a run. All times are minutes before now."""
    run_dir = home / name
    run_dir.mkdir()
    spec = RunSpec(run_dir, home, ("bash",), home / "none", "https://x", installer_log=run_dir / "installer.log")
    lines = [{"at": ago(minutes).isoformat(), "phase": kind.value, "text": "x"} for minutes, kind in events]
    (run_dir / EVENTS_FILE).write_text("".join(f"{json.dumps(line)}\n" for line in lines) + "torn {", encoding="utf-8")
    state = RunState(spec, phase, ago(began), runner=running(os.getpid()))
    state = replace(state, updated=ago(updated))
    write_state(state)
    return state


def ago(minutes: int) -> datetime:
    return NOW - timedelta(minutes=minutes)


def test_install_with_recent_event_is_not_stalled(tmp_path: Path) -> None:
    state = run(tmp_path, "1", Phase.INSTALLING, 60, (40, Phase.POSTED), (10, Phase.INSTALLING))
    assert idle_time(state, NOW) == timedelta(minutes=10)
    assert not is_stalled(state, NOW)


def test_install_without_recent_event_or_log_line_is_stalled(tmp_path: Path) -> None:
    state = run(tmp_path, "1", Phase.INSTALLING, 60, (40, Phase.POSTED), (20, Phase.INSTALLING))
    assert is_stalled(state, NOW)
    (state.spec.run_dir / "installer.log").write_text("a line that was just written")
    assert not is_stalled(state, NOW), "its log grows"


@pytest.mark.parametrize("phase", [Phase.SUCCESS, Phase.FAILED, Phase.NEEDS_VERSION, Phase.POST_UNKNOWN])
def test_ended_or_waiting_install_is_not_stalled(tmp_path: Path, phase: Phase) -> None:
    assert not is_stalled(run(tmp_path, "1", phase, 600, (500, Phase.INSTALLING)), NOW)


def test_typical_duration_and_threshold_come_from_earlier_installs(tmp_path: Path) -> None:
    run(
        tmp_path,
        "1",
        Phase.SUCCESS,
        300,
        (300, Phase.SETUP),
        (260, Phase.INSTALLING),
        (240, Phase.SUCCESS),
        updated=240,
    )
    run(tmp_path, "2", Phase.SUCCESS, 200, updated=160)
    run(tmp_path, "3", Phase.FAILED, 100, (100, Phase.SETUP), updated=1)
    state = run(tmp_path, "4", Phase.INSTALLING, 60, (50, Phase.INSTALLING))
    assert typical_duration(state.spec.run_dir) == timedelta(minutes=50)
    assert stall_threshold(state.spec.run_dir) == timedelta(minutes=60), (
        "an earlier install had no event for 40 min and succeeded"
    )
    assert not is_stalled(state, NOW)


def test_without_earlier_installs_the_default_threshold_holds(tmp_path: Path) -> None:
    state = run(tmp_path, "1", Phase.INSTALLING, 60)
    assert typical_duration(state.spec.run_dir) is None
    assert stall_threshold(state.spec.run_dir) == timedelta(minutes=15)


def test_phases_have_their_durations(tmp_path: Path) -> None:
    events = (
        (50, Phase.SETUP),
        (45, Phase.WAITING_API),
        (40, Phase.INSTALLING),
        (30, Phase.INSTALLING),
        (10, Phase.SUCCESS),
    )
    state = run(tmp_path, "1", Phase.SUCCESS, 50, *events)
    assert [(span.phase, span.seconds) for span in spans(state.spec.run_dir)] == [
        ("setup", 300.0), ("waiting-api", 300.0), ("installing", 1800.0),
    ]  # fmt: skip
    (state.spec.run_dir / EVENTS_FILE).unlink()
    assert spans(state.spec.run_dir) == ()
    assert not (state.spec.run_dir / SETUP_LOG).exists()


def test_hostile_lines_of_the_events_are_ignored(tmp_path: Path) -> None:
    state = run(tmp_path, "hostile", Phase.SUCCESS, 9, (9, Phase.SETUP), (5, Phase.SUCCESS))
    lines = ["[" * 50_000, '{"at": %s}' % ("9" * 50_000), '{"at": "0001-01-01T00:00:00+23:00", "phase": "success"}']
    with (state.spec.run_dir / EVENTS_FILE).open("a", encoding="utf-8") as file:
        file.write("\n" + "\n".join(lines))
    assert [span.phase for span in spans(state.spec.run_dir)] == [Phase.SETUP]
