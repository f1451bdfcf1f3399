"""Many nodes in one process that is not the client's: real SSH servers that answer with what a lab node once said.

`python stubs.py COUNT RECORDING [PAUSE]` listens on 127.0.1.1 and the following addresses and prints the ports in one
line. PAUSE: seconds between a node's bursts of answers; the nodes' first ones are spread over it. When its standard
input ends it prints, as JSON, how many channels a connection opened at most, and at most at once.
"""

import asyncio
import json
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import asyncssh

from acp_tui.nodes.script import CollectorOutput, reply, split

USERNAME, PASSWORD = "root", "bench"
_BURST = 10
"""Answers a write, as the script itself sends them."""
_MAX_SCRIPT = 1 << 20


@dataclass
class Channels:
    """How many channels each connection has opened."""

    opened: int = 0
    open: int = 0
    at_once: int = 0


def address(number: int) -> str:
    """Where the stub with this number listens; the first is 1."""
    return f"127.0.1.{number}"


def own(number: int) -> Mapping[str, str]:
    """What no two nodes may share."""
    return {
        "uname": f"node-{number}\nx86_64\n5.15.0-56-generic\n#62-Ubuntu SMP Tue Nov 22 19:54:14 UTC 2022",
        "ids": f"machine_id {number:032x}\nboot_id {number:032x}",
        "product_uuid": f"{number:032x}",
        "macs": f"hardware 02:00:00:00:01:{number:02x}",
    }


_DIALS = re.compile(r"^local queue=\(([^)]*)\)", re.MULTILINE)


def paths(script: str) -> str:
    """What the script's connects to the other nodes come to: SSH answers, all else is refused, in no time."""
    found = _DIALS.search(script)
    ways = [way.split("=") for way in found[1].replace("'", "").split()] if found else []
    said = {"22": "connected"}
    return "\n".join(
        f"{host} {port} {said.get(port, 'Connection refused')} 0.000"
        for host, ports, _wait in ways
        for port in ports.split(",")
    )


@dataclass
class Stub:
    readings: Mapping[str, CollectorOutput]
    first: float
    pause: float
    seen: list[Channels] = field(default_factory=list)

    def login(self) -> "_Login":
        self.seen.append(Channels())
        return _Login(self.seen[-1])

    async def session(self, process: "asyncssh.SSHServerProcess[str]") -> None:
        channels = process.get_extra_info("connection").get_owner().channels
        channels.opened += 1
        channels.open += 1
        channels.at_once = max(channels.at_once, channels.open)
        try:
            await self.answer(process)
        finally:
            channels.open -= 1
            process.exit(0)

    async def answer(self, process: "asyncssh.SSHServerProcess[str]") -> None:
        script = ""
        while len(script) < _MAX_SCRIPT and (part := await process.stdin.read(_MAX_SCRIPT)):
            script += part
        try:
            marker, names = split(script)
        except ValueError:  # the plain script's own
            process.stdout.write("\n".join(reading.text for reading in self.readings.values()))
            return
        readings = {**self.readings, "paths": CollectorOutput("paths", 0, paths(script))}
        wait = self.first
        for begin in range(0, len(names), _BURST):
            burst = (readings.get(name, CollectorOutput(name, 0, "")) for name in names[begin : begin + _BURST])
            await asyncio.sleep(wait)
            wait = self.pause
            process.stdout.write(b"".join(reply(marker, reading) for reading in burst).decode())
            await process.stdout.drain()


class _Login(asyncssh.SSHServer):
    def __init__(self, channels: Channels) -> None:
        self.channels = channels

    def begin_auth(self, username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == (USERNAME, PASSWORD)


async def _main(count: int, rows: list[tuple[str, int, str]], pause: float) -> None:
    stubs = []
    ports = []
    for number in range(1, count + 1):
        texts = own(number)
        readings = {name: CollectorOutput(name, status, texts.get(name, text)) for name, status, text in rows}
        stub = Stub(readings, pause * number / count, pause)
        server = await asyncssh.listen(
            address(number),
            0,
            server_factory=stub.login,
            server_host_keys=[asyncssh.generate_private_key("ssh-ed25519")],
            process_factory=stub.session,
            config=None,
        )
        stubs.append(stub)
        ports.append(server.get_port())
    print(*ports, flush=True)
    await asyncio.to_thread(sys.stdin.read)
    seen = [channels for stub in stubs for channels in stub.seen]
    most, at_once = max(c.opened for c in seen), max(c.at_once for c in seen)
    print(json.dumps([most, at_once]), flush=True)


if __name__ == "__main__":
    recorded = json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))
    asyncio.run(_main(int(sys.argv[1]), recorded, float(sys.argv[3]) if len(sys.argv) > 3 else 0.0))
