"""Stub nodes in one process: real SSH servers that replay the recorded output of a lab node.

`python stubs.py COUNT RECORDING [PAUSE]` listens on 127.0.1.1 and the following addresses and prints the ports in one
line. PAUSE: seconds between the bursts of a node; the first bursts of the nodes are spread over it. When its standard
input closes it prints, as JSON, the largest number of channels of a connection, in total and concurrently.
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
"""Outputs in one write, as the script sends them."""
_MAX_SCRIPT = 1 << 20


@dataclass
class Channels:
    """Number of channels of one connection."""

    opened: int = 0
    open: int = 0
    concurrent: int = 0


def address(number: int) -> str:
    """Return the address of the stub with this number; the first is 1."""
    return f"127.0.{1 + number // 250}.{1 + number % 250}"


def own(number: int) -> Mapping[str, str]:
    """Return the outputs that must differ between nodes."""
    return {
        "uname": f"node-{number}\nx86_64\n5.15.0-56-generic\n#62-Ubuntu SMP Tue Nov 22 19:54:14 UTC 2022",
        "ids": f"machine_id {number:032x}\nboot_id {number:032x}",
        "product_uuid": f"{number:032x}",
        "macs": f"hardware 02:00:00:00:{number >> 8:02x}:{number & 255:02x}",
    }


_NAMED = re.compile(r"^named (\S+) (?:ip|name) (.*)", re.MULTILINE)
_PEERS = re.compile(r"^peers \d+ (\S+) (.*)", re.MULTILINE)


def paths(script: str) -> str:
    """Return the output of the TCP tests in the script: SSH is connected, all other ports are refused."""
    rows = [
        f"{host} {port} Connection refused 0.000" for host, ports in _NAMED.findall(script) for port in ports.split()
    ]
    counts = [(len(hosts.split()), len(ports.split(","))) for ports, hosts in _PEERS.findall(script)]
    nodes, connects = sum(hosts for hosts, _ports in counts), sum(hosts * ports for hosts, ports in counts)
    own = connects // max(1, nodes)  # the node does not test itself; all nodes have the same ports
    rows.append(f"= healthy {max(0, nodes - 1)} {max(0, connects - own - nodes + 1)} 0 0 1")
    return "\n".join(rows)


def pings(script: str) -> str:
    """Return the output of the pings in the script: every other node replies."""
    nodes = sum(len(hosts.split()) for _ports, hosts in _PEERS.findall(script))
    return f"= healthy {max(0, nodes - 1)} 210 305 412"


@dataclass
class Stub:
    readings: Mapping[str, CollectorOutput]
    first: float
    pause: float
    connections: list[Channels] = field(default_factory=list)

    def login(self) -> "_Login":
        self.connections.append(Channels())
        return _Login(self.connections[-1])

    async def session(self, process: "asyncssh.SSHServerProcess[str]") -> None:
        channels = process.get_extra_info("connection").get_owner().channels
        channels.opened += 1
        channels.open += 1
        channels.concurrent = max(channels.concurrent, channels.open)
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
        except ValueError:  # the plain script has no marker
            process.stdout.write("\n".join(reading.text for reading in self.readings.values()))
            return
        connectivity = {"paths": paths(script), "pings": pings(script)}
        readings = {**self.readings, **{name: CollectorOutput(name, 0, text) for name, text in connectivity.items()}}
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
    connections = [channels for stub in stubs for channels in stub.connections]
    most, concurrent = max(c.opened for c in connections), max(c.concurrent for c in connections)
    print(json.dumps([most, concurrent]), flush=True)


if __name__ == "__main__":
    recorded = json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))
    asyncio.run(_main(int(sys.argv[1]), recorded, float(sys.argv[3]) if len(sys.argv) > 3 else 0.0))
