"""Read a plan file and its secrets overlay. All errors are reported at once, with their lines and plan keys."""

import difflib
import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel

from acp_tui.core.errors import AcpError, ExitStatus
from acp_tui.core.files import error_reason
from acp_tui.core.i18n import _, npgettext
from acp_tui.core.ownership import require_trusted_status, trusted_owners
from acp_tui.plan.file.document import Document, PlanContent, Problem, Value, parse_document, read_content
from acp_tui.plan.file.references import FoundReferences, ReferencePolicy, find_references, only_trusted
from acp_tui.plan.file.secrets import merge_overlay, readable_secrets, resolve_secrets
from acp_tui.plan.model import Plan, models_in
from acp_tui.plan.paths import FieldError, InvalidValue, PathPart, build

SECRETS_NAME = "secrets.yaml"
_SHOWN = 100
"""The maximum number of errors in the message of PlanErrors."""


class PlanErrors(AcpError, ValueError):
    """The plan file has errors. `problems` contains all of them."""

    exit_status = ExitStatus.CHECK_FAILED

    def __init__(self, problems: Sequence[Problem]) -> None:
        lines = [str(problem) for problem in problems[:_SHOWN]]
        if (left := len(problems) - _SHOWN) > 0:
            text = npgettext("plan", "{count} more error is not shown", "{count} more errors are not shown", left)
            lines.append(text.format(count=left))
        super().__init__("\n".join(lines))
        self.problems = tuple(problems)


@dataclass(frozen=True)
class PlanReading:
    """The result of reading a plan file.

    If the file has errors, `plan` contains only the valid part of the file: an invalid value is replaced by its
    default, and a list item with an invalid value is dropped. `plan` is None if no part of the file is usable."""

    plan: Plan | None
    problems: tuple[Problem, ...] = ()
    warnings: tuple[str, ...] = ()
    """Messages about files with secrets that other users can read."""


def load_plan(path: Path, overlay: bytes | None = None, *, references: ReferencePolicy = only_trusted) -> Plan:
    """Read the plan at `path` and its secrets overlay, and return the plan. The parameters are those of `read_plan`.

    Raises PlanErrors with all errors in the plan; ReferencesRefused; OSError if the plan cannot be read."""
    return plan_of(read_plan(path, overlay, references=references))


def plan_of(reading: PlanReading) -> Plan:
    """Return the plan of `reading`. Raises PlanErrors if the plan has errors."""
    if reading.problems or reading.plan is None:
        raise PlanErrors(reading.problems)
    return reading.plan


def read_plan(path: Path, overlay: bytes | None = None, *, references: ReferencePolicy = only_trusted) -> PlanReading:
    """Read the plan at `path` and its secrets overlay. Return the valid part of the plan and all errors.

    `overlay`: the content of the secrets overlay; if None, the file `secrets.yaml` next to the plan is read. A problem
    of the result says if that file cannot be read. `references`: decides about the references to secrets of this host,
    before one of them is read. Raises ReferencesRefused if it refuses them; OSError if the plan cannot be read."""
    overlay_path = path.with_name(SECRETS_NAME)
    content = read_content(path)
    document = parse_document(path, content.data)
    secrets, overlay_weakness = _read_overlay(overlay_path, overlay, content)
    weakness = content.weakness or overlay_weakness
    merged = merge_overlay(document.data, secrets.data)
    if found := find_references((document, secrets), merged):
        references(FoundReferences(path, found, weakness))
    parts = [(path, document), *([(overlay_path, secrets)] if overlay is None and secrets.data else [])]
    warnings = tuple(filter(None, (readable_secrets(file, part) for file, part in parts)))
    for part in (document, secrets):
        resolve_secrets(Plan, part.data, (), part)
    problems = [*document.problems, *secrets.problems]
    plan, errors = _build_valid_part(merge_overlay(document.data, secrets.data))
    for error in errors:
        source = secrets if error.steps in secrets.lines else document
        steps, message = _explain(error)
        source.problem(steps, message)
        problems.append(source.problems[-1])
    in_order = sorted(problems, key=lambda problem: (problem.file == SECRETS_NAME, problem.line))
    return PlanReading(plan, tuple(in_order), warnings)


def _read_overlay(path: Path, given: bytes | None, plan: PlanContent) -> tuple[Document, str]:
    """Return the secrets overlay, and the reason why another user can change it; "" if none can.

    In a folder such as /tmp, any user can place an overlay next to the plan, and so choose its passwords. So the owner
    must be the owner of the plan, or one whom the operator trusts."""
    document = Document(path.name, path.parent)
    if given is not None:
        return parse_document(path, given), ""
    try:
        content = read_content(path)
        if content.status.st_uid not in {*trusted_owners(), plan.status.st_uid}:
            require_trusted_status(path, content.status)
    except OSError as error:
        if not isinstance(error, FileNotFoundError) or os.path.lexists(path):  # a link to a missing file is a mistake
            document.problem((), _("the file cannot be read: {reason}").format(reason=error_reason(error)))
        return document, ""
    return parse_document(path, content.data), content.weakness


def _build_valid_part(data: Value) -> tuple[Plan | None, list[FieldError]]:
    try:
        return build(data), []
    except InvalidValue as invalid:
        errors = list(invalid.errors)
    try:
        return build(_without(data, {_droppable(error.steps) for error in errors})), errors
    except InvalidValue:
        return None, errors


def _droppable(steps: tuple[PathPart, ...]) -> tuple[PathPart, ...]:
    """Return which part of the plan to drop: the list item with the invalid value, or else the value itself."""
    for index, step in enumerate(steps):
        if isinstance(step, int):
            return steps[: index + 1]
    return steps


def _without(value: Value, dropped: Collection[tuple[PathPart, ...]]) -> Value:
    """Return a copy of `value` without the parts at the plan keys `dropped`."""
    if () in dropped:
        return None
    inner: dict[PathPart, set[tuple[PathPart, ...]]] = {}
    for first, *rest in dropped:
        inner.setdefault(first, set()).add(tuple(rest))
    if isinstance(value, dict):
        return {key: _without(item, inner.get(key, ())) for key, item in value.items() if () not in inner.get(key, ())}
    if isinstance(value, list):
        return [
            _without(item, inner.get(index, ())) for index, item in enumerate(value) if () not in inner.get(index, ())
        ]
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
        return error.steps, _("this key is unknown. Did you mean '{key}'?").format(key=near[0])
    return error.steps, _("this key is unknown. The valid keys are: {keys}").format(keys=", ".join(known))


def _keys_at(steps: tuple[PathPart, ...]) -> list[str]:
    model: type[BaseModel] = Plan
    for step in steps:
        if isinstance(step, str):
            model = models_in(model.model_fields[step].annotation)[0]
    return list(model.model_fields)
