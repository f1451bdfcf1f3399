"""The part of the session that its background work uses: node monitor and package job."""

import asyncio
from collections.abc import Coroutine, Mapping
from typing import Protocol

from acp_tui.plan.draft import Draft
from acp_tui.plan.model import Plan


class SessionPort(Protocol):
    """Read the plan and the draft, start tasks, report changes."""

    draft: Draft

    @property
    def plan(self) -> Plan: ...

    def save_host_keys(self, host_keys: Mapping[str, str]) -> None: ...

    def spawn(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """Run a task; an exception of it ends the wizard with a crash log."""

    def schedule_evaluation(self) -> None:
        """Compute the verdicts again, soon."""

    def nodes_changed(self) -> None:
        """Repaint what depends on the state of nodes, soon."""
