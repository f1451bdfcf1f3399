"""The known hosts of the wizard: find them in all sources, and record the keys that were seen or confirmed."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

from acp_tui.nodes.events import NodeFinished
from acp_tui.nodes.ssh.address_map import AddressMap
from acp_tui.plan.known_hosts import (
    KnownHost,
    KnownHosts,
    confirmed,
    known_hosts_path,
    read_known_hosts,
    with_seen,
    write_known_hosts,
)
from acp_tui.plan.model import Plan
from acp_tui.plan.sections.node import Node
from screens.session.interface import SessionPort


class KnownHostsRecord:
    """The known hosts that the draft has recorded.

    If the wizard was opened with `plan_file`, confirmed keys are also recorded for the commands with this plan file.
    Relative paths of the plan are resolved from `plan_dir`."""

    def __init__(self, session: SessionPort, address_map: AddressMap, plan_dir: Path, plan_file: Path | None) -> None:
        self.declined: set[tuple[str, str]] = set()
        """Node address and host key of each key that the operator did not confirm."""
        self._session = session
        self._address_map = address_map
        self._plan_dir = plan_dir
        self._plan_file = plan_file
        self._unsaved: KnownHosts = {}
        """The confirmed keys that the known hosts file of the plan file does not have yet."""

    async def find(self, plan: Plan, node: Node) -> KnownHost | None:
        """Return the known host of a node from all sources. Raises KnownHostsError if a file cannot be read."""
        from acp_tui.preflight.host_keys import known_host_of  # the import of the SSH modules is slow

        recorded = self._session.draft.known_hosts
        return await asyncio.to_thread(known_host_of, plan, node, self._plan_dir, recorded, self._address_map)

    def seen(self, event: NodeFinished) -> KnownHost | None:
        """Record the new host key of a node that was read with a key file. Return the known host of the node."""
        if event.accepted_host_key:
            seen = {event.address: event.accepted_host_key}
            self._session.save_known_hosts(with_seen(self._session.draft.known_hosts, seen))
        return self._session.draft.known_hosts.get(event.address)

    def confirm(self, keys: Mapping[str, str]) -> None:
        """Record host keys as confirmed by the operator. `keys`: node address → key as `type base64`."""
        known = {address: confirmed(key) for address, key in keys.items()}
        self._unsaved = {**self._unsaved, **known}
        self._session.save_known_hosts({**self._session.draft.known_hosts, **known})

    def decline(self, keys: Mapping[str, str]) -> None:
        """Store that the operator did not confirm these keys, so that the wizard does not ask again by itself."""
        self.declined |= set(keys.items())

    async def save_for_commands(self) -> None:
        """Add the confirmed keys to the known hosts file of the plan file. A later call retries after OSError."""
        keys = self._unsaved
        if keys and self._plan_file is not None:
            home = self._session.draft.folder.parent.parent
            await asyncio.to_thread(_add, known_hosts_path(home, self._plan_file), keys)
        self._unsaved = {address: host for address, host in self._unsaved.items() if keys.get(address) is not host}


def _add(path: Path, known: KnownHosts) -> None:
    write_known_hosts(path, {**read_known_hosts(path), **known})
