"""Check the network of one node: host name, hosts file, resolver, address, routes and ports."""

from ipaddress import IPv4Network, ip_address, ip_network

from acp_tui.checks.finding import Finding, NodeSubject, require_fact
from acp_tui.checks.subnets import Network, interface_of, meet, nameservers_in_use, routed, special, subnet_of
from acp_tui.checks.verdict import Outcome
from acp_tui.core.i18n import _, ngettext, npgettext, pgettext
from acp_tui.nodes.fact_types import Route
from acp_tui.nodes.facts import Facts
from acp_tui.plan.field_types import is_ip

_EVERYWHERE = ("default", "0.0.0.0", "0.0.0.0/0", "::/0")  # noqa: S104 - names of a route, nothing is bound


_CLEAN_RESOLV = (
    "cp -np /etc/resolv.conf /etc/resolv.conf.bak\n"
    "# removes a byte order mark, carriage returns and blanks; then enter the IP address of each name server\n"
    r"sed -i -E -e '1s/^\xef\xbb\xbf//' -e 's/\r$//' -e 's/^[[:space:]]+//' /etc/resolv.conf"
)
_KNOW_LOCALHOST = frozenset({"files", "resolve", "myhostname"})


def _pass_or_fail(ok: bool, observed: str) -> Finding:
    return Finding(Outcome.PASS if ok else Outcome.FAIL, observed)


def localhost(subject: NodeSubject) -> Finding:
    """NET-HOSTS-LOCALHOST: /etc/hosts must map localhost to 127.0.0.1 and to no other IPv4 address.

    The IPv6 address ::1 is also allowed (OQ-LOCALHOST6). If nsswitch.conf names sources of host names, one of them must
    know localhost: /etc/hosts, or a module of systemd.
    """
    addresses = require_fact(subject.facts.hosts_localhost, "hosts_localhost")
    four = {a for a in addresses if ":" not in a}
    sources = subject.facts.hosts_sources
    if four == {"127.0.0.1"} and sources and not _KNOW_LOCALHOST & set(sources):
        observed = _("/etc/hosts is correct, but nsswitch.conf does not use it: hosts: {sources}")
        remedy = "sed -i -E 's/^[[:space:]]*hosts:.*/hosts: files dns/' /etc/nsswitch.conf"
        return Finding(Outcome.FAIL, observed.format(sources=" ".join(sources)), remedy=remedy)
    return _pass_or_fail(four == {"127.0.0.1"}, ", ".join(addresses) or _("localhost is not in /etc/hosts"))


def nameservers_present(subject: NodeSubject) -> Finding:
    """NET-RESOLV-NS: both the node and its Pods must have a name server that is given as an IP address.

    The node uses the lines of /etc/resolv.conf that glibc accepts. Pods get the file that kubeadm chooses.
    """
    servers = require_fact(subject.facts.nameservers, "nameservers")
    ignored, pods = subject.facts.ignored_nameservers, subject.facts.pod_nameservers
    if not servers and ignored:
        observed = _("the C library ignores these lines of /etc/resolv.conf: {lines}")
        observed = observed.format(lines=", ".join(f"'{line}'" for line in ignored[:3]))
        return Finding(Outcome.FAIL, observed, remedy=_CLEAN_RESOLV)
    if servers and pods is not None and not any(is_ip(server.partition("%")[0]) for server in pods):
        observed = _("the file {file} has no valid name server for Pods")
        return _pass_or_fail(False, observed.format(file=subject.facts.pod_resolv))
    return _pass_or_fail(bool(servers), ", ".join(servers) or _("the node has no name server"))


def nameservers_allowed(subject: NodeSubject) -> Finding:
    """NET-RESOLV-172: no name server of the node or its Pods may have an address in 172.0.0.0/8.

    A name server in 127.0.0.0/8, such as the local resolver of systemd, gives only a warning (OQ-RESOLV-172).
    """
    own = require_fact(subject.facts.nameservers, "nameservers")
    behind = tuple(server for server in subject.facts.pod_nameservers or () if server not in own)
    shown = ", ".join(own) or _("the node has no name server")
    if behind:
        text = _("{servers}; Pods get {others} from {file}")
        shown = text.format(servers=shown, others=", ".join(behind), file=subject.facts.pod_resolv)
    if any(server.startswith("172.") for server in (*own, *behind)):
        return Finding(Outcome.FAIL, shown)
    return Finding(Outcome.WARN if any(map(_on_node, (*own, *behind))) else Outcome.PASS, shown)


def _on_node(server: str) -> bool:
    """Return whether a name server runs on the node itself. The resolver takes 0.0.0.0 for the node itself, too."""
    return is_ip(server) and (ip_address(server).is_loopback or ip_address(server).is_unspecified)


def _search(facts: Facts) -> tuple[str, ...]:
    """Return the search domains of resolv.conf that are in effect. A single `.` is not a search domain.

    Without a `search` line, the domain of the `domain` line is the only search domain.
    """
    domains = tuple(d for d in require_fact(facts.search_domains, "search_domains") if d != ".")
    return domains or tuple(d for d in (facts.resolv_domain,) if d)


def search_domains(subject: NodeSubject) -> Finding:
    """NET-RESOLV-SEARCH: the node should have no search domain.

    A search domain gives a warning. The check fails if the number or length of the search domains exceeds a limit of
    the requirement.
    """
    domains = _search(subject.facts)
    if not domains:
        return Finding(Outcome.PASS, pgettext("search domains", "none"))
    within = (
        len(domains) <= subject.check.number("most_domains")
        and len(" ".join(domains)) <= subject.check.number("most_characters")
        and all(len(d) <= subject.check.number("longest") for d in domains)
    )
    return Finding(Outcome.WARN if within else Outcome.FAIL, _shortened(domains))


def search_count(subject: NodeSubject) -> Finding:
    """NET-SEARCH-COUNT: the number of search domains must not be above the limit."""
    count = len(_search(subject.facts))
    return _pass_or_fail(count <= subject.check.number("most_domains"), str(count))


def search_length(subject: NodeSubject) -> Finding:
    """NET-SEARCH-LEN: the length of the longest search domain must not be above the limit."""
    longest = max(_search(subject.facts), key=len, default="")
    observed = ngettext(
        "the longest search domain has {count} character",
        "the longest search domain has {count} characters",
        len(longest),
    )
    return _pass_or_fail(len(longest) <= subject.check.number("longest"), observed.format(count=len(longest)))


def search_total(subject: NodeSubject) -> Finding:
    """NET-SEARCH-TOTAL: the search domains, joined with spaces, must not be longer in total than the limit."""
    total = len(" ".join(_search(subject.facts)))
    observed = npgettext(
        "observed value",
        "the search domains have {count} character in total",
        "the search domains have {count} characters in total",
        total,
    )
    return _pass_or_fail(total <= subject.check.number("most_characters"), observed.format(count=total))


def _shortened(domains: tuple[str, ...], most: int = 5) -> str:
    shown = " ".join(domain if len(domain) <= 60 else domain[:57] + "..." for domain in domains[:most])
    more = len(domains) - most
    if more <= 0:
        return shown
    return npgettext(
        "observed value", "{names} and {count} more search domain", "{names} and {count} more search domains", more
    ).format(names=shown, count=more)


def node_address(subject: NodeSubject) -> Finding:
    """NET-IP-VALID: the node address must be configured on the node, and other machines must be able to reach it."""
    addresses = [subject.node.address] + [
        a for a in (subject.node.ipv6,) if a and subject.plan.network.ip_family == "dual"
    ]
    for text in addresses:
        if special(text):
            return Finding(
                Outcome.FAIL,
                _("{address} is a loopback, link-local, multicast or reserved address").format(address=text),
            )
    interfaces = require_fact(subject.facts.interfaces, "interfaces")
    for text in addresses:
        owner = interface_of(text, interfaces)
        if owner is None:
            return Finding(Outcome.FAIL, _("no interface of this node has the address {address}").format(address=text))
        network = subnet_of(owner)
        if (
            isinstance(network, IPv4Network)
            and network.prefixlen < 31
            and ip_address(text) == network.broadcast_address
        ):
            return Finding(Outcome.FAIL, _("{address} is the broadcast address of its subnet").format(address=text))
    return Finding(Outcome.PASS, ", ".join(addresses))


def default_route(subject: NodeSubject) -> Finding:
    """NET-ROUTE-DEFAULT: the node must have a default route for each IP family that the cluster uses."""
    family = subject.plan.network.ip_family
    four = _defaults(require_fact(subject.facts.routes, "routes")) if family != "ipv6" else ("-",)
    six = _defaults(require_fact(subject.facts.routes6, "routes6")) if family != "ipv4" else ("-",)
    if four and six:
        return Finding(Outcome.PASS, ", ".join(r for r in (*four, *six) if r != "-"))
    return Finding(
        Outcome.FAIL, _("the node has no IPv4 default route") if not four else _("the node has no IPv6 default route")
    )


def _defaults(routes: tuple[Route, ...]) -> tuple[str, ...]:
    found = [r for r in routes if r.destination in _EVERYWHERE and r.nic != "lo"]
    return tuple(
        pgettext("observed value", "the default route goes through {gateway} on {nic}")
        .format(gateway=r.gateway or "-", nic=r.nic or "")
        .strip()
        for r in found
    )


def ports_free(subject: NodeSubject) -> Finding:
    """NET-PORTS-*: no process may listen on the TCP ports that the requirement lists.

    A UDP socket on a port with the same number gives only a warning (OQ-UDP).
    """
    required = {port for text in subject.check.texts("ports") for port in _range(text)}
    used = {
        item.port: item.process for item in require_fact(subject.facts.listeners, "listeners") if item.port in required
    }
    if used:
        shown = [f"{port} ({used[port]})" if used[port] else str(port) for port in sorted(used)]
        busy = pgettext("observed value", "these TCP ports are in use: {ports}").format(ports=", ".join(shown))
        return Finding(Outcome.FAIL, busy, names=tuple(str(port) for port in sorted(used)))
    udp = sorted(required & (subject.facts.udp_ports or frozenset()))
    if udp:
        return Finding(Outcome.WARN, _("these UDP ports are in use: {ports}").format(ports=", ".join(map(str, udp))))
    return Finding(Outcome.PASS, pgettext("ports", "free"))


def _range(text: str) -> range:
    first, _dash, last = text.partition("-")
    return range(int(first), int(last or first) + 1)


def reserved_range(subject: NodeSubject) -> Finding:
    """NET-172-FREE: no address, route or name server of the node may be in a range of the container runtime.

    The requirement lists the ranges (OQ-172).
    """
    return _in_range(subject, require_fact(nameservers_in_use(subject.facts), "nameservers"))


def node_outside_range(subject: NodeSubject) -> Finding:
    """NETCFG-172: no address or route of the node, and no VIP, may be in a range of the container runtime."""
    return _in_range(subject)


def _in_range(subject: NodeSubject, others: tuple[str, ...] = ()) -> Finding:
    own = [i.address for i in require_fact(subject.facts.interfaces, "interfaces")]
    planned = (subject.node.address, subject.plan.address.cluster_endpoint, *own, *others)
    used = [
        *(ip_network(address) for address in planned if is_ip(address)),
        *routed(require_fact(subject.facts.routes, "routes")),
    ]
    ranges = [IPv4Network(text) for text in subject.check.texts("ranges")]
    hits = [_formatted(network) for network in sorted(set(used), key=str) if any(meet(r, network) for r in ranges)]
    outcome = Outcome.FAIL if hits else Outcome.PASS
    return Finding(
        outcome,
        ", ".join(hits) or _("no address or route of the node is in a range of the container runtime"),
        names=tuple(hits),
    )


def _formatted(network: Network) -> str:
    """Return the network as text. A network of a single address is written without its prefix length."""
    return str(network.network_address if network.prefixlen == network.max_prefixlen else network)
