"""Commands on the package: verify, unpack."""

import asyncio
import signal
import sys
from argparse import Namespace
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from acp_tui.checks.verdict import Outcome, Verdict
from acp_tui.cli.context import CommandFailed, open_plan, print_err, print_out, show_json
from acp_tui.core.errors import ExitStatus
from acp_tui.core.events import Progress
from acp_tui.core.i18n import _
from acp_tui.package.install_dir import UnpackFailed
from acp_tui.package.reader import pace
from acp_tui.package.service import PackageBlocked, PackageWork
from acp_tui.package.tar_members import PackageRefused
from acp_tui.plan.model import Package, Plan

_ABOUT_THE_FILE = ("BND-CORE", "BND-CORE-NAME", "BND-EXT-NAME", "BND-TAR-OK", "BND-SIGN", "BND-KEY-FPR")


def verify(options: Namespace) -> int:
    """Name, architecture, signature, signer of one Core Package."""
    try:
        there = Path(options.core).is_file()
    except OSError as error:
        raise CommandFailed(_("{path}: {why}").format(path=options.core, why=error.strerror or error)) from error
    if not there:
        raise CommandFailed(_("{path}: there is no such file, or it is none").format(path=options.core))
    given = {"core_signature": options.signature, "public_key": options.key, "fingerprint": options.fingerprint}
    package = Package.model_validate({"core": options.core, **{key: value for key, value in given.items() if value}})
    work = PackageWork(Path.cwd())
    verdicts = [v for v in asyncio.run(_verified(work, Plan(package=package))) if v.requirement in _ABOUT_THE_FILE]
    end_progress()
    good = not any(verdict.blocks for verdict in verdicts)
    if options.json:
        show_json({"package": options.core, "good": good, "verdicts": [_plain(verdict) for verdict in verdicts]})
    else:
        for verdict in verdicts:
            print_out(f"{verdict.outcome.value:<8} {verdict.requirement:<14} {verdict.observed}")
            if verdict.blocks and verdict.remedy:
                print_out(f"         {_('mend')}: {verdict.remedy.strip()}")
    if good:
        return ExitStatus.DONE
    # What could not be looked at is not a "no": gpg is missing, for one.
    return ExitStatus.NO if any(v.outcome is Outcome.FAIL for v in verdicts) else ExitStatus.IMPOSSIBLE


async def _verified(work: PackageWork, plan: Plan) -> tuple[Verdict, ...]:
    with _ended_cleanly():
        return await work.verify(plan, tell_progress, afresh=True)


def unpack(options: Namespace) -> int:
    """Verify, then extract core and extensions into `install_dir`."""
    source = open_plan(options.plan, options.passphrase_file)
    return asyncio.run(unpack_packages(source.plan, PackageWork(source.base)))


async def unpack_packages(plan: Plan, work: PackageWork) -> int:
    done = await unpacking(work.unpack(plan, tell_progress))
    show_unpacked(work.target(plan), new=done)
    return ExitStatus.DONE


T = TypeVar("T")


async def unpacking(work: Awaitable[T]) -> T:
    """Wait for `work`, which unpacks packages. Raises: `CommandFailed` if it fails."""
    try:
        with _ended_cleanly():
            return await work
    except PackageBlocked as blocked:
        raise CommandFailed(str(blocked), ExitStatus.NO) from blocked
    except PackageRefused as refused:
        raise CommandFailed(str(refused), ExitStatus.NO) from refused
    except UnpackFailed as failed:
        raise CommandFailed(str(failed)) from failed
    finally:
        end_progress()


def show_unpacked(folder: Path, *, new: bool) -> None:
    """Print where the packages are. `new`: they were unpacked just now."""
    message = _("Verified and unpacked to {folder}") if new else _("Was unpacked to {folder} before")
    print_err(message.format(folder=folder))


@contextmanager
def _ended_cleanly() -> Iterator[None]:
    """SIGTERM and SIGHUP end the work as Ctrl-C does: nothing is left half made. An ignored one (nohup) stays ignored.

    SystemExit: with the status of a process that such a signal has ended."""
    loop, task, ended = asyncio.get_running_loop(), asyncio.current_task(), list[signal.Signals]()

    def end(by: signal.Signals) -> None:
        ended.append(by)
        if task is not None:
            task.cancel()

    heard = [one for one in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(one) is signal.SIG_DFL]
    for one in heard:
        loop.add_signal_handler(one, end, one)
    try:
        yield
    except asyncio.CancelledError:
        if ended:
            raise SystemExit(128 + ended[0]) from None
        raise
    finally:
        for one in heard:
            loop.remove_signal_handler(one)


def _plain(verdict: Verdict) -> dict[str, str]:
    return {
        "requirement": verdict.requirement,
        "verdict": verdict.outcome.value,
        "observed": verdict.observed,
        "remedy": verdict.remedy,
    }


def tell_progress(progress: Progress) -> None:
    """A line that is written over on a terminal; nothing elsewhere."""
    if sys.stderr.isatty():
        percent = f"{100 * progress.done // progress.total:3}%" if progress.total else ""
        print(f"\r\x1b[K{progress.label} {percent} {pace(progress)}", end="", file=sys.stderr, flush=True)


def end_progress() -> None:
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)
