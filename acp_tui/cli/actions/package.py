"""Verify and unpack packages for a command, with progress on the terminal. Signals end the work cleanly."""

import asyncio
import signal
from collections.abc import Awaitable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from acp_tui.checks.verdict import Verdict
from acp_tui.cli.context import print_err
from acp_tui.cli.terminal import write_progress
from acp_tui.core.errors import ExitStatus
from acp_tui.core.events import Progress
from acp_tui.core.i18n import _
from acp_tui.package.reader import pace
from acp_tui.package.service import PackageWork
from acp_tui.package.trust import trust_warnings
from acp_tui.plan.model import Plan


async def verify_package(work: PackageWork, plan: Plan) -> tuple[Verdict, ...]:
    """Read and verify the packages of the plan, even if they were verified before."""
    try:
        with _end_on_signals():
            return await work.verify(plan, print_progress, again=True)
    finally:
        end_progress()


async def unpack_packages(plan: Plan, work: PackageWork) -> int:
    done = await unpacking(work.unpack(plan, print_progress))
    print_unpacked(work.target(plan), trust_warnings(await work.verdicts(plan)), new=done)
    return ExitStatus.DONE


T = TypeVar("T")


async def unpacking(work: Awaitable[T]) -> T:
    """Wait for `work`, which unpacks packages, and return its result. Signals end it cleanly.

    The progress line is cleared at the end.

    Raises: PackageBlocked, PackageRefused, UnpackFailed."""
    try:
        with _end_on_signals():
            return await work
    finally:
        end_progress()


def print_unpacked(folder: Path, warnings: Sequence[str], *, new: bool) -> None:
    """Print the folder of the unpacked packages, and the warnings about them. `new`: this command unpacked them."""
    message = _("The packages are unpacked in {folder}") if new else _("The packages are already unpacked in {folder}")
    if new and not warnings:
        message = _("The packages are verified and unpacked in {folder}")
    for warning in warnings:
        print_err(warning)
    print_err(message.format(folder=folder))


@contextmanager
def _end_on_signals() -> Iterator[None]:
    """Cancel the work on SIGTERM and SIGHUP as on Ctrl-C, so that it removes partial files.

    A signal that is ignored, as by nohup, stays ignored.
    Raises: SystemExit with the status of a process that such a signal ends."""
    loop, task, ended = asyncio.get_running_loop(), asyncio.current_task(), list[signal.Signals]()

    def end(by: signal.Signals) -> None:
        ended.append(by)
        if task is not None:
            task.cancel()

    signals = [one for one in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(one) is signal.SIG_DFL]
    for one in signals:
        loop.add_signal_handler(one, end, one)
    try:
        yield
    except asyncio.CancelledError:
        if ended:
            raise SystemExit(128 + ended[0]) from None
        raise
    finally:
        for one in signals:
            loop.remove_signal_handler(one)


def print_progress(progress: Progress) -> None:
    """Overwrite one line of the terminal with the progress. Without a terminal print nothing."""
    percent = f"{100 * progress.done // progress.total:3}%" if progress.total else ""
    write_progress(f"{progress.label} {percent} {pace(progress)}")


def end_progress() -> None:
    """Clear the progress line."""
    write_progress("")
