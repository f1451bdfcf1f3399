"""Run the command line: `python -m acp_tui` and the `acp-tui` script."""

import sys

from acp_tui.cli.main import main

__all__ = ["main"]

if __name__ == "__main__":
    sys.exit(main())
