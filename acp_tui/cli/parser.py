"""Build the parser of the command line from the commands."""

from argparse import ArgumentParser

from acp_tui import __version__
from acp_tui.cli.argparse_texts import translate_argparse
from acp_tui.cli.commands import (
    attach,
    bundle,
    check,
    demo,
    explain,
    finish,
    fix,
    install,
    render,
    replay,
    schema,
    status,
    support,
    trust,
    unpack,
    validate,
    verify,
    wizard,
)
from acp_tui.cli.terminal import SafeParser
from acp_tui.core.i18n import _, pgettext

_COMMANDS = (
    wizard.register,
    verify.register,
    unpack.register,
    validate.register,
    trust.register,
    check.register,
    replay.register,
    fix.register,
    render.register,
    bundle.register,
    install.register,
    status.register,
    attach.register,
    finish.register,
    support.register,
    demo.register,
    explain.register,
    schema.register,
)
"""The commands in the order in which `--help` lists them."""


def build_parser() -> tuple[ArgumentParser, tuple[str, ...]]:
    """Return the parser with texts in the current language, and the names of the commands."""
    translate_argparse()
    parser: ArgumentParser = SafeParser(
        prog="acp-tui",
        description=_(
            "Install the global cluster of Alauda Container Platform. Without a command, acp-tui opens the wizard."
        ),
        epilog=_("Exit status: 0 success; 1 a check failed; 2 usage error; 3 could not run; 130 interrupted."),
    )
    parser.add_argument(
        "--version", action="version", version=f"acp-tui {__version__}", help=_("print the version and exit")
    )
    commands = parser.add_subparsers(metavar=pgettext("metavar", "COMMAND"), required=True)
    for register in _COMMANDS:
        register(commands)
    return parser, tuple(commands.choices)
