"""The command `render`: print the configuration that the installer receives."""

from argparse import Namespace

from acp_tui.cli.options import Subparsers, add_command, add_plan
from acp_tui.core.errors import ExitStatus
from acp_tui.core.i18n import _


def register(commands: Subparsers) -> None:
    """Add this command and its options to the parser."""
    add_plan(
        add_command(commands, "render", run, _("print the configuration that the installer receives, with its secrets"))
    )


def run(options: Namespace) -> int:
    """Print the configuration that the installer receives."""
    from acp_tui.cli.context import open_plan, print_err, print_json_text
    from acp_tui.install.config.render import render
    from acp_tui.install.config.unverified import unverified

    source = open_plan(options.plan, options.passphrase_file, allow_references=options.allow_references)
    text = render(source.plan, source.plan_dir)
    if source.plan.kubernetes.version is None:
        print_err(
            _(
                "kubernetes.version is not set, so cluster.version is empty. The install uses the newest "
                "version that the installer offers."
            )
        )
    for note in unverified(source.plan):
        print_err(_("This part of the configuration is not documented publicly: {note}").format(note=note))
    print_json_text(text.rstrip("\n"))
    return ExitStatus.DONE
