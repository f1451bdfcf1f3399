"""Exit status of the commands, and the base class of every error that a command reports to its user."""

from enum import IntEnum


class ExitStatus(IntEnum):
    """Exit status of every command."""

    DONE = 0
    CHECK_FAILED = 1
    """The command ran, and a check failed."""
    USAGE = 2
    COULD_NOT_RUN = 3
    """The command could not complete its work."""
    INTERRUPTED = 130


class AcpError(Exception):
    """Base class of the errors that end a command. The command prints the error message on standard error.

    The message is translated. It contains no secrets and no control characters."""

    exit_status: int = ExitStatus.COULD_NOT_RUN
    """The exit status of the command, if this error ends the command."""

    @property
    def message(self) -> str:
        """Return the error message that the command prints."""
        return str(self)
