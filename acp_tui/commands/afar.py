"""`install` on a machine that is not the installer node: all goes there, and the install is followed from here."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from acp_tui.bundle import FILES, SUMS
from acp_tui.commands.output import CommandFailed, Source, say
from acp_tui.commands.package import end_progress, tell_progress
from acp_tui.commands.preflight import run_preflight, show_report
from acp_tui.draft import state_home
from acp_tui.files import private_folder
from acp_tui.installer import afar
from acp_tui.installer.launch import AnswersMissing, LaunchFailed, bundle_for
from acp_tui.package.seen import is_local
from acp_tui.package.work import PackageWork
from acp_tui.plan import Plan
from acp_tui.preflight import target
from acp_tui.probe.sftp import Files, SendFailed, Sending
from acp_tui.probe.ssh import ConnectFailed, Connection, connect
from acp_tui.texts import _
from acp_tui.verdict import Exit, Report

_JUDGED_THERE = frozenset({"BND-INSTNODE", "BND-WORKDIR", "BND-FREE-100G"})
"""What is about the machine that unpacks: acp-tui looks at it there."""


def is_afar(plan: Plan) -> bool:
    """Whether the installer node is another machine than this one."""
    return plan.installer_node is not None and not is_local(plan.installer_node.address)


async def install_afar(source: Source, keys: Mapping[str, str], *, again: bool) -> int:
    """Check, bring package and bundle over, install there. The exit status is that of the install."""
    node = source.plan.installer_node
    assert node is not None
    login = target(source.plan, node, base=source.base)
    pinned = dict(keys)
    said = Listener()

    async def reach() -> Connection:
        connection = await connect(login, pinned.get(node.address), lambda stage: None)
        pinned[node.address] = connection.host_key
        return connection

    async def first(connection: Connection) -> tuple[str, afar.Heard]:
        folder = f"{await (await Files.of(connection)).home()}/{afar.FOLDER}"
        return folder, await afar.look(connection, folder, 0)

    try:
        folder, heard = await afar.persistently(reach, first, say)
        if heard.running:
            say(_("An install is going on on {address}; it is followed.").format(address=node.address))
        else:
            report = await _checked(source)
            if report is None:
                return Exit.NO
            there = afar.errand(source.plan, source.base, folder)
            # A fixed name: what a killed command left, secrets among it, is gone the next time.
            scratch = private_folder(state_home()) / f"errand-{node.address}"
            try:
                bundle = await bundle_for(
                    source.plan,
                    report,
                    {**source.host_keys, **pinned},
                    scratch,
                    base=source.base,
                    there=(there.plan, Path(folder)),
                )
                papers = [Sending(bundle / name, f"{folder}/{afar.BUNDLE}/{name}") for name in (*FILES, SUMS)]
                await afar.persistently(reach, lambda c: _send(c, (*there.files, *papers)), say)
            finally:
                shutil.rmtree(scratch, ignore_errors=True)
            await afar.persistently(reach, lambda c: afar.start(c, folder, again=again), say)
            say(
                _("The install runs on {address} now; this command, given again, follows it.").format(
                    address=node.address
                )
            )
        end = await afar.persistently(reach, lambda c: afar.hear_out(c, folder, said.heard, said.hear), say)
    except ConnectFailed as failed:
        raise CommandFailed(f"{node.address}: {failed.detail}") from failed
    except LaunchFailed as failed:
        raise CommandFailed(str(failed), Exit.NO if isinstance(failed, AnswersMissing) else Exit.IMPOSSIBLE) from failed
    except (SendFailed, afar.NotThere) as failed:
        raise CommandFailed(f"{node.address}: {failed}") from failed
    finally:
        end_progress()
    if end.status is None:
        raise CommandFailed(_("The install on {address} was killed; start it again.").format(address=node.address))
    return end.status


async def _checked(source: Source) -> Report | None:
    """The report, once nothing that can be seen from here blocks; None, and it is shown, when something does."""
    work = PackageWork(source.base)
    await work.verify(source.plan, tell_progress)
    end_progress()
    report = await run_preflight(source, work=work)
    kept = tuple(verdict for verdict in report.verdicts if verdict.requirement not in _JUDGED_THERE)
    report = Report(report.release, report.started, report.finished, report.nodes, kept)
    if report.ready:
        return report
    show_report(report)
    return None


async def _send(connection: Connection, files: tuple[Sending, ...]) -> None:
    there = await Files.of(connection)
    for folder in dict.fromkeys(sending.remote.rpartition("/")[0] for sending in files):
        await there.folder(folder)
    for sending in files:
        try:
            await there.send(sending, tell_progress)
        except OSError as error:
            raise SendFailed(f"{sending.local}: {error.strerror or error}") from error
        end_progress()


class Listener:
    """What the install there said, told line by line as it comes, over broken connections too."""

    def __init__(self) -> None:
        self.heard = afar.Heard(True, None)
        self._rest = ""

    def hear(self, heard: afar.Heard) -> None:
        *lines, self._rest = (self._rest + heard.text).split("\n")
        if not heard.running and not heard.text:
            lines, self._rest = [*lines, *filter(None, [self._rest])], ""
        self.heard = heard
        for line in lines:
            say(line)
