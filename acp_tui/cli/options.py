"""Declare a command and the options that several commands share."""

import argparse
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from acp_tui.core.i18n import _, pgettext

if TYPE_CHECKING:
    Subparsers: TypeAlias = argparse._SubParsersAction[ArgumentParser]
else:
    Subparsers = argparse._SubParsersAction

Command: TypeAlias = Callable[[Namespace], int]
"""Run a command with its options. Return the exit status."""


def add_command(commands: Subparsers, name: str, run: Command, help: str) -> ArgumentParser:
    """Declare the command `name`. Return its parser, to which the caller can add options.

    `help`: a verb phrase in lower case.
    """
    parser = commands.add_parser(name, help=help, description=help)
    parser.set_defaults(run=run)
    return parser


def add_plan(parser: ArgumentParser, *, optional: bool = False) -> None:
    """Add the argument PLAN, and the options --passphrase-file and --allow-references."""
    parser.add_argument(
        "plan", metavar=plan_metavar(), nargs="?" if optional else None, help=_("plan file or bundle folder")
    )
    parser.add_argument(
        "--passphrase-file",
        metavar=file_metavar(),
        help=_("read the passphrase of an encrypted bundle from the first line of this file"),
    )
    add_allow_references(parser)


def add_allow_references(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--allow-references",
        action="store_true",
        help=_("confirm the references of the plan to secrets of this host, without a question"),
    )


def add_json(parser: ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help=_("print one JSON document on standard output"))


def add_node(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--node",
        metavar=pgettext("metavar", "A"),
        action="append",
        help=_("use only the node with this address; repeat the option to add more; default: all nodes"),
    )


def add_only(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--only",
        metavar=pgettext("metavar", "ID"),
        action="append",
        help=_("use only the requirement with this ID; repeat the option to add more; default: all requirements"),
    )


def add_accept_new(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--accept-new",
        action="store_true",
        help=_("accept new host keys without a question; changed host keys are still rejected"),
    )


def add_yes(parser: ArgumentParser, help: str) -> None:
    parser.add_argument("--yes", action="store_true", help=help)


def plan_metavar() -> str:
    return pgettext("metavar", "PLAN")


def file_metavar() -> str:
    return pgettext("metavar", "FILE")
