"""Verify and unpack the packages in the background of the wizard. Only one job runs at a time."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from acp_tui.core.events import Progress
from acp_tui.core.i18n import _, pgettext
from acp_tui.package.archive_safety import PackageRefused
from acp_tui.package.blockers import PackageBlocked
from acp_tui.package.install_dir import UnpackFailed
from acp_tui.package.service import PackageWork
from acp_tui.package.trust import unverified_packages
from screens.session.interface import SessionPort


@dataclass(frozen=True)
class PackageJobState:
    """State of a job. `progress` is set while the job runs, and `message` after its end. `done` is True on success."""

    progress: Progress | None = None
    message: str = ""
    done: bool = False


class PackageJob:
    """Verifies and unpacks the packages. It calls `changed` after each change of its state."""

    def __init__(self, session: SessionPort, package: PackageWork, changed: Callable[[], None]) -> None:
        self.state = PackageJobState()
        self._session = session
        self._package = package
        self._changed = changed
        self._task: asyncio.Task[None] | None = None

    @property
    def tasks(self) -> tuple[asyncio.Task[None], ...]:
        """The background task of the job, as a tuple. The tuple is empty before the first start."""
        return (self._task,) if self._task else ()

    def start(self) -> None:
        """Start to verify and unpack the packages. Do nothing if the job is already running."""
        if self._task is None or self._task.done():
            self._task = self._session.spawn(self._run())

    def stop(self) -> None:
        """Cancel the job. The install folder stays unchanged."""
        if self._task is not None:
            self._task.cancel()

    async def resume(self) -> None:
        """If the package is already unpacked, start the job to show the result. The package is not verified again."""
        if (await self._package.facts(self._session.plan)).unpacked:
            self.start()

    async def _run(self) -> None:
        def progressed(progress: Progress) -> None:
            self._show(PackageJobState(progress))

        progressed(Progress(pgettext("package", "package"), 0, 0))
        try:
            await self._package.unpack(self._session.plan, progressed)
        except (PackageBlocked, PackageRefused, UnpackFailed) as error:
            self._show(PackageJobState(message=str(error).splitlines()[0]))
        except asyncio.CancelledError:
            self._show(PackageJobState(message=_("Unpacking was cancelled. The install folder is unchanged.")))
            raise
        else:
            unverified = unverified_packages(await self._package.verdicts(self._session.plan))
            self._show(PackageJobState(message=_unpacked_message(verified=not unverified), done=True))
        self._session.schedule_evaluation()

    def _show(self, state: PackageJobState) -> None:
        self.state = state
        self._changed()


def _unpacked_message(*, verified: bool) -> str:
    if verified:
        return _("The package is verified and unpacked.")
    return _("The package is unpacked, but NOT VERIFIED.")
