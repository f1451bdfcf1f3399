"""Read one fact from all nodes, for checks that compare nodes."""

from collections.abc import Callable
from typing import TypeVar

from acp_tui.checks.finding import ClusterSubject, Finding
from acp_tui.checks.verdict import Outcome
from acp_tui.core.i18n import _
from acp_tui.nodes.facts import Facts

T = TypeVar("T")


def fact_of_nodes(
    subject: ClusterSubject, fact: str, of: Callable[[Facts], T | None]
) -> tuple[dict[str, T], list[Finding]]:
    """Return the fact of each node that has it, and an `unknown` finding for each node that does not have it.

    `fact`: the name of the field in `Facts`. `of`: a function that reads the value from the facts of one node.
    """
    values: dict[str, T] = {}
    missing = []
    for node in subject.plan.nodes:
        facts = subject.facts.get(node.address)
        value = of(facts) if facts else None
        if value is not None:
            values[node.address] = value
        else:
            absent = ((node.address, fact if facts else ""),)
            missing.append(Finding(Outcome.UNKNOWN, missing_reason(facts, fact), node=node.address, missing=absent))
    return values, missing


def missing_reason(facts: Facts | None, fact: str) -> str:
    """Return the reason why `fact` is missing on a node. `facts` is None if no facts were collected on the node."""
    return facts.missing_reason(fact) if facts else _("no facts were collected on this node")
