"""The part of the session that the node monitor and the package job use."""

import asyncio
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Protocol

from acp_tui.plan.draft import Draft
from acp_tui.plan.known_hosts import KnownHosts
from acp_tui.plan.model import Plan

if TYPE_CHECKING:
    from screens.session.known_hosts import KnownHostsRecord


class SessionPort(Protocol):
    """Interface of a wizard session. A session has the plan and the draft, starts tasks, and is informed of changes."""

    draft: Draft
    known_hosts_record: "KnownHostsRecord"

    @property
    def plan(self) -> Plan: ...

    def save_known_hosts(self, known_hosts: KnownHosts) -> None: ...

    def spawn(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """Start `work` as a task. If the task raises an exception, the wizard ends and writes a crash log."""

    def schedule_evaluation(self) -> None:
        """Request that the session soon computes the verdicts again."""

    def nodes_changed(self) -> None:
        """Request that the screens soon repaint everything that depends on node states."""
