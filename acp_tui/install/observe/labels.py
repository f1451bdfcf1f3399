"""Labels for the phases of an install."""

from collections.abc import Mapping

from acp_tui.core.i18n import N_, _
from acp_tui.install.run.state import Phase

PHASES: Mapping[Phase, str] = {
    Phase.SETUP: N_("setup.sh"),
    Phase.WAITING_API: N_("API"),
    Phase.VERSIONS: N_("versions"),
    Phase.POSTING: N_("configuration"),
    Phase.INSTALLING: N_("install"),
}
"""The phases of every install, in order."""

SHOWN_AS: Mapping[Phase, Phase] = {
    Phase.NEEDS_VERSION: Phase.VERSIONS,
    Phase.LOOKING: Phase.POSTING,
    Phase.CHANGED: Phase.POSTING,
    Phase.POST_UNKNOWN: Phase.POSTING,
    Phase.POSTED: Phase.INSTALLING,
}
"""The phase of `PHASES` as which another phase is shown."""

_OTHER_PHASES: Mapping[Phase, str] = {
    Phase.STARTING: N_("starting"),
    Phase.NEEDS_VERSION: N_("waiting for a version"),
    Phase.LOOKING: N_("rechecking the nodes"),
    Phase.CHANGED: N_("waiting: the nodes have changed"),
    Phase.POST_UNKNOWN: N_("waiting: was the configuration received?"),
    Phase.POSTED: N_("configuration sent"),
    Phase.SUCCESS: N_("installed"),
    Phase.FAILED: N_("failed"),
    Phase.UNKNOWN: N_("outcome unknown"),
    Phase.CANCELLED: N_("aborted"),
}


def phase_label(phase: Phase) -> str:
    """Return the label of a phase in the operator's language."""
    return _(PHASES.get(phase) or _OTHER_PHASES[phase])
