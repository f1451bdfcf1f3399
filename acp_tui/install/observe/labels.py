"""Words for the phases of an install. Those for outcomes, node states and roles are the report's."""

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
"""The phases that every install goes through, in their order."""

SHOWN_AS: Mapping[Phase, Phase] = {
    Phase.NEEDS_VERSION: Phase.VERSIONS,
    Phase.LOOKING: Phase.POSTING,
    Phase.CHANGED: Phase.POSTING,
    Phase.POST_UNKNOWN: Phase.POSTING,
    Phase.POSTED: Phase.INSTALLING,
}
"""Where among them the others stand."""

_OTHER_PHASES: Mapping[Phase, str] = {
    Phase.STARTING: N_("starting"),
    Phase.NEEDS_VERSION: N_("asks for a version"),
    Phase.LOOKING: N_("looking at the nodes once more"),
    Phase.CHANGED: N_("asks about what has changed on the nodes"),
    Phase.POST_UNKNOWN: N_("asks whether the configuration arrived"),
    Phase.POSTED: N_("configuration sent"),
    Phase.SUCCESS: N_("installed"),
    Phase.FAILED: N_("failed"),
    Phase.UNKNOWN: N_("outcome not known"),
    Phase.CANCELLED: N_("given up"),
}


def phase_label(phase: Phase) -> str:
    return _(PHASES.get(phase) or _OTHER_PHASES[phase])
