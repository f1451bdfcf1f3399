"""`status` and `attach` on the machine that an install went from: they find it on the other one."""

import asyncio
from argparse import Namespace
from datetime import datetime

from acp_tui.cli.context import CommandFailed, open_plan, say, show
from acp_tui.cli.remote_install import Listener, Way, ended, told
from acp_tui.core.errors import Exit
from acp_tui.core.i18n import _
from acp_tui.core.state_dir import state_home
from acp_tui.install.remote import session as afar
from acp_tui.install.remote.last_remote import Trail, last_trail
from acp_tui.nodes.script import Reading


def newer_trail(moment: datetime | None) -> Trail | None:
    """The last install that went from here, if no run of this machine, begun at `moment`, is newer."""
    trail = last_trail(state_home())
    return trail if trail is not None and (moment is None or trail.started > moment) else None


def show_status_there(trail: Trail, options: Namespace) -> int:
    """What `acp-tui status` says on the node; the exit status is its own."""
    way = _way(trail)
    flags = [f"--{name}" for name in ("json", "look") if getattr(options, name)]

    async def ask() -> tuple[afar.Heard, Reading | None]:
        connection = await way()
        try:
            return await way.look(connection, -1), await afar.status(connection, way.folder, *flags)
        finally:
            await connection.close()

    with told(trail.address):
        heard, found = asyncio.run(ask())
    if found is None:
        raise CommandFailed(_("Nothing is known there of an install from another machine."))
    if heard.running:
        say(_("acp-tui install is at work there; acp-tui attach follows it."))
    elif heard.status is None:
        say(_("acp-tui install was killed there; given again here, it goes on."))
    show(found.text.strip("\n"))
    return found.status


def attach_there(trail: Trail, *, give_up: bool) -> int:
    """Follow the install there from its last words on; the exit status is its own."""
    if give_up:
        words = _("The install is on {address}: log in there and give it up with acp-tui attach --give-up.")
        raise CommandFailed(words.format(address=trail.address), Exit.USAGE)
    way = _way(trail)
    said = Listener()

    async def follow() -> afar.Heard:
        said.hear(await afar.persistently(way, lambda c: way.look(c, -1), say))
        return await afar.persistently(way, lambda c: afar.hear_out(c, way.folder, said.heard, said.hear), say)

    with told(trail.address):
        return ended(asyncio.run(follow()), trail.address)


def _way(trail: Trail) -> Way:
    """CommandFailed: the plan cannot be read any more, or leads elsewhere now."""
    say(_("The last install from here went to {address}: {plan}").format(address=trail.address, plan=trail.plan))
    source = open_plan(str(trail.plan), None)
    if trail.address not in {node.address for node in source.plan.nodes}:
        raise CommandFailed(
            _("{plan} no longer names {address}.").format(plan=trail.plan, address=trail.address), Exit.NO
        )
    if trail.ended is not None and source.bundle is not None and source.bundle.document is None:
        words = _("It has ended with exit status {status}. The bundle has no secrets any more to ask the node with.")
        raise CommandFailed(words.format(status=trail.ended), trail.ended)
    return Way(source, trail.address, source.pinned())
