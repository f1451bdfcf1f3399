"""The command `trust`: show the host keys of the nodes, and record them after confirmation."""

from argparse import Namespace

from acp_tui.cli.options import Subparsers, add_accept_new, add_command, add_json, add_node, add_plan
from acp_tui.core.i18n import _


def register(commands: Subparsers) -> None:
    """Add this command and its options to the parser."""
    parser = add_command(commands, "trust", run, _("show the host keys of the nodes, and record them once confirmed"))
    add_plan(parser)
    add_node(parser)
    add_accept_new(parser)
    add_json(parser)


def run(options: Namespace) -> int:
    """Show the host keys, ask for confirmation and record them."""
    from acp_tui.cli.actions.trust import trust

    return trust(options)
