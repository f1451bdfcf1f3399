"""The command `replay`: judge a record of `check --record` offline."""

from argparse import Namespace

from acp_tui.cli.options import Subparsers, add_command, add_json, file_metavar
from acp_tui.core.i18n import _


def register(commands: Subparsers) -> None:
    """Add this command and its options to the parser."""
    parser = add_command(commands, "replay", run, _("judge the answers of nodes again that `check --record` saved"))
    parser.add_argument("record", metavar=file_metavar(), help=_("a record that `acp-tui check --record` has written"))
    parser.add_argument("--html", metavar=file_metavar(), help=_("write the report to this file as an HTML page"))
    add_json(parser)


def run(options: Namespace) -> int:
    """Run the command. Return its exit status."""
    from acp_tui.cli.actions.replay import replay

    return replay(options)
