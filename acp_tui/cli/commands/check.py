"""The command `check`: run the preflight and print the report."""

from argparse import Namespace

from acp_tui.cli.options import (
    Subparsers,
    add_accept_new,
    add_command,
    add_json,
    add_node,
    add_only,
    add_plan,
    file_metavar,
)
from acp_tui.core.i18n import _, pgettext

_ACTIVE_TESTS = ("load-balancer", "paths", "vrrp", "disk", "bandwidth")
"""The values of `ActiveTest`, copied because this module must not import the engine. A unit test fails if the
copy differs from the original.
"""


def register(commands: Subparsers) -> None:
    """Add this command and its options to the parser."""
    parser = add_command(commands, "check", run, _("run the preflight and show the changes since the last one"))
    add_plan(parser)
    add_accept_new(parser)
    add_node(parser)
    add_only(parser)
    parser.add_argument(
        "--also",
        metavar=pgettext("metavar", "NAME"),
        action="append",
        choices=_ACTIVE_TESTS,
        help=_(
            "add an active test, which opens ports or writes data on the nodes; the tests are {names}; repeat "
            "the option to add more"
        ).format(names=", ".join(_ACTIVE_TESTS)),
    )
    parser.add_argument(
        "--all", action="store_true", help=_("also list the results that follow from a finding, one line each")
    )
    parser.add_argument(
        "--record",
        metavar=file_metavar(),
        help=_("save what the nodes answered to this file, without secrets and addresses, for `acp-tui replay`"),
    )
    parser.add_argument("--html", metavar=file_metavar(), help=_("write the report to this file as an HTML page"))
    add_json(parser)


def run(options: Namespace) -> int:
    """Run the checks of the nodes, the cluster and the plan."""
    from acp_tui.cli.actions.check import check

    return check(options)
