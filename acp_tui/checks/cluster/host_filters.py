"""Read from the packet filters of the nodes whether they block or translate the traffic between the nodes."""

from collections.abc import Iterator

from acp_tui.checks.finding import ClusterSubject
from acp_tui.checks.packet_filter import filter_is_clean, source_nat
from acp_tui.core.i18n import _


def hosts_filter_nothing(subject: ClusterSubject) -> bool:
    """Return True if the rules of the packet filter are known on all nodes, and no rule blocks traffic of the cluster.

    This proves the side of the hosts, but not the network between them.
    """
    plan, facts = subject.plan, subject.facts
    return all(node.address in facts and filter_is_clean(plan, facts[node.address]) for node in plan.nodes)


def translating_rules(subject: ClusterSubject) -> Iterator[tuple[str, str]]:
    """Yield (node, text) for each node with a rule that translates source addresses between the nodes."""
    text = _("a rule translates the source address of {traffic}: {rule}")
    for node in subject.plan.nodes:
        facts = subject.facts.get(node.address)
        if facts is None or facts.packet_filter is None:
            continue
        for found in source_nat(subject.plan, facts):
            yield node.address, text.format(traffic=found.traffic, rule=found.rule)
