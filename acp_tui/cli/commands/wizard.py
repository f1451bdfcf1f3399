"""The command `wizard`, which is also the default: open the wizard."""

from argparse import Namespace

from acp_tui.cli.options import Subparsers, add_command, add_plan
from acp_tui.core.i18n import _


def register(commands: Subparsers) -> None:
    """Add this command and its options to the parser."""
    parser = add_command(commands, "wizard", run, _("open the wizard (the default command)"))
    add_plan(parser, optional=True)


def run(options: Namespace) -> int:
    """Open the wizard. Without PLAN it offers the last unfinished draft, or starts a new plan."""
    import asyncio

    from acp_tui.cli.context import need_terminal, open_plan
    from acp_tui.core.state_dir import state_home
    from acp_tui.plan.draft import new_draft

    need_terminal()
    from acp_tui.cli.actions.screen import run_app
    from screens.app import AcpApp

    if options.plan is None:
        return asyncio.run(run_app(AcpApp(state_home())))
    source = open_plan(
        options.plan, options.passphrase_file, secrets_optional=True, allow_references=options.allow_references
    )
    ask_secrets = source.bundle is not None and source.bundle.document is None
    draft = new_draft(state_home(), source.plan, source.known_hosts, ask_secrets=ask_secrets)
    plan_file = None if source.bundle else source.file  # acp-tui never writes to a bundle
    app = AcpApp(state_home(), draft=draft, plan_file=plan_file, plan_dir=source.plan_dir, warnings=source.warnings)
    return asyncio.run(run_app(app))
