"""The start of a run from a checked plan: which files with secrets remain, and until when."""

from pathlib import Path

import pytest

from acp_tui.demo.installer_behaviour import Behaviour
from acp_tui.install.run.start_resume_abort import RunInProgress
from acp_tui.install.run.state import Phase
from acp_tui.install.start import RunSettings, launch
from acp_tui.preflight.bundle import DOCUMENT, is_bundle
from tests.support.factories.plans import valid_plan
from tests.support.factories.reports import report
from tests.support.install_harness import FAST, InstallHarness, wait_until_at_rest

SETTINGS = RunSettings(FAST, bases=())


async def test_a_failed_run_keeps_its_secrets_until_the_next_one(tmp_path: Path) -> None:
    harness = InstallHarness(tmp_path)
    harness.unpack(Behaviour(setup_exit=1))
    plan = valid_plan(
        package={"core": "/root/installer-core-v4.0.3-x86.tar", "install_dir": str(tmp_path / "install")},
        kubernetes={"version": "1.31.6", "container_runtime": "containerd://1.7.27-4"},
    )

    async def failed() -> Path:
        run = await launch(plan, report(plan), {}, tmp_path / "state", plan_dir=tmp_path, settings=SETTINGS)
        harness.runs.append(run)
        assert wait_until_at_rest(run).phase is Phase.FAILED
        return tmp_path / "state" / "bundles" / run.name

    first = await failed()
    assert {DOCUMENT, "secrets.yaml"} <= {file.name for file in first.iterdir()}
    second = await failed()
    assert {DOCUMENT, "secrets.yaml"} <= {file.name for file in second.iterdir()}
    assert is_bundle(first)
    assert not {DOCUMENT, "secrets.yaml"} & {file.name for file in first.iterdir()}
    harness.close()


async def test_second_concurrent_start_leaves_no_secrets(tmp_path: Path) -> None:
    harness = InstallHarness(tmp_path)
    harness.unpack(Behaviour(seconds=30))
    plan = valid_plan(
        package={"core": "/root/installer-core-v4.0.3-x86.tar", "install_dir": str(tmp_path / "install")},
        kubernetes={"version": "1.31.6", "container_runtime": "containerd://1.7.27-4"},
    )
    home = tmp_path / "state"
    harness.runs.append(await launch(plan, report(plan), {}, home, plan_dir=tmp_path, settings=SETTINGS))
    with pytest.raises(RunInProgress):
        await launch(plan, report(plan), {}, home, plan_dir=tmp_path, settings=SETTINGS)
    assert [folder.name for folder in (home / "bundles").iterdir()] == [harness.runs[0].name]
    harness.close()
