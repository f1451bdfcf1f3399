"""The fix screen on the practice cluster: selected steps, confirmation for each node, and results."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from textual.pilot import Pilot

from acp_tui.demo.cluster import practice
from acp_tui.nodes.state import NodeState
from screens.app import AcpApp
from screens.dialogs.fix import FixScreen
from screens.session.wizard_session import Session
from screens.widgets.row_list import Rows
from tests.support.wizard_pilot import SIZE, confirm_host_keys, screen_text, show, until

SWAPS, OTHER_ZONE, RENAMED = "192.0.2.12", "192.0.2.13", "192.0.2.21"


@asynccontextmanager
async def fix_screen(folder: Path) -> AsyncIterator[tuple[Pilot[int], Session]]:
    """Open the fix screen after all nodes are checked."""
    async with practice(folder, seconds=0) as cluster:
        app = AcpApp(cluster.state_home, plan=cluster.plan, practice=cluster, plan_dir=cluster.folder)
        async with app.run_test(size=SIZE) as pilot:
            await until(pilot, lambda: app.session is not None)
            session = app.session
            assert session is not None
            await show(pilot, "nodes")
            await confirm_host_keys(pilot)
            await until(pilot, lambda: checked(session))
            await show(pilot, "preflight")
            await pilot.press("x")
            await until(pilot, lambda: isinstance(app.screen, FixScreen) and "chosen" in screen_text(pilot))
            yield pilot, session
            await session.close()


def checked(session: Session) -> bool:
    states = [status.state for status in session.nodes.statuses.values()]
    return len(states) == len(session.plan.nodes) and all(state is NodeState.CHECKED for state in states)


def blocking(session: Session, node: str) -> set[str]:
    return {verdict.requirement for verdict in session.verdicts if verdict.node == node and verdict.blocks}


async def move_to(pilot: Pilot[int], key: str) -> None:
    pilot.app.screen.query_one(Rows).move_to(key)
    await pilot.pause()


async def test_node_is_unchanged_before_the_confirmation(tmp_path: Path) -> None:
    async with fix_screen(tmp_path) as (pilot, session):
        await move_to(pilot, SWAPS)
        text = screen_text(pilot)
        print(text)
        assert "[x] SYS-SWAP" in text
        assert "2 steps chosen" in text
        await pilot.press("y")
        await until(pilot, lambda: "Change 192.0.2.12?" in screen_text(pilot))
        print(screen_text(pilot))
        await pilot.press("n")
        await session.evaluate_now()
        assert blocking(session, SWAPS) == {"SYS-SWAP", "SEC-FIREWALL"}


async def test_confirmation_fixes_only_this_node_and_shows_the_result(tmp_path: Path) -> None:
    async with fix_screen(tmp_path) as (pilot, session):
        await move_to(pilot, f"{SWAPS} SEC-FIREWALL")
        await pilot.press("space")
        await pilot.press("y")
        await until(pilot, lambda: "Change 192.0.2.12?" in screen_text(pilot))
        await pilot.press("y")
        await until(pilot, lambda: "SYS-SWAP" not in blocking(session, SWAPS) and checked(session))
        await move_to(pilot, SWAPS)
        await until(pilot, lambda: " ✓  SYS-SWAP" in screen_text(pilot))
        print(screen_text(pilot))
        assert "undo.sh" in screen_text(pilot)
        assert blocking(session, SWAPS) == {"SEC-FIREWALL"}
        assert blocking(session, OTHER_ZONE) == {"X-TIMEZONE"}


async def test_script_of_a_node_is_shown(tmp_path: Path) -> None:
    async with fix_screen(tmp_path) as (pilot, _session):
        await move_to(pilot, SWAPS)
        await pilot.press("enter")
        await pilot.pause()
        assert "#!/bin/bash" in screen_text(pilot)


async def test_host_name_is_entered_for_its_fix(tmp_path: Path) -> None:
    async with fix_screen(tmp_path) as (pilot, session):
        await move_to(pilot, f"{RENAMED} NET-HOSTNAME-CHARS")
        assert "fix manually" in screen_text(pilot)
        await pilot.press("n")
        await pilot.pause()
        await pilot.press(*"practice-wk-1", "enter")
        await until(pilot, lambda: "[x] NET-HOSTNAME-CHARS" in screen_text(pilot))
        await pilot.press("y")
        await until(pilot, lambda: f"Change {RENAMED}?" in screen_text(pilot))
        await pilot.press("y")
        await until(pilot, lambda: not blocking(session, RENAMED) and checked(session))
