"""Decide which node is at fault when paths between nodes have problems.

A broken path has two ends. The node with the most broken paths counts as the node at fault. So a node behind a firewall
gets one finding, and the other nodes get none.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from acp_tui.checks.finding import ClusterSubject, Finding, Findings
from acp_tui.checks.verdict import Outcome
from acp_tui.core.i18n import npgettext

MOST_SHOWN = 6
"""Maximum number of pairs of nodes that one finding shows."""


@dataclass(frozen=True)
class PathProblem:
    """A problem on the path from one node to another. Nodes are given by their plan addresses."""

    source: str
    target: str
    text: str
    port: int = 0
    """The TCP port; 0 if the problem concerns all ports."""
    source_at_fault: bool = False
    """True if the cause of the problem is certainly at the source node."""
    seconds: float = 0
    """The round trip time in seconds if it is too long; 0 for all other problems."""


def by_source(problems: Iterable[PathProblem]) -> dict[str, list[PathProblem]]:
    """Group the problems by the node that tested the path."""
    grouped: dict[str, list[PathProblem]] = {}
    for problem in problems:
        grouped.setdefault(problem.source, []).append(problem)
    return grouped


def by_node_at_fault(subject: ClusterSubject, problems: Iterable[PathProblem]) -> dict[str, list[PathProblem]]:
    """Group the problems by the address of the node that is at fault.

    Each problem is assigned to one node. First, each source that is certainly at fault gets all its problems. Then the
    node that has remaining problems with the largest number of other nodes gets these problems, and so on. If two nodes
    have problems with equally many nodes, the one that is the target of more problems is at fault. If these numbers are
    equal too, the one that is later in the plan is at fault.
    """
    numbered, order = list(problems), [node.address for node in reversed(subject.plan.nodes)]
    rest: dict[str, dict[int, PathProblem]] = {node: {} for node in order}
    for number, problem in enumerate(numbered):
        rest[problem.source][number] = rest[problem.target][number] = problem
    others = {n: {p.source if p.target == n else p.target for p in of_node.values()} for n, of_node in rest.items()}
    unreached = {n: sum(p.target == n for p in of_node.values()) for n, of_node in rest.items()}
    faults: dict[str, list[PathProblem]] = {}

    def assign(node: str) -> None:
        faults[node] = list(rest[node].values())
        for number, problem in rest[node].items():
            other = problem.source if problem.target == node else problem.target
            del rest[other][number]
            others[other].discard(node)
            unreached[other] -= problem.target == other
        rest[node], others[node], unreached[node] = {}, set(), 0

    for node in dict.fromkeys(problem.source for problem in numbered if problem.source_at_fault):
        assign(node)
    while others[most := max(order, key=lambda n: (len(others[n]), unreached[n]))]:
        assign(most)
    return {node: assigned for node, assigned in faults.items() if assigned}


def one_finding_per_node(*observations: tuple[Outcome, str | None, str]) -> Findings:
    """Return one finding per node, with the texts of all observations of this node.

    Each observation is (outcome, node address or None, text). The caller gives the worst observations first, because
    the finding has the outcome of the node's first observation.
    """
    by_node: dict[str | None, dict[str, Outcome]] = {}
    for outcome, node, observed in observations:
        by_node.setdefault(node, {}).setdefault(observed, outcome)
    return tuple(Finding(next(iter(texts.values())), "; ".join(texts), node=node) for node, texts in by_node.items())


def describe_problems(problems: Iterable[PathProblem]) -> str:
    """Format the problems as `A → B: 2379, 2380 timed out; ...`, with at most MOST_SHOWN entries."""
    ports: dict[tuple[str, str, str], list[int]] = {}
    for problem in problems:
        ports.setdefault((problem.source, problem.target, problem.text), []).append(problem.port)
    pairs = [
        f"{source} → {target}: {', '.join(str(port) for port in numbers if port)} {text}".replace(":  ", ": ")
        for (source, target, text), numbers in ports.items()
    ]
    shown, more = "; ".join(pairs[:MOST_SHOWN]), len(pairs) - MOST_SHOWN
    if more <= 0:
        return shown
    return npgettext(
        "observed value", "{pairs}; and {count} more problem", "{pairs}; and {count} more problems", more
    ).format(pairs=shown, count=more)
