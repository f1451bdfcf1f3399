"""One answer at a time: read and replace a value of the plan by its dotted path, and say in our words what is wrong.

Wizard, plan file and tests take the same way: text goes through the plan's own field rules, never around them.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic_core import ErrorDetails

from acp_tui.core.errors import AcpError
from acp_tui.core.i18n import N_, _
from acp_tui.plan.model import Node, Plan, is_secret

PathPart = str | int

_MESSAGES: Mapping[str, str] = {
    "int_parsing": N_("not a whole number"),
    "int_from_float": N_("not a whole number"),
    "int_type": N_("not a whole number"),
    "greater_than_equal": N_("must be at least {ge}"),
    "less_than_equal": N_("must be at most {le}"),
    "literal_error": N_("must be one of {expected}"),
    "missing": N_("is missing"),
    "tuple_type": N_("must be a list"),
    "string_type": N_("must be a text"),
    "model_type": N_("must be a group of keys"),
    "model_attributes_type": N_("must be a group of keys"),
}


@dataclass(frozen=True)
class FieldError:
    """A value that its field refuses."""

    steps: tuple[PathPart, ...]
    message: str
    kind: str
    """pydantic's error type, e.g. `extra_forbidden`."""

    @property
    def path(self) -> str:
        return dotted(self.steps)


@dataclass(frozen=True)
class Listed:
    """An answer as a review or a report tells it. `text` is "" where nothing is set, and always for a secret."""

    path: str
    text: str
    chosen: bool
    """Not the default."""
    secret: bool


class InvalidValue(AcpError, ValueError):
    """The plan's fields refuse one or more values."""

    def __init__(self, wrongs: Sequence[FieldError]) -> None:
        super().__init__("; ".join(f"{wrong.path}: {wrong.message}" for wrong in wrongs))
        self.wrongs = tuple(wrongs)


def dotted(steps: Sequence[PathPart]) -> str:
    """('nodes', 1, 'ssh', 'port') → 'nodes[1].ssh.port'."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
    return text.removeprefix(".")


def steps_of(path: str) -> tuple[PathPart, ...]:
    """'nodes[1].ssh.port' → ('nodes', 1, 'ssh', 'port')."""
    return tuple(
        int(index) if index else name for name, index in re.findall(r"([a-z_0-9]+)|\[(\d+)\]", path) if name or index
    )


def answer_at(plan: Plan, path: str) -> object:
    """The value at `path`. KeyError or IndexError: no such path."""
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
    """A value as a form shows it and a person types it. A secret comes out in clear: for its own input field alone."""
    if value is None:
        return ""
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return ", ".join(answer_text(item) for item in value)
    return str(value)


def moved(path: str, before: Sequence[Node], after: Sequence[Node]) -> str | None:
    """The path once the nodes are `after` instead of `before`: an answer follows its node. None: the node is gone."""
    first, *rest = steps_of(path)
    if first != "nodes" or not rest:
        return path
    here, *field = rest
    if not isinstance(here, int) or here >= len(before):
        return None
    there = next((index for index, node in enumerate(after) if node.address == before[here].address), None)
    return None if there is None else dotted(("nodes", there, *field))


def listed(plan: Plan) -> Iterator[Listed]:
    """Every answer in the plan's order; of list items (nodes, waivers) only what is not the default."""
    yield from _listed(plan, Plan(), "")


def with_answers(plan: Plan, answers: Mapping[str, object]) -> Plan:
    """The plan with the values at these paths replaced; text is converted as in the plan file.

    AnswerRefused: the fields refuse a value; the plan is unchanged then.
    """
    data: object = plan.model_dump()
    for path, value in answers.items():
        _put(data, steps_of(path), value)
    return build(data)


def build(data: object) -> Plan:
    """A plan from plain data. AnswerRefused lists everything that is wrong, in the order of the fields."""
    try:
        return Plan.model_validate(data)
    except ValidationError as error:
        raise InvalidValue([_wrong(detail) for detail in error.errors(include_url=False)]) from None


def split_list(text: str) -> tuple[str, ...]:
    """A list as people type it: separated by commas, blanks or new lines."""
    return tuple(part for part in re.split(r"[\s,;]+", text) if part)


def _put(data: object, steps: tuple[PathPart, ...], value: object) -> None:
    *way, last = steps
    for step in way:
        if isinstance(data, dict | list | tuple):
            data = data[step]  # type: ignore[index]
    if isinstance(data, dict):
        data[last] = value


def _wrong(detail: ErrorDetails) -> FieldError:
    kind = detail["type"]
    context = detail.get("ctx", {})
    if kind == "value_error":
        message = str(context.get("error", detail["msg"]))
    else:
        template = _MESSAGES.get(kind)
        message = _(template).format(**context) if template else detail["msg"]
    steps = tuple(step for step in detail["loc"] if isinstance(step, str | int))
    return FieldError(steps, message, kind)


def _listed(section: BaseModel, default: object, prefix: str) -> Iterator[Listed]:
    for name, info in type(section).model_fields.items():
        value, preset = getattr(section, name), getattr(default, name, None)
        path = f"{prefix}{name}"
        if isinstance(value, BaseModel):
            yield from _listed(value, preset, f"{path}.")
        elif isinstance(value, tuple) and any(isinstance(item, BaseModel) for item in value):
            for index, item in enumerate(value):
                yield from _listed(item, type(item).model_construct(), f"{path}[{index}].")
        elif value != preset or "[" not in prefix:
            secret = is_secret(info.annotation)
            yield Listed(path, "" if secret else answer_text(value), value != preset, secret)
