"""Show the new host keys of the nodes, and ask the operator to confirm them before anything is sent to a node."""

import asyncio
import sys
from collections.abc import Collection, Mapping
from dataclasses import replace

from acp_tui.cli.context import CommandFailed, OpenedPlan, confirm, print_err
from acp_tui.core.errors import ExitStatus
from acp_tui.core.i18n import _, ngettext
from acp_tui.plan.known_hosts import PRINT_FINGERPRINTS, KeySource, fingerprint, key_type
from acp_tui.preflight.host_keys import known_hosts_of, read_host_keys, unconfirmed


def with_known_hosts(source: OpenedPlan) -> OpenedPlan:
    """Return the plan with the known hosts from all sources. Raises: KnownHostsError."""
    return replace(source, known_hosts=known_hosts_of(source.plan, source.plan_dir, source.known_hosts))


def confirm_host_keys(
    source: OpenedPlan, *, accept_new: bool, nodes: Collection[str] | None = None, changes: bool = False
) -> OpenedPlan:
    """Return the plan with the known hosts from all sources. Ask about new host keys, and record the confirmed ones.

    Nodes whose key is known need no question. `accept_new`: accept all new keys without a question. `nodes`: the
    addresses to consider; None for all. `changes`: the command changes the nodes or sends them something secret.
    Without a terminal and without `accept_new` no key is confirmed. Raises: CommandFailed if `changes`, and a node
    that responds still has an unconfirmed key; KnownHostsError."""
    source = with_known_hosts(source)
    waiting = unconfirmed(source.plan, source.known_hosts, nodes, changes=changes or accept_new)
    waiting += [  # the sshd of this host can have a key in another file
        address
        for address, known in source.known_hosts.items()
        if known.source is KeySource.THIS_HOST and (not nodes or address in nodes)
    ]
    if not waiting:
        return source
    found = asyncio.run(read_host_keys(source.plan, waiting, plan_dir=source.plan_dir))
    keys = {address: key for address, key in found.items() if isinstance(key, str) and _is_new(source, address, key)}
    if not keys:
        return source
    for line in _lines(keys):
        print_err(line)
    if accept_new or (sys.stdin.isatty() and confirm(_("Are these your nodes?"), "")):
        return source.with_confirmed(keys)
    if changes:
        raise CommandFailed(not_confirmed(keys), ExitStatus.CHECK_FAILED)
    print_err(not_confirmed(keys))
    return source


def not_confirmed(addresses: Collection[str]) -> str:
    """Return the message for nodes whose host key is not confirmed, with the way out."""
    return _(
        "The host keys of these nodes are not confirmed: {nodes}. No password is sent to them. Compare and confirm the "
        "keys with acp-tui trust PLAN, name a known hosts file in the plan (ssh.known_hosts), or add --accept-new."
    ).format(nodes=", ".join(addresses))


def _is_new(source: OpenedPlan, address: str, key: str) -> bool:
    """Return True if `key` may be confirmed. A key that differs from the recorded one is a change, not a new key."""
    known = source.known_hosts.get(address)
    return known is None or not (known.accepts(key) or known.is_changed(key))


def _lines(keys: Mapping[str, str]) -> list[str]:
    """Return the new host keys as lines for the operator."""
    width = max(map(len, keys))
    title = ngettext(
        "First connection to {count} node. Compare its host key with the console of the node:",
        "First connection to {count} nodes. Compare their host keys with the consoles of the nodes:",
        len(keys),
    ).format(count=len(keys))
    lines = [f"  {address:<{width}}  {key_type(key)} {fingerprint(key)}" for address, key in keys.items()]
    command = _("A node prints its fingerprints with: {command}").format(command=PRINT_FINGERPRINTS)
    return [title, *lines, command]
