"""Find passwords in the text of a list of nodes, also in the form `user:password@host`, which is not allowed."""

import re
from collections.abc import Collection, Iterator

from acp_tui.core.i18n import _

_NAMED = re.compile(r"pass(word|phrase|wd)?\s*[=:]", re.IGNORECASE)
_NAMED_VALUE = re.compile(r"pass(?:word|phrase|wd)?['\"]?\s*[=:]\s*['\"]?(?=\S)", re.IGNORECASE)
_LOGIN = re.compile(r"""(?:^|(?<=[\s,;|='"/]))[A-Za-z_][^\s:=@,;|/'"]*:(?=[^\s/])""")
"""A user name and a colon, with text after the colon."""
_ADDRESS = re.compile(r"[0-9A-Fa-f:.\[\]-]+(%[A-Za-z0-9._-]*)?")
"""A part of an IPv6 address or of a range."""


def has_secret(text: str) -> bool:
    """Return True if the text can contain a password, also an unfinished one. Callers must not store such text."""
    return _NAMED.search(text) is not None or next(_logins(text), None) is not None


def has_other_secret(line: str, secrets: Collection[str]) -> bool:
    """Return True if a line has a password or passphrase after its name, as in `password=...`, that differs from all
    `secrets`."""
    return any(not line.startswith(tuple(secrets), match.end()) for match in _NAMED_VALUE.finditer(line))


def login_secret(line: str) -> str:
    """Return the password in the form `user:password@host` on a line. It can contain blanks. "" if there is none."""
    for start in _logins(line):
        password, at, _host = line[start:].rpartition("@")
        if at:
            return password
    return ""


def _logins(line: str) -> Iterator[int]:
    """Yield the position after each user name and colon. Addresses, and names with a port, are skipped."""
    for match in _LOGIN.finditer(line):
        word = re.split(r"[\s,;|'\"]", line[match.start() :], maxsplit=1)[0]
        value = word.partition(":")[2]
        if not _ADDRESS.fullmatch(word) and not value.isdigit():
            yield match.end()


def password_message() -> str:
    """Return the error message for a line with `user:password@host`. It does not contain the line."""
    return _(
        "a password must not be next to the user name. Enter user@address, and add password=PASSWORD to the line or "
        "enter the password in the wizard."
    )
