"""Check the folder and the encryption, run the preflight, and write a bundle.

The folder and the encryption are checked first, because the preflight takes minutes.
"""

import asyncio
import sys
from argparse import Namespace
from pathlib import Path

from pydantic import SecretStr

from acp_tui.cli.actions.check import run_preflight
from acp_tui.cli.context import (
    CommandFailed,
    OpenedPlan,
    ask_passphrase,
    file_failed,
    open_plan,
    passphrase_in,
    print_err,
)
from acp_tui.cli.findings import print_report
from acp_tui.cli.host_keys import confirm_host_keys, not_confirmed
from acp_tui.core.errors import ExitStatus
from acp_tui.core.gpg.encryption import Lock, ToKey, ToPassphrase, encrypt
from acp_tui.core.i18n import _, pgettext
from acp_tui.core.state_dir import state_home
from acp_tui.install.start import bundle_for
from acp_tui.package.trust import trust_warnings
from acp_tui.preflight.bundle import SecretsMode, place_for
from acp_tui.preflight.host_keys import unconfirmed
from acp_tui.preflight.report.diff import changes
from acp_tui.preflight.report.diff_text import change_lines
from acp_tui.preflight.report.history import last_report_path, load_last_report
from acp_tui.preflight.report.model import Report


def bundle(options: Namespace) -> int:
    """Run the preflight and write the bundle with its report."""
    source = open_plan(options.plan, options.passphrase_file, allow_references=options.allow_references)
    folder = Path(options.dir)
    try:
        place_for(folder)
        keep = _keep(options)
    except OSError as error:
        raise file_failed(folder, error) from error
    source = confirm_host_keys(source, accept_new=options.accept_new)
    return asyncio.run(_bundle(source, folder, keep))


def _keep(options: Namespace) -> SecretsMode:
    """Test the encryption, then return how the bundle stores the secrets. Raises: GpgFailed, CommandFailed."""
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
        raise CommandFailed(_("Cannot ask for the passphrase without a terminal. Use --passphrase-file FILE."))
    first = ask_passphrase(_("Passphrase for the secrets of the bundle: "))
    if first is None or first != ask_passphrase(_("Repeat the passphrase: ")):
        raise CommandFailed(
            _("The passphrases are empty or do not match. The bundle was not written."), ExitStatus.USAGE
        )
    return first


async def _bundle(source: OpenedPlan, folder: Path, keep: SecretsMode) -> int:
    report = await run_preflight(source)
    print_changes(source, report)
    bundle_dir = await bundle_for(source.plan, report, source.known_hosts, folder, plan_dir=source.plan_dir, keep=keep)
    for warning in trust_warnings(report.verdicts):
        print_err(warning)
    print_err(_("The bundle was written to {folder}").format(folder=bundle_dir))
    if waiting := unconfirmed(source.plan, source.known_hosts, changes=True):
        print_err(not_confirmed(waiting))
    if not report.ready:
        print_report(report, source.plan)
    return ExitStatus.DONE if report.ready else ExitStatus.CHECK_FAILED


def print_changes(source: OpenedPlan, report: Report) -> None:
    """Print the changes since the bundle was written, or, for a plan file, since its last report."""
    before = source.bundle.report if source.bundle else load_last_report(last_report_path(state_home(), source.file))
    if before is not None and (since := changes(before, report)):
        print_err(
            pgettext("changes", "Changes since {time}:").format(time=f"{since.since.astimezone():%Y-%m-%d %H:%M}")
        )
        for line in change_lines(since):
            print_err("    " + " ".join(line.split()))
