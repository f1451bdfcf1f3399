"""The report of a preflight, and its published JSON document (schema `acp-tui.report/1`)."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from typing import Annotated

from pydantic import AwareDatetime, PlainSerializer, TypeAdapter, ValidationError

from acp_tui.checks.causes import Findings, findings_by_cause, joined_with_packages
from acp_tui.checks.verdict import Outcome, Verdict
from acp_tui.core.text import json_text
from acp_tui.nodes.state import NodeState
from acp_tui.nodes.summary import NodeSummary

SCHEMA = "acp-tui.report/1"
LARGEST_REPORT = 64 << 20
"""Maximum size, in bytes, of a report that is read. A report of a hundred nodes has a tenth of this size."""

_Time = Annotated[AwareDatetime, PlainSerializer(lambda time: time.isoformat(timespec="seconds"))]
_NOT_PUBLISHED = {"verdicts": {"__all__": {"paths", "names", "missing"}}}


@dataclass(frozen=True)
class Link:
    """The connectivity from a node to one other node. The JSON document has the same fields in the same order."""

    target: str
    """The plan address of the other node."""
    way: str
    """The state of the link: `open`, `partly closed`, `closed`, `unknown`."""
    text: str
    """The closed ports and a notable round trip time, in a few characters."""


@dataclass(frozen=True)
class NodeRecord:
    """A node in the report. The JSON document has the same fields in the same order."""

    address: str
    hostname: str | None
    role: str
    state: NodeState
    detail: str = ""
    """The error and the stage at which it happened; "" without an error."""
    machine: NodeSummary | None = None
    links: tuple[Link, ...] = ()
    """The links from this node to every other node; () if they were not tested."""
    round_trips: str = ""
    """The spread of the round trip times to the nodes whose link has no time of its own, such as `0.2-0.5 ms`."""


INCOMPLETE = (NodeState.CHECKING, NodeState.LOST, NodeState.TIMEOUT)
"""States of nodes that possibly have more facts than were collected."""
_IN_EVERY_COMPLETE_REPORT = "BND-CORE"
"""A requirement of which every complete report has a verdict, and which no selection of older versions contained."""


@dataclass(frozen=True)
class Report:
    """The result of a preflight: the nodes and the verdicts."""

    release: str
    started: datetime
    finished: datetime
    nodes: tuple[NodeRecord, ...] = ()
    verdicts: tuple[Verdict, ...] = field(default=())
    left_out: bool = False
    """True if nodes of the plan, requirements or packages were not checked."""

    @property
    def partial(self) -> bool:
        """Return True if a selection, or a node that did not reply to the end, left something out."""
        return self.left_out or any(node.state in INCOMPLETE for node in self.nodes)

    @property
    def unblocked(self) -> bool:
        """Return True if nothing that was checked blocks. A partial report can be unblocked, but is never ready."""
        return all(n.state is NodeState.CHECKED for n in self.nodes) and not any(v.blocks for v in self.verdicts)

    @property
    def ready(self) -> bool:
        """Return True if the install may start: everything was checked, and nothing blocks."""
        return self.unblocked and not self.partial

    def with_package(self, verdicts: Sequence[Verdict], finished: datetime, *, selection: bool = False) -> "Report":
        """Return the report with the verdicts on the packages. It is complete unless only a selection was checked."""
        joined = joined_with_packages(verdicts, self.verdicts)
        return replace(self, finished=finished, verdicts=joined, left_out=selection)

    @property
    def findings(self) -> Findings:
        """The findings, one for each cause."""
        return findings_by_cause({node.address: node.state for node in self.nodes}, self.verdicts)

    def to_json(self) -> dict[str, object]:
        """Return the published JSON document. Times are ISO 8601 in UTC."""
        document = _Document(
            schema=SCHEMA,
            release=self.release,
            started=self.started,
            finished=self.finished,
            ready=self.ready,
            partial=self.partial,
            blockers=self.findings.blockers,
            nodes=self.nodes,
            verdicts=self.verdicts,
            summary=summary(self.verdicts),
        )
        published: dict[str, object] = _adapter().dump_python(
            document, mode="json", by_alias=True, exclude=_NOT_PUBLISHED
        )
        return published

    @classmethod
    def from_json(cls, text: str | bytes) -> "Report":
        """Return the report that a JSON document contains. The verdicts of this report have no `paths` and no `names`.

        A document of an older version has no `partial`. It counts as partial if it has no verdict on the package.
        Raises ValueError if the text is not a document of this schema.
        """
        try:
            document = _adapter().validate_json(text)
        except ValidationError as error:
            raise ValueError(f"the JSON document has {error.error_count()} invalid values") from None
        if document.schema != SCHEMA:
            raise ValueError(f"not of schema {SCHEMA}: {document.schema[:40]}")
        left_out = document.partial
        if left_out is None:
            left_out = all(v.requirement != _IN_EVERY_COMPLETE_REPORT for v in document.verdicts)
        return cls(document.release, document.started, document.finished, document.nodes, document.verdicts, left_out)


@dataclass(frozen=True, kw_only=True)
class _Document:
    """The fields of the JSON document in their order.

    A program that reads the document can ignore `ready`, `blockers` and `summary`: their values follow from the other
    fields. `partial` is None in a document of an older version.
    """

    schema: str
    release: str
    started: _Time
    finished: _Time
    ready: bool = False
    partial: bool | None = None
    blockers: int = 0
    nodes: tuple[NodeRecord, ...]
    verdicts: tuple[Verdict, ...]
    summary: Mapping[str, int] = field(default_factory=dict)


@cache
def _adapter() -> TypeAdapter[_Document]:
    return TypeAdapter(_Document)


def summary(verdicts: Sequence[Verdict]) -> dict[str, int]:
    """Return the number of verdicts for each outcome. An outcome without verdicts has the number 0."""
    counts = Counter(v.outcome for v in verdicts)
    return {outcome.value: counts[outcome] for outcome in Outcome}


def report_json(report: Report) -> str:
    """Return the published JSON document, indented, with a newline at the end."""
    return json_text(report.to_json()) + "\n"
