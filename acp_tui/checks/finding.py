"""What a check function takes and gives. Checks are pure: no I/O, no clock; the same input gives the same finding.

A check gets a fact with `require_fact`. A missing fact ends the check, and its verdict is `unknown`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from acp_tui.checks.catalog import Check, FunctionCheck, Requirement
from acp_tui.checks.local_files import NO_LOCAL_FILES, LocalFiles
from acp_tui.checks.verdict import Outcome
from acp_tui.nodes.facts import Facts
from acp_tui.plan.model import Node, Plan

T = TypeVar("T")


class FactMissing(Exception):
    """A check needs a fact that nobody could learn. `fact` is the field's name."""

    def __init__(self, fact: str) -> None:
        super().__init__(fact)
        self.fact = fact


def require_fact(value: T | None, fact: str) -> T:
    """`value`, unless it was not learned. NotLearned: it was not."""
    if value is None:
        raise FactMissing(fact)
    return value


@dataclass(frozen=True)
class Finding:
    """The outcome of a check with what was seen. `expected` and `remedy` empty: the catalogue row's words."""

    outcome: Outcome
    observed: str = ""
    expected: str = ""
    remedy: str = ""
    node: str | None = None
    """Cluster checks: the address of the node at fault."""
    paths: tuple[str, ...] = ()
    """Plan paths whose answer would mend it."""
    names: tuple[str, ...] = ()
    """What `{names}` in the row's remedy stands for, such as packages to remove. They are quoted for a shell there."""


@dataclass(frozen=True)
class NodeSubject:
    """One node under one requirement. `rules` is the catalogue in force, for checks that weigh several rows."""

    requirement: Requirement
    plan: Plan
    node: Node
    facts: Facts
    rules: Mapping[str, Requirement]

    @property
    def given(self) -> FunctionCheck:
        return _given(self.requirement, self.requirement.check)


@dataclass(frozen=True)
class ClusterSubject:
    """All nodes under one requirement. `facts` by plan address; a node without facts is missing."""

    requirement: Requirement
    plan: Plan
    facts: Mapping[str, Facts]

    @property
    def given(self) -> FunctionCheck:
        return _given(self.requirement, self.requirement.facts_check or self.requirement.check)


@dataclass(frozen=True)
class PlanSubject:
    """The plan alone under one requirement."""

    requirement: Requirement
    plan: Plan
    beside: LocalFiles = NO_LOCAL_FILES
    """What the plan names on this machine, as it was read."""
    facts: Mapping[str, Facts] = field(default_factory=dict)
    """What is known of the nodes, so that a remedy suits them. By plan address."""

    @property
    def given(self) -> FunctionCheck:
        return _given(self.requirement, self.requirement.check)


def _given(requirement: Requirement, check: Check) -> FunctionCheck:
    """The row's function with its numbers and names. TypeError: the row has another kind of check."""
    if not isinstance(check, FunctionCheck):
        raise TypeError(f"{requirement.id} names no function")
    return check
