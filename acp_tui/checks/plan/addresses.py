"""Plan rules for the cluster endpoint, the platform's addresses and ports, and the self-built VIP.

With disaster recovery, the endpoint must be an IP address, and the platform address must be a domain name.
"""

from ipaddress import IPv6Address, ip_address, ip_network

from acp_tui.checks.finding import Findings, PlanSubject
from acp_tui.checks.plan import disaster_recovery
from acp_tui.checks.plan.results import (
    fail,
    findings_or_pass,
    format_list,
    manual,
    node_path,
    none_text,
    not_applicable,
    unknown,
    warn,
)
from acp_tui.checks.subnets import host_network, meet, special
from acp_tui.core.i18n import _, pgettext
from acp_tui.plan.field_types import is_domain, is_ip
from acp_tui.plan.model import Plan

ENDPOINT = "address.cluster_endpoint"
PLATFORM = "address.platform"
_LIKELY_SUBNET = 16
TAKEN_PORTS = (6443, 11443, 2379, 2380)


def endpoint_syntax(subject: PlanSubject) -> Findings:
    """XR-ENDPOINT-SYNTAX: the plan must have a cluster endpoint.

    In an IPv6 cluster, the endpoint must be a domain name.
    """
    endpoint = subject.plan.address.cluster_endpoint
    if not endpoint:
        return (fail(_("the plan has no cluster endpoint"), ENDPOINT),)
    if subject.plan.network.ip_family == "ipv6" and is_ip(endpoint):
        return (
            fail(
                _("the cluster endpoint {value} is an IP address; an IPv6 cluster needs a domain name").format(
                    value=endpoint
                ),
                ENDPOINT,
            ),
        )
    problem = _unreachable_reason(endpoint)
    return (fail(problem, ENDPOINT),) if problem else findings_or_pass((), endpoint)


def endpoint_no_node(subject: PlanSubject) -> Findings:
    """XR-ENDPOINT-NODE: if the plan has several nodes, the cluster endpoint must not be the address of one node."""
    plan = subject.plan
    if plan.single:
        return not_applicable(_("the plan has a single node, whose address may be the cluster endpoint"))
    endpoint = plan.address.cluster_endpoint
    for node in plan.nodes:
        if endpoint == node.address:
            observed = _("the cluster endpoint {value} is the address of one node").format(value=endpoint)
            return (fail(observed, ENDPOINT, node_path(plan, node, "address")),)
    return findings_or_pass((), endpoint)


def platform_domain_for_ipv6(subject: PlanSubject) -> Findings:
    """XR-DOMAIN-IPV6: if clients use IPv6, the platform address must be a domain name."""
    plan = subject.plan
    platform, family = plan.platform_address, plan.network.ip_family
    literal = is_ip(platform) and isinstance(ip_address(platform), IPv6Address)
    if family == "ipv4" and not literal:
        return not_applicable(_("the plan uses IPv4 only, so no client uses IPv6"))
    if is_domain(platform):
        return findings_or_pass((), platform)
    if family == "dual" and not literal:
        observed = _("IPv6 clients cannot reach the platform address {value}; use a domain name instead")
        return (warn(observed.format(value=platform or none_text()), PLATFORM),)
    return (
        fail(_("the platform address {value} is not a domain name").format(value=platform or none_text()), PLATFORM),
    )


def recovery_addresses(subject: PlanSubject) -> Findings:
    """XR-DOMAIN-DR: primary and standby must have the same platform domain, and different VIPs as endpoints."""
    plan = subject.plan
    if plan.disaster_recovery.role == "none":
        return _no_recovery()
    findings = []
    if not is_domain(plan.platform_address):
        observed = _("the platform address {value} is not a domain name")
        findings.append(fail(observed.format(value=plan.platform_address or none_text()), PLATFORM))
    if not is_ip(plan.address.cluster_endpoint):
        observed = _("the cluster endpoint {value} is not an IP address")
        findings.append(fail(observed.format(value=plan.address.cluster_endpoint or none_text()), ENDPOINT))
    findings += disaster_recovery.addresses(subject)
    return findings_or_pass(findings, f"{plan.platform_address}, {plan.address.cluster_endpoint}")


def recovery_ports(subject: PlanSubject) -> Findings:
    """XR-DR-PORTS: with disaster recovery, HTTP must use port 80 and HTTPS must use port 443."""
    plan = subject.plan
    if plan.disaster_recovery.role == "none":
        return _no_recovery()
    required = (("address.http_port", plan.address.http_port, 80), ("address.https_port", plan.address.https_port, 443))
    observed = _("the platform uses port {port}; disaster recovery requires port {expected} instead")
    broken = [
        fail(observed.format(port=port, expected=expected), path)
        for path, port, expected in required
        if port != expected
    ]
    return findings_or_pass(broken or disaster_recovery.ports(subject), "80, 443")


def recovery_other_address(subject: PlanSubject) -> Findings:
    """XR-DR-OTHERADDR: the further platform addresses must contain this cluster's own VIP.

    The VIP is the cluster endpoint. If the endpoint is not an IP address (XR-DOMAIN-DR), the further platform
    addresses must contain an IP address.
    """
    plan = subject.plan
    if plan.disaster_recovery.role == "none":
        return _no_recovery()
    known = is_ip(plan.address.cluster_endpoint)
    if plan.address.cluster_endpoint in plan.address.others or (not known and any(map(is_ip, plan.address.others))):
        return findings_or_pass((), format_list(plan.address.others))
    observed = _("the further platform addresses are {addresses}; the VIP {vip} is missing")
    addresses, vip = format_list(plan.address.others), plan.address.cluster_endpoint or none_text()
    return (fail(observed.format(addresses=addresses, vip=vip), "address.others"),)


def self_built_vip_is_ip(subject: PlanSubject) -> Findings:
    """XR-SELFVIP-DOMAIN: a self-built VIP must be an IP address, because keepalived does not accept a name."""
    plan = subject.plan
    if not plan.address.self_built_vip:
        return _no_self_built_vip()
    if is_ip(plan.address.cluster_endpoint):
        return findings_or_pass((), plan.address.cluster_endpoint)
    observed = _("the cluster endpoint {value} is not an IP address").format(
        value=plan.address.cluster_endpoint or none_text()
    )
    return (fail(observed, ENDPOINT, "address.self_built_vip"),)


def self_built_vip_vrid(subject: PlanSubject) -> Findings:
    """XR-SELFVIP-VRID: the virtual router ID must be from 1 to 255. The type of the plan field already ensures this."""
    address = subject.plan.address
    return findings_or_pass((), str(address.vrid)) if address.self_built_vip else _no_self_built_vip()


def no_self_built_vip_in_recovery(subject: PlanSubject) -> Findings:
    """XR-SELFVIP-DR: the self-built VIP must be off, because disaster recovery requires an external load balancer."""
    plan = subject.plan
    if plan.disaster_recovery.role == "none":
        return _no_recovery()
    if plan.address.self_built_vip:
        return (fail(_("the self-built VIP is enabled"), "address.self_built_vip"),)
    return findings_or_pass((), _("the self-built VIP is disabled"))


def no_self_built_vip_alone(subject: PlanSubject) -> Findings:
    """XR-SELFVIP-SINGLE: a single node whose address is the cluster endpoint must not have a self-built VIP."""
    plan = subject.plan
    if not (plan.single and plan.address.cluster_endpoint == plan.nodes[0].address):
        return not_applicable(_("the rule applies only to a single node whose address is the cluster endpoint"))
    if plan.address.self_built_vip:
        return (
            warn(
                _("the self-built VIP is enabled, but the cluster endpoint is the address of the node"),
                "address.self_built_vip",
            ),
        )
    return findings_or_pass((), _("the self-built VIP is disabled"))


def vip_in_node_subnet(subject: PlanSubject) -> Findings:
    """XR-SELFVIP-SUBNET: the VIP must be in the subnet of the control plane nodes.

    If the subnets of the nodes are known from the facts, VIP-SUBNET checks the VIP. Otherwise, XR-SELFVIP-SUBNET only
    warns if the first 16 bits of VIP and node address differ, because such addresses are rarely in one subnet.
    """
    plan = subject.plan
    vip = plan.address.cluster_endpoint
    if not plan.address.self_built_vip:
        return _no_self_built_vip()
    if not is_ip(vip) or plan.single:
        return not_applicable(_("the cluster endpoint is not an IP address, or the plan has a single node"))
    subnets = [host_network(subject.facts.get(node.address), node.address) for node in plan.control_planes]
    if all(subnets):
        address_of_node = len(set(subnets)) == 1 and all(subnet and meet(subnet, ip_network(vip)) for subnet in subnets)
        return (
            findings_or_pass((), vip)
            if address_of_node
            else not_applicable(_("the rule VIP-SUBNET compares the VIP with the subnets of the nodes"))
        )
    nearby = ip_network(f"{vip}/{_LIKELY_SUBNET}", strict=False)
    observed = _("the node {address} and the VIP {vip} are probably in different subnets")
    far = tuple(
        warn(observed.format(address=node.address, vip=vip), ENDPOINT, node_path(plan, node, "address"))
        for node in plan.control_planes
        if not meet(nearby, ip_network(node.address))
    )
    return far or (
        unknown(
            _("the subnets of the nodes are unknown; the rule VIP-SUBNET checks the VIP in the preflight"), ENDPOINT
        ),
    )


def platform_reachable(subject: PlanSubject) -> Findings:
    """P-PLATFORM: other machines must be able to reach the platform address."""
    platform = subject.plan.address.platform or ""
    problem = _unreachable_reason(platform)
    if not subject.plan.single and platform in {node.address for node in subject.plan.nodes}:
        problem = _("the platform address {value} is the address of one node").format(value=platform)
    return (fail(problem, PLATFORM),) if problem else findings_or_pass((), subject.plan.platform_address)


def further_addresses(subject: PlanSubject) -> Findings:
    """P-OTHER-ADDRS: further platform addresses must be unique, and other machines must be able to reach them."""
    plan = subject.plan
    findings, known = [], {plan.platform_address}
    for index, other in enumerate(plan.address.others):
        problem = _unreachable_reason(other)
        if other in known:
            problem = _("the plan has {value} twice among the platform addresses").format(value=other)
        if problem:
            findings.append(warn(problem, f"address.others[{index}]", "address.others"))
        known.add(other)
    return findings_or_pass(findings, format_list(plan.address.others))


def ports_apart(subject: PlanSubject) -> Findings:
    """XR-PORTS: HTTP and HTTPS must use different ports, and none that the control plane or the registry uses."""
    address = subject.plan.address
    findings = []
    if address.http_port == address.https_port:
        observed = _("HTTP and HTTPS both use port {port}").format(port=address.http_port)
        findings.append(fail(observed, "address.http_port", "address.https_port"))
    observed = _("the platform uses port {port}, which the API server, etcd or the image registry needs")
    for path, port in (("address.https_port", address.https_port), ("address.http_port", address.http_port)):
        if port in TAKEN_PORTS:
            findings.append(fail(observed.format(port=port), path))
    return findings_or_pass(
        findings,
        pgettext("observed value", "HTTPS port: {https}, HTTP port: {http}").format(
            https=address.https_port, http=_http(subject.plan)
        ),
    )


def http_advice(subject: PlanSubject) -> Findings:
    """XR-HTTP-ADVICE: HTTP should be disabled. The rule does not apply with disaster recovery, which requires HTTP."""
    plan = subject.plan
    if plan.address.http_port == 0:
        return findings_or_pass((), _("HTTP is disabled"))
    if plan.disaster_recovery.role != "none":
        return not_applicable(_("disaster recovery requires HTTP"))
    observed = _("HTTP is enabled on port {port}").format(port=plan.address.http_port)
    return (warn(observed, "address.http_port"),)


def https_forwarded(subject: PlanSubject) -> Findings:
    """XR-HTTPS-LB: the load balancer must forward the HTTPS port unchanged. Only a person can confirm this."""
    address = subject.plan.address
    if address.https_port == 443:
        return not_applicable(_("HTTPS uses port 443"))
    if address.self_built_vip or subject.plan.single:
        return not_applicable(_("the cluster has no external load balancer"))
    question = _("Does the load balancer forward port {port} to the same port of the control plane nodes?")
    return manual(question.format(port=address.https_port), "address.https_port")


def _unreachable_reason(host: str) -> str:
    """Return the reason why other machines cannot reach `host`; "" if no reason is known."""
    if host == "localhost" or host.endswith(".localhost"):
        return _("{value} is a loopback name, so other machines cannot reach it").format(value=host)
    if not is_ip(host):
        return ""
    return (
        _("{value} is a loopback, link-local, multicast or reserved address; other machines cannot reach it").format(
            value=host
        )
        if special(host)
        else ""
    )


def _http(plan: Plan) -> str:
    return str(plan.address.http_port) if plan.address.http_port else pgettext("HTTP port", "off")


def _no_recovery() -> Findings:
    return not_applicable(_("the plan has no disaster recovery"))


def _no_self_built_vip() -> Findings:
    return not_applicable(_("the self-built VIP is disabled"))
