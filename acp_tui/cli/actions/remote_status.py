"""The commands `status` and `attach` for a remote install, which this host started on the installer node."""

import asyncio
from argparse import Namespace
from datetime import datetime

from acp_tui.cli.actions.remote_install import command_errors, exit_status, follow, remote_host
from acp_tui.cli.context import CommandFailed, open_plan, print_err, print_out
from acp_tui.cli.host_keys import with_known_hosts
from acp_tui.core.errors import ExitStatus
from acp_tui.core.i18n import _
from acp_tui.core.state_dir import state_home
from acp_tui.install.remote import start_and_follow as session
from acp_tui.install.remote.last_remote import LastRemoteInstall, load_last_remote
from acp_tui.install.remote.start_and_follow import OutputFollower, RemoteOutput
from acp_tui.install.remote.upload import RemoteHost
from acp_tui.nodes.script import CollectorOutput
from acp_tui.plan.secret_mask import secret_mask


def newer_remote_install(last_start: datetime | None) -> LastRemoteInstall | None:
    """Return the last remote install from this host; None without a remote install, or if a local run is newer.

    `last_start`: start time of the last local run."""
    remote = load_last_remote(state_home())
    return remote if remote is not None and (last_start is None or remote.started > last_start) else None


def show_remote_status(remote: LastRemoteInstall, options: Namespace) -> int:
    """Run `acp-tui status` on the installer node, and print its output here. Return its exit status."""
    host = _host(remote)
    flags = [f"--{name}" for name in ("json", "look") if getattr(options, name)]

    async def query() -> tuple[RemoteOutput, CollectorOutput | None]:
        connection = await host.connect()
        try:
            return await host.read_from(connection, -1), await session.status(connection, host.folder, *flags)
        finally:
            await connection.close()

    with command_errors(host):
        output, found = asyncio.run(query())
    if found is None:
        raise CommandFailed(_("No remote install was found on the installer node."))
    if output.running:
        print_err(_("The install is running on the installer node. To follow it: acp-tui attach"))
    elif output.status is None:
        print_err(
            _("The install process on the installer node was killed. To resume the install: acp-tui install PLAN")
        )
    print_out(secret_mask(host.plan)(found.text.strip("\n")))
    return found.status


def attach_remote(remote: LastRemoteInstall, *, abort: bool) -> int:
    """Print the last lines of the remote install, then follow it to its end. Return its exit status."""
    if abort:
        message = _("The install runs on {address}. To abort it, log in to that node and run: acp-tui attach --give-up")
        raise CommandFailed(message.format(address=remote.address), ExitStatus.USAGE)
    host = _host(remote)

    async def follow_from_end() -> RemoteOutput:
        follower, mask = OutputFollower(), secret_mask(host.plan)
        for line in follower.lines(await host.read_output(-1)):
            print_err(mask(line))
        return await follow(host, follower)

    with command_errors(host):
        return exit_status(asyncio.run(follow_from_end()), remote.address)


def _host(remote: LastRemoteInstall) -> RemoteHost:
    """Return the node of the last remote install, with its login.

    Raises: `CommandFailed` if the plan no longer has this node, or if its bundle no longer has the secrets."""
    message = _("The last install from this host was started on {address}. Its plan: {plan}")
    print_err(message.format(address=remote.address, plan=remote.plan))
    source = with_known_hosts(open_plan(str(remote.plan), None))
    if remote.address not in {node.address for node in source.plan.nodes}:
        message = _("The plan {plan} no longer has the node {address}, so acp-tui cannot log in to it.")
        raise CommandFailed(message.format(plan=remote.plan, address=remote.address), ExitStatus.CHECK_FAILED)
    if remote.ended is not None and source.bundle is not None and source.bundle.document is None:
        message = _(
            "The last install ended with exit status {status}. The installer node cannot be queried, because the "
            "bundle has no secrets."
        )
        raise CommandFailed(message.format(status=remote.ended), remote.ended)
    return remote_host(source, remote.address)
