"""The command `install`: install the cluster and verify it, or resume an unfinished install."""

from argparse import Namespace

from acp_tui.cli.options import Subparsers, add_accept_new, add_command, add_plan
from acp_tui.core.i18n import _


def register(commands: Subparsers) -> None:
    """Add this command and its options to the parser."""
    parser = add_command(commands, "install", run, _("install and verify the cluster; run it again to resume"))
    add_plan(parser)
    add_accept_new(parser)
    parser.add_argument(
        "--again", action="store_true", help=_("start a new install after a failed one, without confirmation")
    )
    parser.add_argument(
        "--despite-changes",
        action="store_true",
        help=_("submit the configuration to the installer even if the nodes have changed since the preflight"),
    )
    parser.add_argument(
        "--accept-listener",
        action="store_true",
        help=_("submit the configuration to the listener that acp-tui reported, although root does not own it"),
    )
    parser.add_argument(
        "--reached",
        choices=("yes", "no"),
        help=_('answer to "Did the installer receive the configuration?"; "no" sends the configuration again'),
    )


def run(options: Namespace) -> int:
    """Run the install to its end, on this host or on the installer node."""
    from acp_tui.cli.actions.install import install

    return install(options)
