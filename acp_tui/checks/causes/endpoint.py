"""Relations between the findings on the ports of a load balancer (LB-*)."""

from collections.abc import Iterator, Mapping

from acp_tui.checks.catalog import catalogue
from acp_tui.checks.causes.relations import Link, Problems, Relation, all_follow
from acp_tui.checks.subnets import interface_of
from acp_tui.checks.topology import load_balancer_port
from acp_tui.checks.verdict import Outcome
from acp_tui.nodes.fact_types import TcpResult
from acp_tui.plan.field_types import is_ip

_CHECK = "load_balancer_reachable"
ENDPOINT_GIVEN = "NETRES-VIP"

_OPEN, _NO_REPLY = "open", "no reply"
_RESULTS_WITHOUT_REPLY = (TcpResult.TIMEOUT, TcpResult.NO_ROUTE)
"""Results for an address that no host has: which of them occurs depends on the timing."""

_Picture = Mapping[str, object]
"""Node → what the node observed on one port: the nodes that replied, or whether the port is open."""


def balancer_ports(problems: Problems) -> Mapping[str, int]:
    """Return the port of each requirement on the load balancer that applies to the plan."""
    plan = problems.cluster.plan
    return {
        name: load_balancer_port(plan, row)
        for name, row in catalogue(plan.effective_release).items()
        if name in problems.judged and row.check.kind == "function" and row.check.name == _CHECK
    }


def _no_endpoint(problems: Problems) -> Iterator[Link]:
    """Without a cluster endpoint in the plan, no rule about it can be checked."""
    cause = problems.at(ENDPOINT_GIVEN, None, Outcome.FAIL)
    if cause is not None and not problems.cluster.plan.address.cluster_endpoint:
        for rule in balancer_ports(problems):
            yield from ((verdict, cause) for verdict in problems.of(rule, Outcome.UNKNOWN))


def _all_ports(problems: Problems) -> Iterator[Link]:
    """If the load balancer behaves in the same wrong way on all ports, the host is at fault and not a port."""
    ports = balancer_ports(problems)
    found = {rule: problems.of(rule) for rule in ports}
    if len(ports) < 2 or not all(found.values()) or any(_port_is_wrong(problems, port) for port in ports.values()):
        return
    pictures = [_picture(problems, port) for port in ports.values()]
    if not all(picture and picture == pictures[0] for picture in pictures):
        return
    first, *others = found.values()
    for verdicts in others:
        for verdict in verdicts:
            cause = next((v for v in first if (v.node, v.outcome) == (verdict.node, verdict.outcome)), None)
            if cause is not None:
                yield verdict, cause
    if _no_node_reaches_it(problems, pictures[0]) or _is_on_a_node(problems):
        yield from all_follow(first)


def _picture(problems: Problems, port: int) -> _Picture:
    host = problems.cluster.topology.load_balancer
    picture: dict[str, object] = {}
    for node, facts in problems.cluster.facts.items():
        tested = (facts.backends_reached or {}).get((host, port))
        path = facts.paths.path(host, port) if facts.paths else None
        if tested is not None:
            picture[node] = tested
        elif path is not None:
            picture[node] = _OPEN if path.open else _NO_REPLY if path.result in _RESULTS_WITHOUT_REPLY else path.result
    return picture


def _no_node_reaches_it(problems: Problems, picture: _Picture) -> bool:
    """Return True if every node observes the same: no reply, or no reply from a control plane node."""
    same = len(set(picture.values())) == 1 and len(picture) == len(problems.cluster.plan.nodes)
    return same and next(iter(picture.values())) in (_NO_REPLY, frozenset())


def _is_on_a_node(problems: Problems) -> bool:
    """Return True if an interface of a node has the address of the load balancer, so that it answers from there."""
    host = problems.cluster.topology.load_balancer
    return is_ip(host) and any(interface_of(host, f.interfaces or ()) for f in problems.cluster.facts.values())


def _port_is_wrong(problems: Problems, port: int) -> bool:
    """Return True if the load balancer test found an error that concerns only `port`."""
    host = problems.cluster.topology.load_balancer
    return any(
        (facts.wrong_ports_reached or {}).get((host, port))
        or port in (facts.proxy_protocol_ports or ())
        or (facts.listener_results or {}).get(port)
        for facts in problems.cluster.facts.values()
    )


ENDPOINT_RELATIONS: tuple[Relation, ...] = (_no_endpoint, _all_ports)
