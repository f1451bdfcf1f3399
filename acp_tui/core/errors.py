"""Exit status of the commands."""


class ExitStatus:
    """Exit status of every command."""

    DONE = 0
    NO = 1  # done, and the answer is no
    USAGE = 2
    IMPOSSIBLE = 3  # it could not be done
    INTERRUPTED = 130
