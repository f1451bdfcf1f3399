"""Read from the packet filters of the nodes whether they block or translate the traffic between the nodes."""

from acp_tui.checks.finding import ClusterSubject


def hosts_filter_nothing(subject: ClusterSubject) -> bool:
    """Return True if the rules of the packet filter are known on all nodes, and no rule blocks traffic of the cluster.

    This proves the side of the hosts, but not the network between them. acp-tui does not read the rules yet.
    """
    return False


def translating_rules(subject: ClusterSubject) -> tuple[tuple[str, str], ...]:
    """Return (node, text) for each node with a rule that translates source addresses between the nodes."""
    return ()
