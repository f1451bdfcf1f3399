"""Read a plan file (YAML) and report all errors at once, each with its line and dotted path.

Scalars are read as text, and the fields of the plan convert them: `release: 4.0` stays "4.0", and a password `0123` or
`yes` stays unchanged.
"""

import difflib
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path

import yaml
from pydantic import BaseModel

from acp_tui.core.errors import AcpError, ExitStatus
from acp_tui.core.files import error_reason, read_limited, resolve_path
from acp_tui.core.i18n import _
from acp_tui.plan.field_types import is_ip, shown
from acp_tui.plan.model import Plan, is_secret, models_in, rule_of
from acp_tui.plan.paths import FieldError, InvalidValue, PathPart, build, dotted

SECRETS_NAME = "secrets.yaml"
MAX_BYTES = 1 << 20
"""A plan has one or two pages; a larger file is not a plan."""
MAX_VALUES = 100_000
"""A hundred nodes with all keys have two thousand values; nested aliases make millions out of a few lines."""

Data = dict[str, "Value"]
Value = str | None | list["Value"] | Data


@dataclass(frozen=True)
class Problem:
    """An error in a plan file."""

    file: str
    line: int
    path: str
    message: str

    @property
    def rule(self) -> str | None:
        """The requirement that the value violates; None if the path is not a plan key."""
        try:
            return rule_of(self.path)
        except KeyError:
            return None

    def __str__(self) -> str:
        return (
            f"{self.file}:{self.line} {self.path}: {self.message}"
            if self.path
            else f"{self.file}:{self.line} {self.message}"
        )


class PlanErrors(AcpError, ValueError):
    """The plan file has errors; `problems` has all of them."""

    exit_status = ExitStatus.CHECK_FAILED

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


@dataclass(frozen=True)
class PlanReading:
    """What could be read. With problems, `plan` has the refused values at their defaults, so that the rules on the
    rest can still be judged; None when not even that is possible."""

    plan: Plan | None
    problems: tuple[Problem, ...] = ()


@dataclass
class _Document:
    """One YAML file as plain data, with the line of every path."""

    name: str
    folder: Path
    data: Data = field(default_factory=dict)
    lines: dict[tuple[PathPart, ...], int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    values: int = 0

    def line(self, steps: tuple[PathPart, ...]) -> int:
        """The line of a path, or of the nearest thing around it."""
        while steps and steps not in self.lines:
            steps = steps[:-1]
        return self.lines.get(steps, 1)

    def problem(self, steps: tuple[PathPart, ...], message: str) -> None:
        self.problems.append(Problem(self.name, self.line(steps), shown(dotted(steps), 120), message))


def load_plan(path: Path, overlay: bytes | None = None) -> Plan:
    """The plan at `path` with its secrets overlay. PlanErrors: all that is wrong; OSError: the file cannot be read."""
    reading = read_plan(path, overlay)
    if reading.problems or reading.plan is None:
        raise PlanErrors(reading.problems)
    return reading.plan


def read_plan(path: Path, overlay: bytes | None = None) -> PlanReading:
    """As `load_plan`, but keeping what can be used of a plan with errors. OSError: the file cannot be read.

    `overlay`: the content of the secrets overlay where it is no file of its own; None: the file beside the plan."""
    document = _read(path, _content(path))
    overlay_path = path.with_name(SECRETS_NAME)
    if overlay is None:
        overlay = _content(overlay_path) if overlay_path.exists() else b""
    secrets = _read(overlay_path, overlay)
    for part in (document, secrets):
        _resolve_secrets(Plan, part.data, (), part)
    problems = [*document.problems, *secrets.problems]
    merged = _merge(document.data, secrets.data)
    plan, errors = _build_valid_part(merged)
    for error in errors:
        source = secrets if error.steps in secrets.lines else document
        steps, message = _explain(error)
        source.problem(steps, message)
        problems.append(source.problems[-1])
    return PlanReading(plan, tuple(sorted(problems, key=lambda p: (p.file == SECRETS_NAME, p.line))))


def _content(path: Path) -> bytes:
    """Return the content, limited to one byte more than allowed: the path may name any file."""
    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1)


def _read(path: Path, raw: bytes) -> _Document:
    """Parse the content `raw` of the file at `path`."""
    document = _Document(path.name, path.parent)
    if len(raw) > MAX_BYTES:
        document.problem((), _("the file is larger than {limit} bytes; this is not a plan").format(limit=MAX_BYTES))
        return document
    try:
        node = yaml.compose(raw.decode("utf-8"), Loader=yaml.SafeLoader)
    except UnicodeDecodeError:
        document.problem((), _("the file is not UTF-8 text"))
        return document
    except RecursionError:
        document.problem((), _("nested too deeply, or recursive"))
        return document
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = mark.line + 1 if mark else 1
        message = _("invalid YAML: {reason}").format(reason=error.problem or error)
        document.problems.append(Problem(path.name, line, "", message))
        return document
    except yaml.YAMLError as error:
        document.problem((), _("invalid YAML: {reason}").format(reason=str(error).splitlines()[0]))
        return document
    if node is None:
        return document
    if not isinstance(node, yaml.MappingNode):
        document.problem((), _("the file must contain a YAML mapping"))
        return document
    value = _plain(node, (), document, ())
    document.data = value if isinstance(value, dict) else {}
    return document


def _plain(
    node: yaml.Node, steps: tuple[PathPart, ...], document: _Document, ancestors: tuple[yaml.Node, ...]
) -> Value:
    document.lines.setdefault(steps, node.start_mark.line + 1)
    document.values += 1
    if document.values > MAX_VALUES:
        if document.values == MAX_VALUES + 1:
            document.problem(steps, _("more than {limit} values; this is not a plan").format(limit=MAX_VALUES))
        return None
    if node in ancestors or len(ancestors) > 20:
        document.problem(steps, _("nested too deeply, or recursive"))
        return None
    if isinstance(node, yaml.ScalarNode):
        return None if node.tag == "tag:yaml.org,2002:null" else str(node.value)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, (*steps, index), document, (*ancestors, node)) for index, item in enumerate(node.value)]
    result: Data = {}
    for key_node, value_node in node.value:
        key = str(key_node.value) if isinstance(key_node, yaml.ScalarNode) else "?"
        here = (*steps, key)
        if key in result:
            document.lines[here] = key_node.start_mark.line + 1
            document.problem(here, _("duplicate key"))
            continue
        document.lines[here] = key_node.start_mark.line + 1
        result[key] = _plain(value_node, here, document, (*ancestors, node))
    return result


def _resolve_secrets(model: type[BaseModel], value: Value, steps: tuple[PathPart, ...], document: _Document) -> None:
    """Replace `{env: NAME}` and `{file: PATH}` by the secrets that they refer to, in place."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            _resolve_secrets(model, item, (*steps, index), document)
    if not isinstance(value, dict):
        return
    for name, info in model.model_fields.items():
        inner = value.get(name)
        here = (*steps, name)
        if is_secret(info.annotation) and isinstance(inner, dict):
            value[name] = _referenced(inner, here, document)
        for part in models_in(info.annotation):
            _resolve_secrets(part, inner, here, document)


def _referenced(reference: Data, steps: tuple[PathPart, ...], document: _Document) -> str | None:
    match list(reference.items()):
        case [("env", str(name))]:
            if name in os.environ:
                return os.environ[name]
            document.problem(steps, _("the environment variable {name} is not set").format(name=name))
        case [("file", str(name))]:
            try:
                return (
                    read_limited(resolve_path(document.folder, name))
                    .decode("utf-8")
                    .removesuffix("\n")
                    .removesuffix("\r")
                )
            except (OSError, ValueError) as error:
                reason = error_reason(error) if isinstance(error, OSError) else _("not UTF-8 text")
                document.problem(
                    steps, _("cannot read the secret from {name}: {reason}").format(name=name, reason=reason)
                )
        case _other:
            document.problem(steps, _("a secret must be text, {{env: NAME}} or {{file: PATH}}").format())
    return None


def _merge(base: Value, over: Value) -> Value:
    if isinstance(base, dict) and isinstance(over, dict):
        return {key: _merge(base.get(key), over[key]) if key in over else base[key] for key in {**base, **over}}
    if isinstance(base, list) and isinstance(over, list):
        return _merge_nodes(base, over)
    return base if over is None else over


def _merge_nodes(base: list[Value], over: list[Value]) -> list[Value]:
    """Match nodes by address, so that a reordered plan never assigns a secret to another node."""
    secrets = {_address(item): item for item in over if isinstance(item, dict)}
    merged: list[Value] = []
    for item in base:
        secret = secrets.get(_address(item), {}) if isinstance(item, dict) else {}
        merged.append(_merge(item, {key: value for key, value in secret.items() if key != "address"}))
    return merged


def _address(node: Data) -> str:
    """Return the address of a node in its canonical form; "" if it has none."""
    address = node.get("address")
    text = address.strip() if isinstance(address, str) else ""
    return str(ip_address(text)) if is_ip(text) else text


def _build_valid_part(data: Value) -> tuple[Plan | None, list[FieldError]]:
    try:
        return build(data), []
    except InvalidValue as invalid:
        errors = list(invalid.errors)
    rest = data
    # From the end, so that a dropped list item does not change the indices of the others.
    for steps in sorted({_droppable(error.steps) for error in errors}, key=_sort_key, reverse=True):
        rest = _without(rest, steps)
    try:
        return build(rest), errors
    except InvalidValue:
        return None, errors


def _sort_key(steps: tuple[PathPart, ...]) -> list[tuple[str, int]]:
    """Return a sort key that orders list indices numerically."""
    return [("", step) if isinstance(step, int) else (step, 0) for step in steps]


def _droppable(steps: tuple[PathPart, ...]) -> tuple[PathPart, ...]:
    """Return the part to drop for an invalid value: the value, or the list item that contains it."""
    for index, step in enumerate(steps):
        if isinstance(step, int):
            return steps[: index + 1]
    return steps


def _without(value: Value, steps: tuple[PathPart, ...]) -> Value:
    """Return the data without the value at `steps`."""
    if not steps:
        return None
    first, *rest = steps
    if isinstance(value, dict) and isinstance(first, str):
        if not rest:
            return {key: item for key, item in value.items() if key != first}
        return {key: _without(item, tuple(rest)) if key == first else item for key, item in value.items()}
    if isinstance(value, list) and isinstance(first, int):
        return [item for index, item in enumerate(value) if index != first]
    return value


def _explain(error: FieldError) -> tuple[tuple[PathPart, ...], str]:
    if error.kind != "extra_forbidden":
        return error.steps, error.message
    *parents, key = error.steps
    known = _keys_at(tuple(parents))
    typed = str(key)
    near = difflib.get_close_matches(typed, known, n=1, cutoff=0.5) or [
        name for name in known if (len(typed) > 2 and typed in name) or name in typed
    ]
    if near:
        return error.steps, _("unknown key; did you mean '{key}'?").format(key=near[0])
    return error.steps, _("unknown key; valid keys: {keys}").format(keys=", ".join(known))


def _keys_at(steps: tuple[PathPart, ...]) -> list[str]:
    model: type[BaseModel] = Plan
    for step in steps:
        if isinstance(step, str):
            model = models_in(model.model_fields[step].annotation)[0]
    return list(model.model_fields)
