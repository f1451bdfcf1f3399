"""Compare two installer configurations without showing their values."""

from collections.abc import Iterator

from pydantic import JsonValue
from pydantic_core import from_json


def differences(one: str, other: str) -> tuple[str, ...]:
    """Return the dotted keys at which two JSON documents differ. Values can be secrets, so they are not returned.

    Raises: ValueError if a document is not JSON."""
    return tuple(_differences(from_json(one), from_json(other), ""))


def _differences(one: JsonValue, other: JsonValue, path: str) -> Iterator[str]:
    if isinstance(one, dict) and isinstance(other, dict):
        for key in {**one, **other}:
            yield from _differences(one.get(key), other.get(key), f"{path}.{key}".removeprefix("."))
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for index, (old, new) in enumerate(zip(one, other, strict=True)):
            yield from _differences(old, new, f"{path}[{index}]")
    elif one != other:
        yield path
