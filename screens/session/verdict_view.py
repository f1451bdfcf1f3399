"""All verdicts of one moment, with what the screens ask of them again and again: counted once, not at every repaint."""

from collections import Counter
from collections.abc import Mapping
from functools import cached_property

from acp_tui.checks.verdict import Outcome, Verdict


class Judgement:
    """Of a hundred nodes there are more than six thousand verdicts, and few of them are on a screen."""

    def __init__(self, verdicts: tuple[Verdict, ...] = (), unseen: frozenset[str] = frozenset()) -> None:
        """`unseen`: nodes that were not checked at this moment. What is not known of them is no finding yet."""
        self.verdicts = verdicts
        self.unseen = unseen

    @cached_property
    def told(self) -> tuple[Verdict, ...]:
        """All but what is unknown because a node is still to be looked at."""
        return tuple(v for v in self.verdicts if v.outcome is not Outcome.UNKNOWN or v.node not in self.unseen)

    @cached_property
    def unmet(self) -> tuple[Verdict, ...]:
        """What blocks, then what warns."""
        unmet = [verdict for verdict in self.told if verdict.blocks or verdict.outcome is Outcome.WARN]
        return tuple(sorted(unmet, key=lambda verdict: not verdict.blocks))

    @cached_property
    def blocking(self) -> tuple[Verdict, ...]:
        return tuple(verdict for verdict in self.unmet if verdict.blocks)

    @cached_property
    def to_mend(self) -> Mapping[str | None, int]:
        """Node → how many of its verdicts block."""
        return Counter(verdict.node for verdict in self.blocking)

    @cached_property
    def counts(self) -> Mapping[Outcome, int]:
        """Of what is not waived."""
        return Counter(verdict.outcome for verdict in self.told if verdict.waived is None)

    @cached_property
    def waived(self) -> int:
        return sum(verdict.waived is not None for verdict in self.verdicts)
