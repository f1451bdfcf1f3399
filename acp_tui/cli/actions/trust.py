"""Show the host keys of all nodes, and record new or changed ones after confirmation. No credential is sent."""

import asyncio
from argparse import Namespace
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from acp_tui.cli.actions.check import require_known
from acp_tui.cli.context import CommandFailed, OpenedPlan, confirm, open_plan, print_err, print_json, print_out
from acp_tui.cli.host_keys import not_confirmed, with_known_hosts
from acp_tui.cli.table import columns
from acp_tui.core.errors import ExitStatus
from acp_tui.core.i18n import NC_, _, ngettext, pgettext
from acp_tui.nodes.ssh.errors import ConnectError
from acp_tui.plan.known_hosts import KeySource, fingerprint, key_type
from acp_tui.preflight.host_keys import read_host_keys


class KeyState(StrEnum):
    """The state of the host key of a node. The values are in the JSON output."""

    KNOWN = "known"
    """The plan's known hosts file, a bundle or this host's own key files have the key."""
    CONFIRMED = "confirmed"
    NEW = "new"
    """The key is not recorded, or was only seen."""
    CHANGED = "changed"
    UNREACHABLE = "unreachable"


_LABELS: Mapping[KeyState, str] = {
    KeyState.KNOWN: NC_("host key", "known"),
    KeyState.CONFIRMED: NC_("host key", "confirmed"),
    KeyState.NEW: NC_("host key", "new"),
    KeyState.CHANGED: NC_("host key", "changed"),
    KeyState.UNREACHABLE: NC_("host key", "not read"),
}


@dataclass(frozen=True)
class NodeKey:
    """The host key that a node sent, and its state. `detail`: the reason if the key could not be read."""

    address: str
    state: KeyState
    key: str = ""
    detail: str = ""
    known: tuple[str, ...] = ()
    """The fingerprints of the known keys, if the key has changed."""

    def to_json(self) -> dict[str, object]:
        """Return the item of this node in the JSON output."""
        return {
            "address": self.address,
            "state": self.state.value,
            "type": key_type(self.key) if self.key else None,
            "fingerprint": fingerprint(self.key) if self.key else None,
            "known": list(self.known),
            "detail": self.detail,
        }


def trust(options: Namespace) -> int:
    """Show the host key of each node. Record the new ones after one question, each changed one after its own."""
    opened = open_plan(options.plan, options.passphrase_file, allow_references=options.allow_references)
    source = with_known_hosts(opened)
    if not source.plan.nodes:
        raise CommandFailed(_("The plan has no nodes. Add them to the plan."), ExitStatus.CHECK_FAILED)
    require_known(source.plan, options.node or (), ())
    addresses = [n.address for n in source.plan.nodes if not options.node or n.address in options.node]
    found = _read(source, addresses)
    if not options.json:
        _print(found)
    source = _record(source, found, accept_new=options.accept_new)
    final = [_node_key(source, one.address, one.key, one.detail) for one in found]
    if options.json:
        print_json([one.to_json() for one in final])
    if all(one.state is KeyState.UNREACHABLE for one in final):
        return ExitStatus.COULD_NOT_RUN
    good = (KeyState.KNOWN, KeyState.CONFIRMED)
    return ExitStatus.DONE if all(one.state in good for one in final) else ExitStatus.CHECK_FAILED


def _read(source: OpenedPlan, addresses: list[str]) -> list[NodeKey]:
    found = asyncio.run(read_host_keys(source.plan, addresses, plan_dir=source.plan_dir))
    return [
        _node_key(source, address, "", key.detail) if isinstance(key, ConnectError) else _node_key(source, address, key)
        for address, key in found.items()
    ]


def _node_key(source: OpenedPlan, address: str, key: str, detail: str = "") -> NodeKey:
    """Return the host key of a node with its state. `key`: "" if it could not be read; `detail` is then the reason."""
    if not key:
        return NodeKey(address, KeyState.UNREACHABLE, detail=detail)
    known = source.known_hosts.get(address)
    if known is not None and known.is_changed(key):
        return NodeKey(address, KeyState.CHANGED, key, known=tuple(fingerprint(one) for one in known.keys))
    if known is None or not known.accepts(key):
        return NodeKey(address, KeyState.NEW, key)
    return NodeKey(address, KeyState.CONFIRMED if known.source is KeySource.CONFIRMED else KeyState.KNOWN, key)


def _print(found: list[NodeKey]) -> None:
    rows = [
        (
            one.address,
            pgettext("host key", _LABELS[one.state]),
            f"{key_type(one.key)} {fingerprint(one.key)}" if one.key else one.detail,
        )
        for one in found
    ]
    for one, line in zip(found, columns(rows), strict=True):
        print_out(line)
        for known in one.known:
            print_out("    " + _("known host key: {fingerprint}").format(fingerprint=known))


def _record(source: OpenedPlan, found: list[NodeKey], *, accept_new: bool) -> OpenedPlan:
    """Ask for the new and the changed keys, record the confirmed ones, and return the plan with them."""
    new = {one.address: one.key for one in found if one.state is KeyState.NEW}
    if new and (accept_new or confirm(_("Are the new host keys those of your nodes?"), not_confirmed(new))):
        source = source.with_confirmed(new)
        text = ngettext("{count} host key is confirmed now.", "{count} host keys are confirmed now.", len(new))
        print_err(text.format(count=len(new)))
    for one in found:
        if one.state is not KeyState.CHANGED:
            continue
        if source.known_hosts[one.address].source not in (KeySource.SEEN, KeySource.CONFIRMED):
            print_err(
                _(
                    "{address}: the known host key is not recorded by acp-tui. Correct the known hosts file, or create "
                    "the bundle again."
                ).format(address=one.address)
            )
            continue
        question = _("{address}: trust the changed host key {fingerprint}?").format(
            address=one.address, fingerprint=fingerprint(one.key)
        )
        no_terminal = _("{address}: a changed host key must be confirmed in a terminal.").format(address=one.address)
        if confirm(question, no_terminal):
            source = source.with_confirmed({one.address: one.key})
    return source
