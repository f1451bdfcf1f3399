"""Compare two reports: new findings, fixed findings, changed observations, changed nodes.

The functions are pure. If only one report has a requirement or node, the other preflight did not check it. A finding
about it then never counts as fixed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from acp_tui.checks.verdict import Outcome, Verdict
from acp_tui.nodes.state import NodeState
from acp_tui.preflight.report.model import NodeRecord, Report

_SETTLED = (Outcome.PASS, Outcome.NOT_APPLICABLE)

_Key = tuple[str, str | None]
"""The requirement ID and the node address."""


@dataclass(frozen=True)
class Changes:
    """The differences between an earlier report, finished at `since`, and a later one.

    A node is identified by its address in the plan.
    """

    since: datetime
    new: tuple[Verdict, ...] = ()
    """Findings that only the later report has. Verdicts that follow from another finding are not in any list."""
    fixed: tuple[Verdict, ...] = ()
    """Findings that only the earlier report has, as the earlier report shows them."""
    changed: tuple[tuple[Verdict, Verdict], ...] = ()
    """Earlier and later verdict of findings whose outcome, observed value or waiver is different."""
    added: tuple[str, ...] = ()
    """Nodes that only the later report has."""
    gone: tuple[str, ...] = ()
    """Nodes that only the earlier report has."""
    rebooted: tuple[str, ...] = ()
    states: tuple[tuple[str, NodeState, NodeState], ...] = ()
    """Address, earlier state and later state of nodes whose state changed."""

    def __bool__(self) -> bool:
        return any((self.new, self.fixed, self.changed, self.added, self.gone, self.rebooted, self.states))


def changes(before: Report, now: Report, *, partial: bool = False) -> Changes:
    """Return the changes between `before`, a report of all nodes and rules, and `now`.

    `partial`: `now` has only some nodes or rules. If the state of a node changed, its unknown findings in both reports
    are ignored: the change of the state already explains them.
    """
    then_nodes = {node.address: node for node in before.nodes}
    now_nodes = {node.address: node for node in now.nodes}
    both = [(then_nodes[address], node) for address, node in now_nodes.items() if address in then_nodes]
    states = tuple((new.address, old.state, new.state) for old, new in both if old.state is not new.state)
    state_changed = {address for address, _then, _now in states}
    requirements = {verdict.requirement for verdict in now.verdicts}
    old, new = _problems(before.verdicts), _problems(now.verdicts)
    new_problems: list[Verdict] = []
    fixed: list[Verdict] = []
    changed: list[tuple[Verdict, Verdict]] = []
    for key in dict.fromkeys((*new, *old)):
        pairs = _paired(old.get(key, []), new.get(key, []))
        for one, other in pairs:
            if key[1] in state_changed:
                if _unseen(other) or (_unseen(one) and other is None):
                    continue
                one = None if _unseen(one) else one
            waiver_changed = one is not None and other is not None and one.waived != other.waived
            if (_follows(other) and not waiver_changed) or (other is None and _follows(one)):
                continue  # the change of the finding that it follows from is listed
            one = None if _follows(one) and not waiver_changed else one
            if one is None and other is not None:
                new_problems.append(other)
            elif one is not None and other is not None:
                changed.append((one, other))
            elif one is not None and key[0] in requirements and (key[1] is None or key[1] in now_nodes):
                fixed.append(one)
    return Changes(
        since=before.finished,
        new=tuple(new_problems),
        fixed=tuple(fixed),
        changed=tuple(changed),
        added=tuple(address for address in now_nodes if address not in then_nodes),
        gone=() if partial else tuple(address for address in then_nodes if address not in now_nodes),
        rebooted=tuple(new.address for old, new in both if _rebooted(old, new)),
        states=states,
    )


def _problems(verdicts: Iterable[Verdict]) -> Mapping[_Key, list[Verdict]]:
    found: dict[_Key, list[Verdict]] = {}
    for verdict in verdicts:
        if verdict.outcome not in _SETTLED:
            found.setdefault((verdict.requirement, verdict.node), []).append(verdict)
    return found


def new_blockers(before: Report, now: Report) -> tuple[Verdict, ...]:
    """Return the blockers in `now` that `before` does not have."""
    known = {(verdict.requirement, verdict.node) for verdict in before.verdicts if verdict.blocks}
    return tuple(v for v in now.verdicts if v.blocks and (v.requirement, v.node) not in known)


def _paired(old: list[Verdict], new: list[Verdict]) -> list[tuple[Verdict | None, Verdict | None]]:
    """Pair the earlier and later findings of one rule that differ.

    A rule can have several findings, and some can be unchanged. None in a pair means that one report has no such
    finding.
    """
    keys_before, keys_now = [_key_of(verdict) for verdict in old], [_key_of(verdict) for verdict in new]
    missing = [verdict for verdict in old if _key_of(verdict) not in keys_now]
    added = [verdict for verdict in new if _key_of(verdict) not in keys_before]
    length = max(len(missing), len(added))
    padded_left = [*missing, *[None] * (length - len(missing))]
    padded_come = [*added, *[None] * (length - len(added))]
    return list(zip(padded_left, padded_come, strict=True))


def _key_of(verdict: Verdict) -> tuple[Outcome, str, str | None]:
    return verdict.outcome, verdict.observed, verdict.waived


def _follows(verdict: Verdict | None) -> bool:
    return verdict is not None and verdict.cause is not None


def _unseen(verdict: Verdict | None) -> bool:
    return verdict is not None and verdict.outcome is Outcome.UNKNOWN


def _rebooted(old: NodeRecord, new: NodeRecord) -> bool:
    then, now = (node.machine.boot_id if node.machine else None for node in (old, new))
    return then is not None and now is not None and then != now
