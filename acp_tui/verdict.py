"""A verdict is the comparison of what was found with what is wanted. `unknown` is never `pass`.

The JSON shape is the published report, schema `acp-tui.report/1`; scripts read it, so its keys do not drift.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Annotated

from pydantic import Field, TypeAdapter

from acp_tui.nodes.state import NodeState

SCHEMA = "acp-tui.report/1"


class Severity(StrEnum):
    MUST = "must"
    COND = "cond"
    ADVICE = "advice"
    INFO = "info"


class Outcome(StrEnum):
    PASS = "pass"
    FAIL = "fail"
    WARN = "warn"
    UNKNOWN = "unknown"
    PENDING_REBOOT = "pending-reboot"
    MANUAL = "manual"
    NOT_APPLICABLE = "not-applicable"


@dataclass(frozen=True)
class Verdict:
    """One requirement held against one node (or against the plan, where `node` is None)."""

    requirement: str
    node: str | None
    severity: Severity
    outcome: Annotated[Outcome, Field(validation_alias="verdict")]
    observed: str
    expected: str
    remedy: str
    waived: str | None = None
    """The reason of the waiver; None means nobody waived it."""
    paths: tuple[str, ...] = ()
    """Dotted plan paths whose answer would mend it; empty for what only the node can mend."""
    names: tuple[str, ...] = ()
    """What it is about, such as missing modules or packages to remove, as the node told it. Not part of the report."""

    @property
    def blocks(self) -> bool:
        """Whether the install must not start while this stands."""
        if self.waived is not None:
            return False
        if self.outcome in (Outcome.FAIL, Outcome.PENDING_REBOOT):
            return True
        return self.severity is Severity.MUST and self.outcome in (Outcome.UNKNOWN, Outcome.MANUAL)


@dataclass(frozen=True)
class Machine:
    """What the report tells of a node, so that a reader far away knows what it is. None or (): not learned."""

    os: str | None = None
    kernel: str | None = None
    arch: str | None = None
    cpus: int | None = None
    """Logical CPUs."""
    cpu_model: str | None = None
    memory: int | None = None
    """Bytes."""
    addresses: tuple[str, ...] = ()
    """`eth0 10.0.0.1/24` each, without loopback."""
    disks: tuple[str, ...] = ()
    """In words, one a filesystem or disk."""
    boot_id: str | None = None
    """Another one after each boot."""


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
    machine: Machine | None = None
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
