"""Run commands on the installer node for a remote install: lock the upload, start the install, read its output.

On the node, acp-tui runs the install in a separate session and writes its output to a file. So the install continues
when the SSH connection breaks. All files are in one folder in the home folder of the SSH user. The secrets in this
folder are deleted when the install ends.
"""

import asyncio
import re
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from itertools import chain, repeat
from shlex import quote
from typing import TypeVar

from acp_tui.core.errors import AcpError
from acp_tui.core.i18n import _, pgettext
from acp_tui.core.retry import with_backoff
from acp_tui.install.remote.node_scripts import (
    ACQUIRE,
    CANNOT_WRITE,
    LOCKED,
    NO_TOOL,
    READ,
    REFRESH,
    START,
    STATUS,
)
from acp_tui.install.remote.trusted_path import UNTRUSTED
from acp_tui.nodes.script import ABSENT, LAUNCH, Collector, CollectorOutput, Reader, build
from acp_tui.nodes.ssh.connection import Connection
from acp_tui.nodes.ssh.errors import ConnectError, ConnectionLost
from acp_tui.nodes.state import NodeState

FOLDER = "acp-tui-install"
"""Folder of a remote install, in the home folder of the SSH user on the installer node."""
BUNDLE = "bundle"

_SESSION = 25.0  # seconds to open a channel
_LOGIN_REJECTED = (NodeState.AUTH_FAILED, NodeState.HOST_KEY_UNKNOWN, NodeState.HOST_KEY_CHANGED)
_PAUSES = (1.0, 2.0, 5.0, 10.0)  # seconds between two connection attempts; the last one repeats
_POLL_INTERVAL = 1.0  # seconds
_LOCK_TIMEOUT = 40  # seconds after which the lock of another host expires
REFRESH_INTERVAL = 10.0
"""Seconds between two refreshes of the upload lock."""
_MOST = 64 * 1024  # bytes of output that one poll reads
_END = 8 * 1024  # bytes of the last lines

T = TypeVar("T")
Connect = Callable[[], Awaitable[Connection]]


class RemoteInstallError(AcpError):
    """The install cannot be started on the node. The message has the reason and the next step."""


async def retry_connection(
    connect: Connect, work: Callable[[Connection], Awaitable[T]], report: Callable[[str], None]
) -> T:
    """Do `work` over a connection. If the connection breaks, repeat `work` over a new one, without a time limit.

    `report`: called with a message before each retry.
    Raises: `ConnectError` if the first connection fails, or if the node rejects the login."""
    reached = False

    async def attempt() -> T:
        nonlocal reached
        connection = await connect()
        reached = True
        try:
            return await work(connection)
        finally:
            await connection.close()

    def before_pause(error: AcpError, pause: float) -> None:
        if isinstance(error, ConnectError) and (not reached or error.state in _LOGIN_REJECTED):
            raise error
        report(_("{reason}. acp-tui retries in {seconds:g} s.").format(reason=error, seconds=pause))

    pauses = chain(_PAUSES, repeat(_PAUSES[-1]))
    return await with_backoff(attempt, pauses, (ConnectError, ConnectionLost), before_pause)


@dataclass(frozen=True)
class RemoteOutput:
    """The state and the output of the install on the node.

    `text`: the output from the requested byte offset up to the byte offset `next`."""

    running: bool
    status: int | None
    """Exit status of the last install on the node. None: it has not ended, it was killed, or there is none."""
    next: int = 0
    text: str = ""


async def read_output(connection: Connection, folder: str, offset: int) -> RemoteOutput:
    """Read the output of the install from byte `offset` on. If `offset` is -1, read the last lines.

    Raises: `RemoteInstallError`, `ConnectionLost`."""
    blanks = {"FOLDER": quote(folder), "OFFSET": str(offset), "MOST": str(_MOST), "END": str(_END)}
    reading = await run_script(connection, READ, blanks)
    head, _newline, text = reading.text.partition("\n")
    found = re.fullmatch(r"([01]) (-|[0-9]{1,3}) ([0-9]{1,15})", head)
    if reading.status == UNTRUSTED:
        raise untrusted_folder(folder)
    if reading.status == NO_TOOL:
        raise RemoteInstallError(_("flock is missing on the node. Install the package util-linux."))
    if found is None:
        raise ConnectionLost(_("the node did not report the state of the install"))
    return RemoteOutput(found[1] == "1", None if found[2] == "-" else int(found[2]), int(found[3]), text)


async def status(connection: Connection, folder: str, *flags: str) -> CollectorOutput | None:
    """Return the output of `acp-tui status` on the node. None: no install was started.

    Raises: `RemoteInstallError` if another user can change the folder; `ConnectionLost`."""
    redirect = "" if "--json" in flags else "2>&1"  # a JSON document must be alone
    reading = await run_script(
        connection, STATUS, {"FOLDER": quote(folder), "FLAGS": " ".join(flags), "REDIRECT": redirect}
    )
    if reading.status == UNTRUSTED:
        raise untrusted_folder(folder)
    return None if reading.status == ABSENT else reading


async def acquire_upload_lock(connection: Connection, folder: str, sender: str) -> None:
    """Lock the upload folder on the node for this host.

    `sender`: user@host of this host, a space, and a random ID of the upload.
    Raises: `RemoteInstallError` if another host has the lock; `ConnectionLost`."""
    blanks = {
        "FOLDER": quote(folder),
        "NAME": quote(sender.partition(" ")[0]),
        "SENDER": quote(sender),
        "TIMEOUT": str(_LOCK_TIMEOUT),
    }
    _check(await run_script(connection, ACQUIRE, blanks), folder)


async def refresh_upload_lock(connection: Connection, folder: str, sender: str) -> None:
    """Refresh the upload lock. Raises: `RemoteInstallError` if another host has the lock; `ConnectionLost`."""
    _check(await run_script(connection, REFRESH, {"FOLDER": quote(folder), "SENDER": quote(sender)}), folder)


async def start(connection: Connection, folder: str, program: str, sender: str, flags: Sequence[str] = ()) -> None:
    """Start the install of the bundle in `folder`, unless an install is running there.

    `program`: the command that runs acp-tui on the node. `flags`: options of the install command, such as --again.
    Raises: `RemoteInstallError`, `ConnectionLost`."""
    blanks = {
        "FOLDER": quote(folder),
        "PROGRAM": quote(program),
        "SENDER": quote(sender),
        "FLAGS": " ".join(flags),
    }
    _check(await run_script(connection, START, blanks), folder)


def untrusted_folder(folder: str) -> RemoteInstallError:
    """Return the error for a folder on the node that another user can change."""
    message = _(
        "the folder {folder} of the node is not trusted: another user can change it or one of its parents. All of them "
        "must belong to root or to the SSH user, without write access for others. Correct this with chown or chmod"
    )
    return RemoteInstallError(message.format(folder=folder))


def _check(reading: CollectorOutput, folder: str) -> None:
    if reading.status == LOCKED:
        holder = reading.text.split()[:1] or [pgettext("host", "another host")]
        message = _(
            "{holder} is already uploading the files of an install to the node, so no install was started. If that "
            "upload has stopped, run the command again after {n} s."
        )
        raise RemoteInstallError(message.format(holder=holder[0][:80], n=_LOCK_TIMEOUT))
    if reading.status == UNTRUSTED:
        raise untrusted_folder(folder)
    if reading.status == CANNOT_WRITE:
        raise RemoteInstallError(
            _("cannot write to the folder of the install on the node. To check the disk space, run on the node: df -h")
        )
    if reading.status:
        raise RemoteInstallError(
            _("the install did not start. The start command failed with exit status {status}").format(
                status=reading.status
            )
        )


async def follow_output(
    connection: Connection, folder: str, output: RemoteOutput, show: Callable[[RemoteOutput], None]
) -> RemoteOutput:
    """Follow the install until it ends. `output`: the last output that was read. `show`: called after each poll.

    Raises: `ConnectionLost`."""
    while True:
        output = await read_output(connection, folder, output.next)
        show(output)
        if not output.text:
            if not output.running:
                return output
            await asyncio.sleep(_POLL_INTERVAL)


class OutputFollower:
    """Splits the output of an install into lines, and keeps its position when the connection breaks."""

    def __init__(self) -> None:
        self._last = RemoteOutput(True, None)
        self._rest = ""

    def lines(self, output: RemoteOutput) -> tuple[str, ...]:
        """Return the complete lines that `output` adds."""
        *lines, self._rest = (self._rest + output.text).split("\n")
        if not output.running and not output.text:
            lines, self._rest = [*lines, *filter(None, [self._rest])], ""
        self._last = output
        return tuple(lines)

    async def follow(self, connection: Connection, folder: str, show: Callable[[RemoteOutput], None]) -> RemoteOutput:
        """Call `follow_output` with the output that `lines` received last. `show` must call `lines`."""
        return await follow_output(connection, folder, self._last, show)


async def run_script(
    connection: Connection, shell: str, blanks: Mapping[str, str], timeout: int = 60
) -> CollectorOutput:
    """Run a script on the node, and return its output. The script runs as root if sudo needs no password.

    `blanks`: the value that replaces each @NAME@ of the script. Raises: `ConnectionLost`."""
    for blank, value in blanks.items():
        shell = shell.replace(f"@{blank}@", value)
    snippet = Collector("install", (), shell, lambda reading: {}, timeout=timeout, any_status=True)
    marker = secrets.token_hex(12)
    reader = Reader(marker)
    answers: Sequence[CollectorOutput] = ()
    async with aclosing(connection.run(LAUNCH, build((snippet,), marker), lambda stage: None, _SESSION)) as chunks:
        async for chunk in chunks:
            answers = [*answers, *reader.feed(chunk)]
    if not answers:
        raise ConnectionLost(connection.stderr or _("the node did not run the command"))
    return answers[0]
