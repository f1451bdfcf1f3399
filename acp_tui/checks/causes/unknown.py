"""Relations between unknown verdicts: values that are missing for one reason.

The reason can be the state of the node, the rights of its SSH user, a missing command, or a collector that failed.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache

from acp_tui.checks.catalog import catalogue
from acp_tui.checks.causes.groups import LOGIN_RULES, WITHOUT_FACTS
from acp_tui.checks.causes.relations import Link, Problems, Relation, all_follow
from acp_tui.checks.subnets import interface_of
from acp_tui.checks.verdict import Outcome, Verdict
from acp_tui.nodes.collectors import COLLECTORS
from acp_tui.nodes.facts import Facts
from acp_tui.nodes.script import Collector, MissingKind, MissingReason
from acp_tui.nodes.state import NodeState

ROOT_ACCESS, SUDO = LOGIN_RULES
TOOLS, LINK_SPEED = "SW-BINARIES", "NETCFG-BW-INTRA"
_ENDED_EARLY = (NodeState.LOST, NodeState.TIMEOUT)
_SHARED_COMMANDS = ("systemctl",)
"""Commands that query a daemon. If the daemon does not reply, all collectors that call the command fail."""

_Reason = tuple[str, str, str]
"""Kind of the reason, node, and a text that distinguishes reasons of this kind on the node."""
_STATE, _NEEDS_ROOT, _NO_COMMAND, _FAILED = "state", "root", "command", "failed"


def _missing_values(problems: Problems) -> Iterator[Link]:
    """Yield links between unknown verdicts whose values are missing for the same reason."""
    by_reason: dict[_Reason, list[Verdict]] = {}
    for verdict in problems.verdicts:
        if verdict.outcome is Outcome.UNKNOWN and (reason := _reason_of(problems, verdict)) is not None:
            by_reason.setdefault(reason, []).append(verdict)
    for (kind, node, detail), verdicts in by_reason.items():
        cause = None
        if kind == _STATE:
            cause = next((v for rule in LOGIN_RULES for v in verdicts if (v.requirement, v.node) == (rule, node)), None)
        elif kind == _NEEDS_ROOT:
            cause = next((v for rule in (SUDO, ROOT_ACCESS) if (v := problems.at(rule, node)) is not None), None)
        elif kind == _NO_COMMAND:
            found = problems.at(TOOLS, node, Outcome.FAIL)
            cause = found if found is not None and set(detail.split()) & set(found.names) else None
        if cause is not None:
            yield from ((verdict, cause) for verdict in verdicts if verdict is not cause)
        else:
            rules = catalogue(problems.cluster.plan.effective_release)
            # The best representative is a rule of the node itself that needs few facts.
            yield from all_follow(
                tuple(sorted(verdicts, key=lambda v: (rules[v.requirement].scope != "node", len(v.missing))))
            )


def _reason_of(problems: Problems, verdict: Verdict) -> _Reason | None:
    """Return the reason why the facts of an unknown verdict are missing; None if there is not exactly one per node."""
    by_node: dict[str, set[_Reason]] = {}
    for node, fact in verdict.missing:
        if (reason := _reason(problems, node, fact)) is not None:
            by_node.setdefault(node, set()).add(reason)
    if not by_node or any(len(reasons) != 1 for reasons in by_node.values()):
        return None
    if verdict.node is None and len(by_node) < len({node for node, _fact in verdict.missing}):
        return None
    return next(iter(next(iter(by_node.values()))))


def _reason(problems: Problems, node: str, fact: str) -> _Reason | None:
    """Return why `fact` of `node` is missing; None if it is an optional value, for which no reason is known."""
    state = problems.cluster.states.get(node, NodeState.CHECKING)
    facts = problems.cluster.facts.get(node)
    if facts is None or not fact or state in WITHOUT_FACTS:
        return (_STATE, node, "")
    reason = facts.missing.get(fact)
    kind = reason.kind if isinstance(reason, MissingReason) else MissingKind.OTHER
    if state in _ENDED_EARLY and (reason is None or kind is MissingKind.ENDED):
        return (_STATE, node, "")
    if reason is None and state is not NodeState.NO_SUDO:
        return None
    if reason is None or kind is MissingKind.NEEDS_ROOT:
        return (_NEEDS_ROOT, node, "")
    collector = _collectors().get(fact)
    if kind is MissingKind.NO_COMMAND and collector is not None:
        return (_NO_COMMAND, node, " ".join(sorted(set(re.findall(r"[a-z0-9]+", collector.shell)))))
    shared = [name for name in _SHARED_COMMANDS if collector is not None and name in collector.shell]
    source = shared[0] if shared else collector.name if collector is not None else fact
    return (_FAILED, node, f"{source} {reason}")


@cache
def _collectors() -> Mapping[str, Collector]:
    return {field: collector for collector in COLLECTORS for field in collector.fields}


def _link_speed(problems: Problems) -> Iterator[Link]:
    """A person must confirm the link speed only because acp-tui could not check the nodes."""
    facts, states = problems.cluster.facts, problems.cluster.states
    nodes = [node.address for node in problems.cluster.plan.nodes]
    unread = [a for a in nodes if a not in facts or facts[a].interfaces is None or facts[a].link_speeds is None]
    read = [facts[address] for address in nodes if address not in unread]
    if not unread or not all(_speed_known(one) for one in read):
        return
    causes = [_unchecked(problems, address) for address in unread if states.get(address) is not NodeState.CHECKED]
    if len(causes) == len(unread) and causes[0] is not None and all(causes):
        yield from ((verdict, causes[0]) for verdict in problems.of(LINK_SPEED, Outcome.MANUAL, Outcome.UNKNOWN))


def _speed_known(facts: Facts) -> bool:
    link = interface_of(facts.address, facts.interfaces or ())
    return link is not None and link.nic in (facts.link_speeds or {})


def _unchecked(problems: Problems, node: str) -> Verdict | None:
    """Return an unknown verdict of `node` whose value is missing because of the state of the node."""
    unknown = (v for v in problems.verdicts if v.node == node and v.outcome is Outcome.UNKNOWN)
    return next((v for v in unknown if (reason := _reason_of(problems, v)) is not None and reason[0] == _STATE), None)


def _sudo(problems: Problems) -> Iterator[Link]:
    """USR-ROOT fails because sudo does not work; USR-SUDO has the same reason and the fix."""
    for verdict in problems.of(ROOT_ACCESS, Outcome.FAIL):
        cause = problems.at(SUDO, verdict.node, Outcome.FAIL)
        facts: Facts | None = problems.cluster.facts.get(verdict.node or "")
        if cause is not None and facts is not None and facts.sudo is False:
            yield verdict, cause


UNKNOWN_RELATIONS: tuple[Relation, ...] = (_sudo, _missing_values, _link_speed)
