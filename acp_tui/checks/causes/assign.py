"""Compute the cause of each verdict from the relations of this package."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from acp_tui.checks.causes.endpoint import ENDPOINT_RELATIONS
from acp_tui.checks.causes.filters import FILTER_RELATIONS
from acp_tui.checks.causes.groups import NEVER_A_CAUSE, by_cause
from acp_tui.checks.causes.names import NAME_RELATIONS
from acp_tui.checks.causes.nodes import NODE_RELATIONS
from acp_tui.checks.causes.packages import CORE, OF_THE_CORE, PACKAGE_RELATIONS
from acp_tui.checks.causes.plan import PLAN_RELATIONS
from acp_tui.checks.causes.relations import EvaluatedCluster, Link, Problems, Relation
from acp_tui.checks.causes.shared import SHARED_RELATIONS
from acp_tui.checks.causes.unknown import UNKNOWN_RELATIONS
from acp_tui.checks.local_file_facts import NO_LOCAL_FILES, LocalFiles
from acp_tui.checks.topology import topology_of
from acp_tui.checks.verdict import Outcome, Verdict
from acp_tui.plan.model import Plan


def _proven_by_the_check(problems: Problems) -> Iterator[Link]:
    """Yield the links that the checks themselves returned, as `Finding.cause`."""
    for verdict in problems.verdicts:
        if verdict.cause is not None and (found := problems.of(verdict.cause)):
            yield verdict, next((v for v in found if v.node == verdict.node), found[0])


_RELATIONS: tuple[Relation, ...] = (
    _proven_by_the_check,
    *UNKNOWN_RELATIONS,
    *PLAN_RELATIONS,
    *NODE_RELATIONS,
    *NAME_RELATIONS,
    *FILTER_RELATIONS,
    *ENDPOINT_RELATIONS,
    *SHARED_RELATIONS,
    *PACKAGE_RELATIONS,
)
"""If several relations give a verdict a cause, the first one counts."""


def with_causes(cluster: EvaluatedCluster, verdicts: tuple[Verdict, ...]) -> tuple[Verdict, ...]:
    """Return `verdicts` in the same order; each one that follows from another finding has its `cause`."""
    return _linked(cluster, verdicts, _RELATIONS)


def with_causes_of_plan(
    plan: Plan, verdicts: tuple[Verdict, ...], local_files: LocalFiles = NO_LOCAL_FILES
) -> tuple[Verdict, ...]:
    """Return the verdicts on `plan` alone; each one that follows from another finding has its `cause`."""
    return with_causes(EvaluatedCluster(plan, {}, {}, topology_of(plan), local_files), verdicts)


def with_package_causes(plan: Plan, verdicts: tuple[Verdict, ...]) -> tuple[Verdict, ...]:
    """Return the verdicts on the packages of `plan`; each one that follows from another finding has its `cause`."""
    return _linked(
        EvaluatedCluster(plan, {}, {}, topology_of(plan)), verdicts, (_proven_by_the_check, *PACKAGE_RELATIONS)
    )


def joined_with_packages(package: Sequence[Verdict], verdicts: Sequence[Verdict]) -> tuple[Verdict, ...]:
    """Return the verdicts on the packages, then the others. What is unknown without a Core Package follows from it."""
    if not any(v.requirement == CORE and v.outcome is Outcome.FAIL for v in package):
        return (*package, *verdicts)
    unknown = [v.requirement in OF_THE_CORE and v.outcome is Outcome.UNKNOWN and v.cause is None for v in verdicts]
    follows = zip(verdicts, unknown, strict=True)
    return (*package, *(replace(v, cause=CORE) if is_unknown else v for v, is_unknown in follows))


def without_lost_causes(verdicts: Sequence[Verdict]) -> tuple[Verdict, ...]:
    """Return `verdicts` without causes that are not in the list, because it contains only some of the verdicts."""
    own = {group.verdict for group in by_cause(verdicts)}
    return tuple(replace(v, cause=None) if v.cause is not None and v in own else v for v in verdicts)


def _linked(
    cluster: EvaluatedCluster, verdicts: tuple[Verdict, ...], relations: Iterable[Relation]
) -> tuple[Verdict, ...]:
    problems = tuple(v for v in verdicts if v.outcome not in (Outcome.PASS, Outcome.NOT_APPLICABLE))
    if len(problems) < 2:
        return tuple(replace(v, cause=None) if v.cause is not None else v for v in verdicts)
    judged = frozenset(v.requirement for v in verdicts if v.outcome is not Outcome.NOT_APPLICABLE)
    found = Problems(cluster, problems, judged)
    causes: dict[int, Verdict] = {}
    for relation in relations:
        for verdict, cause in relation(found):
            # A finding that does not block never hides one that blocks.
            hides = verdict.blocks_unless_waived and not cause.blocks_unless_waived
            # What a person must confirm only explains what else this person must confirm.
            confirmed = cause.outcome is Outcome.MANUAL and verdict.outcome is not Outcome.MANUAL
            possible = cause.outcome not in NEVER_A_CAUSE and not hides and not confirmed
            if id(verdict) not in causes and possible and _root(causes, cause) is not verdict:
                causes[id(verdict)] = cause
    roots = {id(v): _root(causes, v).requirement if id(v) in causes else None for v in verdicts}
    return tuple(replace(v, cause=roots[id(v)]) if v.cause != roots[id(v)] else v for v in verdicts)


def _root(causes: Mapping[int, Verdict], verdict: Verdict) -> Verdict:
    while id(verdict) in causes:
        verdict = causes[id(verdict)]
    return verdict
