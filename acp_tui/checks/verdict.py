"""Verdicts: the results of comparing observed values with expected values. `unknown` never counts as `pass`.

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
    """The result of one requirement on one node. If `node` is None, the result is about the plan or cluster."""

    requirement: str
    node: str | None
    severity: Severity
    outcome: Annotated[Outcome, Field(validation_alias="verdict", serialization_alias="verdict")]
    observed: str
    expected: str
    remedy: str
    waived: str | None = None
    """The reason of the waiver; None if the verdict is not waived."""
    paths: tuple[str, ...] = ()
    """Plan keys whose change would fix the verdict. If the list is empty, no change of the plan fixes the verdict."""
    names: tuple[str, ...] = ()
    """The names that the texts of the verdict contain, such as missing modules or packages.

    The report does not have this list.
    """
    cause: str | None = None
    """The requirement ID of the finding that this verdict follows from; None if the verdict is its own finding.

    See `acp_tui.checks.causes`.
    """
    missing: tuple[tuple[str, str], ...] = ()
    """Node and name of each missing fact that makes the verdict unknown. The name is "" if the node has no facts.

    The report does not have this list.
    """

    @property
    def blocks(self) -> bool:
        """Return True if this verdict prevents the start of the install."""
        return self.waived is None and self.blocks_unless_waived

    @property
    def blocks_unless_waived(self) -> bool:
        """Return True if this verdict prevents the start of the install, or would do so without its waiver."""
        if self.outcome in (Outcome.FAIL, Outcome.PENDING_REBOOT):
            return True
        return self.severity is Severity.MUST and self.outcome in (Outcome.UNKNOWN, Outcome.MANUAL)
