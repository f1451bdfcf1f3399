"""An install from another machine: package and bundle go to the installer node, and acp-tui installs from there.

What runs there is the same command in a session of its own, with all it says in a file: this end starts it and follows
it, so a connection may break at any time. All lies in one folder of the login's home; its secrets go when it has ended.
"""

import asyncio
import re
import secrets
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from itertools import chain, repeat
from pathlib import Path
from shlex import quote
from typing import TypeVar

from acp_tui import __version__
from acp_tui.package.seen import questions
from acp_tui.plan import NodeSsh, Plan
from acp_tui.probe.script import LAUNCH, Reader, Reading, Snippet, build
from acp_tui.probe.sftp import Sending
from acp_tui.probe.ssh import ConnectFailed, Connection, Lost
from acp_tui.texts import _
from acp_tui.verdict import NodeState

FOLDER = "acp-tui-install"
"""In the home of the login on the installer node."""
BUNDLE = "bundle"

_PACKAGE, _KEYS = "package", "keys"
_SESSION = 25.0  # seconds to open a channel
_PAUSES = (1.0, 2.0, 5.0, 10.0)  # seconds between tries to connect again; then the last one over and over
_LOOK_EVERY = 1.0
_MOST = 64 * 1024  # bytes of what it says, a look

T = TypeVar("T")
Connect = Callable[[], Awaitable[Connection]]
Tell = Callable[[str], None]


class NotThere(Exception):
    """The install cannot be started on the node; the text says why and what to do."""


@dataclass(frozen=True)
class Errand:
    """The plan as it means on the installer node, and what has to lie there for it."""

    plan: Plan
    files: tuple[Sending, ...]


def errand(plan: Plan, base: Path, folder: str) -> Errand:
    """What goes to `folder` (absolute, on the node). `base`: the folder that the plan's relative paths start from."""
    taken: dict[Path, Sending] = {}

    def there(kind: str, path: Path) -> str:
        if path not in taken:
            # Two keys may have one name; a package's own name tells what it is.
            name = path.name if kind == _PACKAGE else f"{len(taken)}-{path.name}"
            taken[path] = Sending(path, f"{folder}/{kind}/{name}")
        return taken[path].remote

    def key(name: str | None) -> str | None:
        return there(_KEYS, base / Path(name).expanduser()) if name else None

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
    return Errand(moved, tuple(taken.values()))


async def persistently(connect: Connect, work: Callable[[Connection], Awaitable[T]], tell: Tell) -> T:
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
        except Lost as lost:
            why = str(lost)
        except ConnectFailed as failed:
            if not reached or failed.state in (NodeState.AUTH_FAILED, NodeState.HOST_KEY_CHANGED):
                raise
            why = failed.detail
        pause = next(pauses)
        tell(_("{why}; trying again in {seconds:g} s").format(why=why, seconds=pause))
        await asyncio.sleep(pause)


@dataclass(frozen=True)
class Heard:
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
[ "$size" -ge "$offset" ] || offset=0
[ $((size - offset)) -le @MOST@ ] || size=$((offset + @MOST@))
echo "$running $status $size"
[ "$size" -eq "$offset" ] || tail -c +$((offset + 1)) install.log | head -c $((size - offset))
return 0
"""
_START = """
umask 077
cd @FOLDER@ || return 66
local program found=
type -P flock >/dev/null && type -P setsid >/dev/null || return 127
flock -n lock true || return 0
export HOME=~root LANG=C.UTF-8
unset LC_ALL
for program in acp-tui @OWN@; do
  case $(bash -c "$program --version") in "acp-tui "@VERSION@) found=$program; break ;; esac
done
[ -n "$found" ] || return 69
rm -f exit; : >install.log
setsid -f bash -c '
  exec 9>lock; flock -w 9 9 || exit  # whoever looks whether it runs holds the lock for a moment
  ( umask 022; exec 9>&-; bash -c "$1 install $2 @AGAIN@" ) >>install.log 2>&1; status=$?
  rm -rf bundle keys; echo "$status" >exit.new; mv exit.new exit
' - "$found" @FOLDER@/bundle </dev/null >/dev/null 2>&1
until [ -e exit ] || ! flock -n lock true; do sleep 0.1; done
"""
_NO_TOOL, _NO_PROGRAM = 127, 69


async def look(connection: Connection, folder: str, offset: int) -> Heard:
    """What the install on the node says from byte `offset` on. Lost: the connection broke."""
    reading = await _asked(connection, _LOOK, FOLDER=quote(folder), OFFSET=str(offset), MOST=str(_MOST))
    head, _newline, text = reading.text.partition("\n")
    found = re.fullmatch(r"([01]) (-|[0-9]{1,3}) ([0-9]{1,15})", head)
    if reading.status == _NO_TOOL:
        raise NotThere(_("the node lacks flock (package util-linux)"))
    if found is None:
        raise Lost(_("the node does not tell how the install stands"))
    return Heard(found[1] == "1", None if found[2] == "-" else int(found[2]), int(found[3]), text)


async def start(connection: Connection, folder: str, *, again: bool = False) -> None:
    """Start the install of the bundle that lies in `folder`, unless one runs there. Raises `NotThere`, `Lost`.

    `again`: also after a run that failed there."""
    own = quote(f"{quote(sys.executable)} -m acp_tui")
    blanks = {"FOLDER": quote(folder), "OWN": own, "VERSION": quote(__version__), "AGAIN": "--again" if again else ""}
    reading = await _asked(connection, _START, **blanks)
    if reading.status == _NO_PROGRAM:
        words = _("acp-tui {version} is not on the node: install it there, so that the node finds it as acp-tui")
        raise NotThere(words.format(version=__version__))
    if reading.status:
        raise NotThere(_("starting it failed with exit status {status}").format(status=reading.status))


async def hear_out(connection: Connection, folder: str, heard: Heard, hear: Callable[[Heard], None]) -> Heard:
    """Follow the install from `heard` on until it has ended; each new look goes to `hear`. Raises `Lost`."""
    while True:
        heard = await look(connection, folder, heard.next)
        hear(heard)
        if not heard.text:
            if not heard.running:
                return heard
            await asyncio.sleep(_LOOK_EVERY)


async def _asked(connection: Connection, shell: str, **blanks: str) -> Reading:
    for blank, value in blanks.items():
        shell = shell.replace(f"@{blank}@", value)
    snippet = Snippet("install", (), shell, lambda reading: {}, timeout=60, any_status=True)
    marker = secrets.token_hex(12)
    reader = Reader(marker)
    answers: Sequence[Reading] = ()
    async with aclosing(connection.run(LAUNCH, build((snippet,), marker), lambda stage: None, _SESSION)) as chunks:
        async for chunk in chunks:
            answers = [*answers, *reader.feed(chunk)]
    if not answers:
        raise Lost(connection.complaint or _("the node ran nothing"))
    return answers[0]
