"""Labels for outcomes, severities, node states and roles, as reports and screens show them."""

import unicodedata
from collections.abc import Mapping

from acp_tui.checks.catalog import Requirement
from acp_tui.checks.verdict import Outcome, Severity, Verdict
from acp_tui.core.i18n import N_, _
from acp_tui.nodes.state import NodeState

OUTCOMES: Mapping[Outcome, str] = {
    Outcome.FAIL: N_("Failed"),
    Outcome.PENDING_REBOOT: N_("After reboot"),
    Outcome.UNKNOWN: N_("Unknown"),
    Outcome.MANUAL: N_("To confirm"),
    Outcome.WARN: N_("Advice"),
    Outcome.PASS: N_("Passed"),
    Outcome.NOT_APPLICABLE: N_("Not applicable"),
}
"""Worst first."""

STATES: Mapping[NodeState, str] = {
    NodeState.CHECKING: N_("checking"),
    NodeState.CHECKED: N_("checked"),
    NodeState.UNREACHABLE: N_("unreachable"),
    NodeState.AUTH_FAILED: N_("login failed"),
    NodeState.HOST_KEY_CHANGED: N_("host key changed"),
    NodeState.TIMEOUT: N_("timed out"),
    NodeState.NO_SUDO: N_("no root access"),
    NodeState.LOST: N_("connection lost"),
}

_STATE_FIXES: Mapping[NodeState, str] = {
    NodeState.UNREACHABLE: N_(
        "Check that the node is running, that its address and SSH port are correct, and that the network works."
    ),
    NodeState.AUTH_FAILED: N_("Check the user and the password or key file of this node, and that sshd accepts them."),
    NodeState.HOST_KEY_CHANGED: N_(
        "Find out why the host key changed. If you reinstalled the node, trust the new key in the Nodes step."
    ),
    NodeState.TIMEOUT: N_("Check the node's load, disks and name resolution. Then recheck the node."),
    NodeState.NO_SUDO: N_("Log in as root, or allow passwordless sudo for this user."),
    NodeState.LOST: N_("Check whether the node rebooted or lost its network. Then recheck the node."),
    NodeState.CHECKING: N_("Wait until the check is finished."),
}

_SEVERITIES: Mapping[Severity, str] = {
    Severity.MUST: N_("required"),
    Severity.COND: N_("required here"),
    Severity.ADVICE: N_("advice"),
    Severity.INFO: N_("information"),
}

TITLE_COLUMNS = 36
"""Width of a finding in a list on the screen."""

_BROKEN = (Outcome.FAIL, Outcome.WARN, Outcome.PENDING_REBOOT, Outcome.MANUAL)
"""Outcomes of which the finding is the fact; the others are named by the demand."""

_ROLES: Mapping[str, str] = {"control-plane": N_("control plane"), "worker": N_("worker")}


def outcome_label(outcome: Outcome) -> str:
    return _(OUTCOMES[outcome])


def state_label(state: NodeState) -> str:
    return _(STATES[state])


def state_fix(state: NodeState) -> str:
    """Return how to fix a node that could not be checked; "": nothing to fix."""
    return _(_STATE_FIXES.get(state, ""))


def severity_label(severity: Severity) -> str:
    return _(_SEVERITIES[severity])


def role_label(role: str) -> str:
    return _(_ROLES.get(role, role))


def verdict_title(row: Requirement, verdict: Verdict) -> str:
    """Return the finding of a broken requirement ("Swap is on"), else its demand ("Swap must be off").

    `{names}` becomes the names of the verdict; a finding is cut to `TITLE_COLUMNS` columns."""
    if verdict.outcome not in _BROKEN or not row.finding:
        return _(row.title)
    finding = _(row.finding)
    if not verdict.names:
        return _cut(finding.replace(": {names}", ""))
    return _cut(finding.replace("{names}", ", ".join(verdict.names)))


def _cut(text: str) -> str:
    """Return `text` in at most `TITLE_COLUMNS` columns, with an ellipsis where it was longer."""
    if _columns(text) <= TITLE_COLUMNS:
        return text
    while _columns(text) > TITLE_COLUMNS - 1:
        text = text[:-1]
    return text.rstrip(" ,:") + "…"


def _columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)
