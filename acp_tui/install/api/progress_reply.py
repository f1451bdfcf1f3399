"""Parse the installer's replies about its progress. The vendor documents little of their format."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from pydantic import JsonValue

from acp_tui.core.text import one_line

_STEP = 100  # characters of a step; the rest is cut off


class Says(StrEnum):
    RUNNING = "running"
    SUCCESS = "success"
    FAILED = "failed"


@dataclass(frozen=True)
class ProgressReply:
    raw: str
    step: str | None
    says: Says


def read_progress(text: str) -> ProgressReply:
    """Parse a progress reply. The word Success takes precedence over the word Failed (API-SUCCESS, API-FAIL5).

    In JSON, even if it is truncated, a word counts only if it is a complete value; a longer value that contains the
    word does not count. In a reply that is not JSON, a word counts anywhere, as in the vendor's script."""
    try:
        document: JsonValue = json.loads(text)
    except (ValueError, RecursionError):
        torn = text.lstrip("\ufeff \t\r\n").startswith(("{", "["))
        values: set[str] = {status for status in ("Success", "Failed") if (f'"{status}"' if torn else status) in text}
        step = _step_line(text)
    else:
        values = {value.strip() for _key, value in _values(document) if isinstance(value, str)}
        step = next((str(v) for k, v in _values(document) if k == "step" and isinstance(v, str | int)), None)
    says = Says.SUCCESS if "Success" in values else Says.FAILED if "Failed" in values else Says.RUNNING
    return ProgressReply(text, one_line(step, limit=_STEP) if step else None, says)


def is_json(text: str) -> bool:
    """Return True if `text` is a JSON object or list."""
    try:
        return isinstance(json.loads(text), dict | list)
    except (ValueError, RecursionError):
        return False


def _step_line(text: str) -> str | None:
    """Return the step of a text reply: the second word of the first line that contains `step` (API-PROGRESS).

    A comma after the word is removed."""
    for line in text.splitlines():
        columns = line.split()
        if "step" in line and len(columns) > 1:
            return columns[1].rstrip(",").strip('"') or None
    return None


def _values(document: JsonValue) -> Iterator[tuple[str, JsonValue]]:
    """Yield each value that is not a container, with the key of its object, in their order. Any depth is possible."""
    pending: list[tuple[str, JsonValue]] = [("", document)]
    while pending:
        key, value = pending.pop()
        if isinstance(value, dict):
            pending += reversed(value.items())
        elif isinstance(value, list):
            pending += ((key, inner) for inner in reversed(value))
        else:
            yield key, value
