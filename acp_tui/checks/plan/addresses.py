"""Rules of the cluster endpoint, the platform's addresses and ports, and the Self-built VIP.

Disaster recovery turns some of them round: there the endpoint is an address and the platform a name.
"""

from ipaddress import IPv6Address, ip_address, ip_network

from acp_tui.checks.finding import PlanSubject
from acp_tui.checks.plan import disaster_recovery as standby
from acp_tui.checks.plan.results import Findings, fail, held, listed, manual, node_path, not_applicable, unknown, warn
from acp_tui.checks.subnets import host_network, meet, special
from acp_tui.core.i18n import _
from acp_tui.plan.field_types import is_domain, is_ip
from acp_tui.plan.model import Plan

ENDPOINT = "address.cluster_endpoint"
PLATFORM = "address.platform"
_LIKELY_SUBNET = 16
TAKEN_PORTS = (6443, 11443, 2379, 2380)


def endpoint_syntax(subject: PlanSubject) -> Findings:
    """XR-ENDPOINT-SYNTAX: there is one; with IPv6 alone it is a domain, because an IPv6 literal is not taken."""
    endpoint = subject.plan.address.cluster_endpoint
    if not endpoint:
        return (fail(_("no cluster endpoint"), ENDPOINT),)
    if subject.plan.network.ip_family == "ipv6" and is_ip(endpoint):
        return (fail(_("{value} is an IPv4 address, and the cluster is IPv6 only").format(value=endpoint), ENDPOINT),)
    problem = _of_no_use(endpoint)
    return (fail(problem, ENDPOINT),) if problem else held((), endpoint)


def endpoint_no_node(subject: PlanSubject) -> Findings:
    """XR-ENDPOINT-NODE: with several nodes the endpoint outlives each of them."""
    plan = subject.plan
    if plan.single:
        return not_applicable(_("one node: its own address is the endpoint"))
    endpoint = plan.address.cluster_endpoint
    for node in plan.nodes:
        if endpoint == node.address:
            observed = _("{value} is the address of a node").format(value=endpoint)
            return (fail(observed, ENDPOINT, node_path(plan, node, "address")),)
    return held((), endpoint)


def platform_domain_for_ipv6(subject: PlanSubject) -> Findings:
    """XR-DOMAIN-IPV6: who comes by IPv6 needs a name."""
    plan = subject.plan
    platform, family = plan.platform_address, plan.network.ip_family
    literal = is_ip(platform) and isinstance(ip_address(platform), IPv6Address)
    if family == "ipv4" and not literal:
        return not_applicable(_("no access by IPv6 planned"))
    if is_domain(platform):
        return held((), platform)
    if family == "dual" and not literal:
        observed = _("{value}: nobody will reach the platform by IPv6; a domain would allow it")
        return (warn(observed.format(value=platform or _("none")), PLATFORM),)
    return (fail(_("{value} is no domain name").format(value=platform or _("none")), PLATFORM),)


def recovery_addresses(subject: PlanSubject) -> Findings:
    """XR-DOMAIN-DR: the platform is one domain for both clusters, the endpoint each cluster's own VIP."""
    plan = subject.plan
    if plan.disaster_recovery.role == "none":
        return _no_recovery()
    findings = []
    if not is_domain(plan.platform_address):
        observed = _("platform access address {value} is no domain name")
        findings.append(fail(observed.format(value=plan.platform_address or _("none")), PLATFORM))
    if not is_ip(plan.address.cluster_endpoint):
        observed = _("cluster endpoint {value} is not the VIP's IP address")
        findings.append(fail(observed.format(value=plan.address.cluster_endpoint or _("none")), ENDPOINT))
    findings += standby.addresses(subject)
    return held(findings, f"{plan.platform_address}, {plan.address.cluster_endpoint}")


def recovery_ports(subject: PlanSubject) -> Findings:
    """XR-DR-PORTS: HTTP 80 and HTTPS 443."""
    plan = subject.plan
    if plan.disaster_recovery.role == "none":
        return _no_recovery()
    wanted = (("address.http_port", plan.address.http_port, 80), ("address.https_port", plan.address.https_port, 443))
    observed = _("{port} instead of {wanted}")
    broken = [fail(observed.format(port=port, wanted=want), path) for path, port, want in wanted if port != want]
    return held(broken or standby.ports(subject), "80, 443")


def recovery_other_address(subject: PlanSubject) -> Findings:
    """XR-DR-OTHERADDR: the further addresses contain this cluster's own VIP. While the endpoint is no address, nobody
    knows which one that is (XR-DOMAIN-DR says so), and any address will do."""
    plan = subject.plan
    if plan.disaster_recovery.role == "none":
        return _no_recovery()
    known = is_ip(plan.address.cluster_endpoint)
    if plan.address.cluster_endpoint in plan.address.others or (not known and any(map(is_ip, plan.address.others))):
        return held((), listed(plan.address.others))
    observed = _("further platform addresses: {addresses}; the VIP {vip} is not among them")
    addresses, vip = listed(plan.address.others), plan.address.cluster_endpoint or _("none")
    return (fail(observed.format(addresses=addresses, vip=vip), "address.others"),)


def self_built_vip_is_ip(subject: PlanSubject) -> Findings:
    """XR-SELFVIP-DOMAIN: keepalived holds an address, not a name."""
    plan = subject.plan
    if not plan.address.self_built_vip:
        return _no_self_built_vip()
    if is_ip(plan.address.cluster_endpoint):
        return held((), plan.address.cluster_endpoint)
    observed = _("{value} is not an IP address").format(value=plan.address.cluster_endpoint or _("none"))
    return (fail(observed, ENDPOINT, "address.self_built_vip"),)


def self_built_vip_vrid(subject: PlanSubject) -> Findings:
    """XR-SELFVIP-VRID: the field itself keeps it within 1 to 255."""
    address = subject.plan.address
    return held((), str(address.vrid)) if address.self_built_vip else _no_self_built_vip()


def no_self_built_vip_in_recovery(subject: PlanSubject) -> Findings:
    """XR-SELFVIP-DR: disaster recovery takes a real load balancer."""
    plan = subject.plan
    if plan.disaster_recovery.role == "none":
        return _no_recovery()
    if plan.address.self_built_vip:
        return (fail(_("Self-built VIP is on"), "address.self_built_vip"),)
    return held((), _("Self-built VIP is off"))


def no_self_built_vip_alone(subject: PlanSubject) -> Findings:
    """XR-SELFVIP-SINGLE: one node that is its own endpoint needs no keepalived."""
    plan = subject.plan
    if not (plan.single and plan.address.cluster_endpoint == plan.nodes[0].address):
        return not_applicable(_("not a single node that is its own endpoint"))
    if plan.address.self_built_vip:
        return (warn(_("Self-built VIP is on, and there is nothing for it to do"), "address.self_built_vip"),)
    return held((), _("Self-built VIP is off"))


def vip_near_nodes(subject: PlanSubject) -> Findings:
    """XR-SELFVIP-SUBNET: only the nodes know their prefixes, and VIP-SUBNET judges by them. Before, nothing can be said
    but that what differs in the upper half of an IPv4 address is hardly ever one subnet."""
    plan = subject.plan
    vip = plan.address.cluster_endpoint
    if not plan.address.self_built_vip:
        return _no_self_built_vip()
    if not is_ip(vip) or plan.single:
        return not_applicable(_("no VIP among several nodes"))
    subnets = [host_network(subject.facts.get(node.address), node.address) for node in plan.control_planes]
    if all(subnets):
        one = len(set(subnets)) == 1 and all(subnet and meet(subnet, ip_network(vip)) for subnet in subnets)
        return held((), vip) if one else not_applicable(_("told by the nodes' own prefixes, as VIP-SUBNET"))
    around = ip_network(f"{vip}/{_LIKELY_SUBNET}", strict=False)
    observed = _("{address} and the VIP {vip} are hardly in one subnet")
    far = tuple(
        warn(observed.format(address=node.address, vip=vip), ENDPOINT, node_path(plan, node, "address"))
        for node in plan.control_planes
        if not meet(around, ip_network(node.address))
    )
    return far or (unknown(_("only the nodes know their prefixes; the preflight tells, as VIP-SUBNET"), ENDPOINT),)


def platform_reachable(subject: PlanSubject) -> Findings:
    """P-PLATFORM: something that other machines can open."""
    platform = subject.plan.address.platform or ""
    problem = _of_no_use(platform)
    return (fail(problem, PLATFORM),) if problem else held((), subject.plan.platform_address)


def further_addresses(subject: PlanSubject) -> Findings:
    """P-OTHER-ADDRS: each of them tells the installer something new, and other machines can open it."""
    plan = subject.plan
    findings, told = [], {plan.platform_address}
    for index, other in enumerate(plan.address.others):
        problem = _of_no_use(other)
        if other in told:
            problem = _("{value} is given twice, or is the platform access address").format(value=other)
        if problem:
            findings.append(warn(problem, f"address.others[{index}]", "address.others"))
        told.add(other)
    return held(findings, listed(plan.address.others))


def ports_apart(subject: PlanSubject) -> Findings:
    """XR-PORTS: HTTP and HTTPS differ, and neither is a port of the control plane or the registry."""
    address = subject.plan.address
    findings = []
    if address.http_port == address.https_port:
        observed = _("HTTP and HTTPS are both on port {port}").format(port=address.http_port)
        findings.append(fail(observed, "address.http_port", "address.https_port"))
    observed = _("port {port} belongs to the API server, etcd or the image registry")
    for path, port in (("address.https_port", address.https_port), ("address.http_port", address.http_port)):
        if port in TAKEN_PORTS:
            findings.append(fail(observed.format(port=port), path))
    return held(findings, _("HTTPS {https}, HTTP {http}").format(https=address.https_port, http=_http(subject.plan)))


def http_advice(subject: PlanSubject) -> Findings:
    """XR-HTTP-ADVICE: HTTP is better off; disaster recovery demands it, so the advice is kept back there."""
    plan = subject.plan
    if plan.address.http_port == 0:
        return held((), _("HTTP is off"))
    if plan.disaster_recovery.role != "none":
        return not_applicable(_("disaster recovery demands HTTP"))
    observed = _("HTTP is on, port {port}").format(port=plan.address.http_port)
    return (warn(observed, "address.http_port"),)


def https_at_balancer(subject: PlanSubject) -> Findings:
    """XR-HTTPS-LB: a load balancer forwards the same HTTPS port; only a person can tell."""
    address = subject.plan.address
    if address.https_port == 443:
        return not_applicable(_("HTTPS is on 443"))
    if address.self_built_vip or subject.plan.single:
        return not_applicable(_("no load balancer"))
    question = _("does the load balancer forward port {port} to the control plane nodes?")
    return manual(question.format(port=address.https_port), "address.https_port")


def _of_no_use(host: str) -> str:
    """Why no other machine can reach the platform or the API server at `host`; "" where nothing tells against it."""
    if host == "localhost" or host.endswith(".localhost"):
        return _("{value} is each machine's name for itself").format(value=host)
    if not is_ip(host):
        return ""
    return _("{value} is of a kind that other machines cannot reach").format(value=host) if special(host) else ""


def _http(plan: Plan) -> str:
    return str(plan.address.http_port) if plan.address.http_port else _("off")


def _no_recovery() -> Findings:
    return not_applicable(_("no disaster recovery planned"))


def _no_self_built_vip() -> Findings:
    return not_applicable(_("Self-built VIP is off"))
