"""Labels for outcomes, severities, node states and roles, as reports and screens show them."""

from collections.abc import Mapping

from acp_tui.checks.verdict import Outcome, Severity
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
