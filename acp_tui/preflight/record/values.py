"""Convert typed values to JSON values and back: frozen classes, tuples, sets, mappings, enums and times.

A mapping becomes a list of pairs, because its keys can be tuples. Keys of a JSON object that the class does not have
are ignored, so that a record of a later version can be read.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from functools import lru_cache
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from pydantic import JsonValue


def to_json(value: object) -> JsonValue:
    """Return the value as a JSON value. Raises TypeError for a value of another type."""
    match value:
        case Enum():
            return to_json(value.value)
        case None | bool() | int() | float() | str():
            return value if not isinstance(value, str) else str(value)
        case datetime():
            return value.isoformat()
        case Mapping():
            return [[to_json(key), to_json(one)] for key, one in value.items()]
        case Set():
            return sorted(map(to_json, value), key=repr)
        case Sequence():
            return [to_json(one) for one in value]
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_json(getattr(value, field.name)) for field in fields(value) if field.init}
    raise TypeError(f"cannot convert {type(value).__name__} to JSON")


def from_json(kind: Any, value: JsonValue) -> Any:
    """Return the value of the type `kind` that a JSON value contains. Raises ValueError if it does not fit the type."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return _first_fitting(arguments, value)
    if kind in (None, NoneType):
        return _checked(value, NoneType)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if kind in (bool, int, float, str):
        return _checked(value, kind)
    if kind is datetime:
        return datetime.fromisoformat(_checked(value, str))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(value)
    if isinstance(kind, type) and issubclass(kind, tuple) and hasattr(kind, "_fields"):
        hints = _hints(kind)
        items = _checked(value, list)
        return kind(*(from_json(hints[name], item) for name, item in zip(kind._fields, items, strict=True)))
    if isinstance(kind, type) and is_dataclass(kind):
        return _object(kind, value)
    items = _checked(value, list)
    if origin in (frozenset, set):
        return frozenset(from_json(arguments[0], item) for item in items)
    if origin is tuple and arguments[-1:] == (Ellipsis,):
        return tuple(from_json(arguments[0], item) for item in items)
    if origin is tuple:
        return tuple(from_json(one, item) for one, item in zip(arguments, items, strict=True))
    if origin is Mapping:
        pairs = [_checked(item, list) for item in items]
        return {from_json(arguments[0], key): from_json(arguments[1], one) for key, one in pairs}
    raise ValueError(f"cannot read a value of the type {kind}")


def _first_fitting(kinds: tuple[Any, ...], value: JsonValue) -> Any:
    for kind in kinds:
        try:
            return from_json(kind, value)
        except ValueError:
            continue
    raise ValueError("the value has none of the expected types")


def _object(kind: type, value: JsonValue) -> Any:
    given, hints = _checked(value, dict), _hints(kind)
    names = [field.name for field in fields(kind) if field.init and field.name in given]
    try:
        return kind(**{name: from_json(hints[name], given[name]) for name in names})
    except TypeError as error:
        raise ValueError(str(error)) from None


@lru_cache(maxsize=128)
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _checked(value: JsonValue, kind: Any) -> Any:
    if not isinstance(value, kind) or (kind is not bool and isinstance(value, bool)):
        raise ValueError(f"expected {kind.__name__}, found {type(value).__name__}")
    return value
