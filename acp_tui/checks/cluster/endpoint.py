"""Checks of what stands before the cluster, as its nodes see it: load balancer, VIP, names, an external registry."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from ipaddress import ip_address

from acp_tui.checks.cluster.connectivity import describe_result
from acp_tui.checks.cluster.consistency import Findings, learned
from acp_tui.checks.finding import ClusterSubject, Finding
from acp_tui.checks.subnets import interface_of
from acp_tui.checks.topology import addresses, balancer_port, external_registry, required_names
from acp_tui.checks.verdict import Outcome
from acp_tui.core.i18n import _
from acp_tui.nodes.facts import TcpPath, TcpResult
from acp_tui.plan.field_types import is_ip


def balancer_reached(s: ClusterSubject) -> Findings:
    """LB-*: an answer of the cluster endpoint, or a refusal, is an open path; silence before the install warns."""
    endpoint, port = s.plan.address.cluster_endpoint, balancer_port(s.plan, s.requirement)
    if not endpoint:
        return (Finding(Outcome.UNKNOWN, _("no cluster endpoint yet"), paths=("address.cluster_endpoint",)),)
    if rehearsed := _rehearsed(s, endpoint, port):
        return rehearsed
    tried, found = learned(s, "paths", lambda f: f.paths)
    at = f"{endpoint}:{port}"
    ways = {node: way_to(paths, endpoint, port) for node, paths in tried.items()}
    for node, way in ways.items():
        if way is None:
            observed = _("{at} not tried since the answers have changed").format(at=at)
            found.append(Finding(Outcome.UNKNOWN, observed, node=node))
        elif not way.open:
            outcome = Outcome.UNKNOWN if way.result is TcpResult.UNKNOWN else Outcome.WARN
            found.append(Finding(outcome, f"{at}: {describe_result(way)}", node=node))
    if len(found) == len(s.plan.nodes) and len({finding.observed for finding in found}) == 1:
        observed = _("{observed}, from every node").format(observed=found[0].observed)
        return (Finding(found[0].outcome, observed),)
    if found:
        return tuple(found)
    answers = ", ".join(sorted({describe_result(way) for way in ways.values() if way}))
    return (Finding(Outcome.PASS, _("{at}: {answers}, from every node").format(at=at, answers=answers)),)


def _rehearsed(s: ClusterSubject, endpoint: str, port: int) -> Findings:
    """What temporary listeners on the control planes tell; () where nobody was to dial the endpoint."""
    stood = {
        n: f.listener_results[port]
        for n in _planes(s)
        if (f := s.facts.get(n)) and f.listener_results and port in f.listener_results
    }
    led = {
        n: f.backends_reached[endpoint, port]
        for n, f in s.facts.items()
        if f.backends_reached and (endpoint, port) in f.backends_reached
    }
    if not stood or not led:
        return ()
    at, answered = f"{endpoint}:{port}", frozenset[str]().union(*led.values())
    found = [Finding(Outcome.UNKNOWN, f"{at}: {why}", node=node) for node, why in stood.items() if why]
    standing = [node for node, why in stood.items() if not why]
    strayed = frozenset[int]().union(
        *((f.wrong_ports_reached or {}).get((endpoint, port), ()) for f in s.facts.values())
    )
    if not standing:
        return tuple(found)
    if strayed:
        observed = _("{at} leads to port {ports} of the control plane nodes instead of {port}")
        ports = ", ".join(map(str, sorted(strayed)))
        return (*found, Finding(Outcome.FAIL, observed.format(at=at, ports=ports, port=port)))
    if any(port in (s.facts[node].proxy_protocol_ports or ()) for node in standing):
        observed = _("{at} puts a header of the PROXY protocol before each connection: what listens there takes none")
        return (*found, Finding(Outcome.FAIL, observed.format(at=at)))
    if not answered:
        observed = _(
            "{at} leads to none of the control plane nodes: no listener there was reached. Before the install a "
            "balancer in HTTP mode, one that ends TLS itself, or with health checks that want more than a TCP connect, "
            "reaches none"
        )
        return (*found, Finding(Outcome.FAIL, observed.format(at=at)))
    shown = ", ".join(sorted(answered))
    sticks = len(answered) > 1 and all(len(backends) < 2 for backends in led.values())
    for node in standing:
        if node not in answered:
            never = _("{at} never led here; it led to {nodes}").format(at=at, nodes=shown)
            why = _("each node to one and the same: a balancer that goes by the source address shows no more of itself")
            outcome, observed = (Outcome.UNKNOWN, f"{never}, {why}") if sticks else (Outcome.FAIL, never)
            found.append(Finding(outcome, observed, node=node))
    for node, backends in led.items():
        if not backends:
            observed = _("from here {at} leads nowhere; from others to {nodes}").format(at=at, nodes=shown)
            found.append(Finding(Outcome.FAIL, observed, node=node))
    return tuple(found) or (Finding(Outcome.PASS, _("{at} led to {nodes}").format(at=at, nodes=shown)),)


def _planes(s: ClusterSubject) -> list[str]:
    return [node.address for node in s.plan.control_planes]


def vrid_free(s: ClusterSubject) -> Findings:
    """VIP-VRID: no other group in the subnet was heard with the plan's ID. Not listened for: a person has to tell."""
    heard = {n: f.vrids_seen for n in _planes(s) if (f := s.facts.get(n)) and f.vrids_seen is not None}
    deaf = dict.fromkeys(why for n in _planes(s) if (f := s.facts.get(n)) and (why := f.missing.get("vrids_seen")))
    if not heard and deaf:
        return (Finding(Outcome.MANUAL, _("no node could listen for VRRP: {why}").format(why="; ".join(deaf))),)
    if not heard:
        return (Finding(Outcome.MANUAL, _("nobody listened for VRRP: acp-tui check --also vrrp does")),)
    used = frozenset[int]().union(*heard.values())
    shown = ", ".join(map(str, sorted(used))) or _("none")
    if s.plan.address.vrid not in used:
        return (Finding(Outcome.PASS, _("IDs heard in 4 seconds: {ids}").format(ids=shown)),)
    free = next((n for n in (*range(s.plan.address.vrid, 256), *range(1, 256)) if n not in used), None)
    observed = _("{id} is in use; heard: {ids}").format(id=s.plan.address.vrid, ids=shown)
    remedy = _("Choose another ID for the VIP, {free} for example.").format(free=free) if free else ""
    return (Finding(Outcome.FAIL, observed, remedy=remedy, paths=("address.vrid",)),)


def way_to(paths: tuple[TcpPath, ...], host: str, port: int) -> TcpPath | None:
    return next((path for path in paths if (path.host, path.port) == (host, port)), None)


def vip_free(s: ClusterSubject) -> Findings:
    """VIP-FREE: no node has the VIP, and nobody answers the control plane nodes there."""
    vip, here = s.plan.address.cluster_endpoint, ("address.cluster_endpoint",)
    for address, facts in s.facts.items():
        own = interface_of(vip, facts.interfaces or ())
        if own is not None:
            observed = _("{vip} is on {nic} of this node").format(vip=vip, nic=own.nic)
            return (Finding(Outcome.FAIL, observed, node=address, paths=here),)
    owners = {n.address: s.facts[n.address].vip_owner for n in s.plan.control_planes if n.address in s.facts}
    for address, owner in owners.items():
        if owner:
            observed = _("{vip} answers {node}: {owner}").format(vip=vip, node=address, owner=owner)
            return (Finding(Outcome.FAIL, observed, paths=here),)
    asked = [address for address, owner in owners.items() if owner is not None]
    if not asked:
        return (Finding(Outcome.UNKNOWN, _("no control plane node could ask")),)
    return (Finding(Outcome.PASS, _("nobody answers {nodes} there").format(nodes=", ".join(asked))),)


def names_resolve(s: ClusterSubject) -> Findings:
    """NETRES-DOMAIN: each name resolves on every node, to the same and expected addresses, which are no loopback.

    Only addresses of the cluster's family count: the resolver of a node without IPv6 passes over such. An address that
    the plan does not know may be an external IP: it is worth a look. So is one of several nodes, which is no VIP, and a
    name that some nodes know from their own /etc/hosts alone while others ask a name server."""
    known, found = learned(s, "names", lambda f: f.names)
    looked_up = {node: {name: _counting(s, a) for name, a in names.items()} for node, names in known.items()}
    wanted = required_names(s.plan)
    usual = {name: _usual(names.get(name) for names in looked_up.values()) for name in wanted}
    for node, names in looked_up.items():
        unasked = [name for name in wanted if name not in names]
        if unasked:
            observed = _("not looked up since the answers have changed: {names}").format(names=", ".join(unasked))
            found.append(Finding(Outcome.UNKNOWN, observed, node=node, names=wanted))
        elif broken := [words for name in wanted if (words := _broken(s, name, names[name], usual[name]))]:
            found.append(Finding(Outcome.FAIL, "; ".join(broken), node=node, names=wanted))
        elif doubtful := [words for name in wanted if (words := _by_file(s, name, node, looked_up))]:
            found.append(Finding(Outcome.WARN, "; ".join(doubtful), node=node, names=wanted))
    if unexpected := [words for name in wanted if (words := _unexpected(s, name, usual[name]))]:
        paths = ("address.others",)
        found.append(Finding(Outcome.WARN, "; ".join(unexpected), names=wanted, paths=paths))
    if found:
        return tuple(found)
    told = "; ".join(f"{name}: {', '.join(usual[name])}" for name in wanted)
    return (Finding(Outcome.PASS, told, names=wanted),)


def _family(s: ClusterSubject) -> int:
    """4 or 6; 0: both count."""
    return {"ipv4": 4, "ipv6": 6}.get(s.plan.network.ip_family, 0)


def _counting(s: ClusterSubject, answer: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """The addresses of the cluster's family; all where there are none."""
    own = tuple(address for address in answer or () if ip_address(address).version == _family(s))
    return own or answer


def _broken(s: ClusterSubject, name: str, here: tuple[str, ...] | None, usual: tuple[str, ...]) -> str:
    """What is wrong with a name on one node; "" where nothing is."""
    got, others = ", ".join(sorted(here or ())), ", ".join(usual)
    if here is None:
        return _("no name server answers for {name}").format(name=name)
    if not got:
        return _("{name} does not resolve").format(name=name)
    if got != others:
        text = _("{name} is {addresses} here, and {others} elsewhere")
        return text.format(name=name, addresses=got, others=others)
    if any(ip_address(address).is_loopback for address in usual):
        return _("{name} is {addresses}, the node itself").format(name=name, addresses=got)
    family = _family(s)
    if family and name not in s.plan.address.others and ip_address(usual[0]).version != family:
        return _("{name} is {addresses} alone, no IPv{family} address").format(name=name, addresses=got, family=family)
    return ""


def _by_file(s: ClusterSubject, name: str, node: str, looked_up: Iterable[str]) -> str:
    """What is doubtful about a name that /etc/hosts gives to `node`; "" where other nodes are no better off."""
    told = {n: s.facts[n].names_by_servers or {} for n in looked_up}
    if name not in told[node]:
        return ""
    by_servers, here = _counting(s, told[node][name]), _counting(s, (s.facts[node].names or {}).get(name)) or ()
    if by_servers and set(by_servers) != set(here):
        text = _("{name} is {addresses} in /etc/hosts, and {others} at the name server")
        return text.format(name=name, addresses=", ".join(sorted(here)), others=", ".join(sorted(by_servers)))
    asking = [n for n, names in told.items() if name not in names and (s.facts[n].names or {}).get(name)]
    if by_servers is None and asking:
        text = _("{name} is known here from /etc/hosts, and no name server answered in time; {others} know it from one")
        return text.format(name=name, others=", ".join(asking))
    if not by_servers and asking:
        text = _("{name} is known here from /etc/hosts alone, and to {others} from a name server")
        return text.format(name=name, others=", ".join(asking))
    return ""


def _unexpected(s: ClusterSubject, name: str, usual: tuple[str, ...]) -> str:
    """Where a name of the platform leads, if that is no address of the plan's; "" where it is right or not known."""
    registry = external_registry(s.plan)
    address = s.plan.address
    known = [a for a in (address.cluster_endpoint, s.plan.platform_address, *address.others) if is_ip(a)]
    known += [s.plan.registry_address] if registry is None and is_ip(s.plan.registry_address) else []
    own = {a for node in s.plan.nodes for a in addresses(s.plan, node)} if not s.plan.single else set[str]()
    if registry and name == registry[0]:
        return ""
    if own & set(usual):
        return _("{name} is {addresses}, one of the nodes").format(name=name, addresses=", ".join(usual))
    families = {ip_address(a).version for a in known}
    other = [a for a in usual if ip_address(a).version in families and a not in known]
    if not other or any(ip_address(a).is_loopback for a in usual):
        return ""
    words = _("{name} is {addresses}, and neither the cluster endpoint nor another address of the plan")
    return words.format(name=name, addresses=", ".join(other))


def _usual(answers: Iterable[tuple[str, ...] | None]) -> tuple[str, ...]:
    """The addresses that most nodes have of a name, sorted; () where it resolves nowhere."""
    counted = Counter(tuple(sorted(answer)) for answer in answers if answer)
    return counted.most_common(1)[0][0] if counted else ()


ENDPOINT_CHECKS: Mapping[str, Callable[[ClusterSubject], Findings]] = {
    "balancer_reached": balancer_reached,
    "names_resolve": names_resolve,
    "vip_free": vip_free,
    "vrid_free": vrid_free,
}
