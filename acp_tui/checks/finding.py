"""The input and the result of check functions.

Check functions are pure: the same input always gives the same finding. A check function reads a fact with
`require_fact`. If the fact is missing, the check ends and its verdict is `unknown`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from acp_tui.checks.catalog import Check, FunctionCheck, Requirement
from acp_tui.checks.local_file_facts import NO_LOCAL_FILES, LocalFiles
from acp_tui.checks.topology import Topology
from acp_tui.checks.verdict import Outcome
from acp_tui.nodes.facts import Facts
from acp_tui.plan.model import Plan
from acp_tui.plan.sections.node import Node

T = TypeVar("T")


class FactMissing(Exception):
    """A check needs a fact that was not collected. `fact` is the name of the field in `Facts`."""

    def __init__(self, fact: str) -> None:
        super().__init__(fact)
        self.fact = fact


def require_fact(value: T | None, fact: str) -> T:
    """Return `value`. Raises FactMissing if the value is None; `fact` is the name of its field in `Facts`."""
    if value is None:
        raise FactMissing(fact)
    return value


@dataclass(frozen=True)
class Finding:
    """The outcome of one check and the observed value.

    If `expected` or `remedy` is empty, the text of the catalogue row is used.
    """

    outcome: Outcome
    observed: str = ""
    expected: str = ""
    remedy: str = ""
    node: str | None = None
    """Plan address of the node at fault; None if the finding does not concern a single node."""
    paths: tuple[str, ...] = ()
    """Plan keys whose change would fix the finding."""
    names: tuple[str, ...] = ()
    """The values that replace `{names}` in the texts of the row, such as packages to remove.

    In the commands of a fix, they are quoted for a shell.
    """
    cause: str | None = None
    """The requirement ID of the finding that this one follows from, if the check itself can prove it."""
    missing: tuple[tuple[str, str], ...] = ()
    """Node and name of each missing fact that makes the finding unknown. The name is "" if the node has no facts."""


Findings = tuple[Finding, ...]


@dataclass(frozen=True)
class NodeSubject:
    """The input of a node check. `rules` is the complete catalogue, for checks that use several rows."""

    requirement: Requirement
    plan: Plan
    node: Node
    facts: Facts
    rules: Mapping[str, Requirement]

    @property
    def check(self) -> FunctionCheck:
        """The check of the row: the name of a function and its parameters."""
        return _function(self.requirement, self.requirement.check)


@dataclass(frozen=True)
class ClusterSubject:
    """The input of a check that compares nodes. `facts`: the known facts of the nodes, by plan address."""

    requirement: Requirement
    plan: Plan
    facts: Mapping[str, Facts]
    topology: Topology
    local_files: LocalFiles = NO_LOCAL_FILES

    @property
    def check(self) -> FunctionCheck:
        """The check of the row: the name of a function and its parameters."""
        return _function(self.requirement, self.requirement.facts_check or self.requirement.check)


@dataclass(frozen=True)
class PlanSubject:
    """The input of a plan check."""

    requirement: Requirement
    plan: Plan
    local_files: LocalFiles = NO_LOCAL_FILES
    """The content of the local files that the plan names."""
    facts: Mapping[str, Facts] = field(default_factory=dict)
    """The known facts of the nodes, by plan address. Some checks use them, for example to suggest a free range."""

    @property
    def check(self) -> FunctionCheck:
        """The check of the row: the name of a function and its parameters."""
        return _function(self.requirement, self.requirement.check)


def _function(requirement: Requirement, check: Check) -> FunctionCheck:
    """Return `check`. Raises TypeError: it is not a function check."""
    if not isinstance(check, FunctionCheck):
        raise TypeError(f"{requirement.id} names no function")
    return check
