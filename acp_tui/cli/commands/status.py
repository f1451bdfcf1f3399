"""The command `status`: show the running or last install."""

from argparse import Namespace

from acp_tui.cli.options import Subparsers, add_command, add_json
from acp_tui.core.i18n import _


def register(commands: Subparsers) -> None:
    """Add this command and its options to the parser."""
    parser = add_command(commands, "status", run, _("show the running or last install"))
    parser.add_argument(
        "--look", action="store_true", help=_("query the installer node for the likely cause of a stalled install")
    )
    add_json(parser)


def run(options: Namespace) -> int:
    """Print the state of the install once."""
    from acp_tui.cli.actions.install_status import show_status

    return show_status(options)
