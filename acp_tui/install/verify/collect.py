"""Query nodes of the installed cluster over SSH. If SSH fails and the node is this host, query it with a local bash."""

import asyncio
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from acp_tui.core.i18n import _
from acp_tui.core.local_host import is_local_address
from acp_tui.install.verify.facts import Installed
from acp_tui.install.verify.queries import (
    installed_from,
    release_collectors,
    verify_collectors,
)
from acp_tui.nodes.script import LAUNCH, Collector, CollectorOutput, Reader, build
from acp_tui.nodes.ssh.address_map import AddressMap, direct
from acp_tui.nodes.ssh.connect import connect
from acp_tui.nodes.ssh.deadlines import DEADLINES, Deadlines
from acp_tui.nodes.ssh.errors import ConnectError, ConnectionLost
from acp_tui.nodes.state import NodeState
from acp_tui.plan.known_hosts import KnownHosts
from acp_tui.plan.model import Plan
from acp_tui.plan.secret_mask import secret_mask
from acp_tui.plan.sections.node import Node
from acp_tui.preflight.report.model import NodeRecord
from acp_tui.preflight.run import target

_CHUNK = 65536


@dataclass(frozen=True)
class NodeAccess:
    """The data for connections to the nodes of a plan.

    `plan_dir`: the folder that relative paths of the plan start from."""

    plan: Plan
    known_hosts: KnownHosts
    plan_dir: Path = Path()
    address_map: AddressMap = direct
    is_local: Callable[[str], bool] = is_local_address
    deadlines: Deadlines = DEADLINES


@dataclass(frozen=True)
class NodeOutput:
    """The output of a query. `host_key`: the host key that the node presented; None if SSH was not used."""

    readings: Mapping[str, CollectorOutput]
    state: NodeState
    detail: str = ""
    host_key: str | None = None


@dataclass(frozen=True)
class ClusterSnapshot:
    """The state of the cluster, the control plane nodes that were queried, and their host keys."""

    installed: Installed
    nodes: tuple[NodeRecord, ...]
    host_keys: Mapping[str, str]


async def collect_cluster(access: NodeAccess) -> ClusterSnapshot:
    """Query the cluster on the first control plane node; if this fails, on the next one. Nothing is changed."""
    release = access.plan.effective_release
    queried: list[NodeRecord] = []
    keys: dict[str, str] = {}
    first: Installed | None = None
    for node in access.plan.control_planes:
        output = await query_node(
            access, node, verify_collectors(release) if first is None else release_collectors(release)
        )
        queried.append(NodeRecord(node.address, None, node.role, output.state, detail=output.detail))
        if output.host_key:
            keys[node.address] = output.host_key
        installed = installed_from(output.readings, output.detail or _("the query of the node returned no output"))
        if first is not None:  # only the installer node has these values
            missing = {**installed.missing, **{name: first.missing[name] for name in ("left_over", "console")}}
            installed = replace(installed, missing=missing)
        if output.state is NodeState.CHECKED:
            return ClusterSnapshot(installed, tuple(queried), keys)
        first = first or installed
    reason = _("the plan has no control plane node")
    return ClusterSnapshot(first or installed_from({}, reason), tuple(queried), keys)


async def query_node(
    access: NodeAccess, node: Node, snippets: Sequence[Collector], *, changes: bool = False
) -> NodeOutput:
    """Run collectors on one node, as root if sudo needs no password. Errors of the node are returned, not raised.

    `changes`: the collectors change the node, so its host key must be confirmed."""
    output = await _query(access, node, snippets, changes=changes)
    return replace(output, detail=secret_mask(access.plan)(output.detail))


async def _query(access: NodeAccess, node: Node, snippets: Sequence[Collector], *, changes: bool) -> NodeOutput:
    marker = secrets.token_hex(12)
    program = build(snippets, marker)
    login = access.plan.login(node)
    output: NodeOutput | None = None
    if login.password is not None or login.key_file:
        output = await _over_ssh(access, node, program, marker, changes=changes)
        if output.state is NodeState.CHECKED:
            return output
    if await asyncio.to_thread(access.is_local, node.address):
        return await _on_this_host(access, program, marker)
    missing = _("the plan has no password and no key for the node, and the node is not this host")
    return output or NodeOutput({}, NodeState.AUTH_FAILED, missing)


async def _over_ssh(access: NodeAccess, node: Node, program: str, marker: str, *, changes: bool) -> NodeOutput:
    readings: dict[str, CollectorOutput] = {}
    state, detail = NodeState.CHECKED, ""
    where = target(access.plan, node, access.address_map, plan_dir=access.plan_dir)
    try:
        known = access.known_hosts.get(node.address)
        connection = await connect(where, known, _ignore_stage, access.deadlines, changes=changes)
    except ConnectError as error:
        return NodeOutput({}, error.state, error.detail, error.host_key)
    try:
        reader = Reader(marker)
        async with (
            asyncio.timeout(access.deadlines.script),
            aclosing(connection.run(LAUNCH, program, _ignore_stage, access.deadlines.session)) as answer,
        ):
            async for chunk in answer:
                readings |= {reading.name: reading for reading in reader.feed(chunk)}
        if not readings:
            state, detail = NodeState.AUTH_FAILED, connection.stderr or _("the node did not run bash")
    except ConnectError as error:
        state, detail = error.state, error.detail
    except ConnectionLost as error:
        state, detail = NodeState.LOST, str(error)
    except TimeoutError:
        state = NodeState.TIMEOUT
        detail = _("the query of the node did not finish within {seconds:g} s").format(seconds=access.deadlines.script)
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
        detail = _("the query of the node did not finish within {seconds:g} s").format(seconds=access.deadlines.script)
        return NodeOutput(readings, NodeState.TIMEOUT, detail)
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
        await process.wait()
    return NodeOutput(
        readings,
        NodeState.CHECKED if readings else NodeState.LOST,
        "" if readings else _("bash did not run on this host"),
    )


def _ignore_stage(stage: str) -> None:
    """Ignore the stages that a connection reports."""
