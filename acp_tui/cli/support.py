"""An archive for whoever helps, as a command: support."""

import asyncio
import os
import platform
import shlex
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path

from acp_tui.cli.context import CommandFailed, OpenedPlan, open_plan, print_err, print_out
from acp_tui.cli.remote_status import newer_remote_install
from acp_tui.core.errors import ExitStatus
from acp_tui.core.i18n import _
from acp_tui.core.state_dir import state_home
from acp_tui.install.run.directory import newest_run
from acp_tui.install.run.state import STATE_FILE, Phase, RunNotFound, RunState, status
from acp_tui.install.support_bundle import run_secrets, write_archive
from acp_tui.install.verify.collect import NodeAccess
from acp_tui.install.verify.triage import triage
from acp_tui.plan.file import PlanErrors, dump_plan
from acp_tui.preflight.bundle import BundleCorrupt, absolute, open_bundle
from acp_tui.preflight.report.history import last_report_path, load_last_report
from acp_tui.preflight.report.model import report_json

_ENDINGS = (".tar.gz", ".tgz")


def support(options: Namespace) -> int:
    """Write the archive of the last run, or the one named, and say how to copy it off."""
    path = Path(options.file).absolute()
    if not path.name.endswith(_ENDINGS):
        raise CommandFailed(_("{path}: name it with the ending .tar.gz").format(path=options.file), ExitStatus.USAGE)
    run = Path(options.run_dir) if options.run_dir else newest_run(state_home())
    source = open_plan(options.plan, None) if options.plan else None
    plan = absolute(source.plan, source.base) if source else None
    if run is None:
        print_err(_("No install has been started by this user on this host."))
    state: RunState | None = None
    try:
        state = status(run) if run else None
    except RunNotFound as error:
        if options.run_dir and not (Path(options.run_dir) / STATE_FILE).exists():
            raise CommandFailed(str(error)) from error
        print_err(str(error))
    if (trail := newer_remote_install(state.started if state else None)) is not None:
        words = _("The last install from here went to {address}; what it wrote is there: run acp-tui support there.")
        print_err(words.format(address=trail.address))
    if run is not None and not run_secrets(state, plan):
        print_err(
            _("No secret of this run is known here any more: with --plan PLAN those of the plan are masked by value.")
        )
    extra = dict(asyncio.run(_looked(state))) if state else {}
    if source is not None:
        extra |= _last_report(source)
    try:
        made = write_archive(path, state, plan, extra, run_dir=run)
    except OSError as error:
        raise CommandFailed(_("{path}: {why}").format(path=path, why=error.strerror or error)) from error
    for name in made.files:
        print_err(f"  {name}")
    print_out(_("Written to {path} ({size} bytes), secrets masked.").format(path=made.path, size=made.size))
    print_out(_("To copy it off, on your own machine: {command}").format(command=copy_command(path)))
    return ExitStatus.DONE


def _last_report(source: OpenedPlan) -> Mapping[str, str]:
    """The plan without its secrets, and what the last whole preflight of it found."""
    texts = {"plan.yaml": dump_plan(source.plan)}
    if (report := load_last_report(last_report_path(state_home(), source.file))) is not None:
        texts["preflight.json"] = report_json(report)
    return texts


async def _looked(state: RunState) -> Mapping[str, str]:
    """What the installer's node says now, where the run did not come to a good end and its bundle leads there."""
    if state.phase is Phase.SUCCESS or state.spec.bundle is None:
        return {}
    try:
        bundle = open_bundle(state.spec.bundle)
    except (BundleCorrupt, PlanErrors, OSError) as error:
        return {"triage.txt": f"{error}\n"}
    print_err(_("Asking the installer's node how it stands."))
    found = await triage(NodeAccess(bundle.plan, bundle.known_hosts, bundle.directory))
    return {"triage.txt": "\n".join((*found.observations, found.likely_cause)) + "\n"}


def copy_command(path: Path) -> str:
    """The scp line. The host by the address the operator has come in on, else by its name."""
    words = os.environ.get("SSH_CONNECTION", "").split()
    host = words[2] if len(words) == 4 else platform.node()
    user = os.environ.get("USER") or "root"
    return f"scp {shlex.quote(f'{user}@[{host}]' if ':' in host else f'{user}@{host}')}:{shlex.quote(str(path))} ."
