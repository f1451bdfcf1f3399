"""Install from a host that is not the installer node. The wizard is suspended during the install."""

import shutil
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text
from textual.app import SuspendNotSupported

from acp_tui.core.errors import ExitStatus
from acp_tui.core.i18n import _, ngettext
from acp_tui.core.python_command import module_command
from acp_tui.install.start import bundle_for
from acp_tui.preflight.bundle import remove_secrets
from screens.dialogs.prompts import Confirm

if TYPE_CHECKING:
    from acp_tui.install.install_session import InstallSession
    from screens.steps.base import WizardStep


async def install_remotely(step: "WizardStep", install: "InstallSession") -> None:
    """Ask for confirmation, then run `acp-tui install`, which does its own preflight. Raises: `StartError`."""
    session = step.session
    node = install.plan.installer_node
    assert node is not None
    count = len(install.plan.nodes)
    question = ngettext(
        "The installer node {address} is another host. acp-tui uploads the package and the configuration, and runs the "
        "install on that node. This changes {count} node. The wizard opens again after the install. To follow the "
        "install from this host, run: acp-tui attach",
        "The installer node {address} is another host. acp-tui uploads the package and the configuration, and runs the "
        "install on that node. This changes all {count} nodes. The wizard opens again after the install. To follow the "
        "install from this host, run: acp-tui attach",
        count,
    ).format(address=node.address, count=count)
    if not await step.app.push_screen_wait(Confirm(_("Start the install?"), question)):
        return
    folder = install.home / "bundles" / f"afar-{node.address}"
    shutil.rmtree(folder, ignore_errors=True)
    bundle = await bundle_for(install.plan, session.report(), install.known_hosts, folder, plan_dir=install.plan_dir)
    command = module_command("acp_tui", "install", str(bundle))
    try:
        with step.app.suspend():
            status = _run(command)
    except SuspendNotSupported:
        message = _("The wizard cannot be suspended in this terminal. Run the install command yourself: {command}")
        step.show_answer(Text(message.format(command=" ".join(command))))
        return
    if status == ExitStatus.DONE:
        session.update_draft(finished=True)
    if status in (ExitStatus.DONE, ExitStatus.CHECK_FAILED):
        _remove_secrets(bundle)
    if status == ExitStatus.DONE:
        message = _("The platform is installed. Run `acp-tui status` to check it.")
    else:
        message = _("The install command ended with exit status {status}. To check the install, run `acp-tui status`.")
    step.show_answer(Text(message.format(status=status), "bold"))


def _run(command: tuple[str, ...]) -> int:
    """Run the command on this terminal and return its exit status. Ctrl-C ends the command, not the wizard."""
    before = signal.signal(signal.SIGINT, lambda number, frame: None)
    try:
        status = subprocess.run(command, check=False).returncode
    finally:
        signal.signal(signal.SIGINT, before)
    print(_("Press Enter to return to the wizard."), end="", flush=True)
    with suppress(EOFError, KeyboardInterrupt):
        input()
    return status


def _remove_secrets(bundle: Path) -> None:
    """Remove the secrets from the bundle. Call this only after the end of the install, which needs the secrets."""
    with suppress(OSError):
        remove_secrets(bundle)
