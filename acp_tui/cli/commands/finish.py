"""The command `finish`: verify the installed cluster and list the remaining steps."""

from argparse import Namespace

from acp_tui.cli.options import Subparsers, add_accept_new, add_command, add_json, add_plan, add_yes
from acp_tui.core.i18n import _, pgettext


def register(commands: Subparsers) -> None:
    """Add this command and its options to the parser."""
    parser = add_command(commands, "finish", run, _("verify the installed cluster and list the remaining steps"))
    add_plan(parser)
    add_accept_new(parser)
    parser.add_argument(
        "--wait",
        metavar=pgettext("metavar", "MINUTES"),
        type=int,
        help=_("repeat the checks until all pass, for at most this number of minutes; default: check once"),
    )
    parser.add_argument("--clean-up", action="store_true", help=_("remove a leftover installer, after confirmation"))
    add_yes(parser, _("skip the confirmation of --clean-up"))
    add_json(parser)


def run(options: Namespace) -> int:
    """Verify the cluster and, with --clean-up, remove the installer."""
    from acp_tui.cli.actions.finish import finish

    return finish(options)
