"""The active test with temporary TCP listeners. It shows which nodes receive the connections to an address and port.

Each listener sends a random token and its port to every client, so each reply identifies its node. A client that
sends data first is a load balancer that uses the PROXY protocol, and the listener reports it. The test skips ports that
other programs use. A listener ends when its SSH connection ends, and at the latest after one minute, so no listener
stays on the node.
"""

import asyncio
import re
import secrets
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

from acp_tui.core.i18n import _, pgettext
from acp_tui.nodes.active.listener_scripts import CONNECT_SECONDS, connecting_shell, listening_program
from acp_tui.nodes.active.remote_program import RemoteProgram
from acp_tui.nodes.collect import collect_facts
from acp_tui.nodes.collectors.parsing import lines
from acp_tui.nodes.events import NodeFinished
from acp_tui.nodes.facts import Facts
from acp_tui.nodes.script import Collector, CollectorOutput
from acp_tui.nodes.ssh.deadlines import DEADLINES, Deadlines
from acp_tui.nodes.ssh.target import Target
from acp_tui.plan.known_hosts import KnownHost

_START_SECONDS = 15.0  # for all listeners to start


@dataclass(frozen=True)
class ListenerPlan:
    """The task of one node in the listener test: the ports to listen on, and the targets to connect to."""

    target: Target
    ports: tuple[int, ...] = ()
    """The ports to listen on."""
    targets: tuple[tuple[str, int, frozenset[str]], ...] = ()
    """The targets to connect to: host, port, and the plan addresses of the nodes that are allowed to reply."""
    known_host: KnownHost | None = None
    """The host keys of the node that are accepted."""


async def run_listener_test(plans: Sequence[ListenerPlan], *, deadlines: Deadlines = DEADLINES) -> Mapping[str, Facts]:
    """Open the listeners of all nodes, and connect from all nodes at the same time.

    Return plan address → `Facts` with only the results of the test. If a node is not reachable, its results are
    missing with a reason. The listeners end even after an error."""
    tokens = {plan.target.address: secrets.token_hex(12) for plan in plans}
    sessions = [_ListenerSession(plan, tokens[plan.target.address], deadlines) for plan in plans if plan.ports]
    try:
        await asyncio.gather(*(session.start() for session in sessions))
        listening = {
            session.plan.target.address: frozenset(port for port, reason in session.ports.items() if not reason)
            for session in sessions
        }
        results = await asyncio.gather(*(_connect_to_targets(plan, listening, tokens, deadlines) for plan in plans))
        for session in sessions:
            session.check_alive()
    finally:
        await asyncio.gather(*(session.stop() for session in sessions), return_exceptions=True)
    return {facts.address: _with_listeners(facts, sessions) for facts in results}


def _with_listeners(facts: Facts, sessions: Sequence["_ListenerSession"]) -> Facts:
    for session in sessions:
        if session.plan.target.address == facts.address:
            proxy_protocol_ports = frozenset(session.proxy_protocol_ports)
            return replace(facts, listener_results=session.ports, proxy_protocol_ports=proxy_protocol_ports)
    return replace(facts, listener_results={})


class _ListenerSession:
    """The listeners of one node, and the SSH connection that keeps them running."""

    def __init__(self, plan: ListenerPlan, token: str, deadlines: Deadlines) -> None:
        self.plan = plan
        self.ports: dict[int, str] = dict.fromkeys(plan.ports, _("the temporary listener on the node did not start"))
        """Port → "" if the listener works, else the reason of the failure."""
        self.proxy_protocol_ports: set[int] = set()
        self._program = RemoteProgram(
            plan.target,
            plan.known_host,
            listening_program(token, plan.ports, six=":" in plan.target.address),
            on_line=self._handle_line,
            on_failure=self._fail,
            deadlines=deadlines,
        )

    async def start(self) -> None:
        """Start the listeners. Return when every listener works or has failed."""
        await self._program.start(_START_SECONDS)

    def check_alive(self) -> None:
        """Mark all ports as failed if the node no longer sends output.

        Otherwise the checks would name a packet filter as the cause of the failed connections."""
        if not self._program.responds:
            lost = _("the node stopped responding during the listener test")
            self.ports = {port: reason or lost for port, reason in self.ports.items()}

    async def stop(self) -> None:
        await self._program.stop()

    def _fail(self, reason: str) -> None:
        self.ports = dict.fromkeys(self.ports, reason)

    def _handle_line(self, line: str) -> bool:
        """Store the content of a line. Return True if all listeners have started or cannot start."""
        keyword, _space, port = line.partition(" ")
        if keyword == "lacking":
            self._fail(_("the listener test requires python, perl or socat, but the node has none of these programs"))
        elif re.fullmatch(r"[0-9]{1,5}", port) and int(port) in self.ports:
            if keyword == "proxied":
                self.proxy_protocol_ports.add(int(port))
            else:
                self.ports[int(port)] = {"listening": "", "busy": _("the port is in use on the node")}.get(
                    keyword, self.ports[int(port)]
                )
        return keyword in ("ready", "lacking")


async def _connect_to_targets(
    plan: ListenerPlan, listening: Mapping[str, frozenset[int]], tokens: Mapping[str, str], deadlines: Deadlines
) -> Facts:
    """Connect to the targets until every expected listener has replied or `CONNECT_SECONDS` have passed."""
    address = plan.target.address
    collector = _connect_collector(plan, listening, tokens)
    if collector is None:
        return Facts(address, backends_reached={(host, port): frozenset() for host, port, _nodes in plan.targets})
    facts = Facts(address, missing={"backends_reached": pgettext("reason", "the listener test returned no result")})
    events = collect_facts(plan.target, plan.known_host, deadlines=deadlines, collectors=(collector,))
    async with aclosing(events):
        async for event in events:
            if isinstance(event, NodeFinished):
                facts = event.facts
    return facts


def _connect_collector(
    plan: ListenerPlan, listening: Mapping[str, frozenset[int]], tokens: Mapping[str, str]
) -> Collector | None:
    nodes_by_token = {token: address for address, token in tokens.items()}
    expected = {
        (host, port): sum(port in listening.get(node, frozenset()) for node in backends)
        for host, port, backends in plan.targets
    }
    targets = [(host, port, count) for (host, port), count in expected.items() if count]
    if not targets:
        return None

    def parse(output: CollectorOutput) -> Mapping[str, object]:
        reached: dict[tuple[str, int], set[str]] = {target: set() for target in expected}
        wrong_ports: dict[tuple[str, int], set[int]] = {}
        for columns in (line.split() for line in lines(output)):
            if len(columns) != 4 or not all(re.fullmatch(r"[0-9]{1,5}", columns[at]) for at in (1, 3)):
                continue
            target, node, port = (columns[0], int(columns[1])), nodes_by_token.get(columns[2]), int(columns[3])
            if node is not None and target in reached and port == target[1]:
                reached[target].add(node)
            elif node is not None and target in reached:
                wrong_ports.setdefault(target, set()).add(port)
        return {
            "backends_reached": {target: frozenset(nodes) for target, nodes in reached.items()},
            "wrong_ports_reached": {target: frozenset(ports) for target, ports in wrong_ports.items()},
        }

    fields = ("backends_reached", "wrong_ports_reached")
    return Collector("dial", fields, connecting_shell(targets), parse, timeout=CONNECT_SECONDS + 8)
