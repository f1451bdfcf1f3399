"""The report of a preflight, and its published JSON document (schema `acp-tui.report/1`)."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import cache

from pydantic import TypeAdapter

from acp_tui.checks.verdict import Outcome, Verdict
from acp_tui.nodes.state import NodeState
from acp_tui.nodes.summary import NodeSummary

SCHEMA = "acp-tui.report/1"


@dataclass(frozen=True)
class Link:
    """How a node reaches another one."""

    target: str
    """The other node's address in the plan."""
    way: str
    """`open`, `partly closed`, `closed`, `unknown`."""
    text: str
    """A few characters with ports and round trip."""


@dataclass(frozen=True)
class NodeRecord:
    """A node as the report names it."""

    address: str
    hostname: str | None
    role: str
    state: NodeState
    machine: NodeSummary | None = None
    detail: str = ""
    """What went wrong, and at which stage; "" when nothing did."""
    links: tuple[Link, ...] = ()
    """To every other node; () where nobody looked."""


@dataclass(frozen=True)
class Report:
    release: str
    started: datetime
    finished: datetime
    nodes: tuple[NodeRecord, ...] = ()
    verdicts: tuple[Verdict, ...] = field(default=())

    @property
    def ready(self) -> bool:
        return all(n.state is NodeState.CHECKED for n in self.nodes) and not any(v.blocks for v in self.verdicts)

    def to_json(self) -> dict[str, object]:
        """The published document. Times are ISO 8601 in UTC."""
        return {
            "schema": SCHEMA,
            "release": self.release,
            "started": self.started.isoformat(timespec="seconds"),
            "finished": self.finished.isoformat(timespec="seconds"),
            "ready": self.ready,
            "nodes": [
                {
                    "address": n.address,
                    "hostname": n.hostname,
                    "role": n.role,
                    "state": n.state.value,
                    "detail": n.detail,
                    "machine": asdict(n.machine) if n.machine else None,
                    "links": [asdict(link) for link in n.links],
                }
                for n in self.nodes
            ],
            "verdicts": [
                {
                    "requirement": v.requirement,
                    "node": v.node,
                    "severity": v.severity.value,
                    "verdict": v.outcome.value,
                    "observed": v.observed,
                    "expected": v.expected,
                    "remedy": v.remedy,
                    "waived": v.waived,
                }
                for v in self.verdicts
            ],
            "summary": summary(self.verdicts),
        }

    @classmethod
    def from_json(cls, text: str | bytes) -> "Report":
        """The report from the text of its document; `paths` are not in it. ValueError: it is none of this schema."""
        reading = _document().validate_json(text)
        if reading.schema != SCHEMA:
            raise ValueError(f"not of schema {SCHEMA}: {reading.schema[:40]}")
        return cls(reading.release, reading.started, reading.finished, reading.nodes, reading.verdicts)


@dataclass(frozen=True)
class _Document:
    """The report's document as it is read; what can be counted again (ready, summary) is."""

    schema: str
    release: str
    started: datetime
    finished: datetime
    nodes: tuple[NodeRecord, ...]
    verdicts: tuple[Verdict, ...]


@cache
def _document() -> TypeAdapter[_Document]:
    return TypeAdapter(_Document)


def summary(verdicts: Sequence[Verdict]) -> dict[str, int]:
    """How many verdicts of each outcome; every outcome is there, with 0 where there is none."""
    counts = Counter(v.outcome for v in verdicts)
    return {outcome.value: counts[outcome] for outcome in Outcome}


def report_json(report: Report) -> str:
    """The published document, indented, with a newline at the end."""
    return json.dumps(report.to_json(), indent=2, ensure_ascii=False) + "\n"
