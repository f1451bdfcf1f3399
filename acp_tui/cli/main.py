"""Run one command and return its exit status."""

import sys
from collections.abc import Sequence

from acp_tui.cli.options import Command
from acp_tui.cli.parser import build_parser
from acp_tui.cli.terminal import accept_every_character, open_missing_streams, write_crash, write_message
from acp_tui.core.errors import AcpError, ExitStatus
from acp_tui.core.i18n import use_language


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command in `arguments` (default: the arguments of the process). Return its exit status."""
    try:
        return _run(arguments)
    except KeyboardInterrupt:
        return ExitStatus.INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has closed it. Closing standard error avoids a second error at exit.
        sys.stderr.close()
        return ExitStatus.DONE
    except Exception as error:
        # Python's own report is not sanitised, and its exit status 1 would mean that a check failed.
        write_crash(error)
        return ExitStatus.COULD_NOT_RUN


def _run(arguments: Sequence[str] | None) -> int:
    open_missing_streams()
    accept_every_character()
    use_language()
    given = list(sys.argv[1:] if arguments is None else arguments)
    parser, names = build_parser()
    if not (given and given[0] in names) and not {"-h", "--help", "--version"} & set(given):
        given.insert(0, "wizard")
    options = parser.parse_args(given)
    command: Command = options.run
    try:
        return command(options)
    except AcpError as failed:
        write_message(failed.message)
        return failed.exit_status
