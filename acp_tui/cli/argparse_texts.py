"""Texts of Python's argparse in our message catalogue, because argparse has only English texts.

argparse looks up `_` and `ngettext` in its own module each time it makes a text. `translate_argparse` puts our
functions there.
The lists below contain those texts of argparse in Python 3.11 to 3.14 that an operator can see. A unit test compares
them with the argparse of the running Python. The texts have no context, even where they are short, because argparse
looks them up without a context.
"""

import argparse

from acp_tui.core.i18n import N_, _, ngettext


def mark_plural(singular: str, plural: str) -> tuple[str, str]:
    """Mark a text with a plural, so that it is extracted into the message catalogue."""
    return singular, plural


TEXTS = (
    N_("usage: "),
    N_("positional arguments"),
    N_("options"),
    N_("subcommands"),
    N_("%(heading)s:"),
    N_("show this help message and exit"),
    N_("show program's version number and exit"),
    N_("%(prog)s: error: %(message)s\n"),
    N_("%(prog)s: warning: %(message)s\n"),
    N_("argument %(argument_name)s: %(message)s"),
    N_("unrecognized arguments: %s"),
    N_("ambiguous option: %(option)s could match %(matches)s"),
    N_("invalid choice: %(value)r (choose from %(choices)s)"),
    N_("invalid choice: %(value)r, maybe you meant %(suggestion)r? (choose from %(choices)s)"),
    N_("invalid %(type)s value: %(value)r"),
    N_("the following arguments are required: %s"),
    N_("one of the arguments %s is required"),
    N_("expected one argument"),
    N_("expected at most one argument"),
    N_("expected at least one argument"),
    N_("not allowed with argument %s"),
    N_("ignored explicit argument %r"),
    N_("unexpected option string: %s"),
    N_("unknown parser %(parser_name)r (choices: %(choices)s)"),
)
PLURALS = (mark_plural("expected %s argument", "expected %s arguments"),)


def translate_argparse() -> None:
    """Translate the texts of argparse with our catalogue."""
    vars(argparse).update(_=_, ngettext=ngettext)
