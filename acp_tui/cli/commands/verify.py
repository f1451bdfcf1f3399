"""The command `verify`: check one Core Package without a plan."""

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from acp_tui.cli.options import Subparsers, add_command, add_json
from acp_tui.core.errors import ExitStatus
from acp_tui.core.i18n import _, pgettext

if TYPE_CHECKING:
    from acp_tui.checks.verdict import Verdict

_PACKAGE_CHECKS = ("BND-CORE", "BND-CORE-NAME", "BND-EXT-NAME", "BND-TAR-OK", "BND-SIGN", "BND-KEY-FPR")


def register(commands: Subparsers) -> None:
    """Add this command and its options to the parser."""
    parser = add_command(commands, "verify", run, _("verify name, architecture, signature and signer of a package"))
    parser.add_argument("core", metavar=pgettext("metavar", "CORE"), help=_("file of the Core Package"))
    parser.add_argument(
        "--signature",
        metavar=pgettext("metavar", "S"),
        help=_("signature file; default: CORE.sig, else CORE.asc"),
    )
    parser.add_argument("--key", metavar=pgettext("metavar", "K"), help=_("public key file of the vendor"))
    parser.add_argument(
        "--fingerprint",
        metavar=pgettext("metavar", "F"),
        help=_("fingerprint of the trusted key; default: the vendor's known key"),
    )
    add_json(parser)


def run(options: Namespace) -> int:
    """Print the verdict of each package check."""
    import asyncio

    from acp_tui.checks.labels import outcome_label
    from acp_tui.checks.verdict import Outcome
    from acp_tui.cli.actions.package import verify_package
    from acp_tui.cli.context import CommandFailed, file_failed, print_json, print_out
    from acp_tui.cli.findings import print_parts
    from acp_tui.cli.table import columns
    from acp_tui.package.service import PackageWork
    from acp_tui.plan.model import Plan
    from acp_tui.plan.sections.package import Package

    try:
        present = Path(options.core).is_file()
    except OSError as error:
        raise file_failed(options.core, error) from error
    if not present:
        raise CommandFailed(
            _("{path} does not exist, or is not a regular file. Name the file of the Core Package.").format(
                path=options.core
            )
        )
    given = {"core_signature": options.signature, "public_key": options.key, "fingerprint": options.fingerprint}
    package = Package.model_validate({"core": options.core, **{key: value for key, value in given.items() if value}})
    found = asyncio.run(verify_package(PackageWork(Path.cwd()), Plan(package=package)))
    verdicts = [verdict for verdict in found if verdict.requirement in _PACKAGE_CHECKS]
    good = not any(verdict.blocks for verdict in verdicts)
    if options.json:
        print_json({"package": options.core, "good": good, "verdicts": [_row(verdict) for verdict in verdicts]})
    else:
        rows = [(outcome_label(verdict.outcome), verdict.requirement, verdict.observed) for verdict in verdicts]
        for verdict, line in zip(verdicts, columns(rows), strict=True):
            print_out(line)
            if verdict.blocks and verdict.remedy:
                print_parts(fix=verdict.remedy)
    if good:
        return ExitStatus.DONE
    # Without gpg, for example, nothing was checked: that is not a failed check.
    return ExitStatus.CHECK_FAILED if any(v.outcome is Outcome.FAIL for v in verdicts) else ExitStatus.COULD_NOT_RUN


def _row(verdict: "Verdict") -> dict[str, str]:
    return {
        "requirement": verdict.requirement,
        "verdict": verdict.outcome.value,
        "observed": verdict.observed,
        "remedy": verdict.remedy,
    }
