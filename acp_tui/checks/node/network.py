"""Checks of one node's own network: name, hosts file, resolver, address, routes and ports."""

import re
from collections.abc import Callable, Mapping
from ipaddress import IPv4Network, ip_address, ip_network

from acp_tui.checks.finding import Finding, NodeSubject, require_fact
from acp_tui.checks.subnets import Network, interface_of, meet, routed, special, subnet_of
from acp_tui.checks.verdict import Outcome
from acp_tui.core.i18n import _
from acp_tui.nodes.facts import Facts, Route
from acp_tui.plan.field_types import is_ip

_ALNUM = re.compile(r"[A-Za-z0-9]")
_EVERYWHERE = ("default", "0.0.0.0", "0.0.0.0/0", "::/0")  # noqa: S104 - names of a route, nothing is bound


def _met(ok: bool, observed: str) -> Finding:
    return Finding(Outcome.PASS if ok else Outcome.FAIL, observed)


def hostname_length(s: NodeSubject) -> Finding:
    """NET-HOSTNAME-LEN; a name that /etc/hostname gives otherwise returns at the next boot."""
    name = require_fact(s.facts.hostname, "hostname")
    length = _("{name} ({count} characters)").format(name=name, count=len(name))
    stored = s.facts.etc_hostname
    if len(name) <= s.given.number("most") and stored and stored != name:
        observed = _("{name}, but /etc/hostname says {stored}").format(name=name, stored=stored)
        remedy = _("hostnamectl set-hostname {names}  # the name it has now, at the next boot too")
        return Finding(Outcome.WARN, observed, remedy=remedy, names=(name,))
    return _met(len(name) <= s.given.number("most"), length)


def hostname_edges(s: NodeSubject) -> Finding:
    """NET-HOSTNAME-EDGE: a letter or digit at both ends."""
    name = require_fact(s.facts.hostname, "hostname")
    return _met(bool(_ALNUM.match(name[:1]) and _ALNUM.match(name[-1:])), name or _("empty"))


def hostname_characters(s: NodeSubject) -> Finding:
    """NET-HOSTNAME-CHARS: lower-case letters, digits, hyphens and dots."""
    name = require_fact(s.facts.hostname, "hostname")
    return _met(re.fullmatch(r"[a-z0-9.-]*", name) is not None, name)


def hostname_sequences(s: NodeSubject) -> Finding:
    """NET-HOSTNAME-SEQ: no label starts or ends with a hyphen, none is empty. `--` within one is allowed."""
    name = require_fact(s.facts.hostname, "hostname")
    return _met(not any(pair in name for pair in (".-", "..", "-.")), name)


def localhost(s: NodeSubject) -> Finding:
    """NET-HOSTS-LOCALHOST: 127.0.0.1 and no other IPv4 address; ::1 beside it is fine (OQ-LOCALHOST6)."""
    addresses = require_fact(s.facts.hosts_localhost, "hosts_localhost")
    four = {a for a in addresses if ":" not in a}
    return _met(four == {"127.0.0.1"}, ", ".join(addresses) or _("localhost is not in /etc/hosts"))


def nameservers_there(s: NodeSubject) -> Finding:
    """NET-RESOLV-NS: one that is an address at least; the resolver passes over a name."""
    servers = require_fact(s.facts.nameservers, "nameservers")
    if servers and not any(is_ip(server.partition("%")[0]) for server in servers):
        return _met(False, _("no address: {names}").format(names=", ".join(servers)))
    return _met(bool(servers), ", ".join(servers) or _("no nameserver"))


def nameservers_allowed(s: NodeSubject) -> Finding:
    """NET-RESOLV-172: 172.* fails, the stub of systemd-resolved on 127.* warns (OQ-RESOLV-172)."""
    servers = require_fact(s.facts.nameservers, "nameservers")
    shown = ", ".join(servers) or _("no nameserver")
    if any(server.startswith("172.") for server in servers):
        return Finding(Outcome.FAIL, shown)
    stub = any(server.startswith("127.") for server in servers)
    return Finding(Outcome.WARN if stub else Outcome.PASS, shown)


def _search(facts: Facts) -> tuple[str, ...]:
    """The search list in force. A lone `.` is no domain; `domain` counts as one entry where `search` gives none."""
    domains = tuple(d for d in require_fact(facts.search_domains, "search_domains") if d != ".")
    return domains or tuple(d for d in (facts.resolv_domain,) if d)


def search_domains(s: NodeSubject) -> Finding:
    """NET-RESOLV-SEARCH: none is best, some within the limits is worth a look, beyond them fails."""
    domains = _search(s.facts)
    if not domains:
        return Finding(Outcome.PASS, _("none"))
    within = (
        len(domains) <= s.given.number("most_domains")
        and len(" ".join(domains)) <= s.given.number("most_characters")
        and all(len(d) <= s.given.number("longest") for d in domains)
    )
    return Finding(Outcome.WARN if within else Outcome.FAIL, _shortened(domains))


def search_count(s: NodeSubject) -> Finding:
    count = len(_search(s.facts))
    return _met(count <= s.given.number("most_domains"), str(count))


def search_length(s: NodeSubject) -> Finding:
    longest = max(_search(s.facts), key=len, default="")
    observed = _("longest: {count} characters").format(count=len(longest))
    return _met(len(longest) <= s.given.number("longest"), observed)


def search_total(s: NodeSubject) -> Finding:
    total = len(" ".join(_search(s.facts)))
    return _met(total <= s.given.number("most_characters"), _("{count} characters").format(count=total))


def _shortened(words: tuple[str, ...], most: int = 5) -> str:
    shown = " ".join(word if len(word) <= 60 else word[:57] + "..." for word in words[:most])
    more = len(words) - most
    return shown if more <= 0 else _("{shown} and {count} more").format(shown=shown, count=more)


def node_address(s: NodeSubject) -> Finding:
    """NET-IP-VALID: an ordinary address, and one that the node really has."""
    addresses = [s.node.address] + [a for a in (s.node.ipv6,) if a and s.plan.network.ip_family == "dual"]
    for text in addresses:
        if special(text):
            return Finding(Outcome.FAIL, _("{address} is of a kind that no node can use").format(address=text))
    interfaces = require_fact(s.facts.interfaces, "interfaces")
    for text in addresses:
        owner = interface_of(text, interfaces)
        if owner is None:
            return Finding(Outcome.FAIL, _("no interface of the node has {address}").format(address=text))
        network = subnet_of(owner)
        if (
            isinstance(network, IPv4Network)
            and network.prefixlen < 31
            and ip_address(text) == network.broadcast_address
        ):
            return Finding(Outcome.FAIL, _("{address} is the broadcast address of its subnet").format(address=text))
    return Finding(Outcome.PASS, ", ".join(addresses))


def default_route(s: NodeSubject) -> Finding:
    """NET-ROUTE-DEFAULT, for each family that the cluster uses."""
    family = s.plan.network.ip_family
    four = _defaults(require_fact(s.facts.routes, "routes")) if family != "ipv6" else ("-",)
    six = _defaults(require_fact(s.facts.routes6, "routes6")) if family != "ipv4" else ("-",)
    if four and six:
        return Finding(Outcome.PASS, ", ".join(r for r in (*four, *six) if r != "-"))
    return Finding(Outcome.FAIL, _("no IPv4 default route") if not four else _("no IPv6 default route"))


def _defaults(routes: tuple[Route, ...]) -> tuple[str, ...]:
    found = [r for r in routes if r.destination in _EVERYWHERE and r.nic != "lo"]
    return tuple(_("via {gateway} {nic}").format(gateway=r.gateway or "-", nic=r.nic or "").strip() for r in found)


def ports_free(s: NodeSubject) -> Finding:
    """NET-PORTS-*: nobody listens there. A UDP socket on such a number is worth a look (OQ-UDP)."""
    wanted = {port for text in s.given.texts("ports") for port in _range(text)}
    taken = {item.port: item.process for item in require_fact(s.facts.listeners, "listeners") if item.port in wanted}
    if taken:
        shown = [f"{port} ({taken[port]})" if taken[port] else str(port) for port in sorted(taken)]
        busy = _("in use: {ports}").format(ports=", ".join(shown))
        return Finding(Outcome.FAIL, busy, names=tuple(str(port) for port in sorted(taken)))
    udp = sorted(wanted & (s.facts.udp_ports or frozenset()))
    if udp:
        return Finding(Outcome.WARN, _("in use over UDP: {ports}").format(ports=", ".join(map(str, udp))))
    return Finding(Outcome.PASS, _("free"))


def _range(text: str) -> range:
    first, _dash, last = text.partition("-")
    return range(int(first), int(last or first) + 1)


def reserved_range(s: NodeSubject) -> Finding:
    """NET-172-FREE: what the node's own are in the container runtime's range, and its name servers (OQ-172)."""
    return _in_range(s, require_fact(s.facts.nameservers, "nameservers"))


def node_outside_range(s: NodeSubject) -> Finding:
    """NETCFG-172: the node's addresses and routes and the VIP in that range."""
    return _in_range(s)


def _in_range(s: NodeSubject, others: tuple[str, ...] = ()) -> Finding:
    own = [i.address for i in require_fact(s.facts.interfaces, "interfaces")]
    given = (s.node.address, s.plan.address.cluster_endpoint, *own, *others)
    used = [
        *(ip_network(address) for address in given if is_ip(address)),
        *routed(require_fact(s.facts.routes, "routes")),
    ]
    ranges = [IPv4Network(text) for text in s.given.texts("ranges")]
    hits = [_shown(network) for network in sorted(set(used), key=str) if any(meet(r, network) for r in ranges)]
    outcome = Outcome.FAIL if hits else Outcome.PASS
    return Finding(outcome, ", ".join(hits) or _("not used"), names=tuple(hits))


def _shown(network: Network) -> str:
    """A network, and a single address without its prefix."""
    return str(network.network_address if network.prefixlen == network.max_prefixlen else network)


NETWORK_CHECKS: Mapping[str, Callable[[NodeSubject], Finding]] = {
    "default_route": default_route,
    "hostname_characters": hostname_characters,
    "hostname_edges": hostname_edges,
    "hostname_length": hostname_length,
    "hostname_sequences": hostname_sequences,
    "localhost": localhost,
    "nameservers_allowed": nameservers_allowed,
    "nameservers_there": nameservers_there,
    "node_address": node_address,
    "node_outside_range": node_outside_range,
    "ports_free": ports_free,
    "reserved_range": reserved_range,
    "search_count": search_count,
    "search_domains": search_domains,
    "search_length": search_length,
    "search_total": search_total,
}
