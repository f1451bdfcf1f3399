"""All verdicts of one evaluation, and the verdicts of invalid values. Lists and counts are computed only once."""

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cached_property

from acp_tui.checks.causes import CauseGroup, by_cause
from acp_tui.checks.verdict import Outcome, Severity, Verdict
from acp_tui.core.i18n import _
from acp_tui.plan.model import rule_of


class VerdictView:
    """The verdicts of one evaluation. A hundred nodes can have more than 6,000 verdicts, so results are cached."""

    def __init__(self, verdicts: tuple[Verdict, ...] = (), unchecked: frozenset[str] = frozenset()) -> None:
        """`unchecked`: nodes whose check has not finished, by address. Their unknown verdicts are not reported."""
        self.verdicts = verdicts
        self.unchecked = unchecked

    def _is_reported(self, verdict: Verdict) -> bool:
        """Return False for an unknown verdict of a node that is not checked yet."""
        return verdict.outcome is not Outcome.UNKNOWN or verdict.node not in self.unchecked

    @cached_property
    def groups(self) -> tuple[CauseGroup, ...]:
        """The reported findings, each with the verdicts that follow from it.

        Verdicts that follow from the state of an unchecked node are not reported either.
        """
        return tuple(group for group in by_cause(self.verdicts) if self._is_reported(group.verdict))

    @cached_property
    def findings(self) -> tuple[Verdict, ...]:
        """The reported verdicts that follow from no other one."""
        return tuple(group.verdict for group in self.groups)

    @cached_property
    def _followers(self) -> Mapping[Verdict, CauseGroup]:
        return {group.verdict: group for group in self.groups if group.followers}

    def group_of(self, verdict: Verdict) -> CauseGroup:
        """Return `verdict` with the verdicts that follow from it."""
        return self._followers.get(verdict) or CauseGroup(verdict)

    @cached_property
    def open(self) -> tuple[Verdict, ...]:
        """The findings that block, followed by advice."""
        blocking = [group.verdict for group in self.groups if group.blocks]
        advice = [group.verdict for group in self.groups if not group.blocks and group.verdict.outcome is Outcome.WARN]
        return (*blocking, *advice)

    @cached_property
    def blockers(self) -> tuple[Verdict, ...]:
        """The findings that block: those with a blocking verdict among themselves and their followers."""
        return tuple(group.verdict for group in self.groups if group.blocks)

    @cached_property
    def blockers_by_node(self) -> Mapping[str | None, int]:
        """The number of findings that block by the address of the node on which they block."""
        return Counter(node for group in self.groups for node in group.blocked_nodes)

    @cached_property
    def counts(self) -> Mapping[Outcome, int]:
        """The number of findings by outcome. Waived findings are not counted."""
        return Counter(verdict.outcome for verdict in self.findings if verdict.waived is None)

    @cached_property
    def waived(self) -> int:
        return sum(verdict.waived is not None for verdict in self.verdicts)


def invalid_value_verdicts(field_errors: Mapping[str, str]) -> Iterator[Verdict]:
    """Yield a blocker for each field with invalid text. The plan still has the last valid value of the field.

    `field_errors`: plan key → the reason why the text is not valid."""
    for path, reason in field_errors.items():
        yield Verdict(
            requirement=rule_of(path) or "PLAN",
            node=None,
            severity=Severity.MUST,
            outcome=Outcome.FAIL,
            observed=f"{path}: {reason}",
            expected=_("the plan key must have a valid value"),
            remedy="",
            paths=(path,),
        )
