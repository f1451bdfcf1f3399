"""An install of a package that is not verified says so in status, attach, finish and the completion report."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from acp_tui.checks.verdict import Outcome, Severity, Verdict
from acp_tui.cli.main import main
from acp_tui.install.observe.run_warnings import run_warnings
from acp_tui.install.run.state import Phase, RunSpec, RunState, write_state
from acp_tui.install.verify.completion_report import completion, to_html, to_json
from acp_tui.install.verify.facts import Installed
from acp_tui.install.verify.run import Finish
from acp_tui.preflight.bundle.layout import REPORT
from acp_tui.preflight.report.history import save_last_report
from tests.support.factories.plans import valid_plan
from tests.support.factories.reports import report

WARNING = "NOT VERIFIED: core.tgz: the signature file is missing"
SIGNATURE = Verdict("BND-SIGN", None, Severity.MUST, Outcome.UNKNOWN, WARNING, "", "", "lab", ())


def run(home: Path, *verdicts: Verdict) -> RunState:
    """Write the state of a successful run, whose bundle has a report with `verdicts`."""
    run_dir, bundle = home / "installs" / "20260101T000000.000000Z", home / "bundles" / "20260101T000000.000000Z"
    run_dir.mkdir(parents=True)
    save_last_report(bundle / REPORT, replace(report(), verdicts=verdicts))
    state = RunState(RunSpec(run_dir, run_dir, ("bash",), run_dir / "none", "https://x", bundle=bundle), Phase.SUCCESS)
    write_state(state)
    return state


def test_warning_comes_from_the_report_of_the_run(tmp_path: Path) -> None:
    state = run(tmp_path, SIGNATURE)
    assert run_warnings(state) == (WARNING,)
    assert state.spec.bundle is not None
    (state.spec.bundle / REPORT).unlink()
    assert run_warnings(state) == run_warnings(None) == ()


def test_valid_package_gives_no_warning(tmp_path: Path) -> None:
    assert run_warnings(run(tmp_path, replace(SIGNATURE, outcome=Outcome.PASS, waived=None))) == ()


@pytest.mark.parametrize("command", ["status", "attach"])
def test_commands_show_the_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    run(tmp_path / "acp-tui", SIGNATURE)
    main([command])
    assert WARNING in capsys.readouterr().out.splitlines()
    main(["status", "--json"])
    assert json.loads(capsys.readouterr().out)["warnings"] == [WARNING]


def test_completion_report_shows_the_warning(tmp_path: Path) -> None:
    finish = Finish(replace(report(), verdicts=()), Installed(), {})
    done = completion(valid_plan(), finish, run(tmp_path, SIGNATURE))
    assert to_json(done)["warnings"] == [WARNING]
    assert WARNING in to_html(done)
    assert "NOT VERIFIED" not in to_html(completion(valid_plan(), finish, None))
