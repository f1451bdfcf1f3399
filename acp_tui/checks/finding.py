"""What a check function takes and gives. Checks are pure: no I/O, no clock; the same input gives the same finding."""

from collections.abc import Mapping
from dataclasses import dataclass

from acp_tui.catalog import Requirement
from acp_tui.facts import Facts
from acp_tui.plan import Node, Plan
from acp_tui.verdict import Outcome


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


@dataclass(frozen=True)
class NodeSubject:
    """One node under one requirement."""

    requirement: Requirement
    plan: Plan
    node: Node
    facts: Facts


@dataclass(frozen=True)
class ClusterSubject:
    """All nodes under one requirement. `facts` by plan address; a node without facts is missing."""

    requirement: Requirement
    plan: Plan
    facts: Mapping[str, Facts]


@dataclass(frozen=True)
class PlanSubject:
    """The plan alone under one requirement."""

    requirement: Requirement
    plan: Plan
