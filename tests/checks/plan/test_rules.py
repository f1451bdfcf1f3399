"""Plan rules: each error is reported by its rule, with its outcome and the plan keys at fault."""

import pytest

from acp_tui.checks.local_file_facts import LocalFiles
from acp_tui.checks.plan.evaluate_plan import evaluate_plan
from acp_tui.checks.verdict import Outcome
from acp_tui.plan.paths import answer_at
from tests.support.factories.plan_changes import RECOVERY, SINGLE, Changes
from tests.support.factories.plan_verdicts import verdicts_of
from tests.support.factories.plans import DOMAIN, VIP, dual_nodes, node, nodes, valid_plan
from tests.support.factories.verdicts import FAIL, MANUAL, UNKNOWN, WARN

ERRORS: list[tuple[str, Outcome, Changes, set[str]]] = [
    ("XR-CP-COUNT", FAIL, {"nodes": nodes(2, 2)}, {"nodes"}),
    ("XR-CP-COUNT", FAIL, {"nodes": nodes(5, 2)}, {"nodes[3].role", "nodes[4].role"}),
    ("XR-CP-COUNT", FAIL, {"nodes": nodes(0, 2)}, {"nodes"}),
    ("XR-NODE-UNIQUE", FAIL, {"nodes": [*nodes(), node("10.20.0.11", "worker")]}, {"nodes[5].address"}),
    ("XR-NODE-UNIQUE", FAIL,
     {"nodes": [node("10.20.0.11", ipv6="2001:db8::1"), node("10.20.0.12", ipv6="2001:DB8:0::1")]},
     {"nodes[1].ipv6"}),
    ("P-CP", FAIL, {"nodes": [node("2001:db8::1")]}, {"nodes[0].address", "network.ip_family"}),
    ("P-CP", FAIL, {"network": {"ip_family": "ipv6"}}, {"nodes[0].address", "network.ip_family"}),
    ("XR-INST-FIRST", FAIL, {"nodes": [*nodes(3, 0), node("10.20.0.21", "worker", installer=True)]},
     {"nodes[3].installer", "nodes[3].role"}),
    ("XR-INST-FIRST", FAIL, {"nodes": nodes(3, 0, installer=True)},
     {"nodes[0].installer", "nodes[1].installer", "nodes[2].installer"}),
    ("XR-INST-FIRST", FAIL, {"nodes": [node("10.20.0.11", installer=False)]}, {"nodes[0].installer"}),
    ("XR-SSH-AUTH", FAIL, {"ssh": {"password": None}}, {"ssh.password", "ssh.key_file"}),
    ("XR-SSH-AUTH", FAIL,
     {"ssh": {"password": None}, "nodes": [node("10.20.0.11", ssh={"password": "x"}), node("10.20.0.12")]},
     {"ssh.password", "ssh.key_file"}),
    ("P-SSH-KEY", FAIL, {"ssh": {"password": None, "key_file": "k", "key_passphrase": "p"}}, {"ssh.key_file"}),
    ("XR-PROTO-IPV6-FLAG", WARN, {"network": {"ip_family": "ipv6"}}, {"network.ip_family"}),
    ("XR-CNI-FLAG", WARN, {"release": "4.2", "network": {"cni": "calico"}}, {"network.cni"}),
    ("XR-CNI-FLAG", WARN, {"network": {"cni": "calico", "ip_family": "ipv6"}}, {"network.cni"}),
    ("XR-PROTO-FIXED", WARN, {"network": {"ip_family": "dual"}}, {"network.ip_family"}),
    ("XR-DUAL-NODES", FAIL, {"network": {"ip_family": "dual"}, "nodes": [node("10.20.0.11", ipv6="fe80::1")]},
     {"nodes[0].ipv6"}),
    ("XR-DUAL-NODES", FAIL, {"network": {"ip_family": "dual"}, "nodes": [node("10.20.0.11")]}, {"nodes[0].ipv6"}),
    (
        "XR-DUAL-COUNT",
        FAIL,
        {
            "network": {"ip_family": "dual"},
            "nodes": [node("10.20.0.11", ipv6="2001:db8::1"), node("10.20.0.21", "worker")],
        },
        {"nodes[1].ipv6"},
    ),
    ("XR-CIDR-OVERLAP", FAIL, {"network": {"service_cidr": {"ipv4": "10.3.128.0/20"}}},
     {"network.cluster_cidr.ipv4", "network.service_cidr.ipv4"}),
    ("XR-CIDR-OVERLAP", FAIL, {"network": {"join_cidr": {"ipv4": "10.0.0.0/8"}}},
     {"network.cluster_cidr.ipv4", "network.join_cidr.ipv4"}),
    ("XR-CIDR-OVERLAP", FAIL,
     {"network": {"ip_family": "dual", "service_cidr": {"ipv6": "fd00:10:16::/112"}}, "nodes": dual_nodes()},
     {"network.cluster_cidr.ipv6", "network.service_cidr.ipv6"}),
    ("XR-CIDR-HOST", FAIL, {"network": {"cluster_cidr": {"ipv4": "10.20.0.12/30"}}},
     {"network.cluster_cidr.ipv4", "nodes[1].address"}),
    ("XR-CIDR-HOST", FAIL, {"network": {"service_cidr": {"ipv4": "10.20.0.10/31"}}, "nodes": [node("10.30.0.1")]},
     {"network.service_cidr.ipv4", "address.cluster_endpoint"}),
    ("XR-CIDR-HOST", FAIL,
     {"network": {"ip_family": "dual", "join_cidr": {"ipv6": "2001:db8::/64"}}, "nodes": dual_nodes(1, 0)},
     {"network.join_cidr.ipv6", "nodes[0].ipv6"}),
    ("XR-CIDR-HOST", WARN, {"network": {"cni": "calico", "cluster_cidr": {"ipv4": "10.20.0.12/30"}}},
     {"network.cluster_cidr.ipv4", "nodes[1].address"}),
    ("XR-CIDR-172", WARN, {"network": {"cluster_cidr": {"ipv4": "172.20.0.0/16"}}}, {"network.cluster_cidr.ipv4"}),
    ("XR-CIDR-172", WARN, {"release": "4.3", "network": {"cluster_cidr": {"ipv4": "172.18.0.0/16"}}},
     {"network.cluster_cidr.ipv4"}),
    ("XR-ENDPOINT-SYNTAX", FAIL, {"address": {"cluster_endpoint": ""}}, {"address.cluster_endpoint"}),
    ("XR-ENDPOINT-SYNTAX", FAIL, {"address": {"cluster_endpoint": "127.0.0.1"}}, {"address.cluster_endpoint"}),
    ("XR-ENDPOINT-SYNTAX", FAIL, {"network": {"ip_family": "ipv6"}}, {"address.cluster_endpoint"}),
    ("XR-ENDPOINT-NODE", FAIL, {"address": {"cluster_endpoint": "10.20.0.12"}},
     {"address.cluster_endpoint", "nodes[1].address"}),
    ("XR-DOMAIN-IPV6", FAIL, {"network": {"ip_family": "ipv6"}, "address": {"platform": VIP}}, {"address.platform"}),
    ("XR-DOMAIN-IPV6", FAIL, {"address": {"platform": "2001:db8::1"}}, {"address.platform"}),
    ("XR-DOMAIN-IPV6", WARN, {"network": {"ip_family": "dual"}, "address": {"platform": VIP}}, {"address.platform"}),
    ("XR-DOMAIN-DR", FAIL, {**RECOVERY, "address": {"platform": None}}, {"address.platform"}),
    ("XR-DOMAIN-DR", FAIL, {**RECOVERY, "address": {"cluster_endpoint": "api.example.com"}},
     {"address.cluster_endpoint"}),
    ("XR-SELFVIP-DOMAIN", FAIL, {"address": {"self_built_vip": True, "cluster_endpoint": "api.example.com"}},
     {"address.cluster_endpoint", "address.self_built_vip"}),
    ("XR-SELFVIP-DR", FAIL, {**RECOVERY, "address": {"self_built_vip": True}}, {"address.self_built_vip"}),
    ("XR-SELFVIP-SINGLE", WARN, {**SINGLE, "address": {"cluster_endpoint": "10.20.0.11", "self_built_vip": True}},
     {"address.self_built_vip"}),
    ("XR-PORTS", FAIL, {"address": {"http_port": 443}}, {"address.http_port", "address.https_port"}),
    ("XR-PORTS", FAIL, {"address": {"https_port": 6443}}, {"address.https_port"}),
    ("XR-PORTS", FAIL, {"address": {"http_port": 11443}}, {"address.http_port"}),
    ("XR-HTTP-ADVICE", WARN, {"address": {"http_port": 80}}, {"address.http_port"}),
    ("XR-HTTPS-LB", MANUAL, {"address": {"https_port": 8443}}, {"address.https_port"}),
    ("XR-CERT-PAIR", FAIL, {"certificate": {"mode": "existing", "cert_file": "c"}}, {"certificate.key_file"}),
    ("XR-CERT-PAIR", FAIL, {"certificate": {"mode": "existing"}}, {"certificate.cert_file", "certificate.key_file"}),
    ("XR-CERT-PAIR", FAIL, {"certificate": {"key_file": "k"}}, {"certificate.cert_file", "certificate.mode"}),
    ("XR-CERT-PAIR", WARN, {"certificate": {"cert_file": "c", "key_file": "k"}}, {"certificate.mode"}),
    ("XR-CERT-DR", FAIL, {**RECOVERY, "certificate": {"mode": "self-signed"}}, {"certificate.mode"}),
    ("XR-REG-EXT", FAIL, {"registry": {"mode": "external"}}, {"registry.address"}),
    ("XR-REG-EXT", WARN, {"registry": {"mode": "external", "address": "https://reg.example.com"}},
     {"registry.address"}),
    ("XR-SELFVIP-SUBNET", UNKNOWN, {"address": {"self_built_vip": True}}, {"address.cluster_endpoint"}),
    ("XR-REG-EXT", MANUAL, {"registry": {"mode": "external", "address": "reg.example.com"}}, {"registry.mode"}),
    ("P-REG-DOMAIN", FAIL, {"registry": {"address": "reg.example.com:5000"}}, {"registry.address"}),
    ("XR-REG-AUTH", FAIL, {"registry": {"username": "u"}}, {"registry.password"}),
    ("XR-REG-AUTH", FAIL, {"registry": {"password": "p"}}, {"registry.username"}),
    ("XR-REG-DR", FAIL, {**RECOVERY, "registry": {"address": DOMAIN}}, {"registry.username", "registry.password"}),
    ("XR-REG-DR", FAIL, {**RECOVERY, "registry": {"username": "u", "password": "p"}}, {"registry.address"}),
    ("XR-DR-PORTS", FAIL, {**RECOVERY, "address": {"http_port": 0}}, {"address.http_port"}),
    ("XR-DR-PORTS", FAIL, {**RECOVERY, "address": {"http_port": 80, "https_port": 8443}}, {"address.https_port"}),
    ("XR-DR-OTHERADDR", FAIL, {**RECOVERY, "address": {"others": ["10.9.9.9"]}}, {"address.others"}),
    ("XR-EXCL-NEEDS-ISOLATION", FAIL, {"nodes": [node("10.20.0.11", platform_exclusive=True)]},
     {"nodes[0].platform_exclusive", "isolation"}),
    ("XR-EXCL-CP", FAIL, {"isolation": True, "nodes": [node("10.20.0.11", deployable=True)]},
     {"nodes[0].deployable", "nodes[0].platform_exclusive"}),
    (
        "XR-EXCL-WK",
        FAIL,
        {
            "isolation": True,
            "nodes": [*nodes(3, 1), node("10.20.0.22", "worker", platform_exclusive=True, deployable=True)],
        },
        {"nodes[4].deployable", "nodes[4].platform_exclusive"},
    ),
    ("XR-EXCL-WK", WARN,
     {"isolation": True, "nodes": [*nodes(3, 1), node("10.20.0.22", "worker", platform_exclusive=True)]},
     {"nodes[4].platform_exclusive"}),
    ("XR-NOEXCL-WK", FAIL, {"nodes": [*nodes(3, 1), node("10.20.0.22", "worker", deployable=False)]},
     {"nodes[4].deployable"}),
    ("XR-EXCL-SOMEWHERE", WARN, {"isolation": True, "nodes": nodes(3, 0)}, {"isolation", "nodes"}),
    ("XR-MON-EXCLUSIVE", FAIL,
     {"components": {"prometheus_nodes": ["10.20.0.21"], "victoriametrics_nodes": ["10.20.0.22"]}},
     {"components.prometheus_nodes", "components.victoriametrics_nodes"}),
    ("XR-MON-NODES", FAIL, {"components": {"prometheus_nodes": ["10.20.0.21", "10.20.0.99"]}},
     {"components.prometheus_nodes[1]"}),
    ("XR-MON-NODES", FAIL, {"components": {"elasticsearch_nodes": ["10.20.0.99"]}},
     {"components.elasticsearch_nodes[0]"}),
    ("XR-VM-AGENTS", WARN, {"components": {"victoriametrics_nodes": ["10.20.0.21"], "victoriametrics_agents": 0}},
     {"components.victoriametrics_agents"}),
    ("XR-PRODUCTS", FAIL, {"components": {"products": ["base"]}}, {"components.products"}),
    ("XR-VERSIONS", WARN, {"kubernetes": {"version": "1.34.1"}}, {"kubernetes.version"}),
    ("XR-VERSIONS", WARN, {"release": "4.3", "kubernetes": {"version": "1.31.6"}}, {"kubernetes.version"}),
    ("P-ADMIN-PASS", FAIL, {"admin": {"password": None}}, {"admin.password"}),
    ("P-ADMIN-PASS", WARN, {"admin": {"password": "short"}}, {"admin.password"}),
    ("P-NIC", WARN, {"nodes": [node("10.20.0.11", nic="eth0"), node("10.20.0.12", nic="eth1")]},
     {"nodes[0].nic", "network.nic"}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "outcome", "changes", "paths"), ERRORS, ids=[f"{b[0]}-{b[1]}-{i}" for i, b in enumerate(ERRORS)]
)
def test_error_is_reported_by_its_rule_with_its_paths(
    rule: str, outcome: Outcome, changes: Changes, paths: set[str]
) -> None:
    results = [v for v in verdicts_of(changes) if v.requirement == rule and v.outcome is outcome]
    assert results, f"{rule} has no verdict {outcome}"
    assert all(v.observed and v.expected for v in results)
    assert any(paths <= set(v.paths) for v in results)
    if outcome is FAIL:
        assert all(v.blocks and v.remedy for v in results)


@pytest.mark.parametrize("changes", [b[2] for b in ERRORS], ids=[f"{b[0]}-{i}" for i, b in enumerate(ERRORS)])
def test_paths_of_verdicts_exist_in_the_plan(changes: Changes) -> None:
    plan = valid_plan(**changes)
    for verdict in evaluate_plan(plan):
        for path in verdict.paths:
            answer_at(plan, path)


def test_unreadable_key_file_blocks() -> None:
    """The node that names the key reports it; no node uses the common key, which is also unreadable."""
    plan = valid_plan(ssh={"key_file": "common"}, nodes=nodes(3, 0, ssh={"key_file": "own"}))
    unreadable = {"ssh.key_file": "no common", "nodes[1].ssh.key_file": "own cannot be read"}
    [results] = [v for v in evaluate_plan(plan, LocalFiles(unreadable_keys=unreadable)) if v.requirement == "P-SSH-KEY"]
    assert (results.outcome, results.observed, results.paths) == (
        FAIL,
        "own cannot be read",
        ("nodes[1].ssh.key_file",),
    )
    assert results.blocks
