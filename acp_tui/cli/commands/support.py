"""The command `support`: write an archive for the vendor's support, with secrets masked."""

import os
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from acp_tui.cli.options import Subparsers, add_allow_references, add_command, plan_metavar
from acp_tui.core.errors import ExitStatus
from acp_tui.core.i18n import _, pgettext

if TYPE_CHECKING:
    from acp_tui.cli.context import OpenedPlan
    from acp_tui.install.run.state import RunState

_ENDINGS = (".tar.gz", ".tgz")


def register(commands: Subparsers) -> None:
    """Add this command and its options to the parser."""
    parser = add_command(commands, "support", run, _("create a support archive with masked secrets"))
    parser.add_argument("file", metavar=pgettext("metavar", "FILE.tar.gz"), help=_("the archive to write"))
    parser.add_argument(
        "--run", dest="run_dir", metavar=pgettext("metavar", "DIR"), help=_("folder of the run; default: the last run")
    )
    parser.add_argument(
        "--plan",
        metavar=plan_metavar(),
        help=_("also mask the secrets of this plan, and add the plan to the archive"),
    )
    add_allow_references(parser)


def run(options: Namespace) -> int:
    """Write the archive of a run and print the command that copies it."""
    import asyncio

    from acp_tui.cli.actions.remote_status import newer_remote_install
    from acp_tui.cli.context import CommandFailed, file_failed, open_plan, print_err, print_out
    from acp_tui.core.state_dir import state_home
    from acp_tui.install.run.directory import newest_run
    from acp_tui.install.run.state import STATE_FILE, RunNotFound, status
    from acp_tui.install.support_bundle import run_secrets, write_archive
    from acp_tui.preflight.bundle import absolute

    path = Path(options.file).absolute()
    if not path.name.endswith(_ENDINGS):
        message = _("{path}: the name of the archive must end with .tar.gz or .tgz")
        raise CommandFailed(message.format(path=options.file), ExitStatus.USAGE)
    folder = Path(options.run_dir) if options.run_dir else newest_run(state_home())
    source = open_plan(options.plan, None, allow_references=options.allow_references) if options.plan else None
    plan = absolute(source.plan, source.plan_dir) if source else None
    if folder is None:
        print_err(_("This user has not started an install on this host."))
    state: RunState | None = None
    try:
        state = status(folder) if folder else None
    except RunNotFound as error:
        if options.run_dir and not (Path(options.run_dir) / STATE_FILE).exists():
            raise
        print_err(str(error))
    if (remote := newer_remote_install(state.started if state else None)) is not None:
        message = _(
            "The last install from this host ran on {address}. To collect the files of that install, run acp-tui "
            "support on that node."
        )
        print_err(message.format(address=remote.address))
    if folder is not None and not run_secrets(state, plan):
        print_err(
            _(
                "The secrets of this run are no longer stored, so acp-tui cannot recognise their values. To mask the "
                "values, add --plan PLAN."
            )
        )
    extra = dict(asyncio.run(_diagnosis(state))) if state else {}
    if source is not None:
        extra |= _last_report(source)
    try:
        made = write_archive(path, state, plan, extra, run_dir=folder)
    except OSError as error:
        raise file_failed(path, error) from error
    for name in made.files:
        print_err(f"  {name}")
    print_out(
        _("The support archive was written to {path} ({size} bytes). Its secrets are masked.").format(
            path=made.path, size=made.size
        )
    )
    print_out(
        _("To copy the archive, run this command on your own machine: {command}").format(command=copy_command(path))
    )
    return ExitStatus.DONE


def _last_report(source: "OpenedPlan") -> Mapping[str, str]:
    """Return two files, name → text: the plan without its secrets, and the last complete report of the plan."""
    from acp_tui.core.state_dir import state_home
    from acp_tui.plan.file import dump_plan
    from acp_tui.preflight.report.history import last_report_path, load_last_report
    from acp_tui.preflight.report.model import report_json

    texts = {"plan.yaml": dump_plan(source.plan)}
    if (report := load_last_report(last_report_path(state_home(), source.file))) is not None:
        texts["preflight.json"] = report_json(report)
    return texts


async def _diagnosis(state: "RunState") -> Mapping[str, str]:
    """Return the file `triage.txt` with the diagnosis of an unsuccessful install; {} if the run has no bundle."""
    from acp_tui.cli.context import print_err
    from acp_tui.install.run.state import Phase
    from acp_tui.install.verify.collect import NodeAccess
    from acp_tui.install.verify.diagnosis import diagnose_install
    from acp_tui.plan.file import PlanErrors, ReferencesRefused
    from acp_tui.preflight.bundle import BundleCorrupt, open_bundle

    if state.phase is Phase.SUCCESS or state.spec.bundle is None:
        return {}
    try:
        bundle = open_bundle(state.spec.bundle)
    except (BundleCorrupt, PlanErrors, ReferencesRefused, OSError) as error:
        return {"triage.txt": f"{error}\n"}
    print_err(_("acp-tui queries the installer node for the state of the install."))
    found = await diagnose_install(NodeAccess(bundle.plan, bundle.known_hosts, bundle.directory))
    return {"triage.txt": "\n".join((*found.observations, found.likely_cause)) + "\n"}


def copy_command(path: Path) -> str:
    """Return the scp command that copies `path`.

    In the command, this host has the address that the SSH client of the operator connected to; without an SSH session,
    it has its host name.
    """
    import platform
    import shlex

    session = os.environ.get("SSH_CONNECTION", "").split()
    host = session[2] if len(session) == 4 else platform.node()
    user = os.environ.get("USER") or "root"
    return f"scp {shlex.quote(f'{user}@[{host}]' if ':' in host else f'{user}@{host}')}:{shlex.quote(str(path))} ."
