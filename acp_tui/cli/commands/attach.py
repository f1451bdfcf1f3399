"""The command `attach`: follow the running or last install, or abort it."""

from argparse import Namespace

from acp_tui.cli.options import Subparsers, add_command
from acp_tui.core.i18n import _


def register(commands: Subparsers) -> None:
    """Add this command and its options to the parser."""
    parser = add_command(commands, "attach", run, _("follow the running or last install"))
    parser.add_argument(
        "--give-up", action="store_true", help=_("abort the running install, after two confirmations on a terminal")
    )


def run(options: Namespace) -> int:
    """Follow the install to its end."""
    from acp_tui.cli.actions.install_status import attach

    return attach(options)
