"""The wizard and the practice cluster: the only commands that open a screen."""

import asyncio
import sys
from argparse import Namespace
from typing import TYPE_CHECKING

from acp_tui.cli.context import CommandFailed, open_plan, print_err, print_out
from acp_tui.core.errors import ExitStatus
from acp_tui.core.i18n import _
from acp_tui.core.state_dir import state_home
from acp_tui.plan.draft import new_draft

if TYPE_CHECKING:
    from screens.app import AcpApp


def wizard(options: Namespace) -> int:
    """The wizard; with no plan it offers the last unfinished draft, else a new one."""
    _need_terminal()
    from screens.app import AcpApp

    if options.plan is None:
        return asyncio.run(_run(AcpApp(state_home())))
    source = open_plan(options.plan, options.passphrase_file, secrets_optional=True)
    asked = source.bundle is not None and source.bundle.document is None
    draft = new_draft(state_home(), source.plan, source.host_keys, ask_secrets=asked)
    plan_file = None if source.bundle else source.file  # a bundle is never written to
    return asyncio.run(_run(AcpApp(state_home(), draft=draft, plan_file=plan_file, base=source.base)))


def demo(options: Namespace) -> int:
    """The practice cluster: in the wizard, or walked unattended."""

    if options.auto:
        from acp_tui.demo.walkthrough import walk

        return asyncio.run(walk(print_out))
    _need_terminal()
    return asyncio.run(_practise())


async def _practise() -> int:
    from acp_tui.demo.cluster import practice
    from screens.app import AcpApp

    print_err(_("PRACTICE: simulated nodes are being started and a practice package is built and signed..."))
    async with practice(state_home() / "practice") as cluster:
        app = AcpApp(cluster.state_home, plan=cluster.plan, practice=cluster, base=cluster.folder)
        return await _run(app)


async def _run(app: "AcpApp") -> int:
    # The mouse stays with the terminal: capturing it would take the selection of text away.
    await app.run_async(mouse=False)
    return app.return_code or ExitStatus.DONE


def _need_terminal() -> None:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise CommandFailed(_("The wizard needs a terminal; the commands do not: acp-tui --help"), ExitStatus.USAGE)
