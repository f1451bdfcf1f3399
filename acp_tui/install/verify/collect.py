"""Asking the nodes: one streamed script over SSH, or a bash of this host where it is the node and SSH is no way in."""

import asyncio
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from acp_tui.core.i18n import _
from acp_tui.install.verify.facts import Installed
from acp_tui.install.verify.queries import cluster_collectors, installed_from, module_collector, verify_collectors
from acp_tui.nodes.script import LAUNCH, Collector, CollectorOutput, Reader, build
from acp_tui.nodes.ssh.address_map import Dial, direct
from acp_tui.nodes.ssh.connection import DEADLINES, ConnectError, ConnectionLost, Deadlines, connect
from acp_tui.nodes.state import NodeState
from acp_tui.package.facts import is_local_address
from acp_tui.plan.model import Node, Plan
from acp_tui.preflight.report.model import NodeRecord
from acp_tui.preflight.run import target

_CHUNK = 65536


@dataclass(frozen=True)
class NodeAccess:
    """The ways to the plan's nodes. `pinned`: node address → known host key; `base`: where relative paths start."""

    plan: Plan
    pinned: Mapping[str, str]
    base: Path = Path()
    dial: Dial = direct
    here: Callable[[str], bool] = is_local_address
    deadlines: Deadlines = DEADLINES


@dataclass(frozen=True)
class NodeOutput:
    """What a node answered, and how far it was reached. `host_key`: the one it showed; None over no SSH."""

    readings: Mapping[str, CollectorOutput]
    state: NodeState
    detail: str = ""
    host_key: str | None = None


@dataclass(frozen=True)
class ClusterSnapshot:
    """The cluster as it was found, the control planes that were asked, and the host keys they showed."""

    installed: Installed
    nodes: tuple[NodeRecord, ...]
    host_keys: Mapping[str, str]


async def collect_cluster(access: NodeAccess) -> ClusterSnapshot:
    """Ask the first control plane; where it cannot be reached, the next one about the cluster. Changes nothing."""
    release = access.plan.effective_release
    asked: list[NodeRecord] = []
    keys: dict[str, str] = {}
    first: Installed | None = None
    for node in access.plan.control_planes:
        said = await query_node(access, node, verify_collectors(release) if first is None else _of_cluster(release))
        asked.append(NodeRecord(node.address, None, node.role, said.state, detail=said.detail))
        if said.host_key:
            keys[node.address] = said.host_key
        installed = installed_from(said.readings, said.detail or _("the node did not answer this"))
        if first is not None:  # what is left on the installer's node, only that node can tell
            missing = {**installed.missing, **{name: first.missing[name] for name in ("left_over", "console")}}
            installed = replace(installed, missing=missing)
        if said.state is NodeState.CHECKED:
            return ClusterSnapshot(installed, tuple(asked), keys)
        first = first or installed
    why = _("the plan has no control plane node")
    return ClusterSnapshot(first or installed_from({}, why), tuple(asked), keys)


def _of_cluster(release: str) -> tuple[Collector, ...]:
    return (*cluster_collectors(), *((module_collector(),) if release >= "4.3" else ()))


async def query_node(access: NodeAccess, node: Node, snippets: Sequence[Collector]) -> NodeOutput:
    """Ask one node, as root where sudo asks no password. Never raises for what a node does."""
    marker = secrets.token_hex(12)
    program = build(snippets, marker)
    login = access.plan.login(node)
    said: NodeOutput | None = None
    if login.password is not None or login.key_file:
        said = await _over_ssh(access, node, program, marker)
        if said.state is NodeState.CHECKED:
            return said
    if await asyncio.to_thread(access.here, node.address):
        return await _on_this_host(access, program, marker)
    missing = _("the plan gives no password and no key for this node, and it is not this host")
    return said or NodeOutput({}, NodeState.AUTH_FAILED, missing)


async def _over_ssh(access: NodeAccess, node: Node, program: str, marker: str) -> NodeOutput:
    readings: dict[str, CollectorOutput] = {}
    state, detail = NodeState.CHECKED, ""
    where = target(access.plan, node, access.dial, base=access.base)
    try:
        connection = await connect(where, access.pinned.get(node.address), _unheard, access.deadlines)
    except ConnectError as error:
        return NodeOutput({}, error.state, error.detail, error.host_key)
    try:
        reader = Reader(marker)
        async with (
            asyncio.timeout(access.deadlines.script),
            aclosing(connection.run(LAUNCH, program, _unheard, access.deadlines.session)) as answer,
        ):
            async for chunk in answer:
                readings |= {reading.name: reading for reading in reader.feed(chunk)}
        if not readings:
            state, detail = NodeState.AUTH_FAILED, connection.complaint or _("the node ran no bash")
    except ConnectError as error:
        state, detail = error.state, error.detail
    except ConnectionLost as error:
        state, detail = NodeState.LOST, str(error)
    except TimeoutError:
        state = NodeState.TIMEOUT
        detail = _("the node did not finish within {seconds:g} s").format(seconds=access.deadlines.script)
    finally:
        await connection.close()
    return NodeOutput(readings, state, detail, connection.host_key)


async def _on_this_host(access: NodeAccess, program: str, marker: str) -> NodeOutput:
    process = await asyncio.create_subprocess_exec(
        "/bin/sh",
        "-c",
        LAUNCH,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    readings: dict[str, CollectorOutput] = {}
    try:
        assert process.stdin is not None
        assert process.stdout is not None
        reader = Reader(marker)
        async with asyncio.timeout(access.deadlines.script):
            with suppress(BrokenPipeError, ConnectionResetError):
                process.stdin.write(program.encode())
                await process.stdin.drain()
                process.stdin.close()
            while chunk := await process.stdout.read(_CHUNK):
                readings |= {reading.name: reading for reading in reader.feed(chunk)}
    except TimeoutError:
        detail = _("the node did not finish within {seconds:g} s").format(seconds=access.deadlines.script)
        return NodeOutput(readings, NodeState.TIMEOUT, detail)
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
        await process.wait()
    return NodeOutput(
        readings, NodeState.CHECKED if readings else NodeState.LOST, "" if readings else _("bash did not run")
    )


def _unheard(stage: str) -> None:
    """Stages of a connection that nobody waits for."""
