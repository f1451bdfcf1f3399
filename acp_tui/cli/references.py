"""Ask on the terminal about the references of a plan that another user can change."""

import sys

from acp_tui.cli.context import CommandFailed, confirm, print_err
from acp_tui.core.errors import ExitStatus
from acp_tui.core.i18n import _
from acp_tui.core.state_dir import state_home
from acp_tui.plan.file import FoundReferences, ReferencePolicy, ReferencesRefused
from acp_tui.plan.file.confirmed_references import needs_confirmation, remember_confirmed


def reference_policy(*, allow: bool) -> ReferencePolicy:
    """Return the policy of the commands. `allow`: True for the option --allow-references.

    The policy asks once for a plan that is not trusted. Without a terminal it raises ReferencesRefused, and after the
    answer no it raises CommandFailed."""

    def decide(found: FoundReferences) -> None:
        if not needs_confirmation(state_home(), found):
            return
        if not allow:
            _ask(found)
        try:
            remember_confirmed(state_home(), found)
        except OSError as error:
            message = _("Cannot record the confirmation: {reason}. acp-tui will ask again.")
            print_err(message.format(reason=error.strerror or error))

    return decide


def _ask(found: FoundReferences) -> None:
    if not sys.stdin.isatty():
        raise ReferencesRefused(
            found, _("Check the references. To confirm them without a terminal: --allow-references")
        )
    for line in found.lines():
        print_err(line)
    if not confirm(found.question, ""):
        message = _("The references were not confirmed, so acp-tui has not read them. Ask the author of the plan.")
        raise CommandFailed(message, ExitStatus.CHECK_FAILED)
