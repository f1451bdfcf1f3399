"""`install` on a machine that is not the installer node: all goes there, and the install is followed from here."""

import asyncio
import fcntl
import getpass
import json
import platform
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError
from pathlib import Path

from acp_tui.cli.check import run_preflight, show_report
from acp_tui.cli.context import CommandFailed, OpenedPlan, print_err
from acp_tui.cli.package import end_progress, tell_progress
from acp_tui.core.errors import ExitStatus
from acp_tui.core.files import private_folder
from acp_tui.core.i18n import _
from acp_tui.core.state_dir import state_home
from acp_tui.install.remote import provision as program
from acp_tui.install.remote import session as afar
from acp_tui.install.remote.last_remote import LastRemoteInstall, save_last_remote
from acp_tui.install.remote.self_archive import SelfArchive, pack, this_program
from acp_tui.install.run.state import FINAL
from acp_tui.install.start import IncompletePlan, StartError, bundle_for
from acp_tui.nodes.ssh.connection import ConnectError, Connection, connect
from acp_tui.nodes.ssh.sftp import Files, SendFailed, Upload
from acp_tui.package.facts import is_local_address
from acp_tui.package.service import PackageWork
from acp_tui.plan.model import Plan
from acp_tui.preflight.bundle import FILES, SUMS
from acp_tui.preflight.report.model import Report
from acp_tui.preflight.run import target


def is_remote_install(plan: Plan) -> bool:
    """Whether the installer node is another machine than this one."""
    return plan.installer_node is not None and not is_local_address(plan.installer_node.address)


@dataclass
class RemoteHost:
    """The way to the installer node, and where the install lies there."""

    source: OpenedPlan
    address: str
    pinned: dict[str, str]
    folder: str = ""
    sender: str = field(default_factory=lambda: f"{getpass.getuser()}@{platform.node()} {secrets.token_hex(6)}")

    async def __call__(self) -> Connection:
        """ConnectFailed: the node was not reached."""
        plan = self.source.plan
        node = next(node for node in plan.nodes if node.address == self.address)
        connection = await connect(
            target(plan, node, base=self.source.base), self.pinned.get(self.address), lambda stage: None
        )
        self.pinned[self.address] = connection.host_key
        return connection

    async def look(self, connection: Connection, offset: int = 0) -> afar.RemoteOutput:
        if not self.folder:
            self.folder = f"{await (await Files.of(connection)).home()}/{afar.FOLDER}"
        return await afar.look(connection, self.folder, offset)


@contextmanager
def told(address: str) -> Iterator[None]:
    """What goes wrong on the way there, as the command tells it."""
    try:
        yield
    except ConnectError as failed:
        raise CommandFailed(f"{address}: {failed.detail}") from failed
    except StartError as failed:
        raise CommandFailed(
            str(failed), ExitStatus.NO if isinstance(failed, IncompletePlan) else ExitStatus.IMPOSSIBLE
        ) from failed
    except (SendFailed, afar.RemoteInstallError) as failed:
        raise CommandFailed(f"{address}: {failed}") from failed
    finally:
        end_progress()


async def install_remotely(source: OpenedPlan, keys: Mapping[str, str], flags: Sequence[str]) -> int:
    """Check, bring package and bundle over, install there; `flags` go along. The exit status is that of the install."""
    node = source.plan.installer_node
    assert node is not None
    way = RemoteHost(source, node.address, dict(keys))
    said = OutputFollower()
    with told(node.address):
        heard = await afar.retry_connection(way, way.look, print_err)
        if heard.running:
            print_err(_("An install is going on on {address}; it is followed.").format(address=node.address))
        elif not await _begun(way, flags):
            return ExitStatus.NO
        trail = LastRemoteInstall(_named(source), node.address, datetime.now(UTC))
        _keep_trail(trail)
        end = await afar.retry_connection(
            way, lambda c: afar.follow_output(c, way.folder, said.heard, said.hear), print_err
        )
    status = ended(end, node.address)
    _keep_trail(replace(trail, ended=status))
    return status


def _keep_trail(trail: LastRemoteInstall) -> None:
    try:
        save_last_remote(state_home(), trail)
    except OSError as error:
        print_err(_("acp-tui status will not find this install: {why}").format(why=error.strerror or error))


def ended(end: afar.RemoteOutput, address: str) -> int:
    """The exit status that the install there had."""
    if end.status is None:
        raise CommandFailed(_("The install on {address} was killed; start it again.").format(address=address))
    return end.status


def _named(source: OpenedPlan) -> Path:
    """What was given as PLAN."""
    return (source.file.parent if source.bundle else source.file).absolute()


async def _begun(way: RemoteHost, flags: Sequence[str]) -> bool:
    """Everything sent and the install started; False, and it is shown, where a finding blocks it."""
    plan = way.source.plan
    carried = await asyncio.to_thread(_carried)
    found = await afar.retry_connection(way, lambda c: program.find(c, carried), print_err)
    going = await afar.retry_connection(way, lambda c: afar.status(c, way.folder, "--json"), print_err)
    errand = afar.rewrite_for_remote(plan, way.source.base, way.folder)
    if going is not None and _unfinished(going.text):
        print_err(_("An install on {address} is not finished; it is gone on with.").format(address=way.address))
        now = datetime.now(UTC)
        report: Report | None = Report(plan.effective_release, now, now, (), ())
        errand = replace(errand, packages=())
    else:
        report = await _checked(way.source)
    if report is None:
        return False
    keys = {**way.source.host_keys, **way.pinned}
    with _scratch(way.address) as scratch:
        words = found.words
        await afar.retry_connection(way, lambda c: _claim(c, way), print_err)
        if words is None and carried is not None:
            print_err(_("acp-tui is not on {address}; this one is carried over.").format(address=way.address))
            archive = scratch / "program.tar.gz"
            await asyncio.to_thread(pack, carried, archive)
            sent = program.sending(archive, way.folder)
            await afar.retry_connection(way, lambda c: _send(c, way, sent), print_err)
            words = await afar.retry_connection(
                way, lambda c: program.unpack(c, sent, carried, found.python), print_err
            )
        there = (errand.plan, Path(way.folder))
        bundle = await bundle_for(plan, report, keys, scratch / "bundle", base=way.source.base, there=there)
        papers = [Upload(bundle / name, f"{way.folder}/{afar.BUNDLE}/{name}") for name in (*FILES, SUMS)]
        await afar.retry_connection(way, lambda c: _send(c, way, *errand.packages), print_err)
        await afar.retry_connection(way, lambda c: _send(c, way, *errand.keys, *papers), print_err)
    begun = str(words)
    await afar.retry_connection(way, lambda c: afar.start(c, way.folder, begun, way.sender, flags), print_err)
    print_err(
        _(
            "The install runs on {address} now; acp-tui attach follows it, and so does this command, given again."
        ).format(address=way.address)
    )
    return True


def _carried() -> SelfArchive | None:
    try:
        return this_program()
    except PackageNotFoundError:
        return None


def _unfinished(told: str) -> bool:
    """Whether `status --json` tells of a run that is not at its end."""
    try:
        phase = json.loads(told)["phase"]
    except (ValueError, KeyError, TypeError):
        return False
    return phase not in FINAL


@contextmanager
def _scratch(address: str) -> Iterator[Path]:
    """A folder for what is sent. CommandFailed: another acp-tui of this user sends there now.

    A fixed name: what a killed command left, secrets among it, is gone the next time."""
    folder = private_folder(state_home()) / f"errand-{address}"
    with (state_home() / f"errand-{address}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            words = _("Another acp-tui on this machine sends to {address} now.")
            raise CommandFailed(words.format(address=address)) from None
        try:
            shutil.rmtree(folder, ignore_errors=True)
            yield private_folder(folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


async def _claim(connection: Connection, way: RemoteHost) -> None:
    await (await Files.of(connection)).folder(way.folder)
    await afar.acquire_upload_lock(connection, way.folder, way.sender)


async def _checked(source: OpenedPlan) -> Report | None:
    """The report, once nothing that can be seen from here blocks; None, and it is shown, when something does."""
    work = PackageWork(source.base)
    await work.verify(source.plan, tell_progress)
    end_progress()
    report = afar.without_host_checks(await run_preflight(source, work=work))
    if report.ready:
        return report
    show_report(report)
    return None


async def _send(connection: Connection, way: RemoteHost, *files: Upload) -> None:
    """Bring the files over, and keep other machines from sending meanwhile."""
    work = asyncio.ensure_future(_bring(connection, files))
    keep = asyncio.ensure_future(_keep(connection, way))
    try:
        await asyncio.wait((work, keep), return_when=asyncio.FIRST_COMPLETED)
        await (work if work.done() else keep)
    finally:
        work.cancel()
        keep.cancel()
        await asyncio.gather(work, keep, return_exceptions=True)


async def _keep(connection: Connection, way: RemoteHost) -> None:
    while True:
        await afar.refresh_upload_lock(connection, way.folder, way.sender)
        await asyncio.sleep(afar.STILL_EVERY)


async def _bring(connection: Connection, files: Sequence[Upload]) -> None:
    there = await Files.of(connection)
    for folder in dict.fromkeys(sending.remote.rpartition("/")[0] for sending in files):
        await there.folder(folder)
    for sending in files:
        try:
            await there.send(sending, tell_progress)
        except OSError as error:
            raise SendFailed(f"{sending.local}: {error.strerror or error}") from error
        end_progress()


class OutputFollower:
    """What the install there said, told line by line as it comes, over broken connections too."""

    def __init__(self) -> None:
        self.heard = afar.RemoteOutput(True, None)
        self._rest = ""

    def hear(self, heard: afar.RemoteOutput) -> None:
        *lines, self._rest = (self._rest + heard.text).split("\n")
        if not heard.running and not heard.text:
            lines, self._rest = [*lines, *filter(None, [self._rest])], ""
        self.heard = heard
        for line in lines:
            print_err(line)
