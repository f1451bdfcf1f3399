"""The bundle as a command: where it goes and what becomes of its secrets is settled before the nodes are asked."""

import asyncio
import sys
from argparse import Namespace
from pathlib import Path

from pydantic import SecretStr

from acp_tui.cli.check import run_preflight, show_report
from acp_tui.cli.context import CommandFailed, OpenedPlan, ask_passphrase, open_plan, passphrase_in, print_err
from acp_tui.core.errors import ExitStatus
from acp_tui.core.gpg.encryption import Lock, ToKey, ToPassphrase, encrypt
from acp_tui.core.i18n import _
from acp_tui.core.state_dir import state_home
from acp_tui.install.start import bundle_for
from acp_tui.preflight.bundle import SecretsMode, place_for
from acp_tui.preflight.report.diff import changes
from acp_tui.preflight.report.diff_text import change_lines
from acp_tui.preflight.report.history import last_report_path, load_last_report
from acp_tui.preflight.report.model import Report


def bundle(options: Namespace) -> int:
    """Preflight, then the bundle with its report."""
    source = open_plan(options.plan, options.passphrase_file)
    folder = Path(options.dir)
    try:
        place_for(folder)
        keep = _keep(options)
    except OSError as error:
        raise CommandFailed(_("{path}: {why}").format(path=folder, why=error.strerror or error)) from error
    return asyncio.run(_bundle(source, folder, keep))


def _keep(options: Namespace) -> SecretsMode:
    """What becomes of the secrets, tried before the nodes are asked. Raises GpgFailed, `CommandFailed`."""
    if options.no_secrets:
        return "left-out"
    if options.encrypt_to:
        keep: Lock = ToKey(options.encrypt_to)
    elif options.passphrase_file:
        keep = ToPassphrase(passphrase_in(options.passphrase_file))
    elif options.encrypt:
        keep = ToPassphrase(_new_passphrase())
    else:
        return "plain"
    encrypt(b"", keep)
    return keep


def _new_passphrase() -> SecretStr:
    if not sys.stdin.isatty():
        raise CommandFailed(_("There is no terminal to ask for the passphrase on; --passphrase-file FILE names one."))
    first = ask_passphrase(_("Passphrase for the secrets of the bundle: "))
    if first is None or first != ask_passphrase(_("The same once more: ")):
        raise CommandFailed(_("Nothing was typed, or not the same twice; nothing was written."), ExitStatus.USAGE)
    return first


async def _bundle(source: OpenedPlan, folder: Path, keep: SecretsMode) -> int:
    report = await run_preflight(source)
    tell_changes(source, report)
    keys = await asyncio.to_thread(source.pinned)
    place = await bundle_for(source.plan, report, keys, folder, base=source.base, keep=keep)
    print_err(_("Bundle written to {folder}").format(folder=place))
    if not report.ready:
        show_report(report)
    return ExitStatus.DONE if report.ready else ExitStatus.CHECK_FAILED


def tell_changes(source: OpenedPlan, report: Report) -> None:
    """What is different since the bundle was made, or since this plan was last checked."""
    before = source.bundle.report if source.bundle else load_last_report(last_report_path(state_home(), source.file))
    if before is not None and (since := changes(before, report)):
        print_err(_("Since {moment}:").format(moment=f"{since.since.astimezone():%Y-%m-%d %H:%M}"))
        for line in change_lines(since):
            print_err("    " + " ".join(line.split()))
