"""Relations between findings on one node that concern the same thing: its size, an address, a port, the machine."""

from collections.abc import Iterator

from acp_tui.checks.catalog import FunctionCheck, catalogue
from acp_tui.checks.causes.relations import Link, Problems, Relation
from acp_tui.checks.node.hostname import is_localhost
from acp_tui.checks.sizing.size import minimum
from acp_tui.checks.verdict import Outcome

ARM_SIZE, RESERVED, NAME_SERVERS = "HW-ARM-FACTOR", "NET-172-FREE", "NET-RESOLV-172"
_PORT_RULES = ("NET-PORTS-CP", "NET-PORTS-WK", "NET-PORTS-INST", "NET-PORTS-OVN", "NET-PORTS-CALICO")
_KUBERNETES = ("kubelet", "kube-proxy", "kube-apiserver", "kube-controller", "kube-scheduler")
"""Names of Kubernetes processes, as the kernel cuts them."""


def _sizes(problems: Problems) -> Iterator[Link]:
    """A machine that is big enough for the largest required size is big enough for the smaller ones, too."""
    plan = problems.cluster.plan
    checks = {
        name: row.check
        for name, row in catalogue(plan.effective_release).items()
        if isinstance(row.check, FunctionCheck) and row.check.name == "machine_size"
    }
    least = {name: minimum(check, plan) for name, check in checks.items()}
    for number, name in enumerate(least):
        for verdict in problems.of(name, Outcome.FAIL):
            arm = problems.at(ARM_SIZE, verdict.node, Outcome.FAIL)
            if arm is not None:
                yield verdict, arm
                continue
            for position, other in enumerate(least):
                cause = problems.at(other, verdict.node, Outcome.FAIL)
                covers = least[name] | least[other] == least[other]
                if cause is not None and covers and (least[name] != least[other] or position < number):
                    yield verdict, cause
                    break


def _reserved_addresses(problems: Problems) -> Iterator[Link]:
    """Two rules name the same address in the ranges of the container runtime, a third one the same name server."""
    for verdict in problems.of("NETCFG-172", Outcome.FAIL):
        cause = problems.at(RESERVED, verdict.node, Outcome.FAIL)
        if cause is not None and verdict.names and set(verdict.names) <= set(cause.names):
            yield verdict, cause
    for verdict in problems.of(RESERVED, Outcome.FAIL):
        cause = problems.at(NAME_SERVERS, verdict.node, Outcome.FAIL)
        facts = problems.cluster.facts.get(verdict.node or "")
        if cause is not None and facts is not None and verdict.names:
            own = {interface.address for interface in facts.interfaces or ()}
            if set(verdict.names) <= set(facts.nameservers or ()) - own:
                yield verdict, cause


def _ports(problems: Problems) -> Iterator[Link]:
    """Two rules name the same port, or only processes of a former Kubernetes use the ports."""
    found = [v for rule in _PORT_RULES for v in problems.of(rule, Outcome.FAIL) if v.names]
    for number, verdict in enumerate(found):
        former = problems.at("CAP-FRESH-ENV", verdict.node, Outcome.FAIL)
        if former is not None and _used_by_kubernetes(problems, verdict.node or "", verdict.names):
            yield verdict, former
            continue
        for position, other in enumerate(found):
            own, larger = set(verdict.names), set(other.names)
            if other.node == verdict.node and (own < larger or (own == larger and position < number)):
                yield verdict, other
                break


def _used_by_kubernetes(problems: Problems, node: str, ports: tuple[str, ...]) -> bool:
    facts = problems.cluster.facts.get(node)
    used = {str(item.port): item.process for item in (facts and facts.listeners) or ()}
    running = {name for name in used.values() if name in _KUBERNETES}
    known = {*running, "etcd"} if "kube-apiserver" in running else running
    return all(used.get(port) in known for port in ports)


def _same_machine(problems: Problems) -> Iterator[Link]:
    """Two plan entries that are one machine have one host name."""
    facts = problems.cluster.facts
    for verdict in problems.of("X-HOSTNAME-UNIQUE", Outcome.FAIL):
        own = facts.get(verdict.node or "")
        if own is None or own.hostname is None or own.boot_id is None:
            continue
        same = [a for a, f in facts.items() if (f.hostname or "").casefold() == own.hostname.casefold()]
        causes = [cause for a in same if (cause := problems.at("XR-NODE-UNIQUE", a, Outcome.FAIL)) is not None]
        if causes and {facts[a].boot_id for a in same} == {own.boot_id} and len(causes) == len(same) - 1:
            yield verdict, causes[0]


def _localhost(problems: Problems) -> Iterator[Link]:
    """The name of the loopback interface is an invalid host name, and no name of its own."""
    for verdict in problems.of("X-HOSTNAME-UNIQUE", Outcome.FAIL):
        own = problems.cluster.facts.get(verdict.node or "")
        cause = problems.at("NET-HOSTNAME-LEN", verdict.node, Outcome.FAIL)
        if cause is not None and own is not None and is_localhost(own.hostname or ""):
            yield verdict, cause


NODE_RELATIONS: tuple[Relation, ...] = (_sizes, _reserved_addresses, _ports, _same_machine, _localhost)
