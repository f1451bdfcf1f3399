"""Check the load balancer and the VIP from the nodes."""

from acp_tui.checks.cluster.connectivity import describe_result
from acp_tui.checks.cluster.missing_facts import fact_of_nodes
from acp_tui.checks.finding import ClusterSubject, Finding, Findings
from acp_tui.checks.subnets import interface_of
from acp_tui.checks.topology import load_balancer_port
from acp_tui.checks.verdict import Outcome
from acp_tui.core.i18n import _, pgettext
from acp_tui.nodes.fact_types import TcpResult


def load_balancer_reachable(subject: ClusterSubject) -> Findings:
    """LB-*: each node must reach the ports of the cluster endpoint.

    The check passes if the endpoint accepts or refuses the connection. A timeout gives only a warning. If the active
    load balancer test ran, the findings come from the results of that test instead.
    """
    endpoint, port = subject.plan.address.cluster_endpoint, load_balancer_port(subject.plan, subject.requirement)
    if not endpoint:
        return (
            Finding(Outcome.UNKNOWN, _("the plan has no cluster endpoint yet"), paths=("address.cluster_endpoint",)),
        )
    if tested := _load_balancer_test(subject, endpoint, port):
        return tested
    known, findings = fact_of_nodes(subject, "paths", lambda f: f.paths)
    address = f"{endpoint}:{port}"
    results = {node: paths.path(endpoint, port) for node, paths in known.items()}
    for node, path in results.items():
        if path is None:
            observed = _("{address} has not been tested since the plan changed").format(address=address)
            findings.append(Finding(Outcome.UNKNOWN, observed, node=node))
        elif not path.open:
            outcome = Outcome.UNKNOWN if path.result is TcpResult.UNKNOWN else Outcome.WARN
            findings.append(Finding(outcome, f"{address}: {describe_result(path)}", node=node))
    if len(findings) == len(subject.plan.nodes) and len({finding.observed for finding in findings}) == 1:
        return (Finding(findings[0].outcome, from_every_node(findings[0].observed)),)
    if findings:
        return tuple(findings)
    answers = ", ".join(sorted({describe_result(path) for path in results.values() if path}))
    return (Finding(Outcome.PASS, from_every_node(f"{address}: {answers}")),)


def from_every_node(observed: str) -> str:
    """Return the text `observed`, with a note that every node gave this result."""
    return _("{observed} (observed from every node)").format(observed=observed)


def _load_balancer_test(subject: ClusterSubject, endpoint: str, port: int) -> Findings:
    """Return the findings of the load balancer test for `port`; () if the test did not include this port."""
    planes = _control_planes(subject)
    errors = {
        n: f.listener_results[port]
        for n in planes
        if (f := subject.facts.get(n)) and f.listener_results and port in f.listener_results
    }
    reached = {
        n: f.backends_reached[endpoint, port]
        for n, f in subject.facts.items()
        if f.backends_reached and (endpoint, port) in f.backends_reached
    }
    if not errors or not reached:
        return ()
    address = f"{endpoint}:{port}"
    findings = [Finding(Outcome.UNKNOWN, f"{address}: {error}", node=node) for node, error in errors.items() if error]
    listening = [node for node, error in errors.items() if not error]
    if not listening:
        return tuple(findings)
    backends = frozenset[str]().union(*reached.values())
    broken = _broken_for_all(subject, endpoint, port, listening) or ("" if backends else _no_backend_reached(address))
    if broken:
        return (*findings, Finding(Outcome.FAIL, broken))
    shown = ", ".join(sorted(backends))
    one_backend_each = len(backends) > 1 and all(len(backends_of_node) < 2 for backends_of_node in reached.values())
    for node in listening:
        if node in backends:
            continue
        if one_backend_each:
            observed = _(
                "the load balancer {address} forwarded connections to {nodes}, but never to this node. All "
                "connections from the same node went to the same backend, so the load balancer probably chooses the "
                "backend by source address. In that case, this test cannot reach every backend"
            )
            findings.append(Finding(Outcome.UNKNOWN, observed.format(address=address, nodes=shown), node=node))
        else:
            observed = _("the load balancer {address} forwarded connections to {nodes}, but never to this node").format(
                address=address, nodes=shown
            )
            findings.append(Finding(Outcome.FAIL, observed, node=node))
    for node, backends_of_node in reached.items():
        if not backends_of_node:
            observed = _(
                "the load balancer {address} forwarded no connection from this node; it forwarded connections from "
                "other nodes to {nodes}"
            )
            findings.append(Finding(Outcome.FAIL, observed.format(address=address, nodes=shown), node=node))
    return tuple(findings) or (
        Finding(
            Outcome.PASS,
            pgettext("observed value", "the load balancer {address} forwarded connections to {nodes}").format(
                address=address, nodes=shown
            ),
        ),
    )


def _broken_for_all(subject: ClusterSubject, endpoint: str, port: int, listening: list[str]) -> str:
    """Return a text about a wrong port or a PROXY header of the load balancer; "" if there is no such error.

    `listening`: the addresses of the control plane nodes with a temporary test port.
    """
    address = f"{endpoint}:{port}"
    wrong_ports = frozenset[int]().union(
        *((f.wrong_ports_reached or {}).get((endpoint, port), ()) for f in subject.facts.values())
    )
    if wrong_ports:
        observed = _(
            "the load balancer forwards {address} to port {ports} of the control plane nodes instead of port {port}"
        )
        return observed.format(address=address, ports=", ".join(map(str, sorted(wrong_ports))), port=port)
    if any(port in (subject.facts[node].proxy_protocol_ports or ()) for node in listening):
        observed = _(
            "the load balancer adds a PROXY protocol header to connections to {address}, but the control plane nodes "
            "do not accept this header"
        )
        return observed.format(address=address)
    return ""


def _no_backend_reached(address: str) -> str:
    observed = _(
        "no connection to {address} reached a temporary test port on the control plane nodes. Before the install, "
        "the test also fails with a correct load balancer that uses HTTP mode, terminates TLS, or has a health check "
        "that needs more than a TCP connection"
    )
    return observed.format(address=address)


def _control_planes(subject: ClusterSubject) -> list[str]:
    return [node.address for node in subject.plan.control_planes]


def vrid_free(subject: ClusterSubject) -> Findings:
    """VIP-VRID: no other VRRP group in the subnet may use the router ID of the plan.

    If the active VRRP test did not run, a person must confirm the requirement.
    """
    planes = _control_planes(subject)
    ids_by_node = {n: f.vrids_seen for n in planes if (f := subject.facts.get(n)) and f.vrids_seen is not None}
    reasons = dict.fromkeys(
        reason for n in planes if (f := subject.facts.get(n)) and (reason := f.missing.get("vrids_seen"))
    )
    if not ids_by_node and reasons:
        observed = _("no node could listen for VRRP advertisements: {reason}").format(reason="; ".join(reasons))
        return (Finding(Outcome.MANUAL, observed),)
    if not ids_by_node:
        return (Finding(Outcome.MANUAL, _("VRRP was not tested; run `acp-tui check --also vrrp`")),)
    used = frozenset[int]().union(*ids_by_node.values())
    shown = ", ".join(map(str, sorted(used))) or pgettext("list of IDs", "none")
    if subject.plan.address.vrid not in used:
        return (
            Finding(
                Outcome.PASS,
                _("the VRRP router IDs that the nodes received within 4 seconds are: {ids}").format(ids=shown),
            ),
        )
    free = next((n for n in (*range(subject.plan.address.vrid, 256), *range(1, 256)) if n not in used), None)
    observed = _("the VRRP router ID {id} is already in use; the nodes received these router IDs: {ids}").format(
        id=subject.plan.address.vrid, ids=shown
    )
    remedy = _("Choose a different router ID for the VIP, for example {free}.").format(free=free) if free else ""
    return (Finding(Outcome.FAIL, observed, remedy=remedy, paths=("address.vrid",)),)


def vip_free(subject: ClusterSubject) -> Findings:
    """VIP-FREE: no node may have the VIP on an interface, and no other host may answer on the VIP."""
    vip, paths = subject.plan.address.cluster_endpoint, ("address.cluster_endpoint",)
    for address, facts in subject.facts.items():
        own = interface_of(vip, facts.interfaces or ())
        if own is not None:
            observed = _("the interface {nic} of this node has the VIP {vip}").format(vip=vip, nic=own.nic)
            return (Finding(Outcome.FAIL, observed, node=address, paths=paths),)
    owners = {
        n.address: subject.facts[n.address].vip_owner for n in subject.plan.control_planes if n.address in subject.facts
    }
    for address, owner in owners.items():
        if owner:
            observed = _("the host {owner} answers on the VIP {vip} (tested from {node})").format(
                owner=owner, vip=vip, node=address
            )
            return (Finding(Outcome.FAIL, observed, paths=paths),)
    tested = [address for address, owner in owners.items() if owner is not None]
    if not tested:
        return (Finding(Outcome.UNKNOWN, _("no control plane node could test whether the VIP is free")),)
    observed = _("no host answered on the VIP (tested from {nodes})").format(nodes=", ".join(tested))
    return (Finding(Outcome.PASS, observed),)
