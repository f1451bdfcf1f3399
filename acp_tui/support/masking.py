"""Hiding secrets in any text: by value, in every form in which one may stand in a log, and by the look of a line.

A secret that is hidden twice is no harm, one that is missed is; so this errs on the side of hiding.
"""

import json
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

MASK = "••••••"
_SHORT = 4
"""Characters below which a secret is hidden only where it stands alone: an `a` is in every word."""
_LINE = 16
"""Characters from which a line of a longer secret, such as a private key, is hidden by itself."""
_CORE = 6
"""Characters of base64 that are enough to give a secret away."""

_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL)
_NAMED = re.compile(
    r"""(?ix)
    ( ["']? [a-z0-9_.-]* (?: pass(?:word|wd|phrase) | secret | token | private[_-]?key | api[_-]?key | credentials? )
      \\* ["']? \s* (?: [:=] | \s is \s ) \s* \\* )
    ( "(?:[^"\\\n]|\\.)*" | '[^'\n]*' | [^\s,;}\]]* [^\s,;}\]"'] )
    """
)
_OPTION = re.compile(r"(?i)(--?[a-z0-9-]*(?:password|passwd|passphrase|token|secret)[a-z0-9-]*[ =]+)(\S+)")
_BEARER = re.compile(r"(?i)\b((?:bearer|basic)\s+)([A-Za-z0-9+/=._~-]{6,})")
_IN_URL = re.compile(r"(://[^/\s:@]{1,200}:)([^/\s@]{1,200})(@)")


class Masker:
    """Hides `secrets`, and what looks like one."""

    def __init__(self, secrets: Iterable[str]) -> None:
        known = {secret for secret in secrets if secret}
        whole = sorted({form for secret in known for form in _forms(secret)}, key=len, reverse=True)
        alone = [rf"(?<![A-Za-z0-9]){re.escape(form)}(?![A-Za-z0-9])" for form in whole if len(form) < _SHORT]
        patterns = [*(re.escape(form) for form in whole if len(form) >= _SHORT), *alone]
        self._known = re.compile("|".join(patterns)) if patterns else None

    def __call__(self, text: str) -> str:
        if self._known is not None:
            text = self._known.sub(MASK, text)
        text = _PRIVATE_KEY.sub(MASK, text)
        text = _NAMED.sub(_hidden, text)
        text = _OPTION.sub(rf"\1{MASK}", text)
        text = _BEARER.sub(rf"\1{MASK}", text)
        return _IN_URL.sub(rf"\1{MASK}\3", text)


def _hidden(found: re.Match[str]) -> str:
    """The name stays, and the quotes, so that a document stays one."""
    sign = found[2][0] if found[2][0] in "\"'" else ""
    return f"{found[1]}{sign}{MASK}{sign}"


def _forms(secret: str) -> Iterator[str]:
    """A secret as it stands, as JSON, URLs and shells write it, and wherever it lies in a longer base64."""
    for plain in dict.fromkeys((secret, secret.strip())):
        yield plain
        yield json.dumps(plain)[1:-1]
        yield json.dumps(plain, ensure_ascii=False)[1:-1]
        yield quote(plain, safe="")
        yield quote_plus(plain)
        yield plain.replace("'", "'\\''")
        yield plain.encode().hex()
    lines = [line.strip() for line in secret.splitlines() if len(line.strip()) >= _LINE]
    yield from lines if len(lines) > 1 else ()
    for data in (secret.encode(), secret.encode() + b"\n"):
        yield from _encoded(data)


def _encoded(data: bytes) -> Iterator[str]:
    """The base64 of `data`, and the part of it that does not depend on what stands before or behind."""
    for ahead in range(3):
        code = b64encode(bytes(ahead) + data).decode().rstrip("=")
        # The characters that share bits with what is ahead, or with what would follow.
        core = code[(ahead * 8 + 5) // 6 : (ahead + len(data)) * 8 // 6]
        for form in (core, b64encode(data).decode()) if ahead == 0 else (core,):
            if len(form) >= _CORE:
                yield form
                yield form.replace("+", "-").replace("/", "_")
