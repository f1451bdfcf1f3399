"""A record: what the nodes answered during a preflight, with the plan, as one JSON document without secrets.

`record_of` creates it, `replay` judges it again. The rules and parsers of this version decide, so a report of the same
record can differ between versions: support uses this to reproduce a wrong verdict.
"""

import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from pathlib import Path

from pydantic import JsonValue, TypeAdapter, ValidationError

from acp_tui import __version__
from acp_tui.checks.certificate_facts import CertificateFacts
from acp_tui.checks.local_file_facts import LocalFiles
from acp_tui.checks.topology import Topology, topology_of
from acp_tui.core.errors import AcpError, ExitStatus
from acp_tui.core.files import error_reason, read_limited
from acp_tui.core.i18n import _
from acp_tui.core.text import json_text, one_line
from acp_tui.nodes.collectors import facts_from
from acp_tui.nodes.events import NodeFinished
from acp_tui.nodes.facts import Facts
from acp_tui.nodes.script import Collector, CollectorOutput
from acp_tui.nodes.state import NodeState
from acp_tui.plan.model import Plan
from acp_tui.plan.secret_mask import secret_mask
from acp_tui.plan.sections.node import Node
from acp_tui.preflight.active_tests import ActiveTest, prepare_active_tests
from acp_tui.preflight.record.addresses import Replace, replacer
from acp_tui.preflight.record.values import from_json, to_json
from acp_tui.preflight.report.model import Report
from acp_tui.preflight.run import build_report, node_collectors

SCHEMA = "acp-tui.record/1"
_PYDANTIC_MASK, _MASK = "*" * 10, "*" * 16
MAX_BYTES = 64 << 20
"""The maximum size of a record in bytes. A node has about 50 KB."""


class RecordError(AcpError):
    """A record cannot be read. The message has the reason."""

    exit_status = ExitStatus.COULD_NOT_RUN


@dataclass(frozen=True)
class RecordedNode:
    """What one node answered. `outputs`: the outputs of its collectors. `facts`: facts that no collector reads."""

    address: str
    state: NodeState
    detail: str
    outputs: tuple[CollectorOutput, ...]
    facts: Mapping[str, JsonValue]
    missing: Mapping[str, str]
    """The reasons for facts that no collector reads and that are missing."""


@dataclass(frozen=True)
class Record:
    """A record. `plan`: the plan in JSON form; each secret is replaced by asterisks."""

    schema: str
    version: str
    started: datetime
    finished: datetime
    plan: dict[str, JsonValue]
    also: tuple[ActiveTest, ...]
    nodes: tuple[RecordedNode, ...]
    certificate: JsonValue = None


def record_of(
    plan: Plan,
    done: Mapping[str, NodeFinished],
    report: Report,
    *,
    also: Collection[ActiveTest] = (),
    certificate: CertificateFacts | None = None,
    key: bytes | None = None,
) -> str:
    """Return a record as JSON text. Secrets are masked, and addresses are replaced.

    `done`: the last event of each node. `key`: the key of the replacement; None for a random one.
    """
    topology = topology_of(plan)
    nodes = []
    for node in plan.nodes:
        end = done.get(node.address)
        if end is None:
            continue
        others = _other_fields(_collectors(plan, topology, node, also))
        kept = {name: to_json(value) for name in others if (value := getattr(end.facts, name)) is not None}
        missing = {name: reason for name, reason in end.facts.missing.items() if name in others}
        nodes.append(RecordedNode(node.address, end.state, end.detail, end.outputs, kept, missing))
    record = Record(
        SCHEMA, __version__, report.started, report.finished,
        _masked_secrets(plan.model_dump(mode="json")), tuple(also), tuple(nodes), to_json(certificate),
    )  # fmt: skip
    document = _adapter().dump_python(record, mode="json")
    mask, addresses = secret_mask(plan), replacer(key or secrets.token_bytes(16))
    return json_text(_texts_replaced(document, lambda text: addresses(mask(text)))) + "\n"


def read_record(path: Path) -> Record:
    """Read a record. Raises RecordError."""
    try:
        content = read_limited(path, MAX_BYTES)
    except OSError as error:
        raise _invalid(path, error_reason(error)) from None
    try:
        record = _adapter().validate_json(content)
    except ValidationError as error:
        reason = _("it is not a record ({count} invalid values)").format(count=error.error_count())
        raise _invalid(path, reason) from None
    if record.schema != SCHEMA:
        raise _invalid(path, _("its schema is {schema}, not {expected}").format(schema=record.schema, expected=SCHEMA))
    return record


def replay(record: Record, path: Path) -> tuple[Plan, Report]:
    """Judge a record with the rules and parsers of this version. Return its plan and the report.

    `path`: the file of the record, for messages. Verdicts about packages, and about local files except the certificate,
    are not part of a record. Raises RecordError.
    """
    try:
        plan = Plan.model_validate(record.plan)
    except ValidationError as error:
        reason = one_line(str(error.errors(include_url=False)[0]["msg"]))
        raise _invalid(path, _("its plan is not valid: {reason}").format(reason=reason)) from None
    topology = topology_of(plan)
    nodes = {node.address: node for node in plan.nodes}
    done: dict[str, NodeFinished] = {}
    for recorded in record.nodes:
        if recorded.address not in nodes:
            raise _invalid(path, _("the node {address} is not in its plan").format(address=recorded.address))
        collectors = _collectors(plan, topology, nodes[recorded.address], record.also)
        read = facts_from(recorded.address, recorded.outputs, recorded.detail, collectors)
        try:
            facts = _with_others(read, recorded, _other_fields(collectors))
        except ValueError as error:
            reason = _("the facts of {address} are invalid: {reason}")
            raise _invalid(path, reason.format(address=recorded.address, reason=error)) from None
        done[recorded.address] = NodeFinished(recorded.address, recorded.state, facts, recorded.detail)
    try:
        certificate = from_json(CertificateFacts | None, record.certificate)
    except ValueError as error:
        raise _invalid(path, str(error)) from None
    files = LocalFiles(certificate=certificate)
    return plan, build_report(plan, topology, done, record.started, record.finished, files, None)


def _collectors(plan: Plan, topology: Topology, node: Node, also: Collection[ActiveTest]) -> tuple[Collector, ...]:
    return (*node_collectors(topology, node), *prepare_active_tests(plan, topology, also).collectors[node.address])


def _other_fields(collectors: tuple[Collector, ...]) -> list[str]:
    """Return the fields of `Facts` that no collector fills, such as the clock and the results of active tests."""
    filled = {name for collector in collectors for name in collector.fields} | {"address", "missing"}
    return [field.name for field in fields(Facts) if field.name not in filled]


def _with_others(facts: Facts, recorded: RecordedNode, names: list[str]) -> Facts:
    given = {name: recorded.facts[name] for name in names if name in recorded.facts}
    others = from_json(Facts, {"address": facts.address, **given})
    values = {name: getattr(others, name) for name in given}
    return replace(facts, missing={**facts.missing, **recorded.missing}, **values)


def _masked_secrets(document: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """Return the JSON form of a plan with longer masks, so that no rule about the length of a secret applies."""
    replaced = ((name, _texts_replaced(value, _longer_mask)) for name, value in document.items())
    return dict(replaced)


def _longer_mask(text: str) -> str:
    return _MASK if text == _PYDANTIC_MASK else text


def _texts_replaced(value: JsonValue, change: Replace) -> JsonValue:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_texts_replaced(item, change) for item in value]
    if isinstance(value, dict):
        return {name: _texts_replaced(item, change) for name, item in value.items()}
    return value


def _invalid(path: Path, reason: str) -> RecordError:
    return RecordError(_("Cannot read the record {path}: {reason}").format(path=path, reason=one_line(reason)))


def _adapter() -> TypeAdapter[Record]:
    return TypeAdapter(Record)
