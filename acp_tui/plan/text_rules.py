"""Rules for every text in a plan: printable, writable as UTF-8, and one line if it is a secret.

A rule raises ValueError with a message for the operator. No message contains the text.
"""

import re

from acp_tui.core.i18n import _
from acp_tui.core.text import CONTROL

# Joiners are allowed, because some scripts need them. `core.text.sanitize` removes them from every output.
_CONTROL = re.compile(f"[{CONTROL}\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_NOT_ONE_LINE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_BYTE_ORDER_MARK = "\ufeff"


def printable(value: object) -> object:
    """Reject control characters, except tabs and new lines.

    A control character could cut a path, control the terminal, or change the order of the shown text."""
    for part in value if isinstance(value, list | tuple) else (value,):
        if isinstance(part, str) and _CONTROL.search(part):
            raise ValueError(_("the value contains control characters"))
        writable(part)
    return value


def writable(value: object) -> object:
    """Reject text with unpaired surrogates. UTF-8 cannot encode such text, so a file or request cannot contain it."""
    if isinstance(value, str) and _SURROGATE.search(value):
        raise ValueError(_("the value contains an invalid Unicode character (unpaired surrogate)"))
    return value


def check_secret(secret: str) -> None:
    """Raise ValueError if a secret is not one line of text. The message does not contain the secret.

    The rule also prevents that the content of a wrong file, such as a private key, is sent as a password."""
    if _BYTE_ORDER_MARK in secret:
        raise ValueError(
            _(
                "the secret contains a byte order mark (U+FEFF). Enter the secret again, or save its file as UTF-8 "
                "without a byte order mark."
            )
        )
    if _NOT_ONE_LINE.search(secret):
        raise ValueError(
            _(
                "the secret must be one line without control characters. Enter only the secret, or name a file that "
                "contains only the secret."
            )
        )
    writable(secret)
