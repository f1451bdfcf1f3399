"""Plans with one error: exactly its rules fail. Unusual but valid plans pass.

All plans are read from a plan file.
"""

import json
from pathlib import Path

import pytest
import yaml
from pydantic import JsonValue

from acp_tui.cli.main import main
from acp_tui.plan.release import RELEASES
from tests.support.factories.plans import DOMAIN, VIP, dual_nodes, node, nodes, plan_data

Changes = dict[str, JsonValue]

SINGLE: Changes = {
    "scenario": "single-node",
    "nodes": [node("10.20.0.11")],
    "address": {"cluster_endpoint": "10.20.0.11", "platform": None},
}
IPV6: Changes = {
    "nodes": [node(f"2001:db8::{n}") for n in (1, 2, 3)],
    "network": {"ip_family": "ipv6"},
    "address": {"cluster_endpoint": "api.example.com"},
}
DUAL: Changes = {"nodes": dual_nodes(), "network": {"ip_family": "dual"}}
PAIR: JsonValue = {"mode": "existing", "cert_file": "tls.crt", "key_file": "tls.key"}
RECOVERY: Changes = {
    "disaster_recovery": {"role": "primary"},
    "address": {"http_port": 80, "others": [VIP], "cluster_endpoint": VIP, "platform": DOMAIN},
    "certificate": PAIR,
    "registry": {"address": DOMAIN, "username": "u", "password": "p"},
}
OF_FILES = {"XR-CERT-PAIR", "XR-CERT-VALID"}
"""Rules of the certificate files, which do not exist here; they have their own tests."""
OF_SIZE = ("CAP-", "HW-", "NETRES-")
"""Prefixes of rules about sizing and network resources, which have their own tests."""


def recovery(**address: JsonValue) -> Changes:
    default = RECOVERY["address"]
    assert isinstance(default, dict)
    return {**RECOVERY, "address": {**default, **address}}


def ipv6_only(**address: JsonValue) -> Changes:
    return {**IPV6, "address": {"cluster_endpoint": "api.example.com", **address}}


def single(**address: JsonValue) -> Changes:
    return {**SINGLE, "address": {"cluster_endpoint": "10.20.0.11", "platform": None, **address}}


def network(**changes: JsonValue) -> Changes:
    return {"network": changes}


def pods(ipv4: str, **changes: JsonValue) -> Changes:
    return network(cluster_cidr={"ipv4": ipv4}, **changes)


def services(ipv4: str, **changes: JsonValue) -> Changes:
    return network(service_cidr={"ipv4": ipv4}, **changes)


def join(ipv4: str, **changes: JsonValue) -> Changes:
    return network(join_cidr={"ipv4": ipv4}, **changes)


def endpoint(value: str, **changes: JsonValue) -> Changes:
    return {"address": {"cluster_endpoint": value, **changes}}


def platform(value: str) -> Changes:
    return {"address": {"platform": value}}


def others(*values: str) -> Changes:
    return {"address": {"others": list(values)}}


BROKEN: list[tuple[Changes, set[str]]] = [
    # nodes
    ({"nodes": nodes(0, 3)}, {"XR-CP-COUNT"}),
    ({"nodes": nodes(2, 3)}, {"XR-CP-COUNT"}),
    ({"nodes": nodes(4, 0)}, {"XR-CP-COUNT"}),
    ({"nodes": nodes(7, 0)}, {"XR-CP-COUNT"}),
    ({"nodes": [*nodes(3, 0), node("10.20.0.13", "worker")]}, {"XR-NODE-UNIQUE"}),
    ({"nodes": [*nodes(1, 0), node("2001:db8::1")]}, {"P-CP", "XR-CP-COUNT"}),
    ({**IPV6, "nodes": [node("2001:db8::1"), node("2001:DB8:0:0::1"), node("2001:db8::3")]}, {"XR-NODE-UNIQUE"}),
    ({"nodes": [node("10.20.0.11", ipv6="2001:db8::1"), *nodes(3, 0)[1:], node("10.20.0.21", "worker",
      ipv6="2001:db8:0::1")]}, {"XR-NODE-UNIQUE"}),
    ({"nodes": [node("10.20.0.11"), node("2001:db8::2"), node("10.20.0.13")]}, {"P-CP"}),
    ({"nodes": [node("10.20.0.11"), node("127.0.0.1"), node("10.20.0.13")]}, {"P-CP"}),
    ({"nodes": [node("10.20.0.11"), node("169.254.1.1"), node("10.20.0.13")]}, {"P-CP"}),
    ({"nodes": [node("10.20.0.11"), node("255.255.255.255"), node("10.20.0.13")]}, {"P-CP"}),
    ({"nodes": [node("10.20.0.11"), node("239.1.1.1"), node("10.20.0.13")]}, {"P-CP"}),
    ({"nodes": [node("10.20.0.11"), node("240.0.0.1"), node("10.20.0.13")]}, {"P-CP"}),
    ({**IPV6, "nodes": [node("fe80::1"), node("2001:db8::2"), node("2001:db8::3")]}, {"P-CP"}),
    ({**IPV6, "nodes": [node("10.20.0.11")]}, {"P-CP"}),
    ({"nodes": [*nodes(3, 0), node("10.20.0.21", "worker", installer=True)]}, {"XR-INST-FIRST"}),
    ({"nodes": [*nodes(1, 0, installer=True), *nodes(3, 0, installer=True)[1:]]}, {"XR-INST-FIRST"}),
    ({"nodes": nodes(3, 0, installer=False)}, {"XR-INST-FIRST"}),
    ({"ssh": {"password": None}}, {"XR-SSH-AUTH"}),
    ({"ssh": {"password": ""}}, {"XR-SSH-AUTH"}),
    ({"ssh": {"password": None}, "nodes": [*nodes(3, 0, ssh={"password": "x"}), node("10.20.0.21", "worker")]},
     {"XR-SSH-AUTH"}),
    # dual stack
    ({**DUAL, "nodes": [*dual_nodes()[:4], node("10.20.0.22", "worker")]}, {"XR-DUAL-COUNT", "XR-DUAL-NODES"}),
    ({**DUAL, "nodes": [*dual_nodes()[:4], node("10.20.0.22", "worker", ipv6="fe80::22")]}, {"XR-DUAL-NODES"}),
    ({**DUAL, "nodes": [*dual_nodes()[:4], node("10.20.0.22", "worker", ipv6="::1")]}, {"XR-DUAL-NODES"}),
    ({**DUAL, "nodes": [*dual_nodes()[:4], node("10.20.0.22", "worker", ipv6="ff02::1")]}, {"XR-DUAL-NODES"}),
    # ranges
    (pods("10.4.0.0/17"), {"XR-CIDR-OVERLAP"}),
    (pods("10.0.0.0/8", service_cidr={"ipv4": "192.168.0.0/16"}), {"XR-CIDR-HOST"}),
    (services("10.3.255.0/24"), {"XR-CIDR-OVERLAP"}),
    (join("10.4.0.0/16"), {"XR-CIDR-OVERLAP"}),
    (join("10.3.0.0/16"), {"XR-CIDR-OVERLAP"}),
    ({**DUAL, "network": {"ip_family": "dual", "cluster_cidr": {"ipv6": "fd00:10:96::/64"}}}, {"XR-CIDR-OVERLAP"}),
    ({**DUAL, "network": {"ip_family": "dual", "join_cidr": {"ipv6": "fd00:10:16::/80"}}}, {"XR-CIDR-OVERLAP"}),
    ({**IPV6, "network": {"ip_family": "ipv6", "service_cidr": {"ipv6": "fd00:10:16::/112"}}}, {"XR-CIDR-OVERLAP"}),
    (pods("10.20.0.0/24"), {"XR-CIDR-HOST"}),
    (services("10.20.0.0/24"), {"XR-CIDR-HOST"}),
    (join("10.20.0.0/24"), {"XR-CIDR-HOST"}),
    ({**pods("10.50.0.0/16"), **endpoint("10.50.1.1")}, {"XR-CIDR-HOST"}),
    ({**DUAL, "network": {"ip_family": "dual", "cluster_cidr": {"ipv6": "2001:db8::/64"}}}, {"XR-CIDR-HOST"}),
    ({**IPV6, "network": {"ip_family": "ipv6", "cluster_cidr": {"ipv6": "2001:db8::/64"}}}, {"XR-CIDR-HOST"}),
    # addresses
    (endpoint(""), {"XR-ENDPOINT-SYNTAX"}),
    (endpoint("127.0.0.1"), {"XR-ENDPOINT-SYNTAX"}),
    (endpoint("0.0.0.0"), {"XR-ENDPOINT-SYNTAX"}),  # noqa: S104 - an invalid answer, nothing is bound
    (endpoint("255.255.255.255"), {"XR-ENDPOINT-SYNTAX"}),
    (endpoint("localhost"), {"XR-ENDPOINT-SYNTAX"}),
    (ipv6_only(cluster_endpoint="10.20.0.10", platform=DOMAIN), {"XR-ENDPOINT-SYNTAX"}),
    (endpoint("10.20.0.21"), {"XR-ENDPOINT-NODE"}),
    (ipv6_only(platform="2001:db8::10"), {"XR-DOMAIN-IPV6"}),
    (ipv6_only(platform="203.0.113.7"), {"XR-DOMAIN-IPV6"}),
    (platform("2001:db8::10"), {"XR-DOMAIN-IPV6"}),
    ({**DUAL, **platform("2001:db8::10")}, {"XR-DOMAIN-IPV6"}),
    (endpoint("api.example.com", self_built_vip=True), {"XR-SELFVIP-DOMAIN"}),
    ({"address": {"https_port": 80, "http_port": 80}}, {"XR-PORTS"}),
    ({"address": {"https_port": 6443}}, {"XR-PORTS"}),
    ({"address": {"https_port": 11443}}, {"XR-PORTS"}),
    ({"address": {"http_port": 2379}}, {"XR-PORTS"}),
    ({"address": {"http_port": 2380}}, {"XR-PORTS"}),
    # disaster recovery: primary and standby have the same rules
    (recovery(platform=None), {"XR-DOMAIN-DR"}),
    (recovery(platform="203.0.113.7"), {"XR-DOMAIN-DR"}),
    (recovery(cluster_endpoint="api.example.com"), {"XR-DOMAIN-DR"}),
    ({**recovery(cluster_endpoint="api.example.com"), "disaster_recovery": {"role": "standby"}}, {"XR-DOMAIN-DR"}),
    (recovery(self_built_vip=True), {"XR-SELFVIP-DR"}),
    (recovery(http_port=0), {"XR-DR-PORTS"}),
    (recovery(http_port=8080), {"XR-DR-PORTS"}),
    (recovery(https_port=8443), {"XR-DR-PORTS"}),
    (recovery(others=[]), {"XR-DR-OTHERADDR"}),
    (recovery(others=["10.20.0.9", "x.example.com"]), {"XR-DR-OTHERADDR"}),
    ({**RECOVERY, "certificate": {"mode": "self-signed"}}, {"XR-CERT-DR"}),
    ({**RECOVERY, "registry": {"address": DOMAIN}}, {"XR-REG-DR"}),
    ({**RECOVERY, "registry": {"username": "u", "password": "p"}}, {"XR-REG-DR"}),
    ({**RECOVERY, "registry": {"address": "r.example.com", "username": "u", "password": "p"}}, {"XR-REG-DR"}),
    ({**RECOVERY, "registry": {"address": DOMAIN, "username": "u"}}, {"XR-REG-DR", "XR-REG-AUTH"}),
    # registry
    ({"registry": {"mode": "external"}}, {"XR-REG-EXT"}),
    ({"registry": {"address": "r.example.com:11443"}}, {"P-REG-DOMAIN"}),
    ({"registry": {"username": "u"}}, {"XR-REG-AUTH"}),
    ({"registry": {"password": "p"}}, {"XR-REG-AUTH"}),
    ({"registry": {"username": "u", "password": ""}}, {"XR-REG-AUTH"}),
    ({"registry": {"mode": "external", "address": "r:5000", "password": "p"}}, {"XR-REG-AUTH"}),
    # certificate
    ({"certificate": {"mode": "existing", "cert_file": "c"}}, {"XR-CERT-PAIR"}),
    ({"certificate": {"cert_file": "c"}}, {"XR-CERT-PAIR"}),
    # isolation and components
    ({"nodes": [node("10.20.0.11", platform_exclusive=True)]}, {"XR-EXCL-NEEDS-ISOLATION"}),
    ({"nodes": [*nodes(3, 1), node("10.20.0.22", "worker", platform_exclusive=True)]}, {"XR-EXCL-NEEDS-ISOLATION"}),
    ({"isolation": True, "nodes": [*nodes(1, 1, deployable=True)]}, {"XR-EXCL-CP"}),
    ({"isolation": True, "nodes": [*nodes(3, 1), node("10.20.0.22", "worker", platform_exclusive=True,
      deployable=True)]}, {"XR-EXCL-WK"}),
    ({"nodes": [*nodes(3, 1), node("10.20.0.22", "worker", deployable=False)]}, {"XR-NOEXCL-WK"}),
    ({"components": {"prometheus_nodes": ["10.20.0.21"], "victoriametrics_nodes": ["10.20.0.22"]}},
     {"XR-MON-EXCLUSIVE"}),
    ({"components": {"prometheus_nodes": ["10.20.0.10"]}}, {"XR-MON-NODES"}),
    ({"components": {"victoriametrics_nodes": ["10.20.0.211"]}}, {"XR-MON-NODES"}),
    ({"components": {"elasticsearch_nodes": ["10.20.0.21", "2001:db8::1"]}}, {"XR-MON-NODES"}),
    ({"components": {"products": []}}, {"XR-PRODUCTS"}),
    ({"components": {"products": ["acp"]}}, {"XR-PRODUCTS"}),
    ({"components": {"products": ["Base", "acp"]}}, {"XR-PRODUCTS"}),
    ({"admin": {"password": None}}, {"P-ADMIN-PASS"}),
    ({"admin": {"password": ""}}, {"P-ADMIN-PASS"}),
    # rejected by the type of the field
    (pods("10.3.0.1/16"), {"XR-CIDR-SET"}),
    (pods(""), {"XR-CIDR-SET"}),
    (pods("10.3.0.0"), {"XR-CIDR-SET"}),
    (pods("10.3.0.0/33"), {"XR-CIDR-SET"}),
    (pods("10.3.0.0/255.255.0.0"), {"XR-CIDR-SET"}),
    (pods("010.3.0.0/16"), {"XR-CIDR-SET"}),
    (pods("fd00::/64"), {"XR-CIDR-SET"}),
    (pods("0.0.0.0/0"), {"XR-CIDR-SET"}),
    (pods("127.0.0.0/16"), {"XR-CIDR-SET"}),
    (pods("224.0.0.0/16"), {"XR-CIDR-SET"}),
    (network(cluster_cidr={"ipv6": "10.3.0.0/16"}), {"XR-DUAL-CIDR"}),
    (network(cluster_cidr={"ipv6": "fe80::%eth0/64"}), {"XR-DUAL-CIDR"}),
    (network(service_cidr={"ipv6": "fd00::1/64"}), {"XR-DUAL-CIDR"}),
    (endpoint("10.20.0.10:6443"), {"XR-ENDPOINT-SYNTAX"}),
    (endpoint("https://api.example.com"), {"XR-ENDPOINT-SYNTAX"}),
    (endpoint("2001:db8::10"), {"XR-ENDPOINT-SYNTAX"}),
    (endpoint("[2001:db8::10]"), {"XR-ENDPOINT-SYNTAX"}),
    (endpoint("api_1.example.com"), {"XR-ENDPOINT-SYNTAX"}),
    (endpoint("-api.example.com"), {"XR-ENDPOINT-SYNTAX"}),
    (endpoint("api..example.com"), {"XR-ENDPOINT-SYNTAX"}),
    (endpoint("10.20.0.300"), {"XR-ENDPOINT-SYNTAX"}),
    (endpoint("10.20.0"), {"XR-ENDPOINT-SYNTAX"}),
    (endpoint("010.020.000.010"), {"XR-ENDPOINT-SYNTAX"}),
    (endpoint("0x7f.1"), {"XR-ENDPOINT-SYNTAX"}),
    (endpoint("api.123"), {"XR-ENDPOINT-SYNTAX"}),
    (endpoint("облако.рф"), {"XR-ENDPOINT-SYNTAX"}),
    (endpoint("api example.com"), {"XR-ENDPOINT-SYNTAX"}),
    (endpoint("a" * 64 + ".example.com"), {"XR-ENDPOINT-SYNTAX"}),
    (endpoint(".".join(["abcdefg"] * 32)), {"XR-ENDPOINT-SYNTAX"}),
    (platform("acp.example.com:8443"), {"P-PLATFORM"}),
    (platform("https://acp.example.com"), {"P-PLATFORM"}),
    (platform("acp.example.com/console"), {"P-PLATFORM"}),
    (platform("fe80::1%eth0"), {"P-PLATFORM"}),
    (platform("::ffff:10.20.0.10"), {"P-PLATFORM"}),
    (others("ok.example.com", "bad_name"), {"P-OTHER-ADDRS"}),
    ({"nodes": [node("10.20.0.11"), node("10.20.0.012"), node("10.20.0.13")]}, {"NET-IP-VALID"}),
    ({"nodes": [node("10.20.0.11"), node("node-2"), node("10.20.0.13")]}, {"NET-IP-VALID"}),
    ({"nodes": [node("10.20.0.11"), node("10.20.0.12/24"), node("10.20.0.13")]}, {"NET-IP-VALID"}),
    ({**IPV6, "nodes": [node("::ffff:10.20.0.11"), node("2001:db8::2"), node("2001:db8::3")]}, {"NET-IP-VALID"}),
    ({**IPV6, "nodes": [node("2001:db8::1%eth0"), node("2001:db8::2"), node("2001:db8::3")]}, {"NET-IP-VALID"}),
    ({**DUAL, "nodes": [*dual_nodes()[:4], node("10.20.0.22", "worker", ipv6="10.20.0.22")]}, {"XR-DUAL-COUNT"}),
    ({"address": {"https_port": 0}}, {"XR-PORTS"}),
    ({"address": {"https_port": 65536}}, {"XR-PORTS"}),
    ({"address": {"http_port": -1}}, {"XR-PORTS"}),
    ({"address": {"http_port": "0o17"}}, {"XR-PORTS"}),
    ({"address": {"https_port": "1e3"}}, {"XR-PORTS"}),
    ({"address": {"https_port": "4_43"}}, {"XR-PORTS"}),
    ({"address": {"https_port": "443.0"}}, {"XR-PORTS"}),
    ({"address": {"https_port": True}}, {"XR-PORTS"}),
    ({"address": {"vrid": 0}}, {"XR-SELFVIP-VRID"}),
    ({"address": {"vrid": 256, "self_built_vip": True}}, {"XR-SELFVIP-VRID"}),
    ({"address": {"self_built_vip": "on"}}, {"P-SELF-VIP"}),
    ({"ssh": {"port": 70000}}, {"P-SSH-PORT"}),
    ({"ssh": {"username": " "}}, {"P-SSH-USER"}),
    ({"admin": {"username": ""}}, {"P-ADMIN-USER"}),
    ({"kubernetes": {"version": "v1.31.6"}}, {"P-K8S"}),
    ({"kubernetes": {"version": "1.31"}}, {"P-K8S"}),
    ({"kubernetes": {"container_runtime": "docker://24"}}, {"P-CRI"}),
    ({"kubernetes": {"max_pods_per_node": 0}}, {"P-MAXPODS"}),
    ({"kubernetes": {"node_name": "fqdn"}}, {"P-NODENAME"}),
    ({"network": {"cni": "cilium"}}, {"P-CNI"}),
    ({"network": {"ip_family": "ipv5"}}, {"P-PROTOCOL"}),
    ({"components": {"victoriametrics_agents": -1}}, {"XR-VM-AGENTS"}),
    ({"registry": {"mode": "external", "address": "oci://r.example.com"}}, {"P-REG-EXT"}),
    ({"registry": {"mode": "external", "address": "https://r.example.com/acp"}}, {"P-REG-EXT"}),
    ({"registry": {"mode": "external", "address": "https://http://r.example.com"}}, {"P-REG-EXT"}),
    ({"registry": {"mode": "external", "address": "r.example.com:99999"}}, {"P-REG-EXT"}),
    ({"registry": {"mode": "external", "address": "2001:db8::5:x"}}, {"P-REG-EXT"}),
]  # fmt: skip

VALID: list[Changes] = [
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


def failed(folder: Path, capsys: pytest.CaptureFixture[str], changes: Changes) -> set[str]:
    """Return the rules that fail in `acp-tui validate`."""
    (folder / "id").write_text("a key", encoding="utf-8")
    path = folder / "plan.yaml"
    path.write_text(yaml.safe_dump(plan_data(**changes), allow_unicode=True), encoding="utf-8")
    main(["validate", str(path), "--json"])
    report = json.loads(capsys.readouterr().out)
    rules = {v["requirement"] for v in report["verdicts"] if v["verdict"] in ("fail", "pending-reboot")}
    return {rule for rule in rules if not rule.startswith(OF_SIZE)}


@pytest.mark.parametrize(("changes", "rules"), BROKEN)
def test_invalid_plan_fails_exactly_its_rules(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], changes: Changes, rules: set[str]
) -> None:
    certificate = changes.get("certificate") or {}
    file_rules = OF_FILES if isinstance(certificate, dict) and certificate.get("key_file") else set()
    assert failed(tmp_path, capsys, changes) - file_rules == rules


@pytest.mark.parametrize("changes", VALID)
@pytest.mark.parametrize("release", RELEASES)
def test_unusual_valid_plan_fails_no_rule(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], changes: Changes, release: str
) -> None:
    file_rules = OF_FILES if "certificate" in changes else set()
    assert failed(tmp_path, capsys, {"release": str(release), **changes}) - file_rules == set()
