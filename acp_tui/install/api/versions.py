"""Parse the responses of the installer that contain its token and the versions that it offers.

The format of these responses is not documented, so the parsers accept any reasonable format (API-TOKEN, API-VERSIONS).
A value that a parser does not find stays empty.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pydantic import JsonValue

_KUBERNETES = re.compile(
    r"(?<![\w.-])v?(1\.[2-9]\d\.\d+)(?![\w.])"
)  # 1.20 and newer: no other component has such numbers
_RUNTIME = re.compile(r"containerd[^\w\n]{0,8}(?:version[^\w\n]{0,8})?v?(\d+\.\d+\.\d+(?:-\d+)?)(?![\w.])", re.I)
_VERSION = re.compile(r"(?<![\w.-])v?(\d+\.\d+\.\d+(?:-\d+)?)(?![\w.-])")
_NUMBERS = re.compile(r"\d+")


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
    return found if found and found.isascii() and found.isprintable() and " " not in found else None


def _token_in(value: JsonValue) -> str | None:
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, dict):
        for key in ("token", "access_token", "data"):
            inner = value.get(key)
            if found := _token_in(inner) if key == "data" else inner if isinstance(inner, str) else None:
                return found
    return None


def parse_offer(body: str) -> Offered:
    """Return the versions in the `data` of the ConfigMap `body`. `data` can have any keys and formats."""
    try:
        document: JsonValue = json.loads(body)
    except (ValueError, RecursionError):
        return Offered(raw=body)
    data = document.get("data") if isinstance(document, dict) else None
    if not isinstance(data, dict):
        return Offered(raw=body)
    lines = tuple(_lines(data))
    about_kubernetes = [line for line in lines if re.search("kube|k8s", line, re.IGNORECASE)]
    kubernetes = _found(_KUBERNETES, about_kubernetes) or _found(_KUBERNETES, lines)
    about_runtime = [line for line in lines if "containerd" in line.partition(": ")[0]]
    runtimes = _found(_RUNTIME, lines) or _found(_VERSION, about_runtime)
    return Offered(kubernetes, tuple(f"containerd://{version}" for version in runtimes), raw="\n".join(lines))


def _lines(value: JsonValue, path: str = "") -> Iterator[str]:
    """Yield each text in `value` as a line `path: text`. The path can name the component to which a version belongs."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _lines(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for inner in value:
            yield from _lines(inner, path)
    elif isinstance(value, str):
        try:
            nested: JsonValue = json.loads(value)
        except (ValueError, RecursionError):
            nested = None
        if isinstance(nested, dict | list):
            yield from _lines(nested, path)
        else:
            yield f"{path}: {value}"


def _found(pattern: re.Pattern[str], lines: Iterable[str]) -> tuple[str, ...]:
    versions = {match[1] for line in lines for match in pattern.finditer(line)}
    return tuple(sorted(versions, key=_order, reverse=True))


def _order(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in _NUMBERS.findall(version))
