"""Verdicts: the comparison of the observed with the expected value. `unknown` never counts as `pass`.

The JSON form is part of the report, schema `acp-tui.report/1`. Scripts read it, so its keys must not change.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from pydantic import Field


class Severity(StrEnum):
    """How much a requirement matters; see docs/glossary.md."""

    MUST = "must"
    COND = "cond"
    ADVICE = "advice"
    INFO = "info"


class Outcome(StrEnum):
    """The result of a check; see docs/glossary.md."""

    PASS = "pass"
    FAIL = "fail"
    WARN = "warn"
    UNKNOWN = "unknown"
    PENDING_REBOOT = "pending-reboot"
    MANUAL = "manual"
    NOT_APPLICABLE = "not-applicable"


@dataclass(frozen=True)
class Verdict:
    """The result of one requirement on one node; `node` None: on the plan or the cluster."""

    requirement: str
    node: str | None
    severity: Severity
    outcome: Annotated[Outcome, Field(validation_alias="verdict", serialization_alias="verdict")]
    observed: str
    expected: str
    remedy: str
    waived: str | None = None
    """The reason of the waiver; None: not waived."""
    paths: tuple[str, ...] = ()
    """Plan paths of the answers that would fix it; empty: only a change on the node fixes it."""
    names: tuple[str, ...] = ()
    """The names from the node that it concerns, such as missing modules or packages. Not part of the report."""

    @property
    def blocks(self) -> bool:
        """Whether this verdict prevents the start of the install."""
        if self.waived is not None:
            return False
        if self.outcome in (Outcome.FAIL, Outcome.PENDING_REBOOT):
            return True
        return self.severity is Severity.MUST and self.outcome in (Outcome.UNKNOWN, Outcome.MANUAL)
