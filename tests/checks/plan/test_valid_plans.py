"""Valid plans, common and unusual: no plan rule fails."""

from pathlib import Path

import pytest

from acp_tui.plan.release import RELEASES
from tests.support.factories.plan_changes import (
    DUAL,
    IPV6,
    PAIR,
    RECOVERY,
    SINGLE,
    Changes,
    endpoint,
    network,
    others,
    platform,
    pods,
    recovery,
    services,
    single,
)
from tests.support.factories.plan_verdicts import OF_FILES, rules_failed_by_validate, verdicts_of
from tests.support.factories.plans import VIP, dual_nodes, node, nodes
from tests.support.factories.verdicts import FAIL, NOT_APPLICABLE, PASS, UNKNOWN

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


UNUSUAL: list[Changes] = [
    {},
    SINGLE,
    single(platform="10.20.0.11"),
    {**SINGLE, **pods("10.21.0.0/16")},
    {"nodes": nodes(3, 0)},
    {"nodes": nodes(1, 3)},
    {"nodes": [*nodes(3, 0)[:2], node("10.20.0.13", installer=True)]},
    DUAL,
    {**DUAL, **endpoint("api.example.com")},
    IPV6,
    {**IPV6, "network": {"ip_family": "ipv6", "cni": "calico"}},
    {**IPV6, "network": {"ip_family": "ipv6", "cluster_cidr": {"ipv4": "10.20.0.0/16"}}},
    network(cni="calico"),
    network(cni="calico", join_cidr={"ipv4": "10.3.0.0/16"}),
    pods("10.20.0.0/24", cni="calico"),
    pods("10.5.0.0/30"),
    pods("192.168.0.0/16"),
    services("10.96.0.0/12"),
    services("192.168.255.248/29"),
    pods("172.20.0.0/16"),
    endpoint("API.Example.COM."),
    endpoint(" 10.20.0.10 "),
    endpoint("api"),
    endpoint("1api.2example.com"),
    endpoint("xn--90aia9aifhdb2c.xn--p1ai"),
    endpoint("a" * 63 + ".example.com"),
    endpoint("api.example.com", platform="api.example.com"),
    platform(VIP),
    others("b.example.com", "10.9.9.9", "2001:db8::7", VIP),
    others("b.example.com", "B.example.com"),
    {"address": {"https_port": 8443, "http_port": 8080}},
    {"address": {"https_port": 80}},
    {"address": {"self_built_vip": True, "vrid": 255}},
    RECOVERY,
    {**RECOVERY, "disaster_recovery": {"role": "standby"}},
    recovery(platform="ACP.example.com"),
    recovery(others=["x.example.com", VIP]),
    {**RECOVERY, "registry": {"mode": "external", "address": "r.example.com:5000"}},
    {**RECOVERY, "registry": {"address": "ACP.EXAMPLE.com.", "username": "u", "password": "p"}},
    {"registry": {"mode": "external", "address": "r.example.com"}},
    {"registry": {"mode": "external", "address": "https://r.example.com:5000/"}},
    {"registry": {"mode": "external", "address": "[2001:db8::5]:5000", "username": "u", "password": "p"}},
    {"registry": {"address": "10.20.0.10"}},
    {"isolation": True},
    {"isolation": True, "nodes": nodes(3, 2, platform_exclusive=False)},
    {"components": {"prometheus_nodes": ["10.20.0.21"], "elasticsearch_nodes": ["10.20.0.11"]}},
    {"components": {"victoriametrics_nodes": ["10.20.0.21"], "victoriametrics_agents": 0}},
    {"components": {"products": ["base", "acp", "devops"]}},
    {"ssh": {"password": None, "key_file": "id"}},
    {"kubernetes": {"node_name": "hostname", "max_pods_per_node": 250}},
]


@pytest.mark.parametrize("changes", UNUSUAL)
@pytest.mark.parametrize("release", RELEASES)
def test_unusual_valid_plan_fails_no_rule(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], changes: Changes, release: str
) -> None:
    file_rules = OF_FILES if "certificate" in changes else set()
    assert rules_failed_by_validate(tmp_path, capsys, {"release": str(release), **changes}) - file_rules == set()
