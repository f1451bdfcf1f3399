"""The command `schema`: print the JSON Schema of the plan."""

from argparse import Namespace

from acp_tui.cli.options import Subparsers, add_command
from acp_tui.core.errors import ExitStatus
from acp_tui.core.i18n import _


def register(commands: Subparsers) -> None:
    """Add this command and its options to the parser."""
    add_command(commands, "schema", run, _("print the JSON Schema of the plan"))


def run(options: Namespace) -> int:
    """Print the JSON Schema of the plan."""
    from acp_tui.cli.context import print_json
    from acp_tui.plan.file import schema

    print_json(schema())
    return ExitStatus.DONE
