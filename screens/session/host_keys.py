"""The host keys that the operator must confirm, and what the operator's own known hosts file says about them."""

from collections.abc import Mapping
from enum import Enum, auto
from pathlib import Path

from acp_tui.nodes.state import NodeState
from acp_tui.plan.known_hosts import USER
from acp_tui.plan.model import Plan
from screens.session.node_status import NodeStatus


class InOwnFile(Enum):
    """What the operator's own known hosts file says about a host key."""

    SAME = auto()
    DIFFERENT = auto()


def keys_to_confirm(plan: Plan, statuses: Mapping[str, NodeStatus], *, changes: bool) -> dict[str, str]:
    """Return the host keys that are not confirmed: node address → key as `type base64`, in the order of the plan.

    `changes`: True if acp-tui is about to change the nodes or to send them something secret. Then the result also has
    the keys of nodes that a login with a key file has read."""
    found = {}
    for node in plan.nodes:
        status = statuses.get(node.address)
        if status is None:
            continue
        if status.asks_for_host_key:
            found[node.address] = status.host_key
        elif changes and status.known_host is not None and not status.confirmed and not _is_changed(status):
            found[node.address] = status.known_host.keys[0]
    return found


def keys_awaited(plan: Plan, statuses: Mapping[str, NodeStatus]) -> bool:
    """Return True while the check of a node can still result in a host key that the operator must confirm."""
    return any(
        (status.state is NodeState.CHECKING or not status.last_contact)
        and not status.confirmed
        and (status.known_host is None or not plan.login(node).key_file)
        for node in plan.nodes
        if (status := statuses.get(node.address)) is not None
    )


def changed_keys(plan: Plan, statuses: Mapping[str, NodeStatus]) -> tuple[str, ...]:
    """Return the addresses of the nodes whose host key has changed."""
    return tuple(
        node.address
        for node in plan.nodes
        if (status := statuses.get(node.address)) is not None and _is_changed(status) and status.host_key
    )


def _is_changed(status: NodeStatus) -> bool:
    return status.state is NodeState.HOST_KEY_CHANGED


def look_up_in_own_file(plan: Plan, keys: Mapping[str, str]) -> dict[str, InOwnFile]:
    """Return what the operator's own known hosts file says about these keys, for the nodes that it names.

    The result is empty if the file does not exist or cannot be read. The import of the SSH modules is slow, so call
    this in a thread. `keys`: node address → key as `type base64`."""
    from acp_tui.nodes.ssh.key_sources import (
        KnownHostsError,
        keys_in_file,
        read_openssh_known_hosts,
        resolve_known_hosts,
    )

    try:
        content = read_openssh_known_hosts(resolve_known_hosts(USER, Path()))
    except KnownHostsError:
        return {}
    ports = {node.address: plan.login(node).port for node in plan.nodes}
    found = {address: keys_in_file(content, address, ports.get(address, 22)) for address in keys}
    return {
        address: InOwnFile.SAME if keys[address] in known.keys else InOwnFile.DIFFERENT
        for address, known in found.items()
        if known is not None
    }
