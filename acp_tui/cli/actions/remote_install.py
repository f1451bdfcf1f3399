"""Remote install: start the install on the installer node from this host, and follow it."""

from collections.abc import Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import replace
from pathlib import Path

from acp_tui.cli.actions.check import PreflightOutput
from acp_tui.cli.actions.package import end_progress, print_progress
from acp_tui.cli.context import CommandFailed, OpenedPlan, print_err
from acp_tui.cli.findings import print_report
from acp_tui.core.clock import now
from acp_tui.core.errors import ExitStatus
from acp_tui.core.i18n import _
from acp_tui.core.state_dir import state_home
from acp_tui.install.install_session import InstallSession, PackageReady
from acp_tui.install.remote.last_remote import LastRemoteInstall, save_last_remote
from acp_tui.install.remote.start_and_follow import OutputFollower, RemoteInstallError, RemoteOutput
from acp_tui.install.remote.upload import ProgramCopied, RemoteHost, RemoteResume, RemoteStarted, start_remotely
from acp_tui.install.start import IncompletePlan, StartError
from acp_tui.nodes.ssh.errors import ConnectError
from acp_tui.nodes.ssh.sftp import UploadError
from acp_tui.plan.secret_mask import secret_mask


async def install_remotely(session: InstallSession, source: OpenedPlan, flags: Sequence[str]) -> int:
    """Check the nodes, upload the files to the installer node, start the install there and follow it.

    If an install already runs there, only follow it. Return the exit status of the install. `flags`: options for
    acp-tui on the installer node.
    """
    node = session.plan.installer_node
    assert node is not None
    host = remote_host(source, node.address)
    with command_errors(host):
        output = await host.read_output()
        if output.running:
            message = _("An install is already running on {address}. acp-tui follows it.")
            print_err(message.format(address=node.address))
        elif not await _start(session, source, host, flags):
            return ExitStatus.CHECK_FAILED
        remote = LastRemoteInstall(_plan_path(source), node.address, now())
        _save(remote)
        ended = await follow(host, OutputFollower())
    status = exit_status(ended, node.address)
    _save(replace(remote, ended=status))
    return status


def remote_host(source: OpenedPlan, address: str) -> RemoteHost:
    """Return the installer node `address` of the opened plan `source`, with its login."""
    return RemoteHost(source.plan, source.plan_dir, address, source.known_hosts, print_err)


async def _start(session: InstallSession, source: OpenedPlan, host: RemoteHost, flags: Sequence[str]) -> bool:
    """Start the install and return True. If the preflight has blockers, print the report and return False."""
    preflight = PreflightOutput(source)
    started = False
    # If printing fails, the generator is closed at once. It then deletes the files to upload, which have secrets.
    async with aclosing(start_remotely(session, host, flags, print_progress, end_progress)) as events:
        async for event in events:
            match event:
                case PackageReady():
                    end_progress()
                    for warning in event.warnings:
                        print_err(warning)
                case RemoteResume():
                    print_err(_("acp-tui resumes the unfinished install on {address}.").format(address=host.address))
                case ProgramCopied():
                    message = _("This version of acp-tui is not installed on {address}. It is copied now.")
                    print_err(message.format(address=host.address))
                case RemoteStarted():
                    started = True
                    message = _(
                        "The install now runs on {address}. To follow it, run acp-tui attach or this command again."
                    )
                    print_err(message.format(address=host.address))
                case _:
                    await preflight.show(event)
    if not started and preflight.report is not None:
        print_report(preflight.report, session.plan)
    return started


async def follow(host: RemoteHost, follower: OutputFollower) -> RemoteOutput:
    """Print the output of the install on the node `host` until the install ends. Return the final state."""

    mask = secret_mask(host.plan)

    def show(output: RemoteOutput) -> None:
        for line in follower.lines(output):
            print_err(mask(line))

    return await host.run(lambda c: follower.follow(c, host.folder, show))


@contextmanager
def command_errors(host: RemoteHost) -> Iterator[None]:
    """Convert errors of a remote install on `host` to `CommandFailed`, with the secrets of its plan masked."""
    address, mask = host.address, secret_mask(host.plan)
    try:
        yield
    except ConnectError as failed:
        raise CommandFailed(f"{address}: {mask(failed.detail)}") from failed
    except IncompletePlan as failed:
        raise CommandFailed(str(failed), ExitStatus.CHECK_FAILED) from failed
    except StartError as failed:
        raise CommandFailed(mask(str(failed))) from failed
    except (UploadError, RemoteInstallError) as failed:
        raise CommandFailed(f"{address}: {mask(str(failed))}") from failed
    finally:
        end_progress()


def exit_status(output: RemoteOutput, address: str) -> int:
    """Return the exit status of the install on the node. Raises: `CommandFailed` if it was killed."""
    if output.status is None:
        message = _("The install on {address} was killed. To resume it: acp-tui install PLAN")
        raise CommandFailed(message.format(address=address))
    return output.status


def _save(remote: LastRemoteInstall) -> None:
    try:
        save_last_remote(state_home(), remote)
    except OSError as error:
        message = _(
            "Cannot save the address of the remote install: {reason}. acp-tui status will not find this install."
        )
        print_err(message.format(reason=error.strerror or error))


def _plan_path(source: OpenedPlan) -> Path:
    """Return the path that was given as PLAN."""
    return (source.file.parent if source.bundle else source.file).absolute()
