"""Run the command line: `python -m acp_tui` and the `acp-tui` script."""

import sys
import warnings

from acp_tui.cli.main import main as run_command
from acp_tui.core.core_dumps import forbid_core_dumps


def main() -> int:
    """Run the command in the arguments of this process. Return its exit status."""
    forbid_core_dumps()
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # libraries would print warnings for developers on the screen
    return run_command()


if __name__ == "__main__":
    sys.exit(main())
