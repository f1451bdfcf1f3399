"""Exit status of the commands, and the base class of every error that a command reports to its user."""

from enum import IntEnum


class ExitStatus(IntEnum):
    """Exit status of every command."""

    DONE = 0
    CHECK_FAILED = 1
    """The command ran; a check failed."""
    USAGE = 2
    COULD_NOT_RUN = 3
    """The command could not do its work."""
    INTERRUPTED = 130


class AcpError(Exception):
    """Base of the errors that a command reports on standard error and ends with.

    The text is for people: translated, without secrets and without control characters."""

    exit_status: int = ExitStatus.COULD_NOT_RUN
    """Exit status of a command that this error ends."""

    @property
    def message(self) -> str:
        """The text that a command prints."""
        return str(self)
