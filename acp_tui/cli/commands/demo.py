"""The command `demo`: open the wizard on the practice cluster, or run all its steps unattended."""

from argparse import Namespace

from acp_tui.cli.options import Subparsers, add_command
from acp_tui.core.i18n import _


def register(commands: Subparsers) -> None:
    """Add this command and its options to the parser."""
    parser = add_command(commands, "demo", run, _("open the wizard on a practice cluster of simulated nodes"))
    parser.add_argument("--auto", action="store_true", help=_("run all steps unattended and print each one"))


def run(options: Namespace) -> int:
    """Start the practice cluster. Open the wizard on it, or with --auto run all steps."""
    import asyncio

    from acp_tui.cli.context import need_terminal, print_out

    if options.auto:
        from acp_tui.demo.walkthrough import walk

        return asyncio.run(walk(print_out))
    need_terminal()
    return asyncio.run(_practise())


async def _practise() -> int:
    from acp_tui.cli.actions.screen import run_app
    from acp_tui.cli.context import print_err
    from acp_tui.core.state_dir import state_home
    from acp_tui.demo.cluster import practice
    from screens.app import AcpApp

    print_err(_("PRACTICE: acp-tui starts simulated nodes, and builds and signs a practice package."))
    async with practice(state_home() / "practice") as cluster:
        app = AcpApp(cluster.state_home, plan=cluster.plan, practice=cluster, plan_dir=cluster.folder)
        return await run_app(app)
