"""An install from a machine that is none of the nodes: the command does it, on the terminal lent by the wizard."""

import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text
from textual.app import SuspendNotSupported

from acp_tui.core.errors import ExitStatus
from acp_tui.core.i18n import _
from acp_tui.install.start import bundle_for
from acp_tui.package.facts import is_local_address
from acp_tui.preflight.bundle import remove_secrets
from screens.dialogs.prompts import Confirm

if TYPE_CHECKING:
    from screens.steps.base import WizardStep


def goes_elsewhere(step: "WizardStep") -> bool:
    """Whether the installer node is another machine than this one."""
    node = step.session.plan.installer_node
    return step.wizard.practice is None and node is not None and not is_local_address(node.address)


async def install_there(step: "WizardStep") -> None:
    """Ask, then run the command, which looks at everything itself. Raises `LaunchFailed`."""
    session = step.session
    node = session.plan.installer_node
    assert node is not None
    question = _(
        "{address} is another machine: package and configuration are sent there, and the install runs there. This "
        "changes all {count} nodes. The wizard comes back at the end; acp-tui attach follows it from here at any time."
    ).format(address=node.address, count=len(session.plan.nodes))
    if not await step.app.push_screen_wait(Confirm(_("Start the install?"), question)):
        return
    folder = step.wizard.home / "bundles" / f"afar-{node.address}"
    shutil.rmtree(folder, ignore_errors=True)
    bundle = await bundle_for(session.plan, session.report(), session.draft.host_keys, folder, base=step.wizard.base)
    command = (sys.executable, "-m", "acp_tui", "install", str(bundle))
    try:
        with step.app.suspend():
            ended = _run(command)
    except SuspendNotSupported:
        step.show_answer(
            Text(_("This terminal cannot be lent; run it yourself: {command}").format(command=" ".join(command)))
        )
        return
    if ended == ExitStatus.DONE:
        session.update_draft(finished=True)
    if ended in (ExitStatus.DONE, ExitStatus.CHECK_FAILED):
        _forget(bundle)
    said = _("Installed.") if ended == ExitStatus.DONE else _("The install ended with exit status {status}.")
    step.show_answer(Text(said.format(status=ended) + " " + _("acp-tui status tells how it stands."), "bold"))


def _run(command: tuple[str, ...]) -> int:
    """The command on this terminal; Ctrl-C ends it, and not the wizard."""
    before = signal.signal(signal.SIGINT, lambda number, frame: None)
    try:
        ended = subprocess.run(command, check=False).returncode
    finally:
        signal.signal(signal.SIGINT, before)
    print(_("Enter goes back to the wizard."), end="", flush=True)
    with suppress(EOFError, KeyboardInterrupt):
        input()
    return ended


def _forget(bundle: Path) -> None:
    """A bundle that has served its purpose keeps no secret; while the install may still run it is needed to follow."""
    with suppress(OSError):
        remove_secrets(bundle)
