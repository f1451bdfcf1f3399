"""The package while the wizard runs: verified and unpacked in the background, once at a time, and how far that is."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Protocol

from acp_tui.core.events import Progress
from acp_tui.core.i18n import _
from acp_tui.package.install_dir import UnpackFailed
from acp_tui.package.service import PackageBlocked, PackageWork
from acp_tui.package.tar_members import PackageRefused
from acp_tui.plan.model import Plan


@dataclass(frozen=True)
class Unpacked:
    """How far it is. `progress` while it goes on; then `message`, and whether it is `done`."""

    progress: Progress | None = None
    message: str = ""
    done: bool = False


class SessionPort(Protocol):
    """What it needs of the session around it."""

    @property
    def plan(self) -> Plan: ...

    def spawn(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]: ...

    def judge_soon(self) -> None: ...


class Unpacking:
    """`tell`: called when something of it is different."""

    def __init__(self, board: SessionPort, package: PackageWork, tell: Callable[[], None]) -> None:
        self.state = Unpacked()
        self._board = board
        self._package = package
        self._tell = tell
        self._task: asyncio.Task[None] | None = None

    @property
    def tasks(self) -> tuple[asyncio.Task[None], ...]:
        """What is going on in the background."""
        return (self._task,) if self._task else ()

    def start(self) -> None:
        """Verify and unpack the packages, unless that is going on already."""
        if self._task is None or self._task.done():
            self._task = self._board.spawn(self._work())

    def stop(self) -> None:
        """The install folder stays as it was."""
        if self._task is not None:
            self._task.cancel()

    async def go_on(self) -> None:
        """Say of a package that is unpacked already that it is. What was verified then is not read again."""
        if (await self._package.look(self._board.plan)).unpacked:
            self.start()

    async def _work(self) -> None:
        def progressed(progress: Progress) -> None:
            self._show(Unpacked(progress))

        progressed(Progress(_("package"), 0, 0))
        try:
            await self._package.unpack(self._board.plan, progressed)
        except (PackageBlocked, PackageRefused, UnpackFailed) as error:
            self._show(Unpacked(message=str(error).splitlines()[0]))
        except asyncio.CancelledError:
            self._show(Unpacked(message=_("Stopped: the install folder is as it was.")))
            raise
        else:
            self._show(Unpacked(message=_("Verified and unpacked into the install folder."), done=True))
        self._board.judge_soon()

    def _show(self, state: Unpacked) -> None:
        self.state = state
        self._tell()
