"""The command `unpack`: verify the packages of a plan and extract them into the install folder."""

from argparse import Namespace

from acp_tui.cli.options import Subparsers, add_command, add_plan
from acp_tui.core.i18n import _


def register(commands: Subparsers) -> None:
    """Add this command and its options to the parser."""
    help = _("verify the packages, then extract them into the install folder")
    add_plan(add_command(commands, "unpack", run, help))


def run(options: Namespace) -> int:
    """Verify and unpack the Core Package and the Extensions Package."""
    import asyncio

    from acp_tui.cli.actions.package import unpack_packages
    from acp_tui.cli.context import open_plan
    from acp_tui.package.service import PackageWork

    source = open_plan(options.plan, options.passphrase_file, allow_references=options.allow_references)
    return asyncio.run(unpack_packages(source.plan, PackageWork(source.plan_dir)))
