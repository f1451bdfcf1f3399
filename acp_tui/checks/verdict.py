"""A verdict is the comparison of what was found with what is wanted. `unknown` is never `pass`.

The JSON shape is the published report, schema `acp-tui.report/1`; scripts read it, so its keys do not drift.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from pydantic import Field


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
    outcome: Annotated[Outcome, Field(validation_alias="verdict", serialization_alias="verdict")]
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
