"""Relations to name resolution: a name that does not resolve, and what cannot be reached without it."""

from collections.abc import Iterator

from acp_tui.checks.causes.endpoint import balancer_ports
from acp_tui.checks.causes.relations import Link, Problems, Relation, all_follow
from acp_tui.checks.topology import required_names
from acp_tui.checks.verdict import Outcome, Verdict
from acp_tui.nodes.fact_types import TcpResult
from acp_tui.nodes.facts import Facts
from acp_tui.plan.field_types import is_domain

NAMES, REGISTRY, REGISTRY_LOGIN = "NETRES-DOMAIN", "XR-REG-EXT", "XR-REG-AUTH"
_NO_NAME_SERVER = ("NET-RESOLV-EXISTS", "NET-RESOLV-NS")


def _no_name_server(problems: Problems) -> Iterator[Link]:
    """A node without a name server resolves no name that other nodes resolve with theirs."""
    facts = problems.cluster.facts
    for verdict in problems.of(NAMES, Outcome.FAIL):
        known = facts.get(verdict.node or "")
        cause = next((v for rule in _NO_NAME_SERVER if (v := problems.at(rule, verdict.node, Outcome.FAIL))), None)
        if cause is None or known is None:
            continue
        failed = _unresolved(problems, known)
        others = [other for other in facts.values() if other is not known and other.nameservers]
        only_unresolved = failed == set(known.names or ()) & set(problems.cluster.topology.names)
        if failed and only_unresolved and any(not _unresolved(problems, other) and other.names for other in others):
            yield verdict, cause


def _missing_record(problems: Problems) -> Iterator[Link]:
    """If all nodes query the same name servers and get the same empty answer, one record is missing."""
    verdicts = tuple(v for v in problems.of(NAMES, Outcome.FAIL) if v.node is not None)
    nodes = [node.address for node in problems.cluster.plan.nodes]
    known = [facts for node in nodes if (facts := problems.cluster.facts.get(node)) is not None]
    if len(verdicts) != len(nodes) or len(known) != len(nodes):
        return
    answers = {
        (facts.nameservers, tuple(sorted(_unresolved(problems, facts))), verdict.observed)
        for facts, verdict in zip(known, sorted(verdicts, key=lambda v: nodes.index(v.node or "")), strict=True)
    }
    if len(answers) == 1 and all(facts.nameservers and _unresolved(problems, facts) for facts in known):
        yield from all_follow(verdicts)


def _unresolved(problems: Problems, facts: Facts) -> set[str]:
    """Return the names that the node `facts` looked up without a result."""
    answers = facts.names or {}
    return {name for name in problems.cluster.topology.names if name in answers and not answers[name]}


def _unresolved_host(problems: Problems) -> Iterator[Link]:
    """A load balancer or registry whose name does not resolve cannot be reached."""
    topology = problems.cluster.topology
    targets = {rule: (topology.load_balancer, port) for rule, port in balancer_ports(problems).items()}
    if topology.registry is not None:
        targets[REGISTRY] = topology.registry
    for rule, target in targets.items():
        if not is_domain(target[0]):
            continue
        for verdict in problems.of(rule):
            cause = _name_finding(problems, verdict, target)
            if cause is not None:
                yield verdict, cause


def _name_finding(problems: Problems, verdict: Verdict, target: tuple[str, int]) -> Verdict | None:
    """Return the finding on the name of `target`, if this name does not resolve where `verdict` was observed."""
    facts = problems.cluster.facts
    nodes = [verdict.node] if verdict.node is not None else list(facts)
    for node in nodes:
        known = facts.get(node)
        path = known.paths.path(*target) if known is not None and known.paths else None
        if known is None or path is None or path.open:
            return None
        if target[0] not in _unresolved(problems, known):
            return None
    causes = [problems.at(NAMES, node, Outcome.FAIL) for node in nodes]
    return causes[0] if causes and all(causes) else None


def _registry_login(problems: Problems) -> Iterator[Link]:
    """The login to a registry cannot be tested from a node that does not reach the registry."""
    registry = problems.cluster.topology.registry
    for verdict in problems.of(REGISTRY_LOGIN, Outcome.UNKNOWN):
        cause = problems.at(REGISTRY, verdict.node)
        facts = problems.cluster.facts.get(verdict.node or "")
        path = facts.paths.path(*registry) if facts is not None and facts.paths and registry else None
        if cause is not None and path is not None and path.result is not TcpResult.CONNECTED:
            yield verdict, cause


def _endpoint_on_a_node(problems: Problems) -> Iterator[Link]:
    """If the endpoint is the only name, and it resolves to a node, both rules about it say the same."""
    cause, verdict = problems.at("XR-ENDPOINT-NODE", None, Outcome.FAIL), problems.at(NAMES, None, Outcome.FAIL)
    plan = problems.cluster.plan
    if cause is not None and verdict is not None and set(required_names(plan)) == {plan.address.cluster_endpoint}:
        yield verdict, cause


NAME_RELATIONS: tuple[Relation, ...] = (
    _endpoint_on_a_node,
    _no_name_server,
    _missing_record,
    _unresolved_host,
    _registry_login,
)
