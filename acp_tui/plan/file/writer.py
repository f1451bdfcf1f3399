"""Plan → YAML, every default written out and a comment on each key; the secrets go to the overlay alone."""

import textwrap
from collections.abc import Mapping
from pathlib import Path

import yaml
from pydantic import BaseModel, SecretStr

from acp_tui.core.files import write_atomically
from acp_tui.core.i18n import _
from acp_tui.plan.file.reader import SECRETS_NAME, Data, Value
from acp_tui.plan.model import Plan, is_secret
from acp_tui.plan.paths import PathPart, dotted


def dump_plan(plan: Plan) -> str:
    """Every key with its value and, where it first appears, a comment; no secrets."""
    return "\n".join(_emit(plan, "", set())) + "\n"


def dump_secrets(plan: Plan) -> str:
    """The overlay: the same keys, nothing but the secrets. A node is recognised by its address."""
    return _yaml(_secrets_of(plan), flow=False)


def save_plan(plan: Plan, path: Path) -> None:
    """Write the plan and, 0600, its overlay; each file replaced whole."""
    write_atomically(path, dump_plan(plan))
    write_atomically(path.with_name(SECRETS_NAME), dump_secrets(plan), mode=0o600)


def schema() -> dict[str, object]:
    """JSON Schema of the plan; a secret may also be `{env: NAME}` or `{file: PATH}`."""
    return _allow_references(Plan.model_json_schema())  # type: ignore[return-value]


def _allow_references(node: object) -> object:
    if isinstance(node, list):
        return [_allow_references(item) for item in node]
    if not isinstance(node, dict):
        return node
    if node.get("format") == "password":
        reference = [
            {
                "type": "object",
                "properties": {key: {"type": "string"}},
                "required": [key],
                "additionalProperties": False,
            }
            for key in ("env", "file")
        ]
        return {"anyOf": [{"type": "string"}, *reference]}
    return {key: _allow_references(value) for key, value in node.items()}


def _emit(section: BaseModel, indent: str, told: set[tuple[type[BaseModel], str]]) -> list[str]:
    out: list[str] = []
    for name, info in type(section).model_fields.items():
        if is_secret(info.annotation):
            continue
        mark = (type(section), name)
        if info.description and mark not in told:
            told.add(mark)
            comment = textwrap.wrap(_(info.description), 118 - len(indent))
            out += [f"{indent}# {line}" for line in comment]
        out += _emit_value(name, getattr(section, name), indent, told)
    return out


def _emit_value(name: str, value: object, indent: str, told: set[tuple[type[BaseModel], str]]) -> list[str]:
    if isinstance(value, BaseModel):
        inner = _emit(value, indent + "  ", told)
        return [f"{indent}{name}:", *inner] if inner else [f"{indent}{name}: {{}}"]
    if isinstance(value, tuple) and any(isinstance(item, BaseModel) for item in value):
        out = [f"{indent}{name}:"]
        for item in value:
            lines = _emit(item, indent + "    ", told)
            first = next(index for index, line in enumerate(lines) if not line.lstrip().startswith("#"))
            # Comments of the first key stand above the dash.
            lines[first] = f"{indent}  - {lines[first].lstrip()}"
            out += lines
        return out
    return [f"{indent}{name}: {_scalar(value)}"]


def _scalar(value: object) -> str:
    """One value on one line of YAML, quoted where YAML would otherwise take it for something else."""
    if isinstance(value, tuple):
        value = list(value)
    text = _yaml(value, flow=True)
    return text.removesuffix("\n").removesuffix("\n...")


class _Dumper(yaml.SafeDumper):
    """Every text on one line, and what could be read as a line break escaped: YAML has more of them than \\n."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if text.isprintable() else '"')


_Dumper.add_representer(str, _text)


def _yaml(value: object, *, flow: bool) -> str:
    text: str = yaml.dump(
        value, Dumper=_Dumper, default_flow_style=flow, sort_keys=False, allow_unicode=True, width=1 << 30
    )
    return text


def _secrets_of(section: BaseModel) -> Data:
    found: Data = {}
    for name, info in type(section).model_fields.items():
        value = getattr(section, name)
        if isinstance(value, SecretStr):
            found[name] = value.get_secret_value()
        elif isinstance(value, BaseModel):
            if inner := _secrets_of(value):
                found[name] = inner
        elif name == "nodes" and isinstance(value, tuple):
            nodes: list[Value] = [{"address": node.address, **inner} for node in value if (inner := _secrets_of(node))]
            if nodes:
                found[name] = nodes
        elif is_secret(info.annotation):
            continue
    return found


def secret_values(plan: Plan) -> Mapping[str, str]:
    """Dotted path → clear secret, for masking in output that may carry one."""
    return dict(_walk(_secrets_of(plan), ()))


def _walk(value: Value, steps: tuple[PathPart, ...]) -> list[tuple[str, str]]:
    if isinstance(value, dict):
        return [pair for key, item in value.items() if key != "address" for pair in _walk(item, (*steps, key))]
    if isinstance(value, list):
        return [pair for index, item in enumerate(value) for pair in _walk(item, (*steps, index))]
    return [(dotted(steps), value)] if value else []
