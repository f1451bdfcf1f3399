"""The active test of the bandwidth between nodes (NETCFG-BW-INTRA). It loads the network.

Only one transfer runs at a time. bash on one node sends zeros over a TCP connection to a temporary listener (python) on
another node. The listener counts the bytes. Its port is one that ACP requires and that is free on the node. A transfer
ends after one second or 512 MiB, so the result is a lower bound. If an error occurs, the listener ends by itself within
seconds. The test does not write to a disk.
"""

import asyncio
import re
import secrets
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from shlex import quote

from acp_tui.core.i18n import _
from acp_tui.core.text import fill_template, sanitize
from acp_tui.nodes.fact_types import Bandwidth
from acp_tui.nodes.script import LAUNCH_PLAIN
from acp_tui.nodes.ssh.connect import connect
from acp_tui.nodes.ssh.connection import Connection
from acp_tui.nodes.ssh.deadlines import DEADLINES, Deadlines
from acp_tui.nodes.ssh.errors import ConnectError, ConnectionLost
from acp_tui.nodes.ssh.target import Target
from acp_tui.plan.known_hosts import KnownHost

MAX_MEBIBYTES = 512
"""The maximum amount of data in one transfer, in MiB. A transfer also ends after about one second."""
_MAX_NODES_FOR_ALL_PAIRS = 5
"""Up to this number of nodes, each node sends to every other node.

With more nodes, each node sends only to the next node, and that node sends back."""
_TRANSFER_SECONDS = 20.0  # the limit of one transfer; it includes the start of the shells on both nodes

# For Python 2.7 and 3. Only a connection with the token is counted. Listeners of another active test may need a second
# to end.
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


_COUNTS = {"listening": 1, "received": 2, "busy": 0, "lacking": 0}
"""The number of arguments of each keyword."""
_ARGUMENTS = re.compile(r"(?:[0-9]{1,15}(?: [0-9]{1,15}(?:\.[0-9]{1,9})?)?)?")
"""A port, or a number of bytes and a number of seconds, or nothing."""


@dataclass(frozen=True)
class BandwidthNode:
    """A node in the bandwidth test. To receive data, it listens on the first free port of `ports`."""

    target: Target
    known_host: KnownHost | None
    ports: tuple[int, ...]


def pairs(nodes: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the sender and the receiver of each transfer. The transfers run in this order."""
    if len(nodes) <= _MAX_NODES_FOR_ALL_PAIRS:
        yield from ((sender, receiver) for sender in nodes for receiver in nodes if sender != receiver)
    else:
        for sender, receiver in zip(nodes, (*nodes[1:], nodes[0]), strict=True):
            yield from ((sender, receiver), (receiver, sender))


async def measure(
    nodes: Sequence[BandwidthNode], sufficient: float, *, deadlines: Deadlines = DEADLINES
) -> Mapping[str, Mapping[str, Bandwidth]]:
    """Measure the bandwidth from each sender to its receivers. Return sender → receiver → bandwidth.

    Senders and receivers are plan addresses. If a transfer is slower than `sufficient` bits per second, it is repeated
    once, and the better result counts."""
    addresses = [node.target.address for node in nodes]
    connections = dict(zip(addresses, await _connect_all(nodes, deadlines), strict=True))
    by_address = dict(zip(addresses, nodes, strict=True))
    results: dict[str, dict[str, Bandwidth]] = {address: {} for address in by_address}
    try:
        for source, target in pairs(tuple(by_address)):
            best = await _transfer(connections[source], connections[target], by_address[target])
            if best.bits is not None and best.bits < sufficient:
                second = await _transfer(connections[source], connections[target], by_address[target])
                best = max(best, second, key=lambda result: result.bits or 0)
            results[source][target] = best
    finally:
        await asyncio.gather(*(result.close() for result in connections.values() if isinstance(result, Connection)))
    return results


async def _connect_all(nodes: Sequence[BandwidthNode], deadlines: Deadlines) -> list[Connection | str]:
    """Return a connection to each node, or the reason why the connection failed."""

    async def connect_one(node: BandwidthNode) -> Connection | str:
        try:
            return await connect(node.target, node.known_host, lambda stage: None, deadlines, changes=True)
        except ConnectError as error:
            return error.detail

    return await asyncio.gather(*map(connect_one, nodes))


async def _transfer(source: Connection | str, target: Connection | str, receiver: BandwidthNode) -> Bandwidth:
    for connection in (source, target):
        if isinstance(connection, str):
            return Bandwidth(None, connection)
    assert isinstance(source, Connection)
    assert isinstance(target, Connection)
    token, result = (
        secrets.token_hex(12),
        Bandwidth(None, _("the receiving node received no data in the bandwidth test")),
    )
    sending: asyncio.Task[None] | None = None
    try:
        async with asyncio.timeout(_TRANSFER_SECONDS):
            program = receiving_program(token, receiver.target.address, receiver.ports)
            async for keyword, rest in _report_lines(target, program):
                if keyword == "listening" and sending is None:
                    sender = sending_program(token, receiver.target.address, int(rest[0]))
                    sending = asyncio.create_task(_run_to_end(source, sender))
                elif keyword == "received" and int(rest[0]) and float(rest[1]) > 0:
                    result = Bandwidth(int(rest[0]) * 8 / float(rest[1]))
                elif keyword == "busy":
                    result = Bandwidth(None, _("all ports for the bandwidth test are in use on the receiving node"))
                elif keyword == "lacking":
                    result = Bandwidth(None, _("python is not installed on the receiving node"))
            if sending is not None:
                await sending
    except (ConnectError, ConnectionLost) as error:
        return Bandwidth(None, str(error) or _("the SSH connection to a node broke during the bandwidth test"))
    except TimeoutError:
        return Bandwidth(None, _("the bandwidth test timed out after {seconds:g} s").format(seconds=_TRANSFER_SECONDS))
    finally:
        if sending is not None:
            sending.cancel()
            await asyncio.wait([sending])
    return result


async def _report_lines(connection: Connection, program: str) -> AsyncGenerator[tuple[str, list[str]], None]:
    """Run the receiving program, and yield its output lines as keyword and arguments. Unknown lines are ignored."""
    async with aclosing(connection.run(LAUNCH_PLAIN, program, lambda stage: None, DEADLINES.session)) as chunks:
        rest = ""
        async for chunk in chunks:
            *complete, rest = (rest + sanitize(chunk.decode(errors="replace"), limit=None))[-4096:].split("\n")
            for line in complete:
                if (parsed := parse_line(line)) is not None:
                    yield parsed


def parse_line(line: str) -> tuple[str, list[str]] | None:
    """Return keyword and arguments of an output line of the receiving program; None if the line is unknown."""
    keyword, *arguments = line.split() or [""]
    known = _COUNTS.get(keyword) == len(arguments) and _ARGUMENTS.fullmatch(" ".join(arguments))
    return (keyword, arguments) if known else None


async def _run_to_end(connection: Connection, program: str) -> None:
    async with aclosing(connection.run(LAUNCH_PLAIN, program, lambda stage: None, DEADLINES.session)) as chunks:
        async for _chunk in chunks:
            pass


def receiving_program(token: str, address: str, ports: Sequence[int]) -> str:
    """Return a script that listens on the first free port of `ports` and counts the received bytes.

    It prints `listening PORT`, then `received BYTES SECONDS`."""
    arguments = f"{token} {'6' if ':' in address else '4'} {' '.join(map(str, ports))}"
    return _program(fill_template(_RECEIVER, RECEIVE=quote(_RECEIVE), GIVEN=arguments))


def sending_program(token: str, address: str, port: int) -> str:
    """Return a script that sends `token` and then zeros. It ends after one second or `MAX_MEBIBYTES` MiB."""
    send = quote(fill_template(_SEND, COUNT=str(MAX_MEBIBYTES * 4)))
    return _program(f"timeout 6 bash --norc -c {send} send {quote(address)} {port} {token}\n")


def _program(text: str) -> str:
    return f'main() {{\nexport LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"\n{text}\n}}\nmain </dev/null 2>/dev/null\n'
