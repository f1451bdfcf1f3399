"""Labels for the phases of an install."""

from collections.abc import Mapping

from acp_tui.core.i18n import NC_, pgettext
from acp_tui.install.run.state import Phase

PHASES: Mapping[Phase, str] = {
    Phase.SETUP: NC_("phase", "setup.sh"),
    Phase.WAITING_API: NC_("phase", "API"),
    Phase.VERSIONS: NC_("phase", "versions"),
    Phase.POSTING: NC_("phase", "configuration"),
    Phase.INSTALLING: NC_("phase", "install"),
}
"""The phases of every install, in order."""

SHOWN_AS: Mapping[Phase, Phase] = {
    Phase.NEEDS_VERSION: Phase.VERSIONS,
    Phase.LOOKING: Phase.POSTING,
    Phase.CHANGED: Phase.POSTING,
    Phase.FOREIGN_LISTENER: Phase.POSTING,
    Phase.POST_UNKNOWN: Phase.POSTING,
    Phase.POSTED: Phase.INSTALLING,
}
"""Phases of a run that screens and commands show under the label of a phase of `PHASES`.

Key: the phase of the run. Value: the phase whose label is shown."""

_OTHER_PHASES: Mapping[Phase, str] = {
    Phase.STARTING: NC_("phase", "starting"),
    Phase.NEEDS_VERSION: NC_("phase", "waiting: choose a version"),
    Phase.LOOKING: NC_("phase", "rechecking the nodes"),
    Phase.CHANGED: NC_("phase", "waiting: the nodes have changed"),
    Phase.FOREIGN_LISTENER: NC_("phase", "waiting: is the listener the installer?"),
    Phase.POST_UNKNOWN: NC_("phase", "waiting: was the configuration received?"),
    Phase.POSTED: NC_("phase", "configuration sent"),
    Phase.SUCCESS: NC_("phase", "installed"),
    Phase.FAILED: NC_("phase", "failed"),
    Phase.UNKNOWN: NC_("phase", "outcome unknown"),
    Phase.CANCELLED: NC_("phase", "aborted"),
}


def phase_label(phase: Phase) -> str:
    """Return the label of a phase in the operator's language."""
    return pgettext("phase", PHASES.get(phase) or _OTHER_PHASES[phase])
