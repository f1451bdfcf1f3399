"""Parse the responses of the installer that contain its token and the versions that it offers.

The format of these responses is not documented, so the parsers accept any reasonable format (API-TOKEN, API-VERSIONS).
A value that a parser does not find stays empty.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from pydantic import JsonValue

from acp_tui.core.text import sanitize

_KUBERNETES = re.compile(
    r"(?<![\w.-])v?(1\.[2-9][0-9]\.[0-9]{1,9})(?![\w.])"
)  # 1.20 and newer: no other component has such numbers
_RUNTIME = re.compile(
    r"containerd[^\w\n]{0,8}(?:version[^\w\n]{0,8})?v?([0-9]{1,9}\.[0-9]{1,9}\.[0-9]{1,9}(?:-[0-9]{1,9})?)(?![\w.])",
    re.I,
)
_VERSION = re.compile(r"(?<![\w.-])v?([0-9]{1,9}\.[0-9]{1,9}\.[0-9]{1,9}(?:-[0-9]{1,9})?)(?![\w.-])")
_NUMBERS = re.compile(r"[0-9]+")
_MAX_TOKEN = 16384
"""The maximum length of a token, in characters. Servers reject longer HTTP headers."""
_MAX_LINES = 10_000
"""The maximum number of texts that are searched for versions. A ConfigMap has at most 1 MiB."""
_MAX_PATH = 200
"""The maximum length of the path before a text, in characters. The end of a longer path is used."""


@dataclass(frozen=True)
class Offered:
    """The versions that an installer offers, newest first.

    A tuple is empty if the installer reports no versions, or reports them in an unknown format."""

    kubernetes: tuple[str, ...] = ()
    runtimes: tuple[str, ...] = ()
    raw: str = ""
    """Text for the operator: the response, or the reason why there was no response."""


def parse_token(body: str) -> str | None:
    """Return the bearer token in `body`. None: `body` has no token, or an HTTP header cannot contain it.

    `body`: the token as plain text or as a JSON string, or a JSON object. In the object, the token has the key `token`,
    `access_token`, `data` or `data.token`."""
    text = body.strip()
    try:
        found = _token_in(json.loads(text))
    except (ValueError, RecursionError):
        found = text
    found = found.removeprefix("Bearer ") if found else None
    if found and len(found) > _MAX_TOKEN:
        return None
    return found if found and found.isascii() and found.isprintable() and " " not in found else None


def _token_in(value: JsonValue) -> str | None:
    while isinstance(value, dict):
        for key in ("token", "access_token"):
            if isinstance(found := value.get(key), str) and found:
                return found
        value = value.get("data")
    return value.strip() if isinstance(value, str) else None


def parse_offer(body: str) -> Offered:
    """Return the versions in the `data` of the ConfigMap `body`. `data` can have any keys and formats."""
    try:
        document: JsonValue = json.loads(body)
    except (ValueError, RecursionError):
        return Offered(raw=body)
    data = document.get("data") if isinstance(document, dict) else None
    if not isinstance(data, dict):
        return Offered(raw=body)
    lines = tuple(islice(_lines(data), _MAX_LINES))
    about_kubernetes = [line for line in lines if re.search("kube|k8s", line, re.IGNORECASE)]
    kubernetes = _found(_KUBERNETES, about_kubernetes) or _found(_KUBERNETES, lines)
    about_runtime = [line for line in lines if "containerd" in line.partition(": ")[0]]
    runtimes = _found(_RUNTIME, lines) or _found(_VERSION, about_runtime)
    return Offered(kubernetes, tuple(f"containerd://{version}" for version in runtimes), raw="\n".join(lines))


def _lines(data: JsonValue) -> Iterator[str]:
    """Yield each text in `data` as a line `path: text`. The path can name the component to which a version belongs.

    Any depth is possible. Texts that are JSON objects or lists are parsed too."""
    pending: list[tuple[str, JsonValue]] = [("", data)]
    while pending:
        path, value = pending.pop()
        if isinstance(value, str):
            nested = _parsed(value)
            if not isinstance(nested, dict | list):
                yield sanitize(f"{path}: {value}")
                continue
            value = nested
        if isinstance(value, dict):
            pending += ((_below(path, key), inner) for key, inner in reversed(value.items()))
        elif isinstance(value, list):
            pending += ((path, inner) for inner in reversed(value))


def _below(path: str, key: str) -> str:
    return (f"{path}.{key}" if path else key)[-_MAX_PATH:]


def _parsed(text: str) -> JsonValue:
    try:
        value: JsonValue = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value


def _found(pattern: re.Pattern[str], lines: Iterable[str]) -> tuple[str, ...]:
    versions = {match[1] for line in lines for match in pattern.finditer(line)}
    return tuple(sorted(versions, key=_order, reverse=True))


def _order(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in _NUMBERS.findall(version))
