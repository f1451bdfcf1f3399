"""Check that the nodes resolve the domain names of the plan."""

from collections import Counter
from collections.abc import Iterable
from ipaddress import ip_address

from acp_tui.checks.cluster.missing_facts import fact_of_nodes
from acp_tui.checks.finding import ClusterSubject, Finding, Findings
from acp_tui.checks.verdict import Outcome
from acp_tui.core.i18n import _
from acp_tui.plan.field_types import is_domain, is_ip


def names_resolve(subject: ClusterSubject) -> Findings:
    """NETRES-DOMAIN: every node must resolve each name of the plan to the same addresses, and not to loopback.

    Only addresses of the cluster's IP family count, because the resolver of a node without IPv6 skips IPv6 addresses.
    With several nodes, the endpoint and the platform must not resolve to the address of one node. Three results give
    only a warning: 1. The address is not in the plan; it can be an external address of the load balancer. 2. Another
    name resolves to the address of one node. 3. The entry for the name in /etc/hosts of a node differs from the name
    server, or is the only source on this node while other nodes query a name server.
    """
    known, findings = fact_of_nodes(subject, "names", lambda f: f.names)
    resolved = {node: {name: _of_family(subject, a) for name, a in names.items()} for node, names in known.items()}
    required = subject.topology.names
    usual = {name: _most_common(names.get(name) for names in resolved.values()) for name in required}
    for node, names in resolved.items():
        untested = [name for name in required if name not in names]
        if untested:
            observed = _("these names have not been looked up since the plan changed: {names}").format(
                names=", ".join(untested)
            )
            findings.append(Finding(Outcome.UNKNOWN, observed, node=node, names=required))
        elif problems := [text for name in required if (text := _wrong(subject, name, names[name], usual[name]))]:
            findings.append(Finding(Outcome.FAIL, "; ".join(problems), node=node, names=required))
        elif doubtful := [text for name in required if (text := _only_in_hosts_file(subject, name, node, resolved))]:
            findings.append(Finding(Outcome.WARN, "; ".join(doubtful), node=node, names=required))
    if unexpected := [text for name in required if (text := _unexpected(subject, name, usual[name]))]:
        main = (subject.plan.address.cluster_endpoint, subject.plan.platform_address)
        broken = any(_nodes_of(subject, usual[name]) for name in required if name in main)
        outcome = Outcome.FAIL if broken else Outcome.WARN
        findings.append(Finding(outcome, "; ".join(unexpected), names=required, paths=("address.others",)))
    if findings:
        return tuple(findings)
    observed = "; ".join(f"{name}: {', '.join(usual[name])}" for name in required)
    return (Finding(Outcome.PASS, observed, names=required),)


def endpoint_resolves_to_no_node(subject: ClusterSubject) -> Findings:
    """XR-ENDPOINT-NODE: with several nodes, the domain of the endpoint must not resolve to the address of one node."""
    name = subject.plan.address.cluster_endpoint
    if subject.plan.single or not is_domain(name):
        return ()
    known, missing = fact_of_nodes(subject, "names", lambda facts: facts.names)
    if not known:
        return tuple(missing)
    usual = _most_common(_of_family(subject, (f.names or {}).get(name)) for f in subject.facts.values())
    if not _nodes_of(subject, usual):
        return ()
    text = _("{name} resolves to {addresses}; this includes the address of a node")
    observed = text.format(name=name, addresses=", ".join(usual))
    return (Finding(Outcome.FAIL, observed, paths=("address.cluster_endpoint",)),)


def _nodes_of(subject: ClusterSubject, addresses: tuple[str, ...]) -> bool:
    """Return whether the plan has several nodes, and one of them has one of the addresses."""
    return not subject.plan.single and bool(subject.topology.owners.keys() & set(addresses))


def _family(subject: ClusterSubject) -> int:
    """Return the IP version of the cluster: 4 or 6; 0 for dual stack."""
    return {"ipv4": 4, "ipv6": 6}.get(subject.plan.network.ip_family, 0)


def _of_family(subject: ClusterSubject, addresses: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """Return those of `addresses` that belong to the cluster's IP family; return all if none belongs to it."""
    own = tuple(address for address in addresses or () if ip_address(address).version == _family(subject))
    return own or addresses


def _wrong(subject: ClusterSubject, name: str, here: tuple[str, ...] | None, usual: tuple[str, ...]) -> str:
    """Return the reason why the addresses `here` that one node gets for `name` are wrong; "" if they are correct.

    `usual`: the addresses that most nodes get for this name.
    """
    addresses, others = ", ".join(sorted(here or ())), ", ".join(usual)
    if here is None:
        return _("no name server replied to the query for {name}").format(name=name)
    if not addresses:
        return _("{name} does not resolve").format(name=name)
    if addresses != others:
        text = _("{name} resolves to {addresses} on this node, but to {others} on other nodes")
        return text.format(name=name, addresses=addresses, others=others)
    if any(ip_address(address).is_loopback for address in usual):
        text = _("{name} resolves to {addresses}; this includes a loopback address")
        return text.format(name=name, addresses=addresses)
    family = _family(subject)
    if family and name not in subject.plan.address.others and ip_address(usual[0]).version != family:
        text = _("{name} resolves only to {addresses}, and not to an IPv{family} address")
        return text.format(name=name, addresses=addresses, family=family)
    return ""


def _only_in_hosts_file(subject: ClusterSubject, name: str, node: str, resolved: Iterable[str]) -> str:
    """Return a warning about the entry for `name` in /etc/hosts of `node`; "" if no warning is necessary."""
    by_server = {n: subject.facts[n].names_by_servers or {} for n in resolved}
    if name not in by_server[node]:
        return ""
    servers, here = (
        _of_family(subject, by_server[node][name]),
        _of_family(subject, (subject.facts[node].names or {}).get(name)) or (),
    )
    if servers and set(servers) != set(here):
        text = _("/etc/hosts maps {name} to {addresses}, but the name server returns {others}")
        return text.format(name=name, addresses=", ".join(sorted(here)), others=", ".join(sorted(servers)))
    querying = [n for n, names in by_server.items() if name not in names and (subject.facts[n].names or {}).get(name)]
    if servers is None and querying:
        text = _(
            "this node has {name} in /etc/hosts, and no name server replied in time; the nodes {others} resolve "
            "the name with a name server"
        )
        return text.format(name=name, others=", ".join(querying))
    if not servers and querying:
        text = _("this node finds {name} only in /etc/hosts; the nodes {others} resolve the name with a name server")
        return text.format(name=name, others=", ".join(querying))
    return ""


def _unexpected(subject: ClusterSubject, name: str, usual: tuple[str, ...]) -> str:
    """Return the reason why the addresses `usual` of `name` are unexpected; "" if they are expected.

    `usual`: the addresses that most nodes get for this name.
    """
    plan, registry = subject.plan, subject.topology.registry
    known = [a for a in (plan.address.cluster_endpoint, plan.platform_address, *plan.address.others) if is_ip(a)]
    known += [plan.registry_address] if registry is None and is_ip(plan.registry_address) else []
    if registry and name == registry[0]:
        return ""
    if _nodes_of(subject, usual):
        return _("{name} resolves to {addresses}; this includes the address of a node").format(
            name=name, addresses=", ".join(usual)
        )
    families = {ip_address(a).version for a in known}
    others = [a for a in usual if ip_address(a).version in families and a not in known]
    if not others or any(ip_address(a).is_loopback for a in usual):
        return ""
    text = _("{name} resolves to {addresses}, but the plan has no such address")
    return text.format(name=name, addresses=", ".join(others))


def _most_common(answers: Iterable[tuple[str, ...] | None]) -> tuple[str, ...]:
    """Return the addresses that most nodes get for a name, sorted; () if no node resolves the name."""
    counted = Counter(tuple(sorted(answer)) for answer in answers if answer)
    return counted.most_common(1)[0][0] if counted else ()
