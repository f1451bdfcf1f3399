"""How much goes from node to node (NETCFG-BW-INTRA): asked on request only, because it loads the network.

One transfer at a time, so that none disturbs another: bash sends zeros over one TCP connection to a temporary listener
(python) on a needed port that is free, which counts what arrives. At most a second or 512 MiB each, so it is a lower
bound. Whatever breaks, the listener ends by itself within seconds; nothing is written to a disk.
"""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from shlex import quote

from acp_tui.core.i18n import _
from acp_tui.core.text import fill_template, sanitize
from acp_tui.nodes.facts import Bandwidth
from acp_tui.nodes.script import LAUNCH_PLAIN
from acp_tui.nodes.ssh.connection import DEADLINES, ConnectError, Connection, ConnectionLost, Deadlines, Target, connect

MOST = 512
"""MiB of one transfer at most; about a second at most."""
_EVERY_PAIR = 5
"""Nodes up to which every node sends to every other; of more, each to the next one and back."""
_PATIENCE = 20.0  # seconds of one transfer, with the shells at both ends

# Python 2.7 and 3 alike. Only who knows the token is counted. Listeners of a rehearsal may take a second to go.
_RECEIVE = """
import os, select, socket, sys, time
token, six = sys.argv[1].encode(), sys.argv[2] == '6'
s, end = None, time.time() + 3
while s is None and time.time() < end:
    for port in sys.argv[3:]:
        s = socket.socket(socket.AF_INET6 if six else socket.AF_INET)
        try:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            s.bind(('', int(port)))
            s.listen(4)
            break
        except (OSError, socket.error):
            s = None
    if s is None: time.sleep(.2)
if s is None:
    os.write(1, b'busy\\n'); sys.exit()
os.write(1, ('listening %s\\n' % port).encode())
end, got, took, buffer = time.time() + 7, 0, 0, bytearray(1 << 20)
while time.time() < end and select.select([s], [], [], max(0, end - time.time()))[0]:
    c = s.accept()[0]
    c.settimeout(2)
    try:
        head = c.recv(len(token))
        while 0 < len(head) < len(token): head += c.recv(len(token) - len(head)) or b' ' * 99
        if head != token: c.close(); continue
        began = time.time()
        while took < 4:
            n = c.recv_into(buffer)
            if not n: break
            got += n
            took = time.time() - began
    except (OSError, socket.error):
        pass
    break
os.write(1, ('received %d %.6f\\n' % (got, took)).encode())
"""

_RECEIVER = """
for tool in python3 python2 python /usr/libexec/platform-python; do
  if type -P "$tool" >/dev/null; then exec "$tool" -c @RECEIVE@ @GIVEN@; fi
done
echo lacking
"""

_SEND = 'exec 3<>"/dev/tcp/$1/$2" && printf %s "$3" >&3 && timeout 1 dd if=/dev/zero bs=256k count=@COUNT@ >&3'


@dataclass(frozen=True)
class End:
    """A node that sends and receives. `ports`: where it may listen; the first that is free is taken."""

    target: Target
    pinned: str | None
    ports: tuple[int, ...]


def pairs(nodes: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Who sends to whom, in order."""
    if len(nodes) <= _EVERY_PAIR:
        yield from ((one, other) for one in nodes for other in nodes if one != other)
    else:
        for one, other in zip(nodes, (*nodes[1:], nodes[0]), strict=True):
            yield from ((one, other), (other, one))


async def measure(
    ends: Sequence[End], enough: float, *, deadlines: Deadlines = DEADLINES
) -> Mapping[str, Mapping[str, Bandwidth]]:
    """Source → target → what arrived, by plan address. Less than `enough` bits a second is tried a second time."""
    lines = dict(zip((end.target.address for end in ends), await _connected(ends, deadlines), strict=True))
    by_address = {end.target.address: end for end in ends}
    found: dict[str, dict[str, Bandwidth]] = {address: {} for address in by_address}
    try:
        for source, target in pairs(tuple(by_address)):
            best = await _transfer(lines[source], lines[target], by_address[target])
            if best.bits is not None and best.bits < enough:
                again = await _transfer(lines[source], lines[target], by_address[target])
                best = max(best, again, key=lambda one: one.bits or 0)
            found[source][target] = best
    finally:
        await asyncio.gather(*(line.close() for line in lines.values() if isinstance(line, Connection)))
    return found


async def _connected(ends: Sequence[End], deadlines: Deadlines) -> list[Connection | str]:
    """A connection to each, or why there is none."""

    async def one(end: End) -> Connection | str:
        try:
            return await connect(end.target, end.pinned, lambda stage: None, deadlines)
        except ConnectError as failed:
            return failed.detail

    return await asyncio.gather(*map(one, ends))


async def _transfer(source: Connection | str, target: Connection | str, end: End) -> Bandwidth:
    for line in (source, target):
        if isinstance(line, str):
            return Bandwidth(None, line)
    assert isinstance(source, Connection)
    assert isinstance(target, Connection)
    token, found = secrets.token_hex(12), Bandwidth(None, _("nothing arrived"))
    sending: asyncio.Task[None] | None = None
    try:
        async with asyncio.timeout(_PATIENCE):
            async for word, rest in _said(target, receiving_program(token, end.target.address, end.ports)):
                if word == "listening" and sending is None:
                    program = sending_program(token, end.target.address, int(rest[0]))
                    sending = asyncio.create_task(_exhaust(source, program))
                elif word == "received" and int(rest[0]) and float(rest[1]) > 0:
                    found = Bandwidth(int(rest[0]) * 8 / float(rest[1]))
                elif word == "busy":
                    found = Bandwidth(None, _("the ports that it could be tried on are in use"))
                elif word == "lacking":
                    found = Bandwidth(None, _("the node has no python"))
            if sending is not None:
                await sending
    except (ConnectError, ConnectionLost) as broke:
        return Bandwidth(None, str(broke) or _("the connection broke"))
    except TimeoutError:
        return Bandwidth(None, _("no end within {seconds:g} s").format(seconds=_PATIENCE))
    finally:
        if sending is not None:
            sending.cancel()
            await asyncio.wait([sending])
    return found


async def _said(connection: Connection, program: str) -> AsyncGenerator[tuple[str, list[str]], None]:
    """What the program says, in words, to its end; lines that are none of its own are left out."""
    shapes = {"listening": 1, "received": 2, "busy": 0, "lacking": 0}
    async with aclosing(connection.run(LAUNCH_PLAIN, program, lambda stage: None, DEADLINES.session)) as answer:
        rest = ""
        async for chunk in answer:
            *whole, rest = (rest + sanitize(chunk.decode(errors="replace")))[-4096:].split("\n")
            for word, *more in (line.split() for line in whole if line.strip()):
                if shapes.get(word) == len(more) and all(text.replace(".", "", 1).isdigit() for text in more):
                    yield word, more


async def _exhaust(connection: Connection, program: str) -> None:
    async with aclosing(connection.run(LAUNCH_PLAIN, program, lambda stage: None, DEADLINES.session)) as answer:
        async for _chunk in answer:
            pass


def receiving_program(token: str, address: str, ports: Sequence[int]) -> str:
    """Listens on the first port that is free, says `listening PORT`, then `received BYTES SECONDS`."""
    given = f"{token} {'6' if ':' in address else '4'} {' '.join(map(str, ports))}"
    return _program(fill_template(_RECEIVER, RECEIVE=quote(_RECEIVE), GIVEN=given))


def sending_program(token: str, address: str, port: int) -> str:
    """Sends the token and zeros, for a second or `MOST` MiB."""
    send = quote(fill_template(_SEND, COUNT=str(MOST * 4)))
    return _program(f"timeout 6 bash --norc -c {send} send {quote(address)} {port} {token}\n")


def _program(text: str) -> str:
    return f'main() {{\nexport LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"\n{text}\n}}\nmain </dev/null 2>/dev/null\n'
