"""Open the dialog with the host keys of simulated nodes, without SSH."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

from textual.pilot import Pilot

from acp_tui.plan.model import Plan
from acp_tui.plan.sections.node import Node, Ssh
from screens.dialogs.host_keys import HostKeysDialog
from screens.session.node_status import NodeStatus
from screens.session.wizard_session import Session
from tests.support.host_keys import not_confirmed
from tests.support.wizard_pilot import screen_text, until, wizard


def plan_of(*addresses: str, ssh: Ssh | None = None) -> Plan:
    return Plan(nodes=tuple(Node(address=address) for address in addresses), ssh=ssh or Ssh())


def report(session: Session, statuses: Iterable[tuple[str, NodeStatus]]) -> None:
    """Set the states of nodes as if their checks had ended."""
    session.nodes.statuses.update(statuses)
    session.nodes_changed()


def dialog_open(pilot: Pilot[int]) -> bool:
    return isinstance(pilot.app.screen, HostKeysDialog) and "n: no" in screen_text(pilot)


@asynccontextmanager
async def asked(folder: Path, *addresses: str) -> AsyncIterator[tuple[Pilot[int], Session]]:
    """Run a wizard on the Nodes step, in which these nodes have just sent new host keys."""
    async with wizard(folder, plan_of(*addresses), "nodes") as (pilot, session):
        report(session, ((address, not_confirmed(address)) for address in addresses))
        await until(pilot, lambda: dialog_open(pilot))
        yield pilot, session
