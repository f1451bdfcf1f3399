"""Tests on request in the wizard: chosen from a list that says what each does to the nodes, and begun after a yes."""

from pathlib import Path

from acp_tui.preflight.active_tests import ActiveTest
from screens.session.session import Session
from tests.support.factories.plans import valid_plan
from tests.support.factories.verdicts import cluster
from tests.support.wizard_pilot import screen_text, wizard


def begun(session: Session) -> list[tuple[ActiveTest, ...]]:
    """What the session is asked to do; nothing of it is done."""
    asked: list[tuple[ActiveTest, ...]] = []
    session.nodes.request = lambda also: asked.append(tuple(also))  # type: ignore[method-assign] # no node is there
    return asked


async def test_a_test_is_chosen_read_and_confirmed(tmp_path: Path) -> None:
    plan = valid_plan()
    async with wizard(tmp_path, plan, "preflight", cluster(plan)) as (pilot, session):
        asked = begun(session)
        await pilot.press("t")
        await pilot.pause()
        text = screen_text(pilot)
        assert "Opens temporary TCP listeners on the control plane nodes" in text
        assert "VRRP" not in text  # there is a load balancer
        await pilot.press("space", "end", "space")
        await pilot.pause()
        text = screen_text(pilot)
        assert "[x] load balancer" in text
        words = " ".join(text.split())
        assert "at most 512 MiB" in words
        assert "Transfers: 20" in words
        await pilot.press("enter")
        await pilot.pause()
        assert "Do this on the nodes now?" in screen_text(pilot)
        await pilot.press("n")
        await pilot.pause()
        assert asked == []
        await pilot.press("t", "down", "enter", "y")
        await pilot.pause()
        assert asked == [(ActiveTest.PATHS,)]
        assert "Begun: paths" in screen_text(pilot)


async def test_a_list_that_is_left_begins_nothing(tmp_path: Path) -> None:
    plan = valid_plan()
    async with wizard(tmp_path, plan, "preflight", cluster(plan)) as (pilot, session):
        asked = begun(session)
        await pilot.press("t", "space", "escape")
        await pilot.pause()
        assert asked == []
        session.nodes.requested = (ActiveTest.DISK,)
        await session.judge_now()
        await pilot.pause()
        assert "tests are running" in screen_text(pilot)
        session.nodes.requested = ()
