"""Group verdicts by their cause: each finding with the results that follow from it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from acp_tui.checks.verdict import Outcome, Verdict
from acp_tui.nodes.state import NodeState

NEVER_A_CAUSE = (Outcome.PASS, Outcome.NOT_APPLICABLE)
"""Outcomes of verdicts that are not the cause of another verdict."""
LOGIN_RULES = ("USR-ROOT", "USR-SUDO")
WITHOUT_FACTS = (
    NodeState.CHECKING,
    NodeState.UNREACHABLE,
    NodeState.AUTH_FAILED,
    NodeState.HOST_KEY_UNKNOWN,
    NodeState.HOST_KEY_CHANGED,
)
"""States of nodes of which no fact is known."""


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
        return bool(self.blocked_nodes)

    @property
    def blocked_nodes(self) -> tuple[str | None, ...]:
        """The nodes on which the finding or one of its followers blocks. None means the plan and the cluster."""
        return tuple(dict.fromkeys(v.node for v in (self.verdict, *self.followers) if v.blocks))


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
    for found in roots.values():
        found.sort(key=lambda root: root.outcome is Outcome.MANUAL)  # a fault explains more
    places = {(rule, root.node): root for rule, found in roots.items() for root in reversed(found)}
    followers: dict[int, list[Verdict]] = {}
    own = []
    for verdict in verdicts:
        root = None
        if verdict.cause is not None and verdict.cause in roots:
            where = ((verdict.cause, verdict.node), (verdict.cause, None))
            root = next((places[place] for place in where if place in places), roots[verdict.cause][0])
            if root.outcome is Outcome.MANUAL and verdict.outcome is not Outcome.MANUAL:
                root = roots[verdict.cause][0]
        if root is None:
            own.append(verdict)
        else:
            followers.setdefault(id(root), []).append(verdict)
    return tuple(CauseGroup(verdict, tuple(followers.get(id(verdict), ()))) for verdict in own)


@dataclass(frozen=True)
class Findings:
    """The findings of a preflight, one for each cause."""

    groups: tuple[CauseGroup, ...]
    """The findings with their followers, in the order of the verdicts, also those that need no action."""
    unchecked: Mapping[str, CauseGroup | None]
    """The nodes that could not be checked, by address, with the verdicts that are unknown for this reason.

    None if there are no such verdicts. Each node is a finding that blocks.
    """

    @property
    def blocking(self) -> tuple[CauseGroup, ...]:
        """The findings that block, without those of `unchecked`."""
        return tuple(group for group in self.groups if group.blocks)

    @property
    def blockers(self) -> int:
        """The number of findings that block. If it is 0, nothing prevents the start of the install."""
        return len(self.blocking) + len(self.unchecked)


def findings_by_cause(states: Mapping[str, NodeState], verdicts: Sequence[Verdict]) -> Findings:
    """Return the findings of a preflight. `states`: the state of each node, by plan address."""
    groups = by_cause(verdicts)
    on_nodes: dict[str | None, list[CauseGroup]] = {}
    for group in groups:
        on_nodes.setdefault(group.verdict.node, []).append(group)
    unchecked: dict[str, CauseGroup | None] = {}
    merged: set[int] = set()
    for address, state in states.items():
        found = on_nodes.get(address, [])
        if state is NodeState.CHECKED or _login_finding(state, found):
            continue
        unknown = [group for group in found if group.verdict.outcome is Outcome.UNKNOWN]
        if state not in WITHOUT_FACTS and unknown:  # a value that could not be read before is a finding of its own
            unknown = [max(unknown, key=lambda group: len(group.followers))]
        merged |= {id(group) for group in unknown}
        unchecked[address] = _merged(unknown)
    return Findings(tuple(group for group in groups if id(group) not in merged), unchecked)


def _login_finding(state: NodeState, groups: Iterable[CauseGroup]) -> bool:
    """Return True if a finding on the rights of the SSH user explains that the node could not be checked."""
    return state is NodeState.NO_SUDO and any(
        group.verdict.requirement in LOGIN_RULES and group.verdict.outcome is Outcome.FAIL for group in groups
    )


def _merged(groups: Sequence[CauseGroup]) -> CauseGroup | None:
    verdicts = [verdict for group in groups for verdict in (group.verdict, *group.followers)]
    return CauseGroup(verdicts[0], tuple(verdicts[1:])) if verdicts else None
