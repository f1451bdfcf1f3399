"""Find the known hosts of a plan, and read the host keys of nodes before anything is sent to them."""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path

from acp_tui.nodes.ssh.address_map import AddressMap, direct
from acp_tui.nodes.ssh.connect import read_host_key
from acp_tui.nodes.ssh.deadlines import DEADLINES, Deadlines
from acp_tui.nodes.ssh.errors import ConnectError
from acp_tui.nodes.ssh.key_sources import (
    keys_in_file,
    keys_of_this_host,
    read_openssh_known_hosts,
    resolve_known_hosts,
)
from acp_tui.plan.known_hosts import KnownHost, KnownHosts, is_confirmed
from acp_tui.plan.model import Plan
from acp_tui.plan.sections.node import Node
from acp_tui.preflight.run import target


def known_hosts_of(
    plan: Plan, plan_dir: Path, recorded: KnownHosts, address_map: AddressMap = direct
) -> dict[str, KnownHost]:
    """Return the known hosts of the nodes of `plan`.

    If the known hosts file that the plan names has a key of the node, only this file counts. Otherwise, these are the
    keys in `recorded`, and if the node is this host, also the keys of its sshd. Raises KnownHostsError if a file that
    the plan names cannot be read."""
    found = {node.address: known_host_of(plan, node, plan_dir, recorded, address_map) for node in plan.nodes}
    return {address: known for address, known in found.items() if known is not None}


def known_host_of(
    plan: Plan, node: Node, plan_dir: Path, recorded: KnownHosts, address_map: AddressMap = direct
) -> KnownHost | None:
    """Return the known host of one node, as `known_hosts_of` does; None if the node has none."""
    login = target(plan, node, address_map, plan_dir=plan_dir)
    found: KnownHost | None = None
    if name := plan.login(node).known_hosts:
        content = read_openssh_known_hosts(resolve_known_hosts(name, plan_dir))
        found = keys_in_file(content, node.address, login.port)
    return found or _with_own_keys(recorded.get(node.address), keys_of_this_host(login))


def _with_own_keys(recorded: KnownHost | None, own: KnownHost | None) -> KnownHost | None:
    """Return the known host of a node with a recorded key, if this node can be this host. `own`: its own keys."""
    if own is None or recorded is None or not recorded.confirmed:
        return own or recorded
    return replace(recorded, keys=(*recorded.keys, *own.keys))


def unconfirmed(plan: Plan, known: KnownHosts, nodes: Collection[str] | None = None, *, changes: bool) -> list[str]:
    """Return the addresses of the nodes whose host key must be confirmed first.

    `nodes`: the addresses to consider; None for all. `changes`: True if the caller changes the nodes or sends them
    something secret. If False, a login with a key file needs no confirmation."""
    return [
        node.address
        for node in plan.nodes
        if (nodes is None or node.address in nodes)
        and not is_confirmed(known.get(node.address))
        and (changes or not plan.login(node).key_file)
    ]


async def read_host_keys(
    plan: Plan,
    addresses: Collection[str],
    address_map: AddressMap = direct,
    *,
    plan_dir: Path = Path(),
    deadlines: Deadlines = DEADLINES,
) -> Mapping[str, str | ConnectError]:
    """Return the host key of each node as `type base64`, or the reason why it could not be read.

    No credential is sent to a node."""

    async def read(address: str) -> str | ConnectError:
        node = next(node for node in plan.nodes if node.address == address)
        try:
            return await read_host_key(target(plan, node, address_map, plan_dir=plan_dir), deadlines)
        except ConnectError as error:
            return error

    unique = tuple(dict.fromkeys(addresses))
    return dict(zip(unique, await asyncio.gather(*map(read, unique)), strict=True))
