"""Write text to the terminal. Only this module does it, so all text of the commands is sanitised here."""

import io
import os
import sys
import traceback
from argparse import ArgumentParser
from typing import TYPE_CHECKING

from acp_tui.core.i18n import _
from acp_tui.core.text import ascii_json, sanitize

if TYPE_CHECKING:
    from _typeshed import SupportsWrite

_MESSAGE_LIMIT = 16_000
"""Number of characters of a message on standard error. The output of a fix, for example, can be long."""
_CLEAR_LINE = "\r\x1b[K"


def open_missing_streams() -> None:
    """Open /dev/null for each standard stream that the caller has closed.

    Without this, the next opened file, such as one with secrets, becomes the standard stream of this process and of the
    programs that it starts."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # it gets the lowest free number
        if getattr(sys, name) is None:
            mode = "r" if name == "stdin" else "w"
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115 - until the exit


def accept_every_character() -> None:
    """Escape characters that the encoding of standard output or standard error does not have, such as ASCII.

    Without this, such a character ends the command with UnicodeEncodeError."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def write_result(text: str) -> None:
    """Write a result to standard output. It is not cut, because other programs read it. Raises: OSError."""
    print(sanitize(text, limit=None), flush=True)


def write_json(text: str) -> None:
    """Write a JSON document to standard output. `text`: the document from `json_text`. Raises: OSError.

    If the output is not UTF-8, all characters that are not ASCII are escaped, so that it stays valid JSON."""
    if (sys.stdout.encoding or "").lower().replace("-", "") != "utf8":
        text = ascii_json(text)
    print(text, flush=True)


def write_message(text: str) -> None:
    """Write a message to standard error."""
    print(sanitize(text, limit=_MESSAGE_LIMIT), file=sys.stderr, flush=True)


def write_progress(text: str) -> None:
    """Replace the current line of the terminal with `text`; "" clears it. Without a terminal, write nothing."""
    if sys.stderr.isatty():
        print(_CLEAR_LINE + sanitize(text), end="", file=sys.stderr, flush=True)


def read_answer(question: str) -> str:
    """Write `question` to standard error and return the next line of standard input; "" at the end of the input."""
    print(sanitize(question), end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip()


def write_crash(error: BaseException) -> None:
    """Write the traceback of an internal error to standard error. Text that looks like a secret is masked."""
    from acp_tui.core.redaction import Masker  # not at the start of every command: it imports pydantic

    write_message(Masker(())("".join(traceback.format_exception(error))))
    write_message(_("acp-tui crashed because of an internal error. Send the lines above to the vendor's support."))


def discard_output() -> None:
    """Discard the rest of standard output. Otherwise Python writes its buffer at exit, and fails again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class SafeParser(ArgumentParser):
    """A parser of the command line. Its messages can quote arguments, so they are sanitised."""

    def _print_message(self, message: str, file: "SupportsWrite[str] | None" = None) -> None:
        super()._print_message(sanitize(message, limit=_MESSAGE_LIMIT), file)
