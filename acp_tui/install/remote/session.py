"""An install from another machine: package and bundle go to the installer node, and acp-tui installs from there.

What runs there is the same command in a session of its own, with all it says in a file: this end starts it and follows
it, so a connection may break at any time. All lies in one folder of the login's home; its secrets go when it has ended.
"""

import asyncio
import re
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from itertools import chain, repeat
from pathlib import Path
from shlex import quote
from typing import TypeVar

from acp_tui.core.files import resolve_path
from acp_tui.core.i18n import _
from acp_tui.nodes.script import ABSENT, LAUNCH, Collector, CollectorOutput, Reader, build
from acp_tui.nodes.ssh.connection import ConnectError, Connection, ConnectionLost
from acp_tui.nodes.ssh.sftp import Upload
from acp_tui.nodes.state import NodeState
from acp_tui.package.facts import questions
from acp_tui.plan.model import NodeSsh, Plan
from acp_tui.preflight.report.model import Report

FOLDER = "acp-tui-install"
"""In the home of the login on the installer node."""
BUNDLE = "bundle"

_PACKAGE, _KEYS = "package", "keys"
_SESSION = 25.0  # seconds to open a channel
_PAUSES = (1.0, 2.0, 5.0, 10.0)  # seconds between tries to connect again; then the last one over and over
_LOOK_EVERY = 1.0
_QUIET = 40  # seconds after which a machine that sends is taken for gone
STILL_EVERY = 10.0
"""Seconds between two signs of life of the machine that sends."""
_MOST = 64 * 1024  # bytes of what it says, a look
_END = 8 * 1024  # bytes of its last words

T = TypeVar("T")
Connect = Callable[[], Awaitable[Connection]]
Tell = Callable[[str], None]


_JUDGED_THERE = frozenset({"BND-INSTNODE", "BND-WORKDIR", "BND-FREE-100G"})
"""What is about the machine that unpacks: acp-tui looks at it there."""


class RemoteInstallError(Exception):
    """The install cannot be started on the node; the text says why and what to do."""


@dataclass(frozen=True)
class RemotePlan:
    """The plan as it means on the installer node, and what has to lie there for it."""

    plan: Plan
    packages: tuple[Upload, ...]
    """With what proves them."""
    keys: tuple[Upload, ...]


def rewrite_for_remote(plan: Plan, base: Path, folder: str) -> RemotePlan:
    """What goes to `folder` (absolute, on the node). `base`: the folder that the plan's relative paths start from."""
    taken: dict[Path, Upload] = {}

    def there(kind: str, path: Path) -> str:
        if path not in taken:
            # Two keys may have one name; a package's own name tells what it is.
            name = path.name if kind == _PACKAGE else f"{len(taken)}-{path.name}"
            taken[path] = Upload(path, f"{folder}/{kind}/{name}")
        return taken[path].remote

    def key(name: str | None) -> str | None:
        return there(_KEYS, resolve_path(base, name)) if name else None

    def login(own: NodeSsh) -> NodeSsh:
        return own.model_copy(update={"key_file": key(own.key_file)})

    package: dict[str, str] = {}
    for kind, question in questions(plan.package, base).items():
        package[kind] = there(_PACKAGE, question.package)
        if question.signature.is_file():
            package[f"{kind}_signature"] = there(_PACKAGE, question.signature)
        if question.key_file:
            package["public_key"] = there(_PACKAGE, question.key_file)
    certificate = {"cert_file": key(plan.certificate.cert_file), "key_file": key(plan.certificate.key_file)}
    moved = plan.model_copy(
        update={
            "package": plan.package.model_copy(update=package),
            "certificate": plan.certificate.model_copy(update=certificate),
            "ssh": plan.ssh.model_copy(update={"key_file": key(plan.ssh.key_file)}),
            "nodes": tuple(node.model_copy(update={"ssh": login(node.ssh)}) for node in plan.nodes),
            # Held against its primary here; the primary's own secrets are no business of that machine.
            "disaster_recovery": plan.disaster_recovery.model_copy(update={"primary": None}),
        }
    )
    packages = tuple(one for one in taken.values() if one.remote.startswith(f"{folder}/{_PACKAGE}/"))
    return RemotePlan(moved, packages, tuple(one for one in taken.values() if one not in packages))


def without_host_checks(report: Report) -> Report:
    """Without what is about this machine and not about the installer node."""
    return replace(report, verdicts=tuple(v for v in report.verdicts if v.requirement not in _JUDGED_THERE))


async def retry_connection(connect: Connect, work: Callable[[Connection], Awaitable[T]], tell: Tell) -> T:
    """Do `work` over a connection, and again over a new one where it broke, for as long as it takes.

    ConnectFailed: the node was not reached the first time, or it turns the login away."""
    pauses = chain(_PAUSES, repeat(_PAUSES[-1]))
    reached = False
    while True:
        try:
            connection = await connect()
            reached = True
            try:
                return await work(connection)
            finally:
                await connection.close()
        except ConnectionLost as lost:
            why = str(lost)
        except ConnectError as failed:
            if not reached or failed.state in (NodeState.AUTH_FAILED, NodeState.HOST_KEY_CHANGED):
                raise
            why = failed.detail
        pause = next(pauses)
        tell(_("{why}; trying again in {seconds:g} s").format(why=why, seconds=pause))
        await asyncio.sleep(pause)


@dataclass(frozen=True)
class RemoteOutput:
    """How it stands on the node. `text`: what the install said from `offset` of the look on; `next` ends it (bytes)."""

    running: bool
    status: int | None
    """Exit status of the last install there; None: there was none, or it was killed."""
    next: int = 0
    text: str = ""


# flock(1) keeps a second install out and tells whether one runs. What the install starts does not inherit the lock.
_LOOK = """
local offset=@OFFSET@ size=0 running=0 status=-
cd @FOLDER@ 2>/dev/null || { echo "0 - 0"; return 0; }
type -P flock >/dev/null || return 127
flock -n lock true || running=1
[ "$running" -eq 1 ] || [ ! -e exit ] || read -r status <exit
[ ! -e install.log ] || size=$(stat -c %s install.log)
[ "$offset" -ge 0 ] || offset=$((size > @END@ ? size - @END@ : 0))
[ "$size" -ge "$offset" ] || offset=0
[ $((size - offset)) -le @MOST@ ] || size=$((offset + @MOST@))
echo "$running $status $size"
[ "$size" -eq "$offset" ] || tail -c +$((offset + 1)) install.log | head -c $((size - offset))
return 0
"""
# Whoever sends touches the file while it does so. The same machine may go on at once: a lock there lets one send alone.
_CLAIM = """
umask 077
cd @FOLDER@ || return 74
local sender= age
{
  flock -w 9 9
  if read -r sender 2>/dev/null <sender && [ "${sender%% *}" != @NAME@ ]; then
    age=$(($(date +%s) - $(stat -c %Y sender)))
    [ "$age" -gt @QUIET@ ] || { echo "$sender"; return 70; }
  fi
  printf '%s\\n' @SENDER@ >sender || return 74
} 9>claim
"""
_CLAIMED = """
local sender=
cd @FOLDER@ && read -r sender <sender
[ "$sender" = @SENDER@ ] || { echo "$sender"; return 70; }
touch sender
"""
_START = (
    _CLAIMED
    + """
umask 077
type -P flock >/dev/null && type -P setsid >/dev/null || return 127
flock -n lock true || return 0
export HOME=~root LANG=C.UTF-8
unset LC_ALL
rm -f exit; : >install.log && printf '%s\\n' @PROGRAM@ >started-by || return 74
( setsid bash -c '
  exec 9>lock; flock -w 9 9 || exit  # whoever looks whether it runs holds the lock for a moment
  ( umask 022; exec 9>&-; bash -c "$1 install $2 @FLAGS@" ) >>install.log 2>&1; status=$?
  rm -rf bundle keys; echo "$status" >exit.new; mv exit.new exit
' - @PROGRAM@ @FOLDER@/bundle </dev/null >/dev/null 2>&1 & )
until [ -e exit ] || ! flock -n lock true; do sleep 0.1; done
"""
)
_STATUS = """
local program=
export HOME=~root LANG=C.UTF-8
cd @FOLDER@ 2>/dev/null && read -r program 2>/dev/null <started-by || return 66
bash -c "$program status @FLAGS@" @ALSO@
"""
_TAKEN, _NO_ROOM, _NO_TOOL = 70, 74, 127


async def look(connection: Connection, folder: str, offset: int) -> RemoteOutput:
    """What the install on the node says from byte `offset` on; -1: its last words. Lost: the connection broke."""
    blanks = {"FOLDER": quote(folder), "OFFSET": str(offset), "MOST": str(_MOST), "END": str(_END)}
    reading = await run_script(connection, _LOOK, blanks)
    head, _newline, text = reading.text.partition("\n")
    found = re.fullmatch(r"([01]) (-|[0-9]{1,3}) ([0-9]{1,15})", head)
    if reading.status == _NO_TOOL:
        raise RemoteInstallError(_("the node lacks flock (package util-linux)"))
    if found is None:
        raise ConnectionLost(_("the node does not tell how the install stands"))
    return RemoteOutput(found[1] == "1", None if found[2] == "-" else int(found[2]), int(found[3]), text)


async def status(connection: Connection, folder: str, *flags: str) -> CollectorOutput | None:
    """What `acp-tui status` says on the node, and its exit status; None: no install was started from afar. Lost."""
    also = "" if "--json" in flags else "2>&1"  # a document stands alone
    reading = await run_script(connection, _STATUS, {"FOLDER": quote(folder), "FLAGS": " ".join(flags), "ALSO": also})
    return None if reading.status == ABSENT else reading


async def acquire_upload_lock(connection: Connection, folder: str, sender: str) -> None:
    """Say on the node who sends now. Raises `RemoteInstallError`: another machine does; `ConnectionLost`.

    `sender`: the machine, a blank, and what tells this sending from others."""
    blanks = {
        "FOLDER": quote(folder),
        "NAME": quote(sender.partition(" ")[0]),
        "SENDER": quote(sender),
        "QUIET": str(_QUIET),
    }
    _check(await run_script(connection, _CLAIM, blanks))


async def refresh_upload_lock(connection: Connection, folder: str, sender: str) -> None:
    """Say that it still sends. Raises `RemoteInstallError`: another machine has taken over since; `ConnectionLost`."""
    _check(await run_script(connection, _CLAIMED, {"FOLDER": quote(folder), "SENDER": quote(sender)}))


async def start(connection: Connection, folder: str, program: str, sender: str, flags: Sequence[str] = ()) -> None:
    """Start the install of the bundle in `folder`, unless an install runs there.

    Raises `RemoteInstallError`, `ConnectionLost`.

    `program`: the words that run acp-tui on the node. `flags`: such as --again, for a run that failed there."""
    blanks = {
        "FOLDER": quote(folder),
        "PROGRAM": quote(program),
        "SENDER": quote(sender),
        "FLAGS": " ".join(flags),
    }
    _check(await run_script(connection, _START, blanks))


def _check(reading: CollectorOutput) -> None:
    if reading.status == _TAKEN:
        who = reading.text.split()[:1] or [_("somebody")]
        words = _(
            "{who} sends an install there; nothing was started from here. Broken off, it may be taken over in {n} s"
        )
        raise RemoteInstallError(words.format(who=who[0][:80], n=_QUIET))
    if reading.status == _NO_ROOM:
        raise RemoteInstallError(_("the folder of the install cannot be written to there; is the disk full?"))
    if reading.status:
        raise RemoteInstallError(_("starting it failed with exit status {status}").format(status=reading.status))


async def follow_output(
    connection: Connection, folder: str, heard: RemoteOutput, hear: Callable[[RemoteOutput], None]
) -> RemoteOutput:
    """Follow the install from `heard` on until it has ended; each new look goes to `hear`. Raises `ConnectionLost`."""
    while True:
        heard = await look(connection, folder, heard.next)
        hear(heard)
        if not heard.text:
            if not heard.running:
                return heard
            await asyncio.sleep(_LOOK_EVERY)


async def run_script(
    connection: Connection, shell: str, blanks: Mapping[str, str], timeout: int = 60
) -> CollectorOutput:
    """Run one script on the node, as root where sudo needs no password, and return its output.

    Each @BLANK@ of the script is filled in. Raises `ConnectionLost`."""
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
        raise ConnectionLost(connection.complaint or _("the node ran nothing"))
    return answers[0]
