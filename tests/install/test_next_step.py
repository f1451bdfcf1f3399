"""The decision about an existing install."""

from pathlib import Path

import pytest

from acp_tui.install.next_step import NextStep, next_step
from acp_tui.install.run.state import Phase, RunSpec, RunState


def run(folder: Path, phase: Phase, *, interrupted: bool = False) -> RunState:
    spec = RunSpec(folder, folder, (), folder, "", recheck_before_post=False)
    return RunState(spec, phase, interrupted=interrupted, ignore_node_changes=True)


@pytest.mark.parametrize(
    ("phase", "step"),
    [
        (Phase.STARTING, NextStep.FOLLOW),
        (Phase.INSTALLING, NextStep.FOLLOW),
        (Phase.NEEDS_VERSION, NextStep.CHOOSE_VERSIONS),
        (Phase.POST_UNKNOWN, NextStep.ANSWER_RECEIVED),
        (Phase.CHANGED, NextStep.ANSWER_CHANGES),
        (Phase.FOREIGN_LISTENER, NextStep.ANSWER_LISTENER),
        (Phase.FAILED, NextStep.RESUME),
        (Phase.UNKNOWN, NextStep.RESUME),
        (Phase.SUCCESS, NextStep.VERIFY),
    ],
)
def test_next_step_by_phase(tmp_path: Path, phase: Phase, step: NextStep) -> None:
    assert next_step(run(tmp_path, phase)) is step


def test_next_step_without_a_run_is_start() -> None:
    assert next_step(None) is NextStep.START


def test_interrupted_run_is_resumed(tmp_path: Path) -> None:
    assert next_step(run(tmp_path, Phase.INSTALLING, interrupted=True)) is NextStep.RESUME
