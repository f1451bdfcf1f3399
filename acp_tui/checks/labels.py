"""The report's words for the fixed terms of the engine, in the order in which the page speaks of them."""

import unicodedata
from collections.abc import Mapping

from acp_tui.checks.catalog import Requirement
from acp_tui.checks.verdict import Outcome, Severity, Verdict
from acp_tui.core.i18n import N_, _
from acp_tui.nodes.state import NodeState

OUTCOMES: Mapping[Outcome, str] = {
    Outcome.FAIL: N_("Not met"),
    Outcome.PENDING_REBOOT: N_("Effective after a reboot"),
    Outcome.UNKNOWN: N_("Not observed"),
    Outcome.MANUAL: N_("For a person to confirm"),
    Outcome.WARN: N_("Worth a look"),
    Outcome.PASS: N_("Met"),
    Outcome.NOT_APPLICABLE: N_("Does not apply"),
}
"""Worst first."""

STATES: Mapping[NodeState, str] = {
    NodeState.CHECKING: N_("checking"),
    NodeState.CHECKED: N_("checked"),
    NodeState.UNREACHABLE: N_("unreachable"),
    NodeState.AUTH_FAILED: N_("login refused"),
    NodeState.HOST_KEY_CHANGED: N_("host key changed"),
    NodeState.TIMEOUT: N_("timed out"),
    NodeState.NO_SUDO: N_("no root rights"),
    NodeState.LOST: N_("connection lost"),
}

_ACCESS: Mapping[NodeState, str] = {
    NodeState.UNREACHABLE: N_(
        "Check that the node runs, that its address and SSH port are right, and the network to it."
    ),
    NodeState.AUTH_FAILED: N_("Check the user, the password or the key file of this node, and that sshd accepts them."),
    NodeState.HOST_KEY_CHANGED: N_(
        "Find out why the key is another one. If the node was installed anew, accept the new key in the Nodes step."
    ),
    NodeState.TIMEOUT: N_("Look at the node's load, its disks and its name service; then check it again."),
    NodeState.NO_SUDO: N_("Log in as root, or let the user run sudo without a password."),
    NodeState.LOST: N_("Look whether the node was restarted or its network broke; then check it again."),
    NodeState.CHECKING: N_("Wait until the check has ended."),
}

_SEVERITIES: Mapping[Severity, str] = {
    Severity.MUST: N_("required"),
    Severity.COND: N_("required here"),
    Severity.ADVICE: N_("advice"),
    Severity.INFO: N_("for information"),
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


def access(state: NodeState) -> str:
    """What to do about a node that could not be looked at."""
    return _(_ACCESS.get(state, ""))


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
