"""A node becomes unreachable between setup.sh and the POST: nothing is sent without an answer."""

from pathlib import Path

from acp_tui.demo.installer_behaviour import Behaviour
from acp_tui.install.run.start_resume_abort import resume
from acp_tui.install.run.state import Phase
from acp_tui.install.start import RunSettings, launch
from tests.support.factories.plans import node, valid_plan
from tests.support.factories.reports import report
from tests.support.install_harness import FAST, InstallHarness, wait_until_at_rest


async def test_unreachable_node_stops_the_run_before_the_post(tmp_path: Path) -> None:
    harness = InstallHarness(tmp_path)
    harness.unpack(Behaviour(seconds=0.3, setup_seconds=0.1))
    plan = valid_plan(
        nodes=[node("127.0.0.2"), node("127.0.0.3"), node("127.0.0.4")],  # port 1 has no listener
        ssh={"port": 1},
        package={"core": "/root/installer-core-v4.0.3-x86.tar", "install_dir": str(tmp_path / "install")},
        kubernetes={"version": "1.31.6", "container_runtime": "containerd://1.7.27-4"},
    )
    run = await launch(
        plan,
        report(plan),
        {},
        tmp_path / "state",
        plan_dir=tmp_path,
        settings=RunSettings(FAST, bases=()),
    )
    harness.runs.append(run)

    state = wait_until_at_rest(run)
    assert state.phase is Phase.CHANGED
    assert all(f"{planned_node.address}: unreachable" in state.message for planned_node in plan.nodes)
    resume(run)
    assert wait_until_at_rest(run).phase is Phase.CHANGED, "they are still unreachable"
    assert harness.posts.count == 0
    resume(run, ignore_node_changes=True)
    assert wait_until_at_rest(run).phase is Phase.SUCCESS
    assert harness.posts.count == 1
    harness.close()
