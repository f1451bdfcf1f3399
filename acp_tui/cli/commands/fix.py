"""The command `fix`: show the fixes of each node and apply them after confirmation."""

from argparse import Namespace

from acp_tui.cli.options import Subparsers, add_accept_new, add_command, add_node, add_only, add_plan, add_yes
from acp_tui.core.i18n import _, pgettext


def register(commands: Subparsers) -> None:
    """Add this command and its options to the parser."""
    parser = add_command(commands, "fix", run, _("show the fixes of the nodes and apply them after confirmation"))
    add_plan(parser)
    add_accept_new(parser)
    add_node(parser)
    add_only(parser)
    parser.add_argument(
        "--hostname",
        metavar=pgettext("metavar", "A=NAME"),
        action="append",
        help=_("set the host name of node A to NAME; repeat the option for more nodes"),
    )
    parser.add_argument("--script", action="store_true", help=_("print the script of each node; change nothing"))
    add_yes(parser, _("skip the confirmation; destructive fixes must still be named with --only"))


def run(options: Namespace) -> int:
    """Show the fixes, ask for confirmation, apply them and check the changed nodes again."""
    from acp_tui.cli.actions.fix import fix_nodes

    return fix_nodes(options)
