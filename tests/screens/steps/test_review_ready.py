"""The review step says "ready" only after a complete check of a plan with a package."""

from dataclasses import replace
from pathlib import Path

from pydantic import JsonValue
from textual.pilot import Pilot

from acp_tui.nodes.state import NodeState
from screens.session.wizard_session import Changed
from screens.widgets.row_list import Rows
from tests.screens.steps.test_review import CANARY, node_facts
from tests.support.factories.plans import WORKERS, valid_plan
from tests.support.wizard_pilot import wizard

READY = "The plan is ready."


def shown(pilot: Pilot[int]) -> str:
    return "\n".join(row.text.plain for row in pilot.app.screen.query_one("#review", Rows)._rows)


async def waivers(folder: Path, *kept: str) -> JsonValue:
    """Return waivers of all blockers of the healthy nodes, except those of the requirements `kept`."""
    async with wizard(folder, valid_plan(ssh={"password": CANARY}), "review", node_facts()) as (_pilot, session):
        rules = {v.requirement for v in session.report().verdicts if v.blocks} - {*kept}
    return [{"requirement": rule, "reason": "test", "by": "test"} for rule in sorted(rules)]


async def test_plan_without_package_is_not_ready(tmp_path: Path) -> None:
    waived = await waivers(tmp_path / "first", "BND-CORE")
    plan = valid_plan(ssh={"password": CANARY}, waivers=waived)
    async with wizard(tmp_path / "second", plan, "review", node_facts()) as (pilot, session):
        assert {v.requirement for v in session.verdict_view.blockers} == {"BND-CORE"}
        assert READY not in shown(pilot)
        assert "Core Package is not available" in shown(pilot)


async def test_every_requirement_of_the_package_blocks_without_it(tmp_path: Path) -> None:
    async with wizard(tmp_path, valid_plan(), "review", node_facts()) as (pilot, session):
        rules = {v.requirement for v in session.report().verdicts if v.blocks and v.requirement.startswith("BND-")}
        assert {"BND-CORE", "BND-CORE-NAME", "BND-TAR-OK", "BND-SIGN", "BND-KEY-FPR", "BND-FREE-100G"} <= rules
        assert READY not in shown(pilot)


async def test_lost_answer_makes_the_check_partial_and_not_ready(tmp_path: Path) -> None:
    plan = valid_plan(ssh={"password": CANARY}, waivers=await waivers(tmp_path / "first"))
    async with wizard(tmp_path / "second", plan, "review", node_facts()) as (pilot, session):
        assert READY in shown(pilot)
        for state in (NodeState.LOST, NodeState.TIMEOUT, NodeState.CHECKING):
            session.nodes.statuses[WORKERS[0]] = replace(session.nodes.statuses[WORKERS[0]], state=state)
            await session.evaluate_now()
            pilot.app.screen.session_changed(Changed.VERDICTS)  # type: ignore[attr-defined]
            assert session.report().partial
            assert READY not in shown(pilot)
            assert f"The facts of {WORKERS[0]} are incomplete" in shown(pilot)
