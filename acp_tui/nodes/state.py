"""The state of a node after its facts were collected."""

from enum import StrEnum


class NodeState(StrEnum):
    """Result of the preflight on a node. `CHECKING` is used only while collection runs, never in a finished report."""

    CHECKING = "checking"
    CHECKED = "checked"
    UNREACHABLE = "unreachable"
    AUTH_FAILED = "auth-failed"
    HOST_KEY_CHANGED = "host-key-changed"
    TIMEOUT = "timeout"
    NO_SUDO = "no-sudo"
    LOST = "lost"
