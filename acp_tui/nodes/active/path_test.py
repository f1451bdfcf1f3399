"""The active test of the paths between nodes: TCP, UDP, IP-in-IP, packets of full size, and source addresses.

On each node one program, the echo, listens on all test ports, and one program sends to all other nodes. A reply names
the node that sent it and the source address that it saw. A sender repeats a packet until a reply arrives, so a line
that loses packets is not a closed path. It counts the open paths and lists only the others. An echo ends when its SSH
connection ends, and at the latest after two minutes, so no program stays on the node.
"""

import asyncio
import re
import secrets
from collections.abc import Container, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

from acp_tui.core.i18n import _, pgettext
from acp_tui.nodes.active.path_scripts import echo_program, send_seconds, sender_shell
from acp_tui.nodes.active.remote_program import RemoteProgram
from acp_tui.nodes.collect import collect_facts
from acp_tui.nodes.collectors.parsing import lines
from acp_tui.nodes.events import NodeFinished
from acp_tui.nodes.fact_types import EchoState, PathFailure, PathResult, PathTest
from acp_tui.nodes.facts import Facts
from acp_tui.nodes.script import Collector, CollectorOutput
from acp_tui.nodes.ssh.deadlines import DEADLINES, Deadlines
from acp_tui.nodes.ssh.target import Target
from acp_tui.plan.field_types import is_ip
from acp_tui.plan.known_hosts import KnownHost

_START_SECONDS = 45.0  # for all echoes to start; a login may take as long as sshd looks up names
_NUMBER = r"[0-9]{1,9}"
_OPENED = re.compile(rf"opened ([tuil]) ({_NUMBER})")
_FAILED = re.compile(
    rf"path ({'|'.join(PathResult)}) ([0-9a-fA-F.:]{{2,45}}) ([tuil][0-9]{{1,5}}(?:,[tuil][0-9]{{1,5}}){{0,99}})"
)
_SEEN = re.compile(rf"seen ([0-9a-fA-F.:]{{2,45}}) {_NUMBER} ([0-9a-fA-F.:]{{2,45}}(?:,[0-9a-fA-F.:]{{2,45}}){{0,9}})")
_LOST = re.compile(rf"lost ([0-9a-fA-F.:]{{2,45}}) ({_NUMBER}) ({_NUMBER})")


def no_program() -> str:
    """Return the text for a node on which no program can listen on UDP."""
    return _(
        "no program on the node can listen on UDP: install python3 or perl on it, run the test again, and remove the "
        "program afterwards if you do not need it"
    )


@dataclass(frozen=True)
class PathNode:
    """A node in the path test: its login, its addresses, and the specs of its test ports (see `PathFailure`)."""

    target: Target
    addresses: tuple[str, ...]
    specs: tuple[str, ...]
    known_host: KnownHost | None = None


async def run_path_test(nodes: Sequence[PathNode], *, deadlines: Deadlines = DEADLINES) -> Mapping[str, PathTest]:
    """Start the echoes of all nodes, and send from all nodes at the same time. Return plan address → results.

    The echoes end even after an error."""
    run = secrets.token_hex(8)
    echoes = [_Echo(node, run, number, deadlines) for number, node in enumerate(nodes)]
    hosts = frozenset(address for node in nodes for address in node.addresses)
    try:
        await asyncio.gather(*(echo.start() for echo in echoes))
        sent = await asyncio.gather(*(_send(echo, echoes, run, deadlines) for echo in echoes))
        for echo in echoes:
            echo.check_alive()
    finally:
        await asyncio.gather(*(echo.stop() for echo in echoes), return_exceptions=True)
    return {
        echo.node.target.address: replace(
            results, ports=echo.ports, echo_problem=echo.problem, ignores_pings=echo.ignores_pings, hosts=hosts
        )
        for echo, results in zip(echoes, sent, strict=True)
    }


class _Echo:
    """The echo of one node."""

    def __init__(self, node: PathNode, run: str, number: int, deadlines: Deadlines) -> None:
        self.node = node
        self.number = number
        self.ports: dict[str, EchoState] = {}
        self.problem = _("the test program on the node did not start")
        """The reason why the echo does not work; "" if it works."""
        self.ignores_pings = False
        self._program = RemoteProgram(
            node.target,
            node.known_host,
            echo_program(run, number, node.addresses, node.specs),
            on_line=self.handle_line,
            on_failure=self._fail,
            deadlines=deadlines,
        )

    async def start(self) -> None:
        await self._program.start(_START_SECONDS)

    async def stop(self) -> None:
        await self._program.stop()

    def check_alive(self) -> None:
        """Mark the echo as failed if the node no longer sends output. Its closed paths then prove nothing."""
        if not self.problem and not self._program.responds:
            self._fail(_("the node stopped responding during the path test"))

    def _fail(self, reason: str) -> None:
        self.problem, self.ports = reason, {}

    def handle_line(self, line: str) -> bool:
        """Store the content of a line. Return True if the echo is ready or cannot run."""
        keyword, _space, spec = line.partition(" ")
        if keyword == "lacking":
            self._fail(no_program())
        elif keyword == "noping":
            self.ignores_pings = True
        elif keyword == "ready":
            self.problem = ""
        elif keyword in frozenset(EchoState) and spec in self.node.specs:
            self.ports[spec] = EchoState(keyword)
        return keyword in ("ready", "lacking")


async def _send(echo: _Echo, echoes: Sequence[_Echo], run: str, deadlines: Deadlines) -> PathTest:
    """Send from one node to the echoes of all others. Return the results, without those of its own echo."""
    targets = {
        address: (other.number, _specs_to(other, address))
        for other in echoes
        if other is not echo and not other.problem
        for address in other.node.addresses
    }
    targets = {host: target for host, target in targets.items() if target[1]}
    if not targets:
        return PathTest()
    collector = path_collector(run, targets)
    results = PathTest(problem=pgettext("reason", "the path test returned no result"))
    node = echo.node
    async with aclosing(
        collect_facts(node.target, node.known_host, deadlines=deadlines, collectors=(collector,))
    ) as events:
        async for event in events:
            if isinstance(event, NodeFinished):
                facts: Facts = event.facts
                results = facts.path_test or PathTest(problem=facts.missing_reason("path_test"))
    return results


def _specs_to(echo: _Echo, address: str) -> tuple[str, ...]:
    """Return the specs to test at this address of a node: its open test ports, and `l` for packets of full size."""
    specs = [
        spec for spec, state in echo.ports.items() if state is EchoState.OPEN and (spec[0] != "i" or ":" not in address)
    ]
    return (*specs, *(("l",) if any(spec[0] == "u" for spec in specs) else ()))


def path_collector(run: str, targets: Mapping[str, tuple[int, tuple[str, ...]]]) -> Collector:
    """Return the collector that tests the paths to `targets`: host → node number and specs."""

    def parse(output: CollectorOutput) -> Mapping[str, object]:
        return {"path_test": _results(lines(output), targets.keys())}

    seconds = send_seconds(len(targets))
    shell = sender_shell(run, targets, seconds=seconds)
    return Collector("send", ("path_test",), shell, parse, timeout=int(seconds) + 15)


def _results(printed: Sequence[str], hosts: Container[str]) -> PathTest:
    """Parse the output of a sender. Raises ValueError: the output is not complete."""
    if "lacking" in printed:
        return PathTest(problem=no_program())
    if "done" not in printed:
        raise ValueError(_("the path test on the node ended early"))
    opened: dict[str, int] = {}
    failures: list[PathFailure] = []
    sources: dict[str, tuple[str, ...]] = {}
    lost: dict[str, tuple[int, int]] = {}
    for line in printed:
        if match := _OPENED.fullmatch(line):
            opened[match[1]] = int(match[2])
        elif (match := _FAILED.fullmatch(line)) and match[2] in hosts:
            failures += (PathFailure(match[2], spec, PathResult(match[1])) for spec in match[3].split(","))
        elif (match := _SEEN.fullmatch(line)) and is_ip(match[1]):
            sources[match[1]] = tuple(host for host in match[2].split(",") if host in hosts)
        elif (match := _LOST.fullmatch(line)) and match[1] in hosts:
            lost[match[1]] = (int(match[2]), int(match[3]))
    return PathTest(opened=opened, failures=tuple(failures), sources=sources, lost=lost)
