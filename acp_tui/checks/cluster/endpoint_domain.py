"""Check that the domain of the cluster endpoint does not resolve to a node."""

from collections import Counter

from acp_tui.checks.cluster.missing_facts import fact_of_nodes
from acp_tui.checks.finding import ClusterSubject, Finding, Findings
from acp_tui.checks.verdict import Outcome
from acp_tui.core.i18n import _
from acp_tui.plan.field_types import is_domain


def endpoint_resolves_to_no_node(subject: ClusterSubject) -> Findings:
    """XR-ENDPOINT-NODE: with several nodes, the domain of the endpoint must not resolve to the address of a node.

    The addresses that most nodes get count. If only some nodes get other addresses, NETRES-DOMAIN fails on them.
    """
    endpoint = subject.plan.address.cluster_endpoint
    if subject.plan.single or not is_domain(endpoint):
        return ()
    known, missing = fact_of_nodes(subject, "names", lambda facts: facts.names)
    answers = [addresses for names in known.values() if (addresses := names.get(endpoint))]
    if not known:
        return tuple(missing)
    if not answers:
        return ()  # the name does not resolve, or was not looked up: NETRES-DOMAIN says so
    [(usual, _count)] = Counter(tuple(sorted(addresses)) for addresses in answers).most_common(1)
    nodes = [address for address in usual if address in subject.topology.owners]
    if not nodes:
        return ()
    observed = _("the cluster endpoint {name} resolves to {addresses}, the address of a node").format(
        name=endpoint, addresses=", ".join(nodes)
    )
    return (Finding(Outcome.FAIL, observed, paths=("address.cluster_endpoint",)),)
