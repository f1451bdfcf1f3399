"""Group verdicts by their cause: each finding with the results that follow from it."""

from collections.abc import Sequence
from dataclasses import dataclass

from acp_tui.checks.verdict import Outcome, Verdict

NEVER_A_CAUSE = (Outcome.PASS, Outcome.NOT_APPLICABLE, Outcome.MANUAL)
"""Outcomes of verdicts that neither follow from a finding nor are the cause of one."""


@dataclass(frozen=True)
class CauseGroup:
    """A finding, and the verdicts that follow from it."""

    verdict: Verdict
    followers: tuple[Verdict, ...] = ()

    @property
    def blocks(self) -> bool:
        """Return True if the finding or one of its followers prevents the start of the install.

        A waiver of the finding does not waive its followers.
        """
        return self.verdict.blocks or any(verdict.blocks for verdict in self.followers)


def by_cause(verdicts: Sequence[Verdict]) -> tuple[CauseGroup, ...]:
    """Return one group for each verdict that follows from no other verdict of the list, in the order of the list.

    A verdict whose cause is not in the list gets a group of its own. `Verdict.cause` is a requirement ID. It stands for
    the finding of this requirement on the same node. If there is none, it stands for the finding without a node, else
    for the first finding of this requirement.
    """
    roots: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        if verdict.cause is None and verdict.outcome not in NEVER_A_CAUSE:
            roots.setdefault(verdict.requirement, []).append(verdict)
    places = {(rule, root.node): root for rule, found in roots.items() for root in reversed(found)}
    followers: dict[int, list[Verdict]] = {}
    own = []
    for verdict in verdicts:
        root = None
        if verdict.cause is not None and verdict.cause in roots:
            where = ((verdict.cause, verdict.node), (verdict.cause, None))
            root = next((places[place] for place in where if place in places), roots[verdict.cause][0])
        if root is None:
            own.append(verdict)
        else:
            followers.setdefault(id(root), []).append(verdict)
    return tuple(CauseGroup(verdict, tuple(followers.get(id(verdict), ()))) for verdict in own)


def blocking_groups(verdicts: Sequence[Verdict]) -> tuple[CauseGroup, ...]:
    """Return the groups that prevent the start of the install."""
    return tuple(group for group in by_cause(verdicts) if group.blocks)
