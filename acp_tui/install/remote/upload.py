"""Start a remote install: check packages and nodes, upload the files, start the install on the installer node."""

import asyncio
import fcntl
import getpass
import platform
import secrets
import shutil
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import TypeVar

from pydantic_core import from_json

from acp_tui.core.clock import now
from acp_tui.core.files import private_folder
from acp_tui.core.i18n import _
from acp_tui.install.install_session import InstallSession, PackageReady
from acp_tui.install.remote import provision
from acp_tui.install.remote import start_and_follow as session
from acp_tui.install.remote.plan_rewrite import rewrite_for_remote
from acp_tui.install.remote.self_archive import SelfArchive, pack, this_program
from acp_tui.install.run.state import FINAL
from acp_tui.install.start import bundle_for
from acp_tui.nodes.ssh.connect import connect
from acp_tui.nodes.ssh.connection import Connection
from acp_tui.nodes.ssh.sftp import Files, Upload, UploadError
from acp_tui.package.reader import OnProgress
from acp_tui.plan.known_hosts import KnownHosts
from acp_tui.plan.model import Plan
from acp_tui.preflight.bundle import FILES, SUMS
from acp_tui.preflight.report.model import Report
from acp_tui.preflight.run import PreflightDone, PreflightEvent, target

T = TypeVar("T")


@dataclass
class RemoteHost:
    """The installer node of a remote install. Its host key must be confirmed, because it receives the bundle."""

    plan: Plan
    plan_dir: Path
    address: str
    known_hosts: KnownHosts
    report_retry: Callable[[str], None]
    folder: str = ""
    """Absolute path of the remote install's folder on the node; "" until the first `read_output` sets it."""
    sender: str = field(default_factory=lambda: f"{getpass.getuser()}@{platform.node()} {secrets.token_hex(6)}")
    """The text that identifies this upload in the lock on the node."""

    async def connect(self) -> Connection:
        """Return a new connection to the node. Raises: `ConnectError`."""
        node = next(node for node in self.plan.nodes if node.address == self.address)
        login = target(self.plan, node, plan_dir=self.plan_dir)
        return await connect(login, self.known_hosts.get(self.address), lambda stage: None, changes=True)

    async def run(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Do `work` over a connection, and return its result. If the connection breaks, repeat `work` over another."""
        return await session.retry_connection(self.connect, work, self.report_retry)

    async def read_output(self, offset: int = 0) -> session.RemoteOutput:
        """Read the output of the install from byte `offset` on. If `offset` is -1, read the last lines."""
        return await self.run(lambda connection: self.read_from(connection, offset))

    async def read_from(self, connection: Connection, offset: int) -> session.RemoteOutput:
        """Read the output like `read_output`, but do not reconnect if `connection` breaks. Raises: `ConnectionLost`."""
        if not self.folder:
            self.folder = f"{await (await Files.of(connection)).home()}/{session.FOLDER}"
        return await session.read_output(connection, self.folder, offset)


@dataclass(frozen=True)
class RemoteResume:
    """The node has an install that has not ended. This install is resumed, so the package is not uploaded again."""


@dataclass(frozen=True)
class ProgramCopied:
    """acp-tui is copied to the node, because the node does not have this version of it."""


@dataclass(frozen=True)
class RemoteStarted:
    """The install was started on the node."""


RemoteEvent = PackageReady | PreflightEvent | RemoteResume | ProgramCopied | RemoteStarted


async def start_remotely(
    install: InstallSession,
    host: RemoteHost,
    flags: Sequence[str],
    on_progress: OnProgress,
    on_uploaded: Callable[[], None],
) -> AsyncGenerator[RemoteEvent, None]:
    """Check the nodes, upload the files, and start the install on the installer node.

    The last event is `RemoteStarted`. If the report has blockers, the report is the last event, and nothing is started.
    `flags`: options of the install command on the node. `on_uploaded`: called after each uploaded file.
    Raises: `StartError`, `UploadError`, `RemoteInstallError`, `ConnectError`, and errors of `InstallSession.check`."""
    plan, plan_dir = install.plan, install.plan_dir
    program = await asyncio.to_thread(_self_archive)
    found = await host.run(lambda c: provision.find(c, program))
    status = await host.run(lambda c: session.status(c, host.folder, "--json"))
    remote = rewrite_for_remote(plan, plan_dir, host.folder)
    if status is not None and _unfinished(status.text):
        yield RemoteResume()
        moment = now()
        report = Report(plan.effective_release, moment, moment, (), ())
        remote = replace(remote, packages=())
    else:
        async for event in install.check(on_progress):
            yield event
        assert isinstance(event, PreflightDone)
        report = event.report
        if not report.ready:
            return
    upload = _Uploader(host, on_progress, on_uploaded)
    with _scratch(install.home, host.address) as scratch:
        command = found.command
        await host.run(upload.acquire_lock)
        if command is None and program is not None:
            yield ProgramCopied()
            archive = scratch / "program.tar.gz"
            await asyncio.to_thread(pack, program, archive)
            sent = provision.program_upload(archive, host.folder)
            await upload(sent)
            command = await host.run(lambda c: provision.unpack(c, sent, program, found.python))
        bundle = await bundle_for(
            plan,
            report,
            install.known_hosts,
            scratch / "bundle",
            plan_dir=plan_dir,
            remote=(remote.plan, Path(host.folder)),
        )
        bundle_files = [Upload(bundle / name, f"{host.folder}/{session.BUNDLE}/{name}") for name in (*FILES, SUMS)]
        await upload(*remote.packages)
        await upload(*remote.keys, *bundle_files)
    await host.run(lambda c: session.start(c, host.folder, str(command), host.sender, flags))
    yield RemoteStarted()


def _self_archive() -> SelfArchive | None:
    try:
        return this_program()
    except PackageNotFoundError:
        return None


def _unfinished(status_json: str) -> bool:
    """Return True if the output of `acp-tui status --json` describes a run that has not ended."""
    try:
        return from_json(status_json)["phase"] not in FINAL
    except (ValueError, KeyError, TypeError):
        return False


@contextmanager
def _scratch(home: Path, address: str) -> Iterator[Path]:
    """Create a private folder for the files to upload, and delete it afterwards.

    The folder of a node always has the same name. So the next command deletes what a killed command left in it.
    Raises: `RemoteInstallError` if another acp-tui of this user is uploading to the node."""
    folder = private_folder(home) / f"errand-{address}"
    with (home / f"errand-{address}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            message = _(
                "an acp-tui process on this host is already uploading to the node. Wait until it ends, then try again."
            )
            raise session.RemoteInstallError(message) from None
        try:
            shutil.rmtree(folder, ignore_errors=True)
            yield private_folder(folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True)
class _Uploader:
    host: RemoteHost
    on_progress: OnProgress
    on_uploaded: Callable[[], None]

    async def acquire_lock(self, connection: Connection) -> None:
        await (await Files.of(connection)).folder(self.host.folder)
        await session.acquire_upload_lock(connection, self.host.folder, self.host.sender)

    async def __call__(self, *files: Upload) -> None:
        """Upload the files. During the upload, refresh the lock on the node."""
        await self.host.run(lambda connection: self._upload(connection, files))

    async def _upload(self, connection: Connection, files: Sequence[Upload]) -> None:
        work = asyncio.ensure_future(self._send(connection, files))
        refresh = asyncio.ensure_future(self._refresh_lock(connection))
        try:
            await asyncio.wait((work, refresh), return_when=asyncio.FIRST_COMPLETED)
            await (work if work.done() else refresh)
        finally:
            work.cancel()
            refresh.cancel()
            await asyncio.gather(work, refresh, return_exceptions=True)

    async def _refresh_lock(self, connection: Connection) -> None:
        while True:
            await session.refresh_upload_lock(connection, self.host.folder, self.host.sender)
            await asyncio.sleep(session.REFRESH_INTERVAL)

    async def _send(self, connection: Connection, files: Sequence[Upload]) -> None:
        sftp = await Files.of(connection)
        for folder in dict.fromkeys(file.remote.rpartition("/")[0] for file in files):
            await sftp.folder(folder)
        for file in files:
            try:
                await sftp.send(file, self.on_progress)
            except OSError as error:
                raise UploadError(f"{file.local}: {error.strerror or error}") from error
            self.on_uploaded()
