"""The command line that runs a module of acp-tui in a new process."""

import sys


def module_command(module: str, *arguments: str) -> tuple[str, ...]:
    """Return the command that runs a Python module with the interpreter of this process.

    `-P`: Python does not search the current folder for modules. In a folder such as /tmp, another user could place
    modules there, and root would run them."""
    return (sys.executable, "-P", "-m", module, *arguments)
