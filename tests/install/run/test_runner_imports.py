"""The runner imports all its modules at the start, so that acp-tui can be replaced during an install."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import acp_tui
from acp_tui.demo.installer_behaviour import Behaviour
from acp_tui.install.run.state import Phase, RunState, read_state, write_state
from acp_tui.install.start import bundle_for
from tests.support.factories.plans import node, valid_plan
from tests.support.factories.reports import report
from tests.support.install_harness import FAST, InstallHarness

_PROGRAM = """\
import asyncio, sys
from dataclasses import replace
from pathlib import Path
from acp_tui.install.run import runner
from acp_tui.install.run.state_recorder import Run
from acp_tui.install.run.state import read_state

state = read_state(Path(sys.argv[1]))
runner.load_all(state)
before = set(sys.modules)
asyncio.run(runner.run_phases(Run(state)))
late = {name for name in set(sys.modules) - before if name.partition(".")[0] not in sys.stdlib_module_names}
print(" ".join(sorted(late)))
"""


def imported_late(run_dir: Path) -> list[str]:
    """Run the phases of a run in a new process. Return the modules that they import, except those of Python."""
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, str(run_dir)],
        env={"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "PYTHONPATH": str(Path(acp_tui.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()


async def test_no_module_is_imported_after_the_start(harness: InstallHarness, tmp_path: Path) -> None:
    harness.unpack(Behaviour(seconds=0.3, setup_seconds=0.1))
    plan = valid_plan(
        nodes=[node("127.0.0.2"), node("127.0.0.3"), node("127.0.0.4")],  # port 1 has no listener
        ssh={"port": 1},
        kubernetes={"version": "1.31.6", "container_runtime": "containerd://1.7.27-4"},
    )
    bundle = await bundle_for(plan, report(plan), {}, tmp_path / "bundle", plan_dir=tmp_path)
    spec = replace(harness.spec(FAST), bundle=bundle)
    spec.run_dir.mkdir(parents=True)
    harness.runs.append(spec.run_dir)
    write_state(RunState(spec))

    assert imported_late(spec.run_dir) == []
    state = read_state(spec.run_dir)
    assert state.phase is Phase.CHANGED, "the recheck is one of the phases"

    write_state(replace(state, phase=Phase.VERSIONS, ignore_node_changes=True))
    assert imported_late(spec.run_dir) == []
    assert read_state(spec.run_dir).phase is Phase.SUCCESS
    assert harness.posts.count == 1
