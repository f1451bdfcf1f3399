"""Relations to a host firewall: closed paths to and from its node, and connections of the load balancer to the node."""

from collections.abc import Iterator

from acp_tui.checks.causes.endpoint import balancer_ports
from acp_tui.checks.causes.relations import Link, Problems, Relation
from acp_tui.checks.packet_filter import blocked_traffic, filter_is_clean
from acp_tui.checks.verdict import Outcome
from acp_tui.nodes.fact_types import TcpPath, TcpResult
from acp_tui.nodes.facts import Facts

FIREWALL, PATHS = "SEC-FIREWALL", "X-FIREWALL"
_IMMEDIATELY = 0.5  # seconds; without a reject rule, "no route to host" comes after seconds
_FINE = (TcpResult.CONNECTED, TcpResult.REFUSED, TcpResult.UNKNOWN)


def _closed_paths(problems: Problems) -> Iterator[Link]:
    """X-FIREWALL of a node follows from SEC-FIREWALL if the firewall of this node explains each closed path."""
    for verdict in problems.of(PATHS, Outcome.FAIL):
        cause = problems.at(FIREWALL, verdict.node, Outcome.FAIL)
        if cause is not None and verdict.node is not None and _firewall_explains(problems, verdict.node):
            yield verdict, cause


def _firewall_explains(problems: Problems, node: str) -> bool:
    facts, owners = problems.cluster.facts, problems.cluster.topology.owners
    ssh_port = {target.node: target.ssh_port for target in problems.cluster.topology.nodes}
    own = facts.get(node)
    known = own is not None and own.packet_filter is not None
    drops = known and own is not None and any(block.certain for block in blocked_traffic(problems.cluster.plan, own))
    harmless = known and own is not None and filter_is_clean(problems.cluster.plan, own)

    def closed(path: TcpPath) -> bool:
        target = owners.get(path.host, "")
        return path.result not in _FINE or (path.result is TcpResult.REFUSED and path.port == ssh_port.get(target))

    def rejected(path: TcpPath) -> bool:
        at_once = path.seconds is not None and path.seconds < _IMMEDIATELY
        return path.result is TcpResult.REFUSED or (path.result is TcpResult.NO_ROUTE and at_once)

    into = [
        path
        for source, other in facts.items()
        if source != node
        for path in _listed(other)
        if owners.get(path.host) == node and closed(path)
    ]
    out = [path for path in _listed(own) if owners.get(path.host, node) != node and closed(path)]
    if harmless or not (into or out):
        return False
    incoming = all(drops or rejected(path) for path in into)
    # A path that times out in both directions can also be closed by the other node or between the nodes.
    return incoming and all(path.result is TcpResult.FORBIDDEN for path in out)


def _balancer_to_node(problems: Problems) -> Iterator[Link]:
    """LB-* of a node follows from X-FIREWALL if no other node reaches the port either."""
    for rule, port in balancer_ports(problems).items():
        for verdict in problems.of(rule, Outcome.FAIL):
            cause = problems.at(PATHS, verdict.node, Outcome.FAIL)
            facts = problems.cluster.facts.get(verdict.node or "")
            if cause is None or facts is None or verdict.node is None:
                continue
            served = facts.backends_reached is None or facts.backends_reached.get(
                (problems.cluster.topology.load_balancer, port)
            )
            paths = [
                path
                for source, known in problems.cluster.facts.items()
                if source != verdict.node and known.paths and (path := known.paths.path(verdict.node, port)) is not None
            ]
            if served and paths and not any(path.open or path.result is TcpResult.UNKNOWN for path in paths):
                yield verdict, cause


def _listed(facts: Facts | None) -> tuple[TcpPath, ...]:
    return facts.paths.listed if facts is not None and facts.paths is not None else ()


FILTER_RELATIONS: tuple[Relation, ...] = (_closed_paths, _balancer_to_node)
