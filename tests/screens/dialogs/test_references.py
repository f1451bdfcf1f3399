"""The wizard asks before it reads secrets for a plan that another user can change, and warns about readable secrets."""

import os
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from screens.app import AcpApp
from screens.dialogs.prompts import Ask, Read
from screens.dialogs.references import ConfirmReferences
from tests.support.other_users import STRANGER, needs_root
from tests.support.wizard_pilot import SIZE, screen_text, until

CANARY = "c4nary-of-root"


async def open_plan(pilot: Pilot[int], plan: Path) -> None:
    """Choose a plan in the first dialog of the wizard."""
    await until(pilot, lambda: "Open a plan file" in screen_text(pilot))
    await pilot.press("l")
    await until(pilot, lambda: isinstance(pilot.app.screen, Ask))
    pilot.app.screen.query_one("#ask").value = str(plan)  # type: ignore[attr-defined]
    await pilot.press("enter")


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    (tmp_path / "secret").write_text(CANARY)
    plan = tmp_path / "plan.yaml"
    plan.write_text("admin: {password: {file: secret}}\n")
    plan.chmod(0o600)
    os.chown(plan, STRANGER, -1)
    return plan


@needs_root
async def test_refused_references_leave_the_plan_closed(tmp_path: Path, foreign: Path) -> None:
    app = AcpApp(tmp_path / "state")
    async with app.run_test(size=SIZE) as pilot:
        await open_plan(pilot, foreign)
        await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmReferences))
        text = " ".join(screen_text(pilot).split())
        assert "admin.password: the file" in text
        assert "belongs to the user nobody" in text
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(pilot.app.screen, ConfirmReferences), "Enter confirms nothing"
        await pilot.press("n")
        await until(pilot, lambda: isinstance(pilot.app.screen, Ask))
        assert app.session is None


@needs_root
async def test_confirmed_references_are_remembered(tmp_path: Path, foreign: Path) -> None:
    for asks in (True, False):
        app = AcpApp(tmp_path / "state")
        async with app.run_test(size=SIZE) as pilot:
            await open_plan(pilot, foreign)
            if asks:
                await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmReferences))
                await pilot.press("y")
            await until(pilot, lambda: "Package: integrity" in screen_text(pilot))
            assert app.session is not None
            password = app.session.plan.admin.password
            assert password is not None
            assert password.get_secret_value() == CANARY
            app.session.update_draft(finished=True)
            await app.session.close()


async def test_readable_secrets_give_a_notice(tmp_path: Path) -> None:
    plan = tmp_path / "plan.yaml"
    plan.write_text("admin: {password: pw}\n")
    plan.chmod(0o644)
    app = AcpApp(tmp_path / "state")
    async with app.run_test(size=SIZE) as pilot:
        await open_plan(pilot, plan)
        await until(pilot, lambda: isinstance(pilot.app.screen, Read))
        shown = " ".join(str(part.render()) for part in pilot.app.screen.query(Static))
        assert "other users can read it" in shown
        assert app.session is not None
        await app.session.close()
