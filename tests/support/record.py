"""Record the output of collectors on a node, for the parser tests and the practice nodes.

A recording is a stream of the collector script: tests/recordings/<distribution>.txt, or
assets/demo/nodes/<distribution>.txt for the distribution of the practice nodes. A collector may be absent from a
recording; its facts are then missing with the reason "not collected".

    python -m tests.support.record ubuntu-22.04 --collector swaps          # run bash on this host
    python -m tests.support.record rhel-9.4 --ssh root@192.0.2.11:22       # password: ACP_TUI_RECORD_PASSWORD
"""

import argparse
import asyncio
import os
import subprocess
import sys
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from acp_tui.nodes.collectors import COLLECTORS
from acp_tui.nodes.script import LAUNCH, LAUNCH_PLAIN, Collector, CollectorOutput, Reader, build, reply
from acp_tui.nodes.ssh.connect import connect, read_host_key
from acp_tui.nodes.ssh.deadlines import DEADLINES
from acp_tui.nodes.ssh.errors import ConnectError, ConnectionLost
from acp_tui.nodes.ssh.target import Target
from acp_tui.plan.known_hosts import confirmed

ROOT = Path(__file__).parents[2]
FOLDERS = (ROOT / "tests" / "recordings", ROOT / "assets" / "demo" / "nodes")
MARKER = "5ca1ab1e0ddba110"
PASSWORD_VARIABLE = "ACP_TUI_RECORD_PASSWORD"
NAMES = [collector.name for collector in COLLECTORS]


def recordings() -> dict[str, Path]:
    """Return distribution → recording."""
    return {path.stem: path for folder in FOLDERS for path in sorted(folder.glob("*.txt"))}


def parse_recording(stream: bytes) -> list[CollectorOutput]:
    """Return the outputs in a recording."""
    return Reader(stream.split(b" ", 1)[0].decode()).feed(stream)


def update(recorded: Iterable[CollectorOutput], new: Iterable[CollectorOutput]) -> list[CollectorOutput]:
    """Return the outputs with those in `new` replaced or added, in the order of the collectors."""
    by_name = {output.name: output for output in (*recorded, *new)}
    return [by_name[name] for name in NAMES if name in by_name]


def format_recording(outputs: Iterable[CollectorOutput]) -> bytes:
    return b"".join(reply(MARKER, output) for output in outputs)


def selected(names: Collection[str]) -> tuple[Collector, ...]:
    return tuple(collector for collector in COLLECTORS if not names or collector.name in names)


@dataclass(frozen=True)
class Login:
    """`USER@HOST[:PORT]`."""

    user: str
    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> "Login":
        user, _at, rest = text.rpartition("@")
        host, _colon, port = rest.partition(":")
        if not user or not host or (port and not port.isdigit()):
            raise argparse.ArgumentTypeError("expected USER@HOST[:PORT]")
        return cls(user, host, int(port or 22))


def run_here(collectors: tuple[Collector, ...]) -> list[CollectorOutput]:
    """Run the collectors with bash on this host, without sudo."""
    command = ["/bin/sh", "-c", LAUNCH_PLAIN]
    ran = subprocess.run(command, input=build(collectors, MARKER).encode(), stdout=subprocess.PIPE, check=False)
    return Reader(MARKER).feed(ran.stdout)


async def run_on_node(login: Login, key: Path | None, collectors: tuple[Collector, ...]) -> list[CollectorOutput]:
    """Run the collectors on a node over SSH. Raises ConnectError or ConnectionLost."""
    password = os.environ.get(PASSWORD_VARIABLE)
    target = Target(login.host, login.host, login.port, login.user, SecretStr(password) if password else None, key)
    # The operator names the node and records what it answers, so its current host key is accepted.
    known = confirmed(await read_host_key(target))
    connection = await connect(target, known, lambda stage: None)
    reader, outputs = Reader(MARKER), []
    try:
        program = build(collectors, MARKER)
        async for chunk in connection.run(LAUNCH, program, lambda stage: None, DEADLINES.session):
            outputs += reader.feed(chunk)
    finally:
        await connection.close()
    return outputs


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.support.record", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("distribution", help="name of the recording, such as ubuntu-22.04; a new name adds one")
    parser.add_argument("--collector", action="append", default=[], choices=NAMES, metavar="NAME", help="only this one")
    parser.add_argument("--ssh", type=Login.parse, metavar="USER@HOST[:PORT]", help="a node; default: this host")
    parser.add_argument("--key", type=Path, help=f"private key file; without it the password is in {PASSWORD_VARIABLE}")
    given = parser.parse_args(arguments)
    collectors = selected(given.collector)
    try:
        new = asyncio.run(run_on_node(given.ssh, given.key, collectors)) if given.ssh else run_here(collectors)
    except (ConnectError, ConnectionLost) as error:
        print(f"not recorded: {error}", file=sys.stderr)
        return 1
    path = recordings().get(given.distribution, FOLDERS[0] / f"{given.distribution}.txt")
    recorded = parse_recording(path.read_bytes()) if path.exists() else []
    path.write_bytes(format_recording(update(recorded, new)))
    print(f"{path.relative_to(ROOT)}: {len(new)} of {len(collectors)} collectors recorded")
    print("Before you commit: replace host names, addresses, MAC addresses, serial numbers and keys.")
    return 0 if len(new) == len(collectors) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
