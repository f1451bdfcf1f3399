"""Labels for outcomes, severities, node states and roles, as reports and screens show them."""

import unicodedata
from collections.abc import Mapping

from acp_tui.checks.catalog import Requirement
from acp_tui.checks.verdict import Outcome, Severity, Verdict
from acp_tui.core.i18n import N_, NC_, _, pgettext
from acp_tui.nodes.state import NodeState

OUTCOMES: Mapping[Outcome, str] = {
    Outcome.FAIL: NC_("outcome", "Failed"),
    Outcome.PENDING_REBOOT: NC_("outcome", "After reboot"),
    Outcome.UNKNOWN: NC_("outcome", "Unknown"),
    Outcome.MANUAL: NC_("outcome", "To confirm"),
    Outcome.WARN: NC_("outcome", "Advice"),
    Outcome.PASS: NC_("outcome", "Passed"),
    Outcome.NOT_APPLICABLE: NC_("outcome", "Not applicable"),
}
"""The label of each outcome, the worst outcome first."""

STATES: Mapping[NodeState, str] = {
    NodeState.CHECKING: NC_("node state", "checking"),
    NodeState.CHECKED: NC_("node state", "checked"),
    NodeState.UNREACHABLE: NC_("node state", "unreachable"),
    NodeState.AUTH_FAILED: NC_("node state", "login failed"),
    NodeState.HOST_KEY_UNKNOWN: NC_("node state", "host key not confirmed"),
    NodeState.HOST_KEY_CHANGED: NC_("node state", "host key changed"),
    NodeState.TIMEOUT: NC_("node state", "timed out"),
    NodeState.NO_SUDO: NC_("node state", "no root access"),
    NodeState.LOST: NC_("node state", "connection lost"),
}

_STATE_FIXES: Mapping[NodeState, str] = {
    NodeState.UNREACHABLE: N_(
        "Check that the node is running, that its address and SSH port are correct, and that the network works."
    ),
    NodeState.AUTH_FAILED: N_(
        "Check the SSH user, password and key file of the node. Check that sshd on the node accepts them."
    ),
    NodeState.HOST_KEY_UNKNOWN: N_(
        "Compare the fingerprint of the host key with the one on the console of the node, and confirm it: in the Nodes "
        "step, with acp-tui trust PLAN, or with the option --accept-new."
    ),
    NodeState.HOST_KEY_CHANGED: N_(
        "Find out why the host key of the node changed. If you reinstalled the node, trust the new key in "
        "the Nodes step."
    ),
    NodeState.TIMEOUT: N_("Check the load, the disks and the name resolution of the node. Then recheck the node."),
    NodeState.NO_SUDO: N_("Set the SSH user to root, or allow passwordless sudo for the SSH user."),
    NodeState.LOST: N_("Check whether the node rebooted or lost its network. Then recheck the node."),
    NodeState.CHECKING: N_("Wait until the check of the node is finished."),
}

_SEVERITIES: Mapping[Severity, str] = {
    Severity.MUST: NC_("severity", "required"),
    Severity.COND: NC_("severity", "required here"),
    Severity.ADVICE: NC_("severity", "advice"),
    Severity.INFO: NC_("severity", "information"),
}

TITLE_COLUMNS = 36
"""Maximum width of a finding in a list on the screen, in columns."""

_BROKEN = (Outcome.FAIL, Outcome.WARN, Outcome.PENDING_REBOOT, Outcome.MANUAL)
"""The outcomes for which the finding of a requirement is shown. For all other outcomes, the title is shown."""

_ROLES: Mapping[str, str] = {"control-plane": NC_("role", "control plane"), "worker": NC_("role", "worker")}


def outcome_label(outcome: Outcome) -> str:
    return pgettext("outcome", OUTCOMES[outcome])


def state_label(state: NodeState) -> str:
    return pgettext("node state", STATES[state])


def state_fix(state: NodeState) -> str:
    """Return how to fix a node that could not be checked; "" if the state of the node needs no fix."""
    return _(_STATE_FIXES.get(state, ""))


def severity_label(severity: Severity) -> str:
    return pgettext("severity", _SEVERITIES[severity])


def role_label(role: str) -> str:
    return pgettext("role", _ROLES.get(role, role))


def verdict_title(row: Requirement, verdict: Verdict) -> str:
    """Return the finding ("Swap is on") if the outcome is in `_BROKEN`, otherwise the title ("Swap must be off").

    `{names}` is replaced by the names of the verdict. A finding is cut to `TITLE_COLUMNS` columns.
    """
    if verdict.outcome not in _BROKEN or not row.finding:
        return _(row.title)
    finding = _(row.finding)
    if not verdict.names:
        return _cut(finding.replace(": {names}", ""))
    return _cut(finding.replace("{names}", ", ".join(verdict.names)))


def _cut(text: str) -> str:
    """Return `text` in at most `TITLE_COLUMNS` columns. A longer text ends with an ellipsis."""
    if _columns(text) <= TITLE_COLUMNS:
        return text
    while _columns(text) > TITLE_COLUMNS - 1:
        text = text[:-1]
    return text.rstrip(" ,:") + "…"


def _columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)
