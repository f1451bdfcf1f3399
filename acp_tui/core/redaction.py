"""Hiding secrets in any text: by value, in every form in which one may stand in a log, and by the look of a line.

A secret that is hidden twice is no harm, one that is missed is; so this errs on the side of hiding.
"""

import html
import json
import re
from base64 import b64encode
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from itertools import count
from urllib.parse import quote_plus

from pydantic import JsonValue

MASK = "••••••"
_SHORT = 4
"""Characters below which a secret is hidden only where it stands alone: an `a` is in every word."""
_LINE = 16
"""Characters from which a line of a longer secret, such as a private key, is hidden by itself."""
_CORE = 6
"""Characters of base64 that are enough to give a secret away."""
_WRAPPED = 8
"""Characters from which a secret is looked for over the end of a line, too."""

_BREAK = re.compile(r"\\{0,8}\r?\n[ \t]*")
"""Where a terminal, base64(1) or a shell has wrapped a line."""

_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL)
_NAMED = re.compile(
    r"""(?ix)
    ( (?: pass(?:word|wd|phrase) | secret | token | private[_-]?key | api[_-]?key | credentials? )
      \\* ["']? \s* (?: [:=] | \s is \s ) \s* \\* )
    ( "(?:[^"\\\n]|\\.)*" | '[^'\n]*' | [^\s,;}\]]* [^\s,;}\]"'] )
    """
)
_OPTION = re.compile(
    r"(?i)(--?[a-z0-9-]{0,40}(?:password|passwd|passphrase|token|secret)[a-z0-9-]{0,40}[ =]{1,8})(\S+)"
)
_BEARER = re.compile(r"(?i)\b((?:bearer|basic)\s+)([A-Za-z0-9+/=._~-]{6,})")
_IN_URL = re.compile(r"(://[^/\s:@]{1,200}:)([^/\s@]{1,200})(@)")


SECRET_KEYS = frozenset({"password", "privateKey"})
"""Keys of the installer's configuration document whose values are secret, at any depth."""
_SHORTEST_ON_A_LINE = 4
"""Characters from which a secret can be masked alone; a shorter one occurs anywhere, so its line is masked."""


def secret_values(value: JsonValue, key: str = "") -> Iterator[str]:
    """Yield every value that is not empty under one of `SECRET_KEYS`."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from secret_values(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from secret_values(inner, key)
    elif isinstance(value, str) and key in SECRET_KEYS and value:
        yield value


def mask_document(document: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Return the document with `MASK` for every value under one of `SECRET_KEYS`."""
    return {key: _mask_value(key, value) for key, value in document.items()}


def _mask_value(key: str, value: JsonValue) -> JsonValue:
    if isinstance(value, dict):
        return mask_document(value)
    if isinstance(value, list):
        return [_mask_value(key, item) for item in value]
    return MASK if key in SECRET_KEYS and value else value


def mask_values(text: str, secrets: Iterable[str]) -> str:
    """Return `text` with `MASK` for each secret, as it is and as JSON escapes it. Give longer secrets first."""
    for secret in secrets:
        for form in (secret, json.dumps(secret)[1:-1]):
            text = text.replace(form, MASK)
    return text


def mask_lines(text: str, secrets: Iterable[tuple[int, str]]) -> tuple[str, dict[str, str]]:
    """Mask secrets reversibly: return the masked text, and the secret of each numbered mask for `unmask`.

    `secrets`: line number from 1, and the secret on that line. A line is masked completely if it has several secrets,
    or one that is short or written in another form."""
    lines, hidden = text.split("\n"), dict[str, str]()
    on_line: dict[int, set[str]] = {}
    for number, secret in secrets:
        on_line.setdefault(number, set()).add(secret)
    for number, found in on_line.items():
        line, secret = lines[number - 1], max(found)
        exact = len(found) == 1 and len(secret) >= _SHORTEST_ON_A_LINE and secret in line
        part = secret if exact else line
        mask = next((mask for mask, value in hidden.items() if value == part), None) or _new_mask(text, hidden)
        hidden[mask] = part
        lines[number - 1] = line.replace(part, mask)
    return "\n".join(lines), hidden


def unmask(text: str, hidden: Mapping[str, str]) -> str:
    """Return `text` with the secrets in place of their numbered masks."""
    return re.sub(rf"{MASK}\d+{MASK}", lambda found: hidden.get(found[0], found[0]), text)


def _new_mask(text: str, hidden: Mapping[str, str]) -> str:
    """Return a numbered mask that is not in `hidden` and does not occur in `text`."""
    masks = (f"{MASK}{number}{MASK}" for number in count(len(hidden) + 1))
    return next(mask for mask in masks if mask not in hidden and mask not in text)


class Masker:
    """Hides `secrets`, and what looks like one."""

    def __init__(self, secrets: Iterable[str]) -> None:
        known = {part for secret in secrets for part in _parts(secret)}
        alone = [rf"(?<![A-Za-z0-9]){re.escape(part)}(?![A-Za-z0-9])" for part in sorted(known) if len(part) < _SHORT]
        self._alone = re.compile("|".join(alone)) if alone else None
        long = sorted(part for part in known if len(part) >= _SHORT)
        self._written = tuple(re.compile(_as_written(part)) for part in long)
        self._encoded = tuple(sorted({form for part in long for form in _encoded(part)}))

    def __call__(self, text: str) -> str:
        text = self._without_known(text)
        if self._alone is not None:
            text = self._alone.sub(MASK, text)
        text = _PRIVATE_KEY.sub(MASK, text)
        text = _NAMED.sub(_hidden, text)
        text = _OPTION.sub(rf"\1{MASK}", text)
        text = _BEARER.sub(rf"\1{MASK}", text)
        return _IN_URL.sub(rf"\1{MASK}\3", text)

    def _without_known(self, text: str) -> str:
        """Looked for in the text without its line breaks, for one of them may lie within a secret."""
        breaks = [found.span() for found in _BREAK.finditer(text)]
        joined = _BREAK.sub("", text)
        starts, taken, gone = [], [0], 0
        for start, end in breaks:
            starts.append(start - gone)
            gone += end - start
            taken.append(gone)
        out, at = [], 0
        for first, last in _merged(self._spans(joined)):
            begin = first + taken[bisect_right(starts, first)]
            end = last + taken[bisect_right(starts, last - 1)]
            if end - begin == last - first or last - first >= _WRAPPED:
                out += [text[at:begin], MASK]
                at = end
        return "".join([*out, text[at:]])

    def _spans(self, text: str) -> Iterator[tuple[int, int]]:
        for pattern in self._written:
            yield from (found.span() for found in pattern.finditer(text))
        for form in self._encoded:
            at = text.find(form)
            while at >= 0:
                yield at, at + len(form)
                at = text.find(form, at + 1)


def _merged(spans: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The same places, in order, those that overlap as one."""
    begin, end = 0, 0
    for first, last in sorted(spans):
        if first >= end:
            if end:
                yield begin, end
            begin = first
        end = max(end, last)
    if end:
        yield begin, end


def _hidden(found: re.Match[str]) -> str:
    """The name stays, and the quotes, so that a document stays one."""
    sign = found[2][0] if found[2][0] in "\"'" else ""
    return f"{found[1]}{sign}{MASK}{sign}"


def _parts(secret: str) -> Iterator[str]:
    """The secret, without blanks around it, and the long lines of one that has several."""
    lines = [line.strip() for line in secret.splitlines() if len(line.strip()) >= _LINE]
    yield from filter(None, {secret, secret.strip(), *(lines if len(lines) > 1 else ())})


def _as_written(secret: str) -> str:
    """A pattern for the secret as it stands, and as JSON, URLs, HTML, shells and Python write it, however often."""
    return "".join(char if char.isascii() and char.isalnum() else _char(char) for char in _BREAK.sub("", secret))


def _char(char: str) -> str:
    data, units = char.encode(), char.encode("utf-16-be").hex()
    ways = [
        rf"\\{{0,8}}{re.escape(char)}",
        "(?i:" + "".join(f"%{byte:02x}" for byte in data) + ")",
        "(?i:" + "".join(rf"\\{{1,8}}u{units[at : at + 4]}" for at in range(0, len(units), 4)) + ")",
        "(?i:" + "".join(rf"\\{{1,8}}x{byte:02x}" for byte in data) + ")",
        rf"&\#0{{0,4}}{ord(char)};",
        rf"(?i:&\#x0{{0,4}}{ord(char):x};)",
    ]
    if (named := html.escape(char)) != char:
        ways.append(re.escape(named))
    ways += {
        " ": [r"\+"],
        "'": [r"'\\{1,8}''", "'\"'\"'"],
        "\\": [r"\\{1,8}"],
        "\t": [r"\\{1,8}t"],
    }.get(char, [])
    return f"(?:{'|'.join(ways)})"


def _encoded(secret: str) -> Iterator[str]:
    """The secret in hexadecimal digits, in a URL's escapes throughout, and in base64, wherever it lies in a longer one,
    alone or in a document."""
    yield secret.encode().hex()
    yield secret.encode().hex().upper()
    for form in ("%{:02x}", "%{:02X}"):  # every character of it, letters as well
        yield "".join(form.format(byte) for byte in secret.encode())
    plain = json.dumps(secret, ensure_ascii=False)[1:-1]
    by_go = plain.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
    for text in {secret, plain, by_go, json.dumps(secret)[1:-1], quote_plus(secret)}:
        for core in _cores(text.encode()):
            yield core
            yield core.replace("+", "-").replace("/", "_")
            yield from _cores(core.encode())
    if len(whole := b64encode(secret.encode()).decode()) >= _CORE:
        yield whole
        yield whole.replace("+", "-").replace("/", "_")


def _cores(data: bytes) -> Iterator[str]:
    """The part of its base64 that does not depend on what stands before or behind, for each place it may have."""
    for ahead in range(3):
        code = b64encode(bytes(ahead) + data).decode().rstrip("=")
        core = code[(ahead * 8 + 5) // 6 : (ahead + len(data)) * 8 // 6]
        if len(core) >= _CORE:
            yield core
