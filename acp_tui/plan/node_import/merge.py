"""Preview the import of a list into the plan: new nodes with roles, duplicates, and the login that the nodes share.

Nodes without a role become control plane nodes until the plan has three control plane nodes. Further nodes without a
role become workers.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from acp_tui.plan.model import Plan
from acp_tui.plan.node_import.host import Host, ParsedNodes, Role, as_node
from acp_tui.plan.paths import build
from acp_tui.plan.sections.node import Node, Ssh

CONTROL_PLANES = 3
_LOGIN = ("username", "port", "password", "key_file", "key_passphrase")


@dataclass(frozen=True)
class ImportPreview:
    """The changes that an import would make to the plan."""

    imported: tuple[Node, ...]
    login: Mapping[str, object]
    """The values for the plan section `ssh` that all imported nodes share.

    The mapping is empty if the plan already has nodes or a changed section `ssh`."""
    already_in_plan: tuple[Host, ...]
    """Hosts whose addresses are already in the plan. The import does not change these nodes."""
    duplicates: tuple[Host, ...]
    """Hosts whose addresses occur earlier in the same list."""


def merge_hosts(plan: Plan, reading: ParsedNodes) -> ImportPreview:
    """Compute the changes that an import of `reading` would make. The plan itself does not change."""
    known = {node.address for node in plan.nodes}
    new: dict[str, Host] = {}
    already_in_plan, duplicates = [], []
    for host in reading.hosts:
        if host.address in known:
            already_in_plan.append(host)
        elif host.address in new:
            duplicates.append(host)
        else:
            new[host.address] = host
    login = _common(tuple(new.values())) if not plan.nodes and plan.ssh == Ssh() else {}
    planes = sum(node.role == "control-plane" for node in plan.nodes)
    planes += sum(host.role == "control-plane" for host in new.values())
    rows = []
    for host in new.values():
        role: Role = "control-plane" if planes < CONTROL_PLANES else "worker"
        planes += host.role is None and role == "control-plane"
        rows.append(_without(as_node(host, role), login))
    return ImportPreview(
        imported=build({"nodes": rows}).nodes,
        login=login,
        already_in_plan=tuple(already_in_plan),
        duplicates=tuple(duplicates),
    )


def _common(hosts: tuple[Host, ...]) -> Mapping[str, object]:
    """Return the login values that are the same for all hosts. The result is empty for fewer than two hosts."""
    if len(hosts) < 2:
        return {}
    values = {name: {getattr(host, name) for host in hosts} for name in _LOGIN}
    return {name: next(iter(choices)) for name, choices in values.items() if len(choices) == 1 and None not in choices}


def _without(row: Mapping[str, object], login: Mapping[str, object]) -> Mapping[str, object]:
    ssh = row["ssh"]
    assert isinstance(ssh, dict)
    return {**row, "ssh": {name: value for name, value in ssh.items() if name not in login}}
