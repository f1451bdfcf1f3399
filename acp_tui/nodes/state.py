"""The state of a node after the collection of its facts."""

from enum import StrEnum


class NodeState(StrEnum):
    """The result of the collection on a node. `CHECKING` occurs only during collection, never in a finished report."""

    CHECKING = "checking"
    CHECKED = "checked"
    UNREACHABLE = "unreachable"
    AUTH_FAILED = "auth-failed"
    HOST_KEY_UNKNOWN = "host-key-unknown"
    """The host key is neither known nor confirmed, and the login would send a password or change the node."""
    HOST_KEY_CHANGED = "host-key-changed"
    TIMEOUT = "timeout"
    NO_SUDO = "no-sudo"
    LOST = "lost"
