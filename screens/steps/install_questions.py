"""Questions of the Install step: before the start, and when a run waits for the operator."""

from typing import TYPE_CHECKING

from rich.text import Text
from textual.app import App

from acp_tui.core.i18n import _, ngettext, pgettext
from acp_tui.install.install_session import Answers, InstallSession
from acp_tui.install.next_step import NextStep, next_step
from acp_tui.install.run.state import RunState, removal
from acp_tui.install.start import StartError
from acp_tui.plan.model import Plan
from screens.dialogs.prompts import Ask, Confirm, Pick

if TYPE_CHECKING:
    from acp_tui.install.verify.run import Finish


def start_question(plan: Plan) -> str:
    """Return the text of the confirmation before the start of an install."""
    count = len(plan.nodes)
    return ngettext(
        "acp-tui runs setup.sh and sends the configuration to the installer. This changes {count} node.",
        "acp-tui runs setup.sh and sends the configuration to the installer. This changes all {count} nodes.",
        count,
    ).format(count=count)


async def leftover_lines(install: InstallSession) -> tuple[str, ...]:
    """Return the leftovers of a failed run as lines, for the confirmation before a new run.

    Raises: `StartError` if the leftovers prevent a new install."""
    leftovers = await install.leftovers()
    if leftovers is None:
        return ()
    from acp_tui.install.leftovers import lines

    text = tuple(lines(leftovers))
    if leftovers.blocks_new_install:
        raise StartError("\n".join(text))
    return text


async def ask_answers(app: App[int], run: RunState) -> Answers | None:
    """Ask the question for which the run waits, and return the answers. None if the operator cancels."""
    match next_step(run):
        case NextStep.CHOOSE_VERSIONS:
            kubernetes = await _pick(app, pgettext("question", "Kubernetes version"), run.offered_kubernetes)
            runtime = await _pick(app, pgettext("row", "Container runtime"), run.offered_runtimes)
            return None if kubernetes is None or runtime is None else Answers(kubernetes, runtime)
        case NextStep.ANSWER_RECEIVED:
            options = [("y", _("yes: follow the install")), ("n", _("no: send the configuration again"))]
            question = Pick(_("Did the installer receive the configuration?"), options, run.message)
            answer = await app.push_screen_wait(question)
            return None if answer is None else Answers(config_received=answer == "y")
        case NextStep.ANSWER_CHANGES:
            options = [
                ("m", _("recheck the nodes, because they are fixed now")),
                ("d", _("send the configuration anyway")),
            ]
            answer = await app.push_screen_wait(Pick(_("The nodes have changed"), options, run.message))
            return None if answer is None else Answers(ignore_node_changes=answer == "d")
        case NextStep.ANSWER_LISTENER:
            options = [("c", _("search for the API again")), ("d", _("send the configuration anyway"))]
            answer = await app.push_screen_wait(Pick(_("Is the listener the installer?"), options, run.message))
            return None if answer is None else Answers(accept_listener=answer == "d")
    return Answers() if await app.push_screen_wait(Confirm(_("Resume this install?"), run.message)) else None


async def clean_up(app: App[int], install: InstallSession, finish: "Finish") -> tuple[bool, Text | None]:
    """Ask for confirmation and remove the installer container. A blocker prevents the removal.

    Return True if the container was removed, and a message for the operator."""
    from acp_tui.install.verify.cleanup import CleanUpFailed, cleanup_blocker

    blocker = cleanup_blocker(finish, run_active=False)
    if blocker:
        return False, Text(_("The installer was not removed: {reason}").format(reason=blocker))
    command = removal(finish.report.release)
    question = _("acp-tui runs this command on the installer node: {command}").format(command=command)
    if not await app.push_screen_wait(Confirm(_("Remove the installer?"), question)):
        return False, None
    try:
        return True, Text(await install.clean_up())
    except CleanUpFailed as failed:
        return False, Text(str(failed), "bold red")


async def _pick(app: App[int], title: str, offered: tuple[str, ...]) -> str | None:
    if not offered:
        return await app.push_screen_wait(
            Ask(title, _("The installer did not report the versions that it offers. Enter the version to install."))
        )
    return await app.push_screen_wait(Pick(title, [(value, value) for value in offered]))
