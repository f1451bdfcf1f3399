"""Write a plan as YAML. Secrets are written only to the secrets overlay.

The plan file contains every other key with its value, and a comment that explains the key.
"""

import textwrap
from collections.abc import Mapping
from pathlib import Path

import yaml
from pydantic import BaseModel, SecretStr

from acp_tui.core.files import write_atomically
from acp_tui.core.i18n import _
from acp_tui.plan.file.document import Data, Value
from acp_tui.plan.file.reader import SECRETS_NAME
from acp_tui.plan.model import Plan
from acp_tui.plan.paths import PathPart, dotted
from acp_tui.plan.sections.section import is_secret


def dump_plan(plan: Plan) -> str:
    """Return the plan as YAML without secrets. Each key has a comment at its first occurrence."""
    return "\n".join(_emit(plan, "", set())) + "\n"


def dump_secrets(plan: Plan) -> str:
    """Return the secrets overlay as YAML. It contains only secrets, and identifies each node by its address."""
    return _yaml(_secrets_of(plan), flow=False)


def save_plan(plan: Plan, path: Path) -> None:
    """Write the plan to `path`, and the secrets overlay next to it with mode 0600. Each file is replaced atomically."""
    write_atomically(path, dump_plan(plan))
    write_atomically(path.with_name(SECRETS_NAME), dump_secrets(plan), mode=0o600)


def schema() -> dict[str, object]:
    """Return the JSON Schema of the plan. A secret can be text, `{env: NAME}` or `{file: PATH}`."""
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


def _emit(section: BaseModel, indent: str, commented: set[tuple[type[BaseModel], str]]) -> list[str]:
    out: list[str] = []
    for name, info in type(section).model_fields.items():
        if is_secret(info.annotation):
            continue
        mark = (type(section), name)
        if info.description and mark not in commented:
            commented.add(mark)
            comment = textwrap.wrap(_(info.description), 118 - len(indent))
            out += [f"{indent}# {line}" for line in comment]
        out += _emit_value(name, getattr(section, name), indent, commented)
    return out


def _emit_value(name: str, value: object, indent: str, commented: set[tuple[type[BaseModel], str]]) -> list[str]:
    if isinstance(value, BaseModel):
        inner = _emit(value, indent + "  ", commented)
        return [f"{indent}{name}:", *inner] if inner else [f"{indent}{name}: {{}}"]
    if isinstance(value, tuple) and any(isinstance(item, BaseModel) for item in value):
        out = [f"{indent}{name}:"]
        for item in value:
            lines = _emit(item, indent + "    ", commented)
            first = next(index for index, line in enumerate(lines) if not line.lstrip().startswith("#"))
            # The comment of the first key of a list item goes above the dash.
            lines[first] = f"{indent}  - {lines[first].lstrip()}"
            out += lines
        return out
    return [f"{indent}{name}: {_scalar(value)}"]


def _scalar(value: object) -> str:
    """Return a value as one line of YAML. Text that YAML would parse as a different type, such as `yes`, is quoted."""
    if isinstance(value, tuple):
        value = list(value)
    text = _yaml(value, flow=True)
    return text.removesuffix("\n").removesuffix("\n...")


class _Dumper(yaml.SafeDumper):
    """Writes every text on one line: all characters that YAML treats as line breaks are escaped."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if text.isprintable() else '"')


_Dumper.add_representer(str, _text)


def _yaml(value: object, *, flow: bool) -> str:
    text: str = yaml.dump(
        value, Dumper=_Dumper, default_flow_style=flow, sort_keys=False, allow_unicode=True, width=1 << 30
    )
    return text


def _secrets_of(section: BaseModel) -> Data:
    secrets: Data = {}
    for name, info in type(section).model_fields.items():
        value = getattr(section, name)
        if isinstance(value, SecretStr):
            secrets[name] = value.get_secret_value()
        elif isinstance(value, BaseModel):
            if inner := _secrets_of(value):
                secrets[name] = inner
        elif name == "nodes" and isinstance(value, tuple):
            nodes: list[Value] = [{"address": node.address, **inner} for node in value if (inner := _secrets_of(node))]
            if nodes:
                secrets[name] = nodes
        elif is_secret(info.annotation):
            continue
    return secrets


def secret_values(plan: Plan) -> Mapping[str, str]:
    """Return plan key → secret in plain text. Callers use the secrets to mask output."""
    return dict(_walk(_secrets_of(plan), ()))


def _walk(value: Value, steps: tuple[PathPart, ...]) -> list[tuple[str, str]]:
    if isinstance(value, dict):
        return [pair for key, item in value.items() if key != "address" for pair in _walk(item, (*steps, key))]
    if isinstance(value, list):
        return [pair for index, item in enumerate(value) for pair in _walk(item, (*steps, index))]
    return [(dotted(steps), value)] if value else []
