"""The input and the result of check functions.

Checks are pure: no I/O, no clock; the same input gives the same finding. A check gets a fact with `require_fact`. A
missing fact ends the check, and its verdict is `unknown`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from acp_tui.checks.catalog import Check, FunctionCheck, Requirement
from acp_tui.checks.local_file_facts import NO_LOCAL_FILES, LocalFiles
from acp_tui.checks.topology import Topology
from acp_tui.checks.verdict import Outcome
from acp_tui.nodes.facts import Facts
from acp_tui.plan.model import Node, Plan

T = TypeVar("T")


class FactMissing(Exception):
    """A check needs a fact that was not collected. `fact` is the field's name."""

    def __init__(self, fact: str) -> None:
        super().__init__(fact)
        self.fact = fact


def require_fact(value: T | None, fact: str) -> T:
    """Return `value`. Raises FactMissing: it is None. `fact`: the name of the field."""
    if value is None:
        raise FactMissing(fact)
    return value


@dataclass(frozen=True)
class Finding:
    """The outcome of one check and the observed value. Empty `expected` or `remedy`: the catalogue row's text."""

    outcome: Outcome
    observed: str = ""
    expected: str = ""
    remedy: str = ""
    node: str | None = None
    """Plan address of the node at fault; None: no single node."""
    paths: tuple[str, ...] = ()
    """Plan paths of the answers that would fix it."""
    names: tuple[str, ...] = ()
    """Values for `{names}` in the row's remedy, such as packages to remove. They are quoted for a shell there."""


Findings = tuple[Finding, ...]


@dataclass(frozen=True)
class NodeSubject:
    """The input of a node check. `rules`: the complete catalogue, for checks that combine several rows."""

    requirement: Requirement
    plan: Plan
    node: Node
    facts: Facts
    rules: Mapping[str, Requirement]

    @property
    def check(self) -> FunctionCheck:
        """The row's function, with the numbers and names of its `params`."""
        return _function(self.requirement, self.requirement.check)


@dataclass(frozen=True)
class ClusterSubject:
    """The input of a check between nodes. `facts`: by plan address; a node without facts is missing."""

    requirement: Requirement
    plan: Plan
    facts: Mapping[str, Facts]
    topology: Topology

    @property
    def check(self) -> FunctionCheck:
        """The row's function, with the numbers and names of its `params`."""
        return _function(self.requirement, self.requirement.facts_check or self.requirement.check)


@dataclass(frozen=True)
class PlanSubject:
    """The input of a plan check."""

    requirement: Requirement
    plan: Plan
    local_files: LocalFiles = NO_LOCAL_FILES
    """The content of the files that the plan names on this host."""
    facts: Mapping[str, Facts] = field(default_factory=dict)
    """The known facts of the nodes, so that a fix suits them. By plan address."""

    @property
    def check(self) -> FunctionCheck:
        """The row's function, with the numbers and names of its `params`."""
        return _function(self.requirement, self.requirement.check)


def _function(requirement: Requirement, check: Check) -> FunctionCheck:
    """Return the row's function. Raises TypeError: the row has another kind of check."""
    if not isinstance(check, FunctionCheck):
        raise TypeError(f"{requirement.id} names no function")
    return check
