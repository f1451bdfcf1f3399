"""Run the command line: `python -m acp_tui` and the `acp-tui` script."""

import sys

from acp_tui.cli.main import main as run_command
from acp_tui.core.core_dumps import forbid_core_dumps


def main() -> int:
    """Run the command in the arguments of this process. Return its exit status."""
    forbid_core_dumps()
    return run_command()


if __name__ == "__main__":
    sys.exit(main())
