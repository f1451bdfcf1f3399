"""Node states on the wizard's screens, with real nodes: waiting for another node, reachable again, rebooted."""

from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

from acp_tui.nodes.state import NodeState
from acp_tui.package.service import PackageWork
from acp_tui.plan.draft import Draft
from acp_tui.plan.model import Plan
from screens.app import AcpApp
from screens.widgets.row_list import Rows
from tests.lab.kit.check_run import as_planned, plan
from tests.lab.kit.nodes import Lab, LabNode
from tests.lab.kit.profiles import NodeProfile
from tests.support.wizard_pilot import SIZE, confirm_host_keys, screen_text, show, until

pytestmark = pytest.mark.lab


async def test_states_are_shown_while_a_node_is_unreachable_and_after_a_reboot(lab: Lab, tmp_path: Path) -> None:
    here, silent = lab.start(NodeProfile(), NodeProfile())
    silent.sh("ip link set eth0 down")
    answers = Plan.model_validate(plan(as_planned((here, silent)), lab.address(0)))
    app = AcpApp(
        tmp_path, draft=Draft(tmp_path / "drafts" / "lab", answers), plan_dir=tmp_path, package=PackageWork(tmp_path)
    )
    async with app.run_test(size=SIZE) as pilot:
        session = await show(pilot, "nodes")
        session.nodes.retry_pauses = (3,) * 30

        def known(node: LabNode, state: NodeState) -> Callable[[], bool]:
            statuses = session.nodes.statuses
            return lambda: node.address in statuses and statuses[node.address].state is state

        def reason_without_connectivity() -> str:
            facts = session.nodes.facts[here.address]
            return facts.missing_reason("paths") if facts.paths is None else ""

        await confirm_host_keys(pilot)
        await until(pilot, known(here, NodeState.CHECKED))
        assert "the connectivity tests are still in progress" in reason_without_connectivity(), (
            "its local facts are complete; the connectivity tests wait"
        )
        await until(pilot, known(silent, NodeState.UNREACHABLE))
        await until(pilot, lambda: not reason_without_connectivity())
        # The host key is recorded at the end of the check; the end of another node's check has not cancelled this one.
        await until(pilot, lambda: here.address in session.draft.known_hosts)

        pilot.app.screen.query_one("#nodes", Rows).focus()
        await pilot.press("home", "down")
        await until(pilot, lambda: "unreachable, next retry at" in screen_text(pilot))
        session.answer("nodes[1].role", "worker")  # a changed answer must not stop the retries
        silent.sh("ip link set eth0 up")
        await confirm_host_keys(pilot)
        await until(pilot, known(silent, NodeState.CHECKED))
        await until(pilot, lambda: "next retry" not in screen_text(pilot))

        here.sh(f"echo {uuid4()} >/run/boot; mount --bind /run/boot /proc/sys/kernel/random/boot_id")
        await until(pilot, known(here, NodeState.CHECKED))
        await session.nodes.refresh_now()
        assert session.nodes.state(session.plan.nodes[0]) is NodeState.CHECKING
        await pilot.press("home")
        await until(pilot, lambda: "the node has rebooted and is being rechecked" in screen_text(pilot))
        await until(pilot, known(here, NodeState.CHECKED))
        await session.close()
