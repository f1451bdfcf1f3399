"""The input of the cause relations: the problems of an evaluation, and the values from which it was made."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from acp_tui.checks.local_file_facts import NO_LOCAL_FILES, LocalFiles
from acp_tui.checks.topology import Topology
from acp_tui.checks.verdict import Outcome, Verdict
from acp_tui.nodes.facts import Facts
from acp_tui.nodes.state import NodeState
from acp_tui.plan.model import Plan


@dataclass(frozen=True)
class EvaluatedCluster:
    """The plan, and the facts and states of its nodes by plan address."""

    plan: Plan
    facts: Mapping[str, Facts]
    states: Mapping[str, NodeState]
    topology: Topology
    local_files: LocalFiles = NO_LOCAL_FILES


@dataclass(frozen=True)
class Problems:
    """The verdicts of an evaluation that have not passed."""

    cluster: EvaluatedCluster
    verdicts: tuple[Verdict, ...]
    """The problems in the order of the catalogue."""
    judged: frozenset[str] = field(default_factory=frozenset)
    """The requirements that apply to the plan, also those without a problem."""

    @cached_property
    def _by_place(self) -> Mapping[tuple[str, str | None], tuple[Verdict, ...]]:
        places: dict[tuple[str, str | None], list[Verdict]] = {}
        for verdict in self.verdicts:
            places.setdefault((verdict.requirement, verdict.node), []).append(verdict)
        return {place: tuple(found) for place, found in places.items()}

    @cached_property
    def _by_requirement(self) -> Mapping[str, tuple[Verdict, ...]]:
        rules: dict[str, list[Verdict]] = {}
        for verdict in self.verdicts:
            rules.setdefault(verdict.requirement, []).append(verdict)
        return {rule: tuple(found) for rule, found in rules.items()}

    def at(self, requirement: str, node: str | None, *outcomes: Outcome) -> Verdict | None:
        """Return the first problem of `requirement` on `node`. With `outcomes`, it must have one of them."""
        found = self._by_place.get((requirement, node), ())
        return next((v for v in found if not outcomes or v.outcome in outcomes), None)

    def of(self, requirement: str, *outcomes: Outcome) -> tuple[Verdict, ...]:
        """Return the problems of `requirement`. With `outcomes`, only those that have one of them."""
        return tuple(v for v in self._by_requirement.get(requirement, ()) if not outcomes or v.outcome in outcomes)


Link = tuple[Verdict, Verdict]
"""A verdict, and the finding that it follows from."""
Relation = Callable[[Problems], Iterator[Link]]


def all_follow(verdicts: tuple[Verdict, ...]) -> Iterator[Link]:
    """Yield links from all `verdicts` to one of them: the first that blocks, or the first."""
    cause = next((verdict for verdict in verdicts if verdict.blocks_unless_waived), verdicts[0] if verdicts else None)
    if cause is not None:
        yield from ((verdict, cause) for verdict in verdicts if verdict is not cause)
