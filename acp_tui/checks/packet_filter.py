"""Find the rules of a node's packet filter that block or translate the traffic of the cluster.

The functions are pure. They send example packets of the cluster's traffic through the chains, as the kernel does:
packets from and to the other nodes and the Pods, of all ports and protocols that the plan needs.
"""

from dataclasses import dataclass

from acp_tui.nodes.facts import Facts
from acp_tui.plan.model import Plan


@dataclass(frozen=True)
class Blocked:
    """A rule, or the policy of a chain, that blocks traffic of the cluster."""

    rule: str
    """The table, the chain, and the rule or policy, such as `inet site input: policy drop`."""
    traffic: str
    """An example packet, such as `TCP port 6443 from 10.20.0.12`."""
    certain: bool = True
    """False if acp-tui cannot determine whether the rule applies to the packet."""


@dataclass(frozen=True)
class Translated:
    """A rule that replaces the source address of packets between nodes, or between Pods on different nodes."""

    rule: str
    traffic: str
    certain: bool = True


def blocked_traffic(plan: Plan, facts: Facts) -> tuple[Blocked, ...]:
    """Return the rules of the node `facts.address` that block traffic of the cluster; () if the rules block nothing.

    A part of the rules may not have been read, see `filter_is_clean`. Raises FactMissing without `packet_filter`.
    """
    raise NotImplementedError


def filter_is_clean(plan: Plan, facts: Facts) -> bool:
    """Return True if all rules of the node were read and certainly block no traffic of the cluster.

    Without `packet_filter` the result is False.
    """
    raise NotImplementedError


def source_nat(plan: Plan, facts: Facts) -> tuple[Translated, ...]:
    """Return the rules of the node `facts.address` that translate the source of packets to other nodes.

    Raises FactMissing without `packet_filter`.
    """
    raise NotImplementedError
