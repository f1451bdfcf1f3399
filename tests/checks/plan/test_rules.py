"""Plan rules: a valid plan fails none of them, and each invalid plan fails the rule for its error."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from acp_tui.checks.catalog import catalogue
from acp_tui.checks.certificate_facts import CertificateFacts
from acp_tui.checks.function_tables import PLAN_CHECKS
from acp_tui.checks.local_file_facts import LocalFiles
from acp_tui.checks.plan.evaluate_plan import evaluate_plan
from acp_tui.checks.verdict import Outcome, Verdict
from acp_tui.plan.paths import answer_at
from acp_tui.plan.release import RELEASES
from tests.support.factories.plans import DOMAIN, VIP, dual_nodes, node, nodes, valid_plan

FAIL, WARN, PASS = Outcome.FAIL, Outcome.WARN, Outcome.PASS
MANUAL, NOT_APPLICABLE, UNKNOWN = Outcome.MANUAL, Outcome.NOT_APPLICABLE, Outcome.UNKNOWN
Changes = dict[str, JsonValue]

NOW = datetime(2026, 3, 1, tzinfo=UTC)
PAIR: JsonValue = {"mode": "existing", "cert_file": "tls.crt", "key_file": "tls.key"}
GOOD_PAIR = CertificateFacts(
    cert_file="tls.crt",
    key_file="tls.key",
    read_at=NOW,
    subject="CN=acp.example.com",
    not_before=NOW - timedelta(days=1),
    not_after=NOW + timedelta(days=365),
    names=("acp.example.com", "b.example.com"),
    addresses=("10.20.0.10",),
    chain_length=2,
    chain_ordered=True,
    self_signed=False,
    key_encrypted=False,
    key_matches=True,
)
RECOVERY: Changes = {
    "disaster_recovery": {"role": "primary"},
    "address": {"http_port": 80, "others": [VIP]},
    "certificate": PAIR,
    "registry": {"address": DOMAIN, "username": "u", "password": "p"},
}
SINGLE: Changes = {
    "scenario": "single-node",
    "nodes": [node("10.20.0.11")],
    "address": {"cluster_endpoint": "10.20.0.11", "platform": None},
}


def verdicts_of(changes: Changes, pair: CertificateFacts | None = GOOD_PAIR) -> tuple[Verdict, ...]:
    return evaluate_plan(valid_plan(**changes), LocalFiles(pair))


VALID: list[tuple[str, Changes]] = [
    ("the valid plan", {}),
    ("single node", SINGLE),
    ("three nodes without workers", {"nodes": nodes(3, 0)}),
    ("installer on the last control plane node", {"nodes": [*nodes(2, 2), node("10.20.0.13", installer=True)]}),
    ("dual stack", {"nodes": dual_nodes(), "network": {"ip_family": "dual"}}),
    ("Calico", {"network": {"cni": "calico"}}),
    (
        "IPv6 alone",
        {
            "nodes": [node(f"2001:db8::{n}") for n in (1, 2, 3)],
            "network": {"ip_family": "ipv6"},
            "address": {"cluster_endpoint": "api.example.com"},
        },
    ),
    ("Self-built VIP", {"address": {"self_built_vip": True}}),
    ("endpoint under a domain", {"address": {"cluster_endpoint": "api.example.com"}}),
    ("platform address from the VIP", {"address": {"platform": None}}),
    ("external registry", {"registry": {"mode": "external", "address": "reg.example.com:5000"}}),
    ("registry with a login", {"registry": {"username": "u", "password": "p"}}),
    ("existing certificate", {"certificate": PAIR}),
    ("isolation", {"isolation": True}),
    ("isolation, one control plane node free", {"isolation": True, "nodes": nodes(3, 2, platform_exclusive=False)}),
    ("key instead of password", {"ssh": {"password": None, "key_file": "id_rsa"}}),
    ("own login of each node", {"ssh": {"password": None}, "nodes": nodes(3, 2, ssh={"password": "own"})}),
    ("Prometheus on a worker", {"components": {"prometheus_nodes": ["10.20.0.21"]}}),
    ("VictoriaMetrics and Elasticsearch", {
        "components": {"victoriametrics_nodes": ["10.20.0.21"], "elasticsearch_nodes": ["10.20.0.11"]}
    }),
    ("disaster recovery", RECOVERY),
    ("unused IPv6 ranges are not checked", {"network": {"service_cidr": {"ipv6": "fd00:10:16::/64"}}}),
    ("unused join range is not checked", {"network": {"cni": "calico", "join_cidr": {"ipv4": "10.20.0.0/16"}}}),
]  # fmt: skip


@pytest.mark.parametrize("changes", [changes for _name, changes in VALID], ids=[name for name, _changes in VALID])
@pytest.mark.parametrize("release", RELEASES)
def test_valid_plan_fails_no_rule(changes: Changes, release: str) -> None:
    failed = [
        (v.requirement, v.observed)
        for v in verdicts_of({"release": release, **changes})
        if v.outcome in (FAIL, UNKNOWN) and v.requirement.startswith(("XR-", "P-"))
        if v.requirement != "XR-SELFVIP-SUBNET"  # it needs facts
    ]
    assert failed == []


def test_default_plan_has_no_findings() -> None:
    rules = {v.requirement for v in verdicts_of({}) if v.outcome not in (PASS, NOT_APPLICABLE)}
    assert {name for name in rules if name.startswith(("XR-", "P-"))} == set()


ERRORS: list[tuple[str, Outcome, Changes, set[str]]] = [
    ("XR-CP-COUNT", FAIL, {"nodes": nodes(2, 2)}, {"nodes"}),
    ("XR-CP-COUNT", FAIL, {"nodes": nodes(5, 2)}, {"nodes[3].role", "nodes[4].role"}),
    ("XR-CP-COUNT", FAIL, {"nodes": nodes(0, 2)}, {"nodes"}),
    ("XR-NODE-UNIQUE", FAIL, {"nodes": [*nodes(), node("10.20.0.11", "worker")]}, {"nodes[5].address"}),
    (
        "XR-NODE-UNIQUE",
        FAIL,
        {"nodes": [node("10.20.0.11", ipv6="2001:db8::1"), node("10.20.0.12", ipv6="2001:DB8:0::1")]},
        {"nodes[1].ipv6"},
    ),
    ("P-CP", FAIL, {"nodes": [node("2001:db8::1")]}, {"nodes[0].address", "network.ip_family"}),
    ("P-CP", FAIL, {"network": {"ip_family": "ipv6"}}, {"nodes[0].address", "network.ip_family"}),
    (
        "XR-INST-FIRST",
        FAIL,
        {"nodes": [*nodes(3, 0), node("10.20.0.21", "worker", installer=True)]},
        {"nodes[3].installer", "nodes[3].role"},
    ),
    (
        "XR-INST-FIRST",
        FAIL,
        {"nodes": nodes(3, 0, installer=True)},
        {"nodes[0].installer", "nodes[1].installer", "nodes[2].installer"},
    ),
    ("XR-INST-FIRST", FAIL, {"nodes": [node("10.20.0.11", installer=False)]}, {"nodes[0].installer"}),
    ("XR-SSH-AUTH", FAIL, {"ssh": {"password": None}}, {"ssh.password", "ssh.key_file"}),
    (
        "XR-SSH-AUTH",
        FAIL,
        {"ssh": {"password": None}, "nodes": [node("10.20.0.11", ssh={"password": "x"}), node("10.20.0.12")]},
        {"ssh.password", "ssh.key_file"},
    ),
    ("P-SSH-KEY", WARN, {"ssh": {"password": None, "key_file": "k", "key_passphrase": "p"}}, {"ssh.key_file"}),
    ("XR-PROTO-IPV6-FLAG", WARN, {"network": {"ip_family": "ipv6"}}, {"network.ip_family"}),
    ("XR-CNI-FLAG", WARN, {"release": "4.2", "network": {"cni": "calico"}}, {"network.cni"}),
    ("XR-CNI-FLAG", WARN, {"network": {"cni": "calico", "ip_family": "ipv6"}}, {"network.cni"}),
    ("XR-PROTO-FIXED", WARN, {"network": {"ip_family": "dual"}}, {"network.ip_family"}),
    (
        "XR-DUAL-NODES",
        FAIL,
        {"network": {"ip_family": "dual"}, "nodes": [node("10.20.0.11", ipv6="fe80::1")]},
        {"nodes[0].ipv6"},
    ),
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
    (
        "XR-CIDR-OVERLAP",
        FAIL,
        {"network": {"service_cidr": {"ipv4": "10.3.128.0/20"}}},
        {"network.cluster_cidr.ipv4", "network.service_cidr.ipv4"},
    ),
    (
        "XR-CIDR-OVERLAP",
        FAIL,
        {"network": {"join_cidr": {"ipv4": "10.0.0.0/8"}}},
        {"network.cluster_cidr.ipv4", "network.join_cidr.ipv4"},
    ),
    (
        "XR-CIDR-OVERLAP",
        FAIL,
        {"network": {"ip_family": "dual", "service_cidr": {"ipv6": "fd00:10:16::/112"}}, "nodes": dual_nodes()},
        {"network.cluster_cidr.ipv6", "network.service_cidr.ipv6"},
    ),
    (
        "XR-CIDR-HOST",
        FAIL,
        {"network": {"cluster_cidr": {"ipv4": "10.20.0.12/30"}}},
        {"network.cluster_cidr.ipv4", "nodes[1].address"},
    ),
    (
        "XR-CIDR-HOST",
        FAIL,
        {"network": {"service_cidr": {"ipv4": "10.20.0.10/31"}}, "nodes": [node("10.30.0.1")]},
        {"network.service_cidr.ipv4", "address.cluster_endpoint"},
    ),
    (
        "XR-CIDR-HOST",
        FAIL,
        {
            "network": {"ip_family": "dual", "join_cidr": {"ipv6": "2001:db8::/64"}},
            "nodes": dual_nodes(1, 0),
        },
        {"network.join_cidr.ipv6", "nodes[0].ipv6"},
    ),
    (
        "XR-CIDR-HOST",
        WARN,
        {"network": {"cni": "calico", "cluster_cidr": {"ipv4": "10.20.0.12/30"}}},
        {"network.cluster_cidr.ipv4", "nodes[1].address"},
    ),
    (
        "XR-CIDR-172",
        WARN,
        {"network": {"cluster_cidr": {"ipv4": "172.20.0.0/16"}}},
        {"network.cluster_cidr.ipv4"},
    ),
    (
        "XR-CIDR-172",
        WARN,
        {"release": "4.3", "network": {"cluster_cidr": {"ipv4": "172.18.0.0/16"}}},
        {"network.cluster_cidr.ipv4"},
    ),
    ("XR-ENDPOINT-SYNTAX", FAIL, {"address": {"cluster_endpoint": ""}}, {"address.cluster_endpoint"}),
    ("XR-ENDPOINT-SYNTAX", FAIL, {"address": {"cluster_endpoint": "127.0.0.1"}}, {"address.cluster_endpoint"}),
    ("XR-ENDPOINT-SYNTAX", FAIL, {"network": {"ip_family": "ipv6"}}, {"address.cluster_endpoint"}),
    (
        "XR-ENDPOINT-NODE",
        FAIL,
        {"address": {"cluster_endpoint": "10.20.0.12"}},
        {"address.cluster_endpoint", "nodes[1].address"},
    ),
    ("XR-DOMAIN-IPV6", FAIL, {"network": {"ip_family": "ipv6"}, "address": {"platform": VIP}}, {"address.platform"}),
    ("XR-DOMAIN-IPV6", FAIL, {"address": {"platform": "2001:db8::1"}}, {"address.platform"}),
    ("XR-DOMAIN-IPV6", WARN, {"network": {"ip_family": "dual"}, "address": {"platform": VIP}}, {"address.platform"}),
    ("XR-DOMAIN-DR", FAIL, {**RECOVERY, "address": {"platform": None}}, {"address.platform"}),
    (
        "XR-DOMAIN-DR",
        FAIL,
        {**RECOVERY, "address": {"cluster_endpoint": "api.example.com"}},
        {"address.cluster_endpoint"},
    ),
    (
        "XR-SELFVIP-DOMAIN",
        FAIL,
        {"address": {"self_built_vip": True, "cluster_endpoint": "api.example.com"}},
        {"address.cluster_endpoint", "address.self_built_vip"},
    ),
    ("XR-SELFVIP-DR", FAIL, {**RECOVERY, "address": {"self_built_vip": True}}, {"address.self_built_vip"}),
    (
        "XR-SELFVIP-SINGLE",
        WARN,
        {**SINGLE, "address": {"cluster_endpoint": "10.20.0.11", "self_built_vip": True}},
        {"address.self_built_vip"},
    ),
    (
        "XR-PORTS",
        FAIL,
        {"address": {"http_port": 443}},
        {"address.http_port", "address.https_port"},
    ),
    ("XR-PORTS", FAIL, {"address": {"https_port": 6443}}, {"address.https_port"}),
    ("XR-PORTS", FAIL, {"address": {"http_port": 11443}}, {"address.http_port"}),
    ("XR-HTTP-ADVICE", WARN, {"address": {"http_port": 80}}, {"address.http_port"}),
    ("XR-HTTPS-LB", MANUAL, {"address": {"https_port": 8443}}, {"address.https_port"}),
    ("XR-CERT-PAIR", FAIL, {"certificate": {"mode": "existing", "cert_file": "c"}}, {"certificate.key_file"}),
    (
        "XR-CERT-PAIR",
        FAIL,
        {"certificate": {"mode": "existing"}},
        {"certificate.cert_file", "certificate.key_file"},
    ),
    (
        "XR-CERT-PAIR",
        FAIL,
        {"certificate": {"key_file": "k"}},
        {"certificate.cert_file", "certificate.mode"},
    ),
    ("XR-CERT-PAIR", WARN, {"certificate": {"cert_file": "c", "key_file": "k"}}, {"certificate.mode"}),
    ("XR-CERT-DR", FAIL, {**RECOVERY, "certificate": {"mode": "self-signed"}}, {"certificate.mode"}),
    ("XR-REG-EXT", FAIL, {"registry": {"mode": "external"}}, {"registry.address"}),
    (
        "XR-REG-EXT",
        WARN,
        {"registry": {"mode": "external", "address": "https://reg.example.com"}},
        {"registry.address"},
    ),
    ("XR-SELFVIP-SUBNET", UNKNOWN, {"address": {"self_built_vip": True}}, {"address.cluster_endpoint"}),
    (
        "XR-REG-EXT",
        MANUAL,
        {"registry": {"mode": "external", "address": "reg.example.com"}},
        {"registry.mode"},
    ),
    ("P-REG-DOMAIN", FAIL, {"registry": {"address": "reg.example.com:5000"}}, {"registry.address"}),
    ("XR-REG-AUTH", FAIL, {"registry": {"username": "u"}}, {"registry.password"}),
    ("XR-REG-AUTH", FAIL, {"registry": {"password": "p"}}, {"registry.username"}),
    (
        "XR-REG-DR",
        FAIL,
        {**RECOVERY, "registry": {"address": DOMAIN}},
        {"registry.username", "registry.password"},
    ),
    ("XR-REG-DR", FAIL, {**RECOVERY, "registry": {"username": "u", "password": "p"}}, {"registry.address"}),
    ("XR-DR-PORTS", FAIL, {**RECOVERY, "address": {"http_port": 0}}, {"address.http_port"}),
    ("XR-DR-PORTS", FAIL, {**RECOVERY, "address": {"http_port": 80, "https_port": 8443}}, {"address.https_port"}),
    ("XR-DR-OTHERADDR", FAIL, {**RECOVERY, "address": {"others": ["10.9.9.9"]}}, {"address.others"}),
    (
        "XR-EXCL-NEEDS-ISOLATION",
        FAIL,
        {"nodes": [node("10.20.0.11", platform_exclusive=True)]},
        {"nodes[0].platform_exclusive", "isolation"},
    ),
    (
        "XR-EXCL-CP",
        FAIL,
        {"isolation": True, "nodes": [node("10.20.0.11", deployable=True)]},
        {"nodes[0].deployable", "nodes[0].platform_exclusive"},
    ),
    (
        "XR-EXCL-WK",
        FAIL,
        {
            "isolation": True,
            "nodes": [*nodes(3, 1), node("10.20.0.22", "worker", platform_exclusive=True, deployable=True)],
        },
        {"nodes[4].deployable", "nodes[4].platform_exclusive"},
    ),
    (
        "XR-EXCL-WK",
        WARN,
        {"isolation": True, "nodes": [*nodes(3, 1), node("10.20.0.22", "worker", platform_exclusive=True)]},
        {"nodes[4].platform_exclusive"},
    ),
    (
        "XR-NOEXCL-WK",
        FAIL,
        {"nodes": [*nodes(3, 1), node("10.20.0.22", "worker", deployable=False)]},
        {"nodes[4].deployable"},
    ),
    ("XR-EXCL-SOMEWHERE", WARN, {"isolation": True, "nodes": nodes(3, 0)}, {"isolation", "nodes"}),
    (
        "XR-MON-EXCLUSIVE",
        FAIL,
        {"components": {"prometheus_nodes": ["10.20.0.21"], "victoriametrics_nodes": ["10.20.0.22"]}},
        {"components.prometheus_nodes", "components.victoriametrics_nodes"},
    ),
    (
        "XR-MON-NODES",
        FAIL,
        {"components": {"prometheus_nodes": ["10.20.0.21", "10.20.0.99"]}},
        {"components.prometheus_nodes[1]"},
    ),
    (
        "XR-MON-NODES",
        FAIL,
        {"components": {"elasticsearch_nodes": ["10.20.0.99"]}},
        {"components.elasticsearch_nodes[0]"},
    ),
    (
        "XR-VM-AGENTS",
        WARN,
        {"components": {"victoriametrics_nodes": ["10.20.0.21"], "victoriametrics_agents": 0}},
        {"components.victoriametrics_agents"},
    ),
    ("XR-PRODUCTS", FAIL, {"components": {"products": ["base"]}}, {"components.products"}),
    ("XR-VERSIONS", WARN, {"kubernetes": {"version": "1.34.1"}}, {"kubernetes.version"}),
    ("XR-VERSIONS", WARN, {"release": "4.3", "kubernetes": {"version": "1.31.6"}}, {"kubernetes.version"}),
    ("P-ADMIN-PASS", FAIL, {"admin": {"password": None}}, {"admin.password"}),
    ("P-ADMIN-PASS", WARN, {"admin": {"password": "short"}}, {"admin.password"}),
    (
        "P-NIC",
        WARN,
        {"nodes": [node("10.20.0.11", nic="eth0"), node("10.20.0.12", nic="eth1")]},
        {"nodes[0].nic", "network.nic"},
    ),
]


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


CERTIFICATES: list[tuple[CertificateFacts | None, str, Outcome, str]] = [
    (GOOD_PAIR, "XR-CERT-VALID", PASS, "until 2027-03-01"),
    (None, "XR-CERT-VALID", UNKNOWN, "was not read"),
    (replace(GOOD_PAIR, unreadable=("tls.key: No such file",)), "XR-CERT-PAIR", FAIL, "No such file"),
    (replace(GOOD_PAIR, errors=("no PEM",), subject=None), "XR-CERT-VALID", FAIL, "no PEM"),
    (replace(GOOD_PAIR, key_matches=False), "XR-CERT-VALID", FAIL, "does not belong"),
    (replace(GOOD_PAIR, key_encrypted=True, key_matches=None), "XR-CERT-VALID", FAIL, "passphrase"),
    (replace(GOOD_PAIR, not_after=NOW - timedelta(seconds=1)), "XR-CERT-VALID", FAIL, "expired on 2026-02-28"),
    (replace(GOOD_PAIR, not_before=NOW + timedelta(days=2)), "XR-CERT-VALID", FAIL, "not valid before 2026-03-03"),
    (replace(GOOD_PAIR, not_after=NOW + timedelta(days=29)), "XR-CERT-VALID", WARN, "expires on"),
    (replace(GOOD_PAIR, names=("other.example.com",)), "XR-CERT-VALID", WARN, "acp.example.com"),
    (replace(GOOD_PAIR, chain_ordered=False), "XR-CERT-VALID", WARN, "order"),
]


@pytest.mark.parametrize(("pair", "rule", "outcome", "text"), CERTIFICATES)
def test_certificate_errors_are_reported(pair: CertificateFacts | None, rule: str, outcome: Outcome, text: str) -> None:
    results = [v for v in verdicts_of({"certificate": PAIR}, pair) if v.requirement == rule]
    assert [v.outcome for v in results] == [outcome]
    assert text in results[0].observed


def test_further_address_missing_in_the_certificate_is_named() -> None:
    changes: Changes = {"certificate": PAIR, "address": {"others": ["b.example.com", "10.20.0.10", "c.example.com"]}}
    results = [v.observed for v in verdicts_of(changes) if v.requirement == "XR-CERT-VALID"]
    assert len(results) == 1
    assert "c.example.com" in results[0]


@pytest.mark.parametrize(
    ("changes", "rules"),
    [
        ({}, {"XR-DUAL-NODES", "XR-DUAL-COUNT", "XR-SELFVIP-VRID", "XR-SELFVIP-DOMAIN", "XR-DOMAIN-DR", "XR-REG-DR"}),
        ({}, {"XR-DR-PORTS", "XR-DR-OTHERADDR", "XR-CERT-DR", "XR-CERT-VALID", "XR-REG-EXT", "XR-HTTPS-LB"}),
        (SINGLE, {"XR-ENDPOINT-NODE"}),
        ({"network": {"cni": "calico"}}, {"XR-CIDR-HOST"}),
        ({**RECOVERY, "registry": {"mode": "external", "address": "r.example.com"}}, {"XR-REG-DR"}),
        (RECOVERY, {"XR-HTTP-ADVICE"}),
        ({"address": {"https_port": 8443, "self_built_vip": True}}, {"XR-HTTPS-LB"}),
    ],
)
def test_rule_does_not_apply_without_its_condition(changes: Changes, rules: set[str]) -> None:
    results = {v.requirement: v.outcome for v in verdicts_of(changes)}
    assert {rule: results[rule] for rule in rules} == dict.fromkeys(rules, NOT_APPLICABLE)


def test_every_rule_has_a_verdict_and_every_function_a_row() -> None:
    rows = [r for r in catalogue("4.0").values() if r.scope == "plan" and r.check.kind == "function"]
    assert {v.requirement for v in verdicts_of({})} == {r.id for r in rows}
    assert {r.check.name for r in rows if r.check.kind == "function"} == set(PLAN_CHECKS)


def test_reserved_range_depends_on_the_release() -> None:
    changes: Changes = {"network": {"cluster_cidr": {"ipv4": "172.20.0.0/16"}}}
    results = {
        release: [v.outcome for v in verdicts_of({"release": release, **changes}) if v.requirement == "XR-CIDR-172"]
        for release in RELEASES
    }
    assert results == {release: [WARN if release < "4.2" else PASS] for release in RELEASES}


def test_verdicts_contain_no_secret() -> None:
    changes: Changes = {
        "admin": {"password": "canary-1"},
        "ssh": {"password": "canary-2", "key_file": "k", "key_passphrase": "canary-3"},
        "registry": {"password": "canary-4"},
    }
    assert "canary" not in repr(verdicts_of(changes))


@given(
    st.lists(st.sampled_from(["10.20.0.11", "10.20.0.12", "2001:db8::1", "127.0.0.1"]), max_size=7),
    st.sampled_from(["ipv4", "ipv6", "dual"]),
    st.sampled_from(["", "10.20.0.11", "a.example.com"]),
    st.sampled_from(["none", "primary", "standby"]),
    st.booleans(),
)
def test_incomplete_plan_is_evaluated_without_a_crash(
    addresses: list[str], family: str, endpoint: str, role: str, isolated: bool
) -> None:
    changes: Changes = {
        "nodes": [node(address, "worker" if n % 3 else "control-plane") for n, address in enumerate(addresses)],
        "network": {"ip_family": family},
        "address": {"cluster_endpoint": endpoint, "platform": None},
        "disaster_recovery": {"role": role},
        "isolation": isolated,
        "admin": {"password": None},
        "ssh": {"password": None},
    }
    assert verdicts_of(changes, None)
