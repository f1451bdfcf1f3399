"""Replace secrets in text with a mask.

Known secrets are found in every form that a log can contain. Unknown secrets are found by patterns such as `password:
...`. In case of doubt, text is masked, because a visible secret is worse than too much masked text.
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
"""Number of characters. A secret with fewer characters is masked only as a separate word.

Other words can contain such a short text by chance."""
_LINE = 16
"""Number of characters. If a secret has several lines of this length or more, each of these lines is masked, even if
it appears without the other lines."""
_CORE = 6
"""Number of characters. A base64 form or a cut secret with fewer characters is not masked: it occurs by chance."""
_WRAPPED = 8
"""Number of characters. A secret of this length or more is masked even if a line end divides it."""

_BREAK = re.compile(r"\\{0,8}\r?\n[ \t]*")
"""A line end that a terminal, base64(1) or a shell has inserted into a text."""

_CUT = re.compile(r"…|\.\.\.|\Z")

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
_USER_INFO = re.compile(r":(?!//)[^\n]*@")
_IN_URL = re.compile(r"(://[^/\s:@]{1,200}:)([^/\s@]{1,200})(@)")


SECRET_KEYS = frozenset({"password", "privateKey"})
"""Keys of the installer's configuration whose values are secret, at any depth."""
_SHORTEST_ON_A_LINE = 4
"""Number of characters. If a line contains a secret with fewer characters, the complete line is masked.

Such a short secret occurs by chance in many words."""


def secret_values(value: JsonValue, key: str = "") -> Iterator[str]:
    """Yield every secret of a configuration: each non-empty value of a key in `SECRET_KEYS`."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from secret_values(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from secret_values(inner, key)
    elif isinstance(value, str) and key in SECRET_KEYS and value:
        yield value


def mask_document(document: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Return a copy of the configuration, with `MASK` as the value of each key in `SECRET_KEYS`."""
    return {key: _mask_value(key, value) for key, value in document.items()}


def _mask_value(key: str, value: JsonValue) -> JsonValue:
    if isinstance(value, dict):
        return mask_document(value)
    if isinstance(value, list):
        return [_mask_value(key, item) for item in value]
    return MASK if key in SECRET_KEYS and value else value


def mask_values(text: str, secrets: Iterable[str]) -> str:
    """Return `text` with every secret replaced by `MASK`, in plain form and in JSON-escaped form.

    If one secret is part of another secret, pass the longer secret first."""
    for secret in secrets:
        for form in (secret, json.dumps(secret)[1:-1]):
            text = text.replace(form, MASK)
    return text


def mask_lines(text: str, secrets: Iterable[tuple[int, str]]) -> tuple[str, dict[str, str]]:
    """Replace secrets with numbered masks. Return the masked text, and a mapping from each mask to its secret.

    `unmask` restores the text. `secrets`: pairs of a line number (from 1) and a secret on that line.

    A complete line is masked in three cases: the line has several secrets, the secret is short, or the line
    contains the secret only in another form, such as an escaped form."""
    lines, masks = text.split("\n"), dict[str, str]()
    unused = _unused_masks(text)
    on_line: dict[int, set[str]] = {}
    for number, secret in secrets:
        on_line.setdefault(number, set()).add(secret)
    for number, line_secrets in on_line.items():
        line, secret = lines[number - 1], max(line_secrets)
        exact = len(line_secrets) == 1 and len(secret) >= _SHORTEST_ON_A_LINE and secret in line
        part = secret if exact else line
        mask = masks.get(part) or next(unused)
        masks[part] = mask
        lines[number - 1] = line.replace(part, mask)
    return "\n".join(lines), {mask: part for part, mask in masks.items()}


def mask_user_info(text: str) -> str:
    """Return `text` with the password in `user:password@host` replaced by `MASK`."""
    return _USER_INFO.sub(f":{MASK}@", text)


def unmask(text: str, hidden: Mapping[str, str]) -> str:
    """Return `text` with each numbered mask replaced by its secret. `hidden` maps masks to secrets."""
    return re.sub(rf"{MASK}\d+{MASK}", lambda match: hidden.get(match[0], match[0]), text)


def _unused_masks(text: str) -> Iterator[str]:
    """Yield numbered masks that are not in `text`."""
    used = set(re.findall(rf"(?={MASK}(\d+){MASK})", text))
    return (f"{MASK}{number}{MASK}" for number in count(1) if str(number) not in used)


class Masker:
    """Mask the given secrets in every form, and mask other text that looks like a secret."""

    def __init__(self, secrets: Iterable[str]) -> None:
        known = {part for secret in secrets for part in _parts(secret)}
        short = [rf"(?<![A-Za-z0-9]){re.escape(part)}(?![A-Za-z0-9])" for part in sorted(known) if len(part) < _SHORT]
        self._short = re.compile("|".join(short)) if short else None
        long = sorted(part for part in known if len(part) >= _SHORT)
        self._escaped = tuple(re.compile(_escaped_pattern(part)) for part in long)
        self._encoded = tuple(sorted({form for part in long for form in _encoded(part)}))
        self._forms = tuple(sorted({*long, *self._encoded}))
        self._all_forms = "\n".join(self._forms)

    def __call__(self, text: str) -> str:
        text = self.known(text)
        text = _PRIVATE_KEY.sub(MASK, text)
        text = _NAMED.sub(_replacement, text)
        text = _OPTION.sub(rf"\1{MASK}", text)
        text = _BEARER.sub(rf"\1{MASK}", text)
        return _IN_URL.sub(rf"\1{MASK}\3", text)

    def known(self, text: str) -> str:
        """Mask only the given secrets, so that a sentence such as `the password is wrong` stays as it is."""
        text = self._mask_cut(self._mask_long(text))
        return text if self._short is None else self._short.sub(MASK, text)

    def _mask_long(self, text: str) -> str:
        """Mask all secrets that are not short. The search ignores line ends, because a line end can divide a secret."""
        breaks = [match.span() for match in _BREAK.finditer(text)]
        joined = _BREAK.sub("", text)
        starts, removed, total = [], [0], 0
        for start, end in breaks:
            starts.append(start - total)
            total += end - start
            removed.append(total)
        out, at = [], 0
        for first, last in _merged(self._spans(joined)):
            begin = first + removed[bisect_right(starts, first)]
            end = last + removed[bisect_right(starts, last - 1)]
            if end - begin == last - first or last - first >= _WRAPPED:
                out += [text[at:begin], MASK]
                at = end
        return "".join([*out, text[at:]])

    def _mask_cut(self, text: str) -> str:
        """Mask the start of a secret at the end of a text or before an ellipsis, where a longer text was cut."""
        for match in reversed(list(_CUT.finditer(text))):
            end = match.start()
            last = text[max(0, end - _CORE) : end]
            if len(last) < _CORE or last not in self._all_forms:
                continue
            starts = [form[: at.start() + _CORE] for form in self._forms for at in re.finditer(re.escape(last), form)]
            if found := [start for start in starts if text.endswith(start, 0, end)]:
                text = text[: end - max(map(len, found))] + MASK + text[end:]
        return text

    def _spans(self, text: str) -> Iterator[tuple[int, int]]:
        for pattern in self._escaped:
            yield from (match.span() for match in pattern.finditer(text))
        for form in self._encoded:
            at = text.find(form)
            while at >= 0:
                yield at, at + len(form)
                at = text.find(form, at + 1)


def _merged(spans: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Sort the spans (start and end of each secret) and join those that overlap."""
    begin, end = 0, 0
    for first, last in sorted(spans):
        if first >= end:
            if end:
                yield begin, end
            begin = first
        end = max(end, last)
    if end:
        yield begin, end


def _replacement(found: re.Match[str]) -> str:
    """Return the name of a secret, such as `password: `, and its masked value.

    Quotes around the value stay, so that JSON and YAML stay valid."""
    sign = found[2][0] if found[2][0] in "\"'" else ""
    return f"{found[1]}{sign}{MASK}{sign}"


def _parts(secret: str) -> Iterator[str]:
    """Yield the parts of the secret that must be masked.

    The parts are the complete secret, with and without surrounding blanks. If the secret has several long lines, each
    of these lines is a part, too."""
    lines = [line.strip() for line in secret.splitlines() if len(line.strip()) >= _LINE]
    yield from filter(None, {secret, secret.strip(), *(lines if len(lines) > 1 else ())})


def _escaped_pattern(secret: str) -> str:
    """Return a pattern that finds the secret in plain form and in escaped form, even if it is escaped twice.

    The pattern contains the escapes of JSON, URLs, HTML, shells and Python."""
    return "".join(
        char if char.isascii() and char.isalnum() else _char_pattern(char) for char in _BREAK.sub("", secret)
    )


def _char_pattern(char: str) -> str:
    data, units = char.encode(), char.encode("utf-16-be").hex()
    forms = [
        rf"\\{{0,8}}{re.escape(char)}",
        "(?i:" + "".join(f"%{byte:02x}" for byte in data) + ")",
        "(?i:" + "".join(rf"\\{{1,8}}u{units[at : at + 4]}" for at in range(0, len(units), 4)) + ")",
        "(?i:" + "".join(rf"\\{{1,8}}x{byte:02x}" for byte in data) + ")",
        rf"&\#0{{0,4}}{ord(char)};",
        rf"(?i:&\#x0{{0,4}}{ord(char):x};)",
    ]
    if (named := html.escape(char)) != char:
        forms.append(re.escape(named))
    forms += {
        " ": [r"\+"],
        "'": [r"'\\{1,8}''", "'\"'\"'"],
        "\\": [r"\\{1,8}"],
        "\t": [r"\\{1,8}t"],
    }.get(char, [])
    return f"(?:{'|'.join(forms)})"


def _encoded(secret: str) -> Iterator[str]:
    """Yield the encoded forms of the secret: hexadecimal, percent-encoded, and base64.

    The base64 forms match the secret at every position in a longer document."""
    yield secret.encode().hex()
    yield secret.encode().hex().upper()
    for form in ("%{:02x}", "%{:02X}"):  # percent-encode letters, too
        yield "".join(form.format(byte) for byte in secret.encode())
    plain = json.dumps(secret, ensure_ascii=False)[1:-1]
    go_json = plain.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
    for text in {secret, plain, go_json, json.dumps(secret)[1:-1], quote_plus(secret)}:
        for core in _cores(text.encode()):
            yield core
            yield core.replace("+", "-").replace("/", "_")
            yield from _cores(core.encode())
    if len(encoded := b64encode(secret.encode()).decode()) >= _CORE:
        yield encoded
        yield encoded.replace("+", "-").replace("/", "_")


def _cores(data: bytes) -> Iterator[str]:
    """Yield the base64 digits of `data` that do not depend on the bytes around it.

    base64 encodes groups of three bytes. `data` can start at each of the three bytes of a group, so there are three
    texts. Short texts are omitted."""
    for ahead in range(3):
        code = b64encode(bytes(ahead) + data).decode().rstrip("=")
        core = code[(ahead * 8 + 5) // 6 : (ahead + len(data)) * 8 // 6]
        if len(core) >= _CORE:
            yield core
