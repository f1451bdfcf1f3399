"""Insert secrets into the data of a plan: from environment variables, from files and from the secrets overlay."""

import os
import shlex
import stat
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path

from pydantic import BaseModel

from acp_tui.core.files import error_reason, read_limited, resolve_path
from acp_tui.core.i18n import _
from acp_tui.core.ownership import require_own_links
from acp_tui.core.text import sanitize
from acp_tui.plan.field_types import is_ip
from acp_tui.plan.file.document import Data, Document, Value
from acp_tui.plan.model import Plan, models_in
from acp_tui.plan.paths import PathPart
from acp_tui.plan.sections.section import is_secret


def resolve_secrets(model: type[BaseModel], value: Value, steps: tuple[PathPart, ...], document: Document) -> None:
    """Replace each `{env: NAME}` and `{file: PATH}` in `value` with the secret that it refers to."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            resolve_secrets(model, item, (*steps, index), document)
    if not isinstance(value, dict):
        return
    for name, info in model.model_fields.items():
        inner = value.get(name)
        here = (*steps, name)
        if is_secret(info.annotation) and isinstance(inner, dict):
            value[name] = _referenced(inner, here, document)
        for part in models_in(info.annotation):
            resolve_secrets(part, inner, here, document)


def _referenced(reference: Data, steps: tuple[PathPart, ...], document: Document) -> str | None:
    match list(reference.items()):
        case [("env", str(name))]:
            with suppress(KeyError, ValueError):  # not set, or a name that no variable can have
                return os.environ[name]
            document.problem(steps, _("the environment variable {name} is not set").format(name=name))
        case [("file", str(name))]:
            try:
                source = resolve_path(document.folder, name)
                require_own_links(source)  # after the confirmation, their owner could lead them to another file
                return read_limited(source).decode("utf-8").removesuffix("\n").removesuffix("\r")
            except (OSError, ValueError) as error:
                reason = error_reason(error) if isinstance(error, OSError) else _("path or content is not UTF-8 text")
                document.problem(
                    steps, _("cannot read the secret from the file {name}: {reason}").format(name=name, reason=reason)
                )
        case _other:
            document.problem(steps, _("the secret must be text, {{env: NAME}} or {{file: PATH}}").format())
    return None


def readable_secrets(path: Path, document: Document) -> str:
    """Return a warning if other users can read a file with secrets in plain text; "" if they cannot.

    Call this before the references are replaced. Raises OSError if the file has a secret, but no longer exists."""
    if not _has_secret(Plan, document.data):
        return ""
    mode = path.stat().st_mode
    if not mode & (stat.S_IRGRP | stat.S_IROTH):
        return ""
    text = _("{file} contains secrets, and other users can read it (mode {mode:o}). Run: {command}")
    command = f"chmod 600 {shlex.quote(str(path))}"
    return text.format(file=sanitize(str(path)), mode=stat.S_IMODE(mode), command=sanitize(command))


def _has_secret(model: type[BaseModel], value: Value) -> bool:
    """Return True if `value` contains a secret in plain text."""
    if isinstance(value, list):
        return any(_has_secret(model, item) for item in value)
    if not isinstance(value, dict):
        return False
    for name, info in model.model_fields.items():
        inner = value.get(name)
        if is_secret(info.annotation) and isinstance(inner, str) and inner:
            return True
        if any(_has_secret(part, inner) for part in models_in(info.annotation)):
            return True
    return False


def merge_overlay(base: Value, over: Value) -> Value:
    """Return the plan data `base` with the values of the secrets overlay `over`. Nodes are matched by address."""
    if isinstance(base, dict) and isinstance(over, dict):
        return {key: merge_overlay(base.get(key), over[key]) if key in over else base[key] for key in {**base, **over}}
    if isinstance(base, list) and isinstance(over, list):
        return _merge_nodes(base, over)
    return base if over is None else over


def _merge_nodes(base: list[Value], over: list[Value]) -> list[Value]:
    """Add the secrets of the overlay to the nodes with the same addresses.

    The position of a node is not used. Each node therefore keeps its secrets when the nodes are reordered."""
    secrets = {_address(item): item for item in over if isinstance(item, dict)}
    merged: list[Value] = []
    for item in base:
        secret = secrets.get(_address(item), {}) if isinstance(item, dict) else {}
        merged.append(merge_overlay(item, {key: value for key, value in secret.items() if key != "address"}))
    return merged


def _address(node: Data) -> str:
    """Return the canonical address of a node in the plan data; "" if the node has no address."""
    address = node.get("address")
    text = address.strip() if isinstance(address, str) else ""
    return str(ip_address(text)) if is_ip(text) else text
