"""The Install step at its end, without a practice cluster: failure, verification and remaining steps."""

from dataclasses import replace
from pathlib import Path

import pytest

from acp_tui.checks.verdict import Outcome, Severity, Verdict
from acp_tui.install.install_session import Answers, InstallSession
from acp_tui.install.run.state import SETUP_LOG, Phase, RunSpec, RunState, write_state
from acp_tui.install.verify.facts import Installed, LeftOver
from acp_tui.install.verify.run import Finish
from acp_tui.nodes.state import NodeState
from acp_tui.preflight.report.model import NodeRecord, Report
from screens.formatting.install_result import result_text, summary_line
from screens.steps.install import InstallStep
from screens.steps.install_questions import leftover_lines
from tests.support.factories.plans import valid_plan
from tests.support.wizard_pilot import screen_text, until, wizard

PLAN = valid_plan()


def run(folder: Path, phase: Phase, failed_in: Phase | None = None) -> Path:
    """Create a run in `phase`, with two lines in its log."""
    run_dir = folder / "installs" / "20260101T000000.000000Z"
    run_dir.mkdir(parents=True)
    spec = RunSpec(run_dir, folder, ("bash", "setup.sh"), folder / "none", "https://acp.example.com")
    (run_dir / SETUP_LOG).write_text("loading images\ntar: write: no space left on device [red]\n", encoding="utf-8")
    write_state(
        RunState(
            replace(spec, installer_log=folder / "none.log"),
            phase,
            message="setup.sh failed with exit status 2",
            failed_in=failed_in,
        )
    )
    return run_dir


async def test_failure_is_shown_with_likely_cause(tmp_path: Path) -> None:
    async with wizard(tmp_path, PLAN, "review") as (pilot, session):
        session.update_draft(run=str(run(tmp_path, Phase.FAILED, Phase.SETUP)))
        await pilot.press("ctrl+n")
        await until(pilot, lambda: "Likely cause: A disk is full" in screen_text(pilot))
        assert "setup.sh failed with exit status 2" in screen_text(pilot)
        await pilot.press("f")
        await pilot.pause()
        shown = screen_text(pilot)
        assert "tar: write: no space left on device [red]" in shown
        assert "acp-tui support FILE.tar.gz" in shown
        await pilot.press("escape")


async def test_leftovers_of_a_failed_run_are_shown_before_a_new_one(tmp_path: Path) -> None:
    run(tmp_path, Phase.FAILED, Phase.SETUP)
    async with wizard(tmp_path, PLAN, "install") as (pilot, _session):
        step = pilot.app.screen
        assert isinstance(step, InstallStep)
        text = "\n".join(await leftover_lines(step.install_session()))
    assert "Its result: failed. setup.sh failed with exit status 2" in text
    assert "acp-tui could not check if the installer container" in text
    assert "Only the installer node was changed" in text


@pytest.mark.parametrize(("key", "accepted"), [("c", False), ("d", True)], ids=["search again", "send anyway"])
async def test_question_about_a_listener(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str, accepted: bool
) -> None:
    given: list[Answers] = []

    async def resume(_session: InstallSession, state: RunState, answers: Answers, _report: Report) -> RunState:
        given.append(answers)
        return state

    monkeypatch.setattr(InstallSession, "resume", resume)
    monkeypatch.setattr("screens.steps.install.is_remote_install", lambda _plan: False)
    async with wizard(tmp_path, PLAN, "review") as (pilot, session):
        session.update_draft(run=str(run(tmp_path, Phase.FOREIGN_LISTENER)))
        await pilot.press("ctrl+n")
        await until(pilot, lambda: "Press s to decide how the install continues." in screen_text(pilot))
        await pilot.press("s")
        await until(pilot, lambda: "Is the listener the installer?" in screen_text(pilot))
        await pilot.press(key)
        await until(pilot, lambda: bool(given))
    assert given == [Answers(accept_listener=accepted)]


def finish_with(*outcomes: Outcome, leftovers: tuple[LeftOver, ...] = ()) -> Finish:
    verdicts = tuple(
        Verdict("INS-VERIFY-PODS", None, Severity.MUST, outcome, f"seen {outcome.value}", "", "fix")
        for outcome in outcomes
    )
    node = NodeRecord("10.20.0.11", None, "control-plane", NodeState.CHECKED)
    time = RunState(RunSpec(Path(), Path(), (), Path(), "")).started
    return Finish(Report("4.0", time, time, (node,), verdicts), Installed(left_over=leftovers), {})


@pytest.mark.parametrize(
    ("outcomes", "line"),
    [
        ((Outcome.PASS,), "passed the checks."),
        ((Outcome.PASS, Outcome.WARN), "passed the checks."),
        ((Outcome.FAIL, Outcome.UNKNOWN), "The verification found 2 blockers."),
        ((Outcome.UNKNOWN,), "The verification found 1 blocker."),
    ],
)
def test_summary_line(outcomes: tuple[Outcome, ...], line: str) -> None:
    assert line in summary_line(finish_with(*outcomes)).plain


def test_worst_finding_is_first_remaining_steps_are_last() -> None:
    text = result_text(finish_with(Outcome.PASS, Outcome.FAIL), PLAN).plain
    assert text.index("seen fail") < text.index("seen pass") < text.index("Remaining steps")
    assert "Product Docs" in text
    assert "has not been verified" in result_text(None, PLAN).plain


async def test_result_of_a_key_stays_when_verdicts_change(tmp_path: Path) -> None:
    """After a remote install, the nodes change. The result must not be replaced by the offer to start an install."""
    async with wizard(tmp_path, PLAN, "install") as (pilot, session):
        step = pilot.app.screen
        assert isinstance(step, InstallStep)
        step.show_answer("The platform is installed.")
        await session.evaluate_now()
        await pilot.pause()
        assert "The platform is installed." in screen_text(pilot)
