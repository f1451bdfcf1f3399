"""Run the parts of an install in order: check, start, follow, verify.

The commands, the wizard, remote installs and the practice cluster use this module.

If a run already exists, `acp_tui.install.next_step` returns the action that it needs instead of `check` and `start`.

A session prints nothing and asks the operator nothing. It returns and yields frozen data. Its callers show the data,
and pass the operator's answers to the session. A method that needs SSH imports the SSH modules in a thread when it is
called, so that the first screen of the wizard does not wait for these imports.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from acp_tui.core.clock import now
from acp_tui.core.events import LogLine
from acp_tui.core.i18n import _
from acp_tui.core.local_host import is_local_address
from acp_tui.install.observe.failure import previous_failure
from acp_tui.install.observe.follow import follow
from acp_tui.install.observe.timing import is_stalled
from acp_tui.install.run.directory import last_run
from acp_tui.install.run.start_resume_abort import abort, platform_url, resume
from acp_tui.install.run.state import FINAL, Phase, RunNotFound, RunState, status
from acp_tui.install.start import RunSettings, StartError, bundle_for, launch
from acp_tui.nodes.ssh.address_map import AddressMap, direct
from acp_tui.package.reader import OnProgress, silent
from acp_tui.package.service import PackageWork
from acp_tui.package.trust import trust_warnings
from acp_tui.plan.known_hosts import KnownHosts
from acp_tui.plan.model import Plan
from acp_tui.preflight.bundle import DOCUMENT
from acp_tui.preflight.report.model import Report

if TYPE_CHECKING:
    from acp_tui.install.leftovers import Leftovers
    from acp_tui.install.verify.collect import NodeAccess
    from acp_tui.install.verify.diagnosis import Diagnosis
    from acp_tui.install.verify.run import Finish
    from acp_tui.preflight.run import PreflightEvent

SETTLE_TIME = timedelta(minutes=10)
"""Time in which all Pods of a new cluster must become ready."""


@dataclass(frozen=True)
class Answers:
    """The operator's answers that a run waits for; see `acp_tui.install.run.start_resume_abort.resume`."""

    kubernetes: str | None = None
    runtime: str | None = None
    config_received: bool | None = None
    """True if the installer received the configuration. None: the operator has not answered."""
    ignore_node_changes: bool = False
    accept_listener: bool = False


@dataclass(frozen=True)
class PackageReady:
    """The packages are verified. If this host is the installer node, they are also unpacked in `folder`.

    `new`: True if they were unpacked just now."""

    folder: Path
    new: bool
    warnings: tuple[str, ...] = ()
    """Packages that are not verified, and a trusted key that is not the vendor's key; see `trust_warnings`."""


@dataclass(frozen=True)
class RunProgress:
    """An update of a run. `stalled`: the run has made no progress for longer than the threshold."""

    state: RunState
    lines: tuple[LogLine, ...]
    stalled: bool


def is_remote_install(plan: Plan) -> bool:
    """Return True if the installer node is not this host."""
    return plan.installer_node is not None and not is_local_address(plan.installer_node.address)


@dataclass(frozen=True)
class InstallSession:
    """The install of one plan. `known_hosts`: the known hosts of the nodes. `home`: the state folder.

    `plan_dir`: the folder that relative paths of the plan start from. `remote`: True if this host is not the installer
    node."""

    plan: Plan
    known_hosts: KnownHosts
    home: Path
    plan_dir: Path
    package: PackageWork | None = None
    """Verifies and unpacks the packages, and keeps the results. If this field is None, `check` creates one."""
    address_map: AddressMap = direct
    settings: RunSettings = field(default_factory=RunSettings)
    remote: bool = False

    async def check(self, on_progress: OnProgress = silent) -> "AsyncGenerator[PackageReady | PreflightEvent, None]":
        """Verify and unpack the packages, then check all nodes. The last event has the complete report.

        For a remote install, the packages are only verified here. acp-tui unpacks them later on the installer node.
        Raises: PackageBlocked, PackageRefused, UnpackFailed."""
        package = self.package or PackageWork(self.plan_dir)
        if self.remote:
            await package.verify(self.plan, on_progress)
            new = False
        else:
            new = await package.unpack(self.plan, on_progress)
        warnings = trust_warnings(await package.verdicts(self.plan))
        yield PackageReady(package.target(self.plan), new, warnings)
        await _load("acp_tui.preflight.run", "acp_tui.preflight.read_local_files")
        from acp_tui.preflight.read_local_files import read_local_files
        from acp_tui.preflight.run import PreflightDone, preflight

        local_files = await asyncio.to_thread(read_local_files, self.plan, self.plan_dir)
        events = preflight(
            self.plan,
            known_hosts=self.known_hosts,
            address_map=self.address_map,
            plan_dir=self.plan_dir,
            local_files=local_files,
            clock=now,
        )
        async for event in events:
            if isinstance(event, PreflightDone):
                yield PreflightDone(await self._complete(event.report, package))
            else:
                yield event

    async def _complete(self, report: Report, package: PackageWork) -> Report:
        """Add the verdicts about the packages to the report. For a remote install, this host unpacks nothing."""
        report = report.with_package(await package.verify(self.plan), now())
        if self.remote:
            from acp_tui.install.remote.plan_rewrite import for_remote_install

            report = for_remote_install(report)
        return report

    async def leftovers(self) -> "Leftovers | None":
        """Return the leftovers of the last run of this host if the run ended without success, else None."""
        run_dir = await asyncio.to_thread(last_run, self.home)
        run = await asyncio.to_thread(status, run_dir) if run_dir is not None else None
        if run is None or not previous_failure(run):
            return None
        access = await self.access()
        from acp_tui.install.leftovers import find_leftovers

        return await find_leftovers(access, run)

    async def start(self, report: Report) -> Path:
        """Write the bundle, start the run, and return its folder. Raises: `StartError`, `RunError`."""
        if not report.ready:
            raise StartError(_("The preflight has blockers. To list them: acp-tui check PLAN"))
        return await launch(
            self.plan, report, self.known_hosts, self.home, plan_dir=self.plan_dir, settings=self.settings
        )

    def unfinished_run(self) -> RunState | None:
        """Return the last run of this host if the run has not ended, else None. Raises: `RunNotFound`."""
        run_dir = last_run(self.home)
        run = status(run_dir) if run_dir is not None else None
        return run if run is not None and run.phase not in FINAL else None

    def installed_run(self) -> RunState | None:
        """Return the last run of this host if that run has the platform address of this plan, else None."""
        with suppress(RunNotFound):
            run_dir = last_run(self.home)
            run = status(run_dir) if run_dir is not None else None
            if run is not None and run.platform_url == platform_url(self.plan):
                return run
        return None

    async def resume(self, run: RunState, answers: Answers = Answers(), report: Report | None = None) -> RunState:
        """Resume a run that ended, waits for an answer, or was interrupted.

        `report`: the report of the current preflight. If the installer rejected the configuration of the run, the
        report is needed to write a new configuration from the plan. Raises: `StartError`, `RunNotFound`, `RunError`."""
        document = None
        rejected = run.phase is Phase.FAILED and run.failed_in is Phase.POSTING
        if report is not None and rejected and run.spec.bundle is not None:
            bundle = await bundle_for(self.plan, report, self.known_hosts, run.spec.bundle, plan_dir=self.plan_dir)
            document = bundle / DOCUMENT
        return await asyncio.to_thread(
            resume,
            run.spec.run_dir,
            kubernetes=answers.kubernetes,
            runtime=answers.runtime,
            config_received=answers.config_received,
            ignore_node_changes=answers.ignore_node_changes,
            accept_listener=answers.accept_listener,
            document=document,
        )

    @staticmethod
    async def follow(run_dir: Path) -> AsyncGenerator[RunProgress, None]:
        """Yield updates until the run ends, waits for an answer, or is interrupted. Raises: `RunNotFound`."""
        async for update in follow(run_dir):
            stalled = await asyncio.to_thread(is_stalled, update.state, now())
            yield RunProgress(update.state, update.lines, stalled)

    @staticmethod
    async def abort(run_dir: Path) -> RunState:
        """Abort the run. Installed components stay on the nodes. Raises: `RunNotFound`, `RunError`."""
        return await asyncio.to_thread(abort, run_dir)

    async def verify(
        self, run: RunState | None, within: timedelta = SETTLE_TIME, *, interval: float = 10.0
    ) -> "AsyncGenerator[Finish, None]":
        """Check the installed cluster every `interval` seconds, until it is healthy or the time `within` is over.

        `run`: the run that installed the cluster. None: this host has no record of the run."""
        access = await self.access()
        from acp_tui.install.verify.run import poll_until_settled

        installed_at = run.updated if run is not None and run.phase is Phase.SUCCESS else None
        async for finish in poll_until_settled(access, within, installed_at=installed_at, interval=interval):
            yield finish

    async def write_report(self, folder: Path, finish: "Finish", run: RunState | None) -> tuple[Path, Path]:
        """Write the completion report to `folder` as JSON and HTML, and return the paths of both. Raises: OSError."""
        from acp_tui.install.verify.completion_report import completion, write

        return await asyncio.to_thread(write, folder, completion(self.plan, finish, run))

    async def diagnose_install(self) -> "Diagnosis":
        """Query the installer node for the likely cause of a stalled install."""
        access = await self.access()
        from acp_tui.install.verify.diagnosis import diagnose_install

        return await diagnose_install(access)

    async def clean_up(self) -> str:
        """Remove the installer container, and return a message. Call this only after the operator has confirmed.

        Raises: `CleanUpFailed`."""
        access = await self.access()
        from acp_tui.install.verify.cleanup import clean_up

        return await clean_up(access)

    async def access(self) -> "NodeAccess":
        """Return the data for connections to the nodes of the plan: logins, host keys and addresses."""
        await _load("acp_tui.install.verify.collect")
        from acp_tui.install.verify.collect import NodeAccess

        return NodeAccess(self.plan, self.known_hosts, self.plan_dir, self.address_map)


async def _load(*modules: str) -> None:
    for name in modules:
        await asyncio.to_thread(import_module, name)
