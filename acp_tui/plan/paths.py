"""Read and replace single values of the plan by their plan keys, and describe invalid values in plain English.

A plan key is a dotted path such as `nodes[1].address`. The wizard and the plan file use the same functions, so a value
that is valid in one of them is also valid in the other.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic_core import ErrorDetails

from acp_tui.core.errors import AcpError
from acp_tui.core.i18n import NC_, pgettext
from acp_tui.plan.model import Plan
from acp_tui.plan.sections.node import Node
from acp_tui.plan.sections.section import is_secret

PathPart = str | int

_MESSAGES: Mapping[str, str] = {
    "int_parsing": NC_("error", "the value is not an integer"),
    "int_from_float": NC_("error", "the value is not an integer"),
    "int_type": NC_("error", "the value is not an integer"),
    "greater_than_equal": NC_("error", "the value must be at least {ge}"),
    "less_than_equal": NC_("error", "the value must be at most {le}"),
    "literal_error": NC_("error", "the value must be one of {expected}"),
    "missing": NC_("error", "the value is missing"),
    "tuple_type": NC_("error", "the value must be a list"),
    "string_type": NC_("error", "the value must be text"),
    "model_type": NC_("error", "the value must be a mapping of keys to values"),
    "model_attributes_type": NC_("error", "the value must be a mapping of keys to values"),
}


@dataclass(frozen=True)
class FieldError:
    """An invalid value of a plan field, with the error message."""

    steps: tuple[PathPart, ...]
    message: str
    kind: str
    """The error type of pydantic, such as `extra_forbidden`."""

    @property
    def path(self) -> str:
        return dotted(self.steps)


@dataclass(frozen=True)
class ListedAnswer:
    """A value of the plan for reviews and reports. `text` is "" for an empty value and for every secret."""

    path: str
    text: str
    is_set: bool
    """True if the value differs from the default."""
    secret: bool


class InvalidValue(AcpError, ValueError):
    """At least one value is invalid for its plan field."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__("; ".join(f"{error.path}: {error.message}" for error in errors))
        self.errors = tuple(errors)


def dotted(steps: Sequence[PathPart]) -> str:
    """Join the parts of a plan key: ('nodes', 1, 'ssh', 'port') → 'nodes[1].ssh.port'."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
    return text.removeprefix(".")


def steps_of(path: str) -> tuple[PathPart, ...]:
    """Split a plan key into its parts: 'nodes[1].ssh.port' → ('nodes', 1, 'ssh', 'port')."""
    return tuple(
        int(index) if index else name for name, index in re.findall(r"([a-z_0-9]+)|\[(\d+)\]", path) if name or index
    )


def answer_at(plan: Plan, path: str) -> object:
    """Return the value of a plan key. Raises KeyError or IndexError if the key does not exist."""
    value: object = plan
    for step in steps_of(path):
        if isinstance(step, int):
            if not isinstance(value, tuple):
                raise KeyError(path)
            value = value[step]
        else:
            if not isinstance(value, BaseModel) or step not in type(value).model_fields:
                raise KeyError(path)
            value = getattr(value, step)
    return value


def answer_text(value: object) -> str:
    """Return a value as the operator types it. Secrets are not masked, so use the result only in input fields."""
    if value is None:
        return ""
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return ", ".join(answer_text(item) for item in value)
    return str(value)


def moved_path(path: str, before: Sequence[Node], after: Sequence[Node]) -> str | None:
    """Return the new plan key of the value at `path` after the list of nodes has changed.

    Return None if the node of the value was removed."""
    first, *rest = steps_of(path)
    if first != "nodes" or not rest:
        return path
    old, *field = rest
    if not isinstance(old, int) or old >= len(before):
        return None
    new = next((index for index, node in enumerate(after) if node.address == before[old].address), None)
    return None if new is None else dotted(("nodes", new, *field))


def list_answers(plan: Plan) -> Iterator[ListedAnswer]:
    """Yield every value of the plan in the order of the fields.

    For a node or waiver, only the values that differ from their defaults are yielded."""
    yield from _list_section(plan, Plan(), "")


def with_answers(plan: Plan, answers: Mapping[str, object]) -> Plan:
    """Return the plan with new values. `answers`: plan key → new value. Text is converted as in the plan file.

    Raises InvalidValue if a value is invalid."""
    data: object = plan.model_dump()
    for path, value in answers.items():
        _put(data, steps_of(path), value)
    return build(data)


def build(data: object) -> Plan:
    """Return a plan from plain data. Raises InvalidValue with all invalid values, in the order of the fields."""
    try:
        return Plan.model_validate(data)
    except ValidationError as error:
        raise InvalidValue([_field_error(detail) for detail in error.errors(include_url=False)]) from None


def split_list(text: str) -> tuple[str, ...]:
    """Split a list that the operator typed. Commas, semicolons, blanks and new lines separate the items."""
    return tuple(part for part in re.split(r"[\s,;]+", text) if part)


def _put(data: object, steps: tuple[PathPart, ...], value: object) -> None:
    *parents, last = steps
    for step in parents:
        if isinstance(data, dict | list | tuple):
            data = data[step]  # type: ignore[index]
    if isinstance(data, dict):
        data[last] = value


def _field_error(detail: ErrorDetails) -> FieldError:
    kind = detail["type"]
    context = detail.get("ctx", {})
    if kind == "value_error":
        message = str(context.get("error", detail["msg"]))
    else:
        template = _MESSAGES.get(kind)
        message = pgettext("error", template).format(**context) if template else detail["msg"]
    steps = tuple(step for step in detail["loc"] if isinstance(step, str | int))
    return FieldError(steps, message, kind)


def _list_section(section: BaseModel, defaults: object, prefix: str) -> Iterator[ListedAnswer]:
    for name, info in type(section).model_fields.items():
        value, default = getattr(section, name), getattr(defaults, name, None)
        path = f"{prefix}{name}"
        if isinstance(value, BaseModel):
            yield from _list_section(value, default, f"{path}.")
        elif isinstance(value, tuple) and any(isinstance(item, BaseModel) for item in value):
            for index, item in enumerate(value):
                yield from _list_section(item, type(item).model_construct(), f"{path}[{index}].")
        elif value != default or "[" not in prefix:
            secret = is_secret(info.annotation)
            text = "" if secret else answer_text(value)
            yield ListedAnswer(path=path, text=text, is_set=value != default, secret=secret)
