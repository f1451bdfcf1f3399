"""The command `bundle`: run the preflight and write the bundle."""

from argparse import Namespace

from acp_tui.cli.options import Subparsers, add_accept_new, add_command, add_plan
from acp_tui.core.i18n import _, pgettext


def register(commands: Subparsers) -> None:
    """Add this command and its options to the parser."""
    help = _("write plan, secrets, configuration, report and checksums to one folder")
    parser = add_command(commands, "bundle", run, help)
    add_plan(parser)
    add_accept_new(parser)
    parser.add_argument(
        "dir", metavar=pgettext("metavar", "DIR"), help=_("folder of the bundle; an existing bundle is replaced")
    )
    secrets = parser.add_mutually_exclusive_group()
    secrets.add_argument(
        "--encrypt",
        action="store_true",
        help=_("encrypt the secrets with a passphrase, which you enter on the terminal"),
    )
    secrets.add_argument(
        "--encrypt-to",
        metavar=pgettext("metavar", "KEY"),
        help=_("encrypt the secrets to this public key: a file or a fingerprint"),
    )
    secrets.add_argument("--no-secrets", action="store_true", help=_("leave out the secrets"))


def run(options: Namespace) -> int:
    """Run the preflight and write the bundle with its report."""
    from acp_tui.cli.actions.bundle import bundle

    return bundle(options)
