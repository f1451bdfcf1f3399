"""All verdicts of one moment, with the lists and counts that screens show: computed once, not at every repaint."""

from collections import Counter
from collections.abc import Mapping
from functools import cached_property

from acp_tui.checks.verdict import Outcome, Verdict


class VerdictView:
    """A hundred nodes have more than six thousand verdicts; few of them are on a screen."""

    def __init__(self, verdicts: tuple[Verdict, ...] = (), unchecked: frozenset[str] = frozenset()) -> None:
        """`unchecked`: nodes that were not checked at this moment. Their unknown verdicts are not findings yet."""
        self.verdicts = verdicts
        self.unchecked = unchecked

    @cached_property
    def reported(self) -> tuple[Verdict, ...]:
        """All verdicts except the unknown ones of unchecked nodes."""
        return tuple(v for v in self.verdicts if v.outcome is not Outcome.UNKNOWN or v.node not in self.unchecked)

    @cached_property
    def open(self) -> tuple[Verdict, ...]:
        """Blockers, then advice."""
        found = [verdict for verdict in self.reported if verdict.blocks or verdict.outcome is Outcome.WARN]
        return tuple(sorted(found, key=lambda verdict: not verdict.blocks))

    @cached_property
    def blockers(self) -> tuple[Verdict, ...]:
        return tuple(verdict for verdict in self.open if verdict.blocks)

    @cached_property
    def blockers_by_node(self) -> Mapping[str | None, int]:
        """Node address → number of its blockers."""
        return Counter(verdict.node for verdict in self.blockers)

    @cached_property
    def counts(self) -> Mapping[Outcome, int]:
        """Reported verdicts by outcome, without waived ones."""
        return Counter(verdict.outcome for verdict in self.reported if verdict.waived is None)

    @cached_property
    def waived(self) -> int:
        return sum(verdict.waived is not None for verdict in self.verdicts)
