"""Active tests in the wizard: chosen from a list with their effects, started after a confirmation."""

from pathlib import Path

from acp_tui.preflight.active_tests import ActiveTest
from screens.session.wizard_session import Session
from tests.support.factories.plans import valid_plan
from tests.support.factories.verdicts import cluster
from tests.support.wizard_pilot import screen_text, wizard


def record_requests(session: Session) -> list[tuple[ActiveTest, ...]]:
    """Return the list of requested active tests. They do not run."""
    requests: list[tuple[ActiveTest, ...]] = []
    session.nodes.run_active_tests = lambda tests: requests.append(tuple(tests))  # type: ignore[method-assign]
    return requests


async def test_active_test_runs_after_choice_and_confirmation(tmp_path: Path) -> None:
    plan = valid_plan()
    async with wizard(tmp_path, plan, "preflight", cluster(plan)) as (pilot, session):
        requests = record_requests(session)
        await pilot.press("t")
        await pilot.pause()
        text = screen_text(pilot)
        assert "acp-tui opens temporary test ports on the control plane nodes" in text
        assert "VRRP" not in text  # the plan has a load balancer
        await pilot.press("space", "end", "space")
        await pilot.pause()
        text = screen_text(pilot)
        assert "[x] load balancer" in text
        joined_text = " ".join(text.split())
        assert "ends after 512 MiB" in joined_text
        assert "Transfers: 20" in joined_text
        await pilot.press("enter")
        await pilot.pause()
        assert "Run these tests on the nodes now?" in screen_text(pilot)
        await pilot.press("n")
        await pilot.pause()
        assert requests == []
        await pilot.press("t", "down", "enter", "y")
        await pilot.pause()
        assert requests == [(ActiveTest.PATHS,)]
        assert "Tests started: paths" in screen_text(pilot)


async def test_cancelled_list_starts_no_test(tmp_path: Path) -> None:
    plan = valid_plan()
    async with wizard(tmp_path, plan, "preflight", cluster(plan)) as (pilot, session):
        requests = record_requests(session)
        await pilot.press("t", "space", "escape")
        await pilot.pause()
        assert requests == []
        session.nodes.active_tests = (ActiveTest.DISK,)
        await session.evaluate_now()
        await pilot.pause()
        assert "tests are running" in screen_text(pilot)
        session.nodes.active_tests = ()
