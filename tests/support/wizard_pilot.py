"""Run the wizard in tests with any plan and checked nodes, without SSH and without the disks of this host."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from textual.pilot import Pilot

from acp_tui.core.local_host import LocalAddress
from acp_tui.nodes.facts import Facts
from acp_tui.nodes.state import NodeState
from acp_tui.package.service import PackageWork
from acp_tui.plan.draft import Draft
from acp_tui.plan.known_hosts import confirmed
from acp_tui.plan.model import Plan
from screens.app import AcpApp
from screens.dialogs.host_keys import HostKeysDialog
from screens.session.node_status import NodeStatus
from screens.session.wizard_session import Session
from screens.steps.order import STEPS
from tests.support.host_keys import host_key

SIZE = (80, 24)


def staged_app(folder: Path, plan: Plan, dialled: list[str] | None = None, own: Sequence[LocalAddress] = ()) -> AcpApp:
    """Return the application on a draft in `folder`.

    Each address that it connects to is added to `dialled`; the connection goes to a closed port. `own` are the
    addresses of the simulated host."""

    def dial(address: str, port: int) -> tuple[str, int]:
        if dialled is not None:
            dialled.append(address)
        return "127.0.0.1", 1

    free, here = (lambda _folder: 500 * 10**9), (lambda _address: True)
    package = PackageWork(folder, free_space=free, here=here, places=(folder,))
    draft = Draft(folder / "drafts" / "staged", plan)
    return AcpApp(folder, draft=draft, plan_dir=folder, package=package, address_map=dial, own=lambda: own)


async def show(pilot: Pilot[int], step: str, facts: Mapping[str, Facts] | None = None) -> Session:
    """Show the step of this name after setting the facts of its nodes and evaluating them."""
    app = pilot.app
    assert isinstance(app, AcpApp)
    await pilot.pause()
    await app.workers.wait_for_complete()
    assert app.session is not None
    for address, node_facts in (facts or {}).items():
        key = host_key(address)
        app.session.nodes.statuses[address] = NodeStatus(
            NodeState.CHECKED, facts=node_facts, login=None, host_key=key, known_host=confirmed(key)
        )
    await app.session.evaluate_now()
    await app.go(next(candidate for candidate in STEPS if step == candidate.NAME))
    await pilot.pause()
    return app.session


@asynccontextmanager
async def wizard(
    folder: Path,
    plan: Plan,
    step: str,
    facts: Mapping[str, Facts] | None = None,
    dialled: list[str] | None = None,
    own: Sequence[LocalAddress] = (),
) -> AsyncIterator[tuple[Pilot[int], Session]]:
    """Run a wizard that shows `step`, and close it like an operator."""
    app = staged_app(folder, plan, dialled, own)
    async with app.run_test(size=SIZE) as pilot:
        session = await show(pilot, step, facts)
        yield pilot, session
        await session.close()


async def until(pilot: Pilot[int], reached: Callable[[], bool]) -> None:
    """Run the application until `reached` returns true; without limit, so the timeout of the test applies."""
    while not reached():
        await pilot.pause()


def screen_text(pilot: Pilot[int]) -> str:
    """Return the visible text of the screen."""
    screen = pilot.app.screen
    width, height = screen.size
    lines = screen._compositor.render_strips()
    return "\n".join(strip.text[:width] for strip in lines[:height])


async def confirm_host_keys(pilot: Pilot[int]) -> None:
    """Wait for the dialog with the host keys of the nodes, and confirm all of them."""
    await until(pilot, lambda: "y: yes" in screen_text(pilot))
    assert isinstance(pilot.app.screen, HostKeysDialog)
    await pilot.press("y")
    await until(pilot, lambda: not isinstance(pilot.app.screen, HostKeysDialog))
