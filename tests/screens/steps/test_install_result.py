"""How the Install step ends where no practice cluster stands behind it: failed, and in every language."""

from dataclasses import replace
from pathlib import Path

import pytest

from acp_tui.checks.verdict import Outcome, Severity, Verdict
from acp_tui.install.run.state import SETUP_LOG, Phase, RunSpec, RunState, write_state
from acp_tui.install.verify.facts import Installed, LeftOver
from acp_tui.install.verify.run import Finish
from acp_tui.nodes.state import NodeState
from acp_tui.preflight.report.model import NodeRecord, Report
from screens.formatting.install_result import summary_line, whole
from screens.steps.install import InstallStep
from tests.support.factories.plans import valid_plan
from tests.support.wizard_pilot import screen_text, until, wizard

PLAN = valid_plan()


def run(folder: Path, phase: Phase, failed_in: Phase | None = None) -> Path:
    """A run that has come to `phase`, with a few words in its log."""
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


async def test_a_failure_is_told_with_its_likely_cause(tmp_path: Path) -> None:
    async with wizard(tmp_path, PLAN, "review") as (pilot, session):
        session.update_draft(run=str(run(tmp_path, Phase.FAILED, Phase.SETUP)))
        await pilot.press("ctrl+n")
        await until(pilot, lambda: "Likely: A disk is full" in screen_text(pilot))
        assert "setup.sh failed with exit status 2" in screen_text(pilot)
        await pilot.press("f")
        await pilot.pause()
        shown = screen_text(pilot)
        assert "tar: write: no space left on device [red]" in shown
        assert "acp-tui support FILE.tar.gz" in shown
        await pilot.press("escape")


async def test_what_a_failed_run_left_is_told_before_a_new_one(tmp_path: Path) -> None:
    run(tmp_path, Phase.FAILED, Phase.SETUP)
    async with wizard(tmp_path, PLAN, "install") as (pilot, _session):
        step = pilot.app.screen
        assert isinstance(step, InstallStep)
        told = "\n".join(await step._left_before())
    assert "and ended: failed. setup.sh failed with exit status 2" in told
    assert "Whether its container is still there is not known" in told
    assert "only the installer's node was touched" in told


def found(*outcomes: Outcome, left: tuple[LeftOver, ...] = ()) -> Finish:
    verdicts = tuple(
        Verdict("INS-VERIFY-PODS", None, Severity.MUST, one, f"seen {one.value}", "", "mend") for one in outcomes
    )
    node = NodeRecord("10.20.0.11", None, "control-plane", NodeState.CHECKED)
    moment = RunState(RunSpec(Path(), Path(), (), Path(), "")).started
    return Finish(Report("4.0", moment, moment, (node,), verdicts), Installed(left_over=left), {})


@pytest.mark.parametrize(
    ("outcomes", "line"),
    [
        ((Outcome.PASS,), "Verified: nodes"),
        ((Outcome.PASS, Outcome.WARN), "Verified: nodes"),
        ((Outcome.FAIL, Outcome.UNKNOWN), "Not verified: 2 findings block."),
        ((Outcome.UNKNOWN,), "Not verified: 1 finding blocks."),
    ],
)
def test_the_line_of_the_last_screen(outcomes: tuple[Outcome, ...], line: str) -> None:
    assert line in summary_line(found(*outcomes)).plain


def test_the_worst_is_told_first_then_what_is_to_be_done() -> None:
    text = whole(found(Outcome.PASS, Outcome.FAIL), PLAN).plain
    assert text.index("seen fail") < text.index("seen pass") < text.index("To do by hand")
    assert "Product Docs" in text
    assert "has not been looked at" in whole(None, PLAN).plain
