"""The preflight of several nodes over real SSH on loopback: one reachable, one unreachable, one that hangs."""

import asyncio
import subprocess
import time
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import asyncssh
import pytest
from pydantic import SecretStr

from acp_tui.nodes.events import NodeEvent, NodeFinished, NodeStage
from acp_tui.nodes.facts import Facts
from acp_tui.nodes.script import Collector, build
from acp_tui.nodes.ssh.deadlines import Deadlines
from acp_tui.nodes.ssh.keys import key_line
from acp_tui.nodes.ssh.target import Target
from acp_tui.nodes.state import NodeState
from acp_tui.plan.known_hosts import KeySource, KnownHost, confirmed
from acp_tui.plan.model import Plan
from acp_tui.plan.sections.node import Node, NodeSsh, Ssh
from acp_tui.plan.sections.registry import Registry
from acp_tui.preflight import run as run_module
from acp_tui.preflight.run import (
    PreflightDone,
    PreflightEvent,
    preflight,
    probe_node,
    refresh_connectivity,
    target,
)
from tests.support.ssh_server import HOST_KEY, KNOWN

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
DEADLINES = Deadlines(tcp=2, handshake=1, login=5, session=5, script=30)
PLAN = Plan(
    ssh=Ssh(username="root", password=SecretStr("practice")),
    nodes=(Node(address="192.0.2.11"), Node(address="192.0.2.12"), Node(address="192.0.2.21", role="worker")),
)
KNOWN_HOSTS = {node.address: KNOWN for node in PLAN.nodes}


class _Server(asyncssh.SSHServer):
    def begin_auth(self, username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return password == "practice"


@asynccontextmanager
async def nodes() -> AsyncIterator[dict[str, int]]:
    """Run three nodes and yield the port of each: .11 answers, .12 has no listener, .21 accepts and sends nothing."""

    async def session(process: "asyncssh.SSHServerProcess[bytes]") -> None:
        shell = await asyncio.create_subprocess_exec(
            "/bin/sh", "-c", process.command or "", stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        output, _ = await shell.communicate(await process.stdin.read())
        process.stdout.write(output)
        process.exit(0)

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        await asyncio.sleep(0.1)
        writer.close()

    ssh = await asyncssh.listen(
        "127.0.0.1",
        0,
        server_factory=_Server,
        server_host_keys=[HOST_KEY],
        process_factory=session,
        encoding=None,
        config=None,
    )
    silent_server = await asyncio.start_server(silent, "127.0.0.1", 0)
    closed = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = closed.sockets[0].getsockname()[1]
    closed.close()
    async with ssh:
        yield {
            "192.0.2.11": ssh.get_port(),
            "192.0.2.12": port,
            "192.0.2.21": silent_server.sockets[0].getsockname()[1],
        }
    silent_server.close()


async def run(ports: dict[str, int], only_nodes: set[str] | None = None) -> list[PreflightEvent]:
    events = preflight(
        PLAN,
        known_hosts=KNOWN_HOSTS,
        address_map=lambda address, port: ("127.0.0.1", ports[address]),
        only_nodes=only_nodes,
        clock=lambda: NOW,
        deadlines=DEADLINES,
    )
    return [event async for event in events]


async def test_each_node_ends_once_and_the_report_is_last() -> None:
    async with nodes() as ports:
        started = time.monotonic()
        events = await run(ports)
        seconds = time.monotonic() - started
    results = {event.address: event for event in events if isinstance(event, NodeFinished)}
    assert sum(isinstance(event, NodeFinished) for event in events) == 3
    assert {address: result.state for address, result in results.items()} == {
        "192.0.2.11": NodeState.CHECKED,
        "192.0.2.12": NodeState.UNREACHABLE,
        "192.0.2.21": NodeState.TIMEOUT,
    }
    last = events[-1]
    assert isinstance(last, PreflightDone)
    report = last.report
    assert (report.started, report.finished, report.ready) == (NOW, NOW, False)
    assert [node.state for node in report.nodes] == [NodeState.CHECKED, NodeState.UNREACHABLE, NodeState.TIMEOUT]
    assert report.nodes[0].hostname
    assert {v.node for v in report.verdicts} >= {"192.0.2.11", "192.0.2.12", "192.0.2.21"}
    assert seconds < 15


async def test_hanging_node_does_not_delay_the_others() -> None:
    async with nodes() as ports:
        events = await run(ports)
    order = [event.address for event in events if isinstance(event, NodeFinished)]
    assert order.index("192.0.2.12") < order.index("192.0.2.21")


async def test_only_chosen_nodes_are_collected_and_evaluated() -> None:
    async with nodes() as ports:
        events = await run(ports, {"192.0.2.12"})
    assert {event.address for event in events if isinstance(event, NodeStage)} == {"192.0.2.12"}
    last = events[-1]
    assert isinstance(last, PreflightDone)
    assert [node.address for node in last.report.nodes] == ["192.0.2.12"]
    assert {v.node for v in last.report.verdicts} <= {"192.0.2.12", None}


async def test_recheck_of_a_node_compares_its_host_key() -> None:
    async with nodes() as ports:
        address_map = lambda address, port: ("127.0.0.1", ports[address])  # noqa: E731
        first = [event async for event in probe_node(PLAN, PLAN.nodes[0], KNOWN, address_map)][-1]
        assert isinstance(first, NodeFinished)
        again = [
            event async for event in probe_node(PLAN, PLAN.nodes[0], confirmed(first.host_key or ""), address_map)
        ][-1]
        other_key = confirmed(key_line(asyncssh.generate_private_key("ssh-ed25519")))
        changed = [event async for event in probe_node(PLAN, PLAN.nodes[0], other_key, address_map)][-1]
    assert isinstance(again, NodeFinished)
    assert isinstance(changed, NodeFinished)
    assert (again.state, changed.state) == (NodeState.CHECKED, NodeState.HOST_KEY_CHANGED)


async def test_closing_the_events_ends_all_collections() -> None:
    async with nodes() as ports:
        events = preflight(
            PLAN, known_hosts=KNOWN_HOSTS, address_map=lambda a, p: ("127.0.0.1", ports[a]), deadlines=DEADLINES
        )
        async for event in events:
            if isinstance(event, NodeFinished):
                break
        await asyncio.wait_for(events.aclose(), 5)
        running = [task for task in asyncio.all_tasks() if "follow" in repr(task.get_coro())]
        assert running == []


async def test_plan_without_nodes_is_evaluated() -> None:
    events = [event async for event in preflight(Plan(), known_hosts={}, clock=lambda: NOW)]
    assert [type(event) for event in events] == [PreflightDone]


@pytest.mark.parametrize(
    ("key_file", "expected"), [("id", "/plans/id"), ("/keys/id", "/keys/id"), ("~/id", str(Path.home() / "id"))]
)
def test_login_of_a_node_overrides_the_common_login(key_file: str, expected: str) -> None:
    node = Node(address="10.0.0.1", ssh=NodeSsh(username="ops", port=2222, key_file=key_file))
    login_target = target(PLAN, node, plan_dir=Path("/plans"))
    assert (login_target.username, login_target.host, login_target.port, str(login_target.key_file)) == (
        "ops",
        "10.0.0.1",
        2222,
        expected,
    )
    assert login_target.password == PLAN.ssh.password


@pytest.mark.parametrize("source", [None, KeySource.SEEN, KeySource.CONFIRMED])
async def test_registry_password_goes_only_to_a_confirmed_host(
    source: KeySource | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The script of a node contains the registry login, so that the node can test it."""
    sent: list[str] = []

    async def collect_facts(
        target: Target, known: KnownHost | None, *, deadlines: Deadlines, collectors: tuple[Collector, ...]
    ) -> AsyncIterator[NodeEvent]:
        sent.append(build(collectors, "marker"))
        yield NodeFinished(target.address, NodeState.CHECKED, Facts(target.address))

    monkeypatch.setattr(run_module, "collect_facts", collect_facts)
    registry = Registry(mode="external", address="r.example.com", username="pull", password=SecretStr("Canary-7"))
    plan = PLAN.model_copy(update={"registry": registry})
    known = {} if source is None else {node.address: KnownHost(KNOWN.keys, source) for node in PLAN.nodes}
    async for _event in preflight(plan, known_hosts=known):
        pass
    node = PLAN.nodes[0]
    async for _event in probe_node(plan, node, known.get(node.address)):
        pass
    await refresh_connectivity(plan, node, Facts(node.address), known.get(node.address))
    login = b64encode(b"pull:Canary-7").decode()
    assert len(sent) == len(PLAN.nodes) + 2
    assert [login in program for program in sent] == [source is KeySource.CONFIRMED] * len(sent)
