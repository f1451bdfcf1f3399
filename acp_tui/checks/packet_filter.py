"""Find the rules of a node's packet filter that block or translate the traffic of the cluster.

The functions are pure. They send example packets of the cluster's traffic through the chains, as the kernel does:
packets from and to the other nodes and the Pods, of all ports and protocols that the plan needs (`cluster_traffic.py`).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from acp_tui.checks.cluster_traffic import Sample, cluster_traffic, traffic_between_nodes
from acp_tui.checks.finding import require_fact
from acp_tui.core.i18n import _
from acp_tui.nodes.facts import Facts
from acp_tui.nodes.packet_filter.model import Action, PacketFilter, Rule
from acp_tui.nodes.packet_filter.simulate import POLICY, Simulation, Verdict, described
from acp_tui.plan.model import Plan

_MOST_EXAMPLES = 3
_FILTERED = ("INPUT", "FORWARD", "OUTPUT")
_HARMLESS = frozenset(
    (Action.ACCEPT, Action.JUMP, Action.GOTO, Action.RETURN, Action.CONTINUE, Action.MARK, Action.UNTRACK, Action.DNAT,
     Action.MASQUERADE, Action.SNAT)
)  # fmt: skip


@dataclass(frozen=True)
class Blocked:
    """A rule, or the policy of a chain, that blocks traffic of the cluster."""

    rule: str
    """The tool, family, table and chain, and the rule or policy, such as `nft inet site input: policy drop`."""
    traffic: str
    """Examples of blocked packets, such as `TCP 6443 from 10.20.0.12`."""
    certain: bool = True
    """False if acp-tui cannot determine whether the rule applies to the packets."""
    commands: tuple[str, ...] = ()
    """Shell commands that remove the rules; they keep SSH connections open. () if a name in them is unusual."""


@dataclass(frozen=True)
class Translated:
    """A rule that replaces the source address of packets between nodes, or between Pods on different nodes."""

    rule: str
    traffic: str
    target: str = ""
    """The new source address; "" for the address of the interface (masquerading)."""


def blocked_traffic(plan: Plan, facts: Facts) -> tuple[Blocked, ...]:
    """Return the rules of the node `facts.address` that block traffic of the cluster; () if the rules block nothing.

    Certain findings come first. A part of the rules may not have been read, see `filter_is_clean`. Raises FactMissing
    without `packet_filter`.
    """
    packet_filter = require_fact(facts.packet_filter, "packet_filter")
    if not _can_block(packet_filter):
        return ()
    simulation = Simulation(packet_filter)
    by_rule: dict[tuple[bool, str], tuple[Verdict, list[str]]] = {}
    for sample in cluster_traffic(plan, facts, packet_filter):
        verdict = _worst(simulation, sample)
        if verdict.dropped is not None and verdict.chain is not None:
            key = (not verdict.certain, f"{described(verdict.chain)}: {verdict.dropped}")
            by_rule.setdefault(key, (verdict, []))[1].append(sample.label)
    return tuple(
        Blocked(rule, _examples(labels), verdict.certain, _commands(verdict))
        for (_uncertain, rule), (verdict, labels) in sorted(by_rule.items(), key=lambda item: item[0][0])
    )


def _commands(verdict: Verdict) -> tuple[str, ...]:
    """Return the commands that remove a rule: for nft its table, for iptables all rules of its chain.

    The policies become ACCEPT first, so that SSH works all the time."""
    chain = verdict.chain
    if chain is None or not all(re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", name) for name in (chain.table, chain.name)):
        return ()
    if chain.tool == "nft":
        return (f"nft delete table {chain.family} {chain.table}",)
    if verdict.dropped == POLICY:
        return (f"{chain.tool} -t {chain.table} -P {chain.name} ACCEPT",)
    policies = (f"{chain.tool} -t {chain.table} -P {name} ACCEPT" for name in _FILTERED if chain.table == "filter")
    return (*policies, f"{chain.tool} -t {chain.table} -F {chain.name}")


def filter_is_clean(plan: Plan, facts: Facts) -> bool:
    """Return True if all rules of the node were read and certainly block no traffic of the cluster.

    Without `packet_filter` the result is False.
    """
    packet_filter = facts.packet_filter
    return packet_filter is not None and not packet_filter.unread and not blocked_traffic(plan, facts)


def source_nat(plan: Plan, facts: Facts) -> tuple[Translated, ...]:
    """Return the rules of the node `facts.address` that translate the source of packets to other nodes.

    Masquerading the node's own packets is included only if the address of the plan is not the first address of its
    interface, because the kernel would replace it. Raises FactMissing without `packet_filter`.
    """
    packet_filter = require_fact(facts.packet_filter, "packet_filter")
    if not any(rule.action in (Action.MASQUERADE, Action.SNAT) for rule in _rules(packet_filter)):
        return ()
    simulation = Simulation(packet_filter)
    found: dict[str, Translated] = {}
    for sample in traffic_between_nodes(plan, facts, packet_filter):
        for packet in sample.packets:
            verdict = simulation.send(packet)
            own = not sample.forwarded and (
                sample.first_address if not verdict.target else facts.address in verdict.target
            )
            if verdict.translated is not None and not own:
                found.setdefault(verdict.translated, Translated(verdict.translated, sample.label, verdict.target))
    return tuple(found.values())


def _rules(packet_filter: PacketFilter) -> Iterator[Rule]:
    return (rule for chain in packet_filter.chains for rule in chain.rules)


def _can_block(packet_filter: PacketFilter) -> bool:
    """Return False if no rule or policy blocks any packet. Most nodes are such, and need no simulation."""
    return any(chain.policy is Action.DROP for chain in packet_filter.chains) or any(
        rule.action not in _HARMLESS for rule in _rules(packet_filter)
    )


def _worst(simulation: Simulation, sample: Sample) -> Verdict:
    """Return the result of the packets of a sample: dropped if all of them are dropped."""
    verdicts = [simulation.send(packet) for packet in sample.packets]
    certain = [verdict for verdict in verdicts if verdict.certain]
    if len(certain) == len(verdicts):
        return certain[0]
    if any(verdict.dropped is None for verdict in verdicts) and len(verdicts) > 1:
        return Verdict()
    return next((verdict for verdict in verdicts if verdict.dropped is not None and not verdict.certain), Verdict())


def _examples(labels: list[str]) -> str:
    labels = list(dict.fromkeys(labels))
    shown = ", ".join(labels[:_MOST_EXAMPLES])
    if len(labels) <= _MOST_EXAMPLES:
        return shown
    return _("{examples} and {count} other kinds of packets").format(examples=shown, count=len(labels) - _MOST_EXAMPLES)
