"""`status` and `attach` on the machine that an install went from: they find it on the other one."""

import asyncio
from argparse import Namespace
from datetime import datetime

from acp_tui.cli.context import CommandFailed, open_plan, print_err, print_out
from acp_tui.cli.remote_install import OutputFollower, RemoteHost, ended, told
from acp_tui.core.errors import ExitStatus
from acp_tui.core.i18n import _
from acp_tui.core.state_dir import state_home
from acp_tui.install.remote import session as afar
from acp_tui.install.remote.last_remote import LastRemoteInstall, load_last_remote
from acp_tui.nodes.script import CollectorOutput


def newer_trail(moment: datetime | None) -> LastRemoteInstall | None:
    """The last install that went from here, if no run of this machine, begun at `moment`, is newer."""
    trail = load_last_remote(state_home())
    return trail if trail is not None and (moment is None or trail.started > moment) else None


def show_status_there(trail: LastRemoteInstall, options: Namespace) -> int:
    """What `acp-tui status` says on the node; the exit status is its own."""
    way = _way(trail)
    flags = [f"--{name}" for name in ("json", "look") if getattr(options, name)]

    async def ask() -> tuple[afar.RemoteOutput, CollectorOutput | None]:
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
        print_err(_("acp-tui install is at work there; acp-tui attach follows it."))
    elif heard.status is None:
        print_err(_("acp-tui install was killed there; given again here, it goes on."))
    print_out(found.text.strip("\n"))
    return found.status


def attach_there(trail: LastRemoteInstall, *, give_up: bool) -> int:
    """Follow the install there from its last words on; the exit status is its own."""
    if give_up:
        words = _("The install is on {address}: log in there and give it up with acp-tui attach --give-up.")
        raise CommandFailed(words.format(address=trail.address), ExitStatus.USAGE)
    way = _way(trail)
    said = OutputFollower()

    async def follow() -> afar.RemoteOutput:
        said.hear(await afar.retry_connection(way, lambda c: way.look(c, -1), print_err))
        return await afar.retry_connection(
            way, lambda c: afar.follow_output(c, way.folder, said.heard, said.hear), print_err
        )

    with told(trail.address):
        return ended(asyncio.run(follow()), trail.address)


def _way(trail: LastRemoteInstall) -> RemoteHost:
    """CommandFailed: the plan cannot be read any more, or leads elsewhere now."""
    print_err(_("The last install from here went to {address}: {plan}").format(address=trail.address, plan=trail.plan))
    source = open_plan(str(trail.plan), None)
    if trail.address not in {node.address for node in source.plan.nodes}:
        raise CommandFailed(
            _("{plan} no longer names {address}.").format(plan=trail.plan, address=trail.address), ExitStatus.NO
        )
    if trail.ended is not None and source.bundle is not None and source.bundle.document is None:
        words = _("It has ended with exit status {status}. The bundle has no secrets any more to ask the node with.")
        raise CommandFailed(words.format(status=trail.ended), trail.ended)
    return RemoteHost(source, trail.address, source.pinned())
