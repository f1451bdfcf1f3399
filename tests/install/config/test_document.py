"""The document for the installer, compared with documents written by hand from the vendor's field descriptions.

`FULL` is one complete document. Each case lists the fields that differ from it; the complete document is compared.
"""

import json

import pytest
from pydantic import JsonValue

from acp_tui.install.config.render import document
from tests.support.factories.installer_config import (
    FILES,
    MASTER,
    SYSTEM,
    b64,
    expected,
    machines,
    master,
    plan_of,
    read,
    worker,
)
from tests.support.factories.plans import DOMAIN, VIP, dual_nodes, node, nodes

HA = "cluster>features>ha"
MACHINES = "cluster>features>machines"
NOTES = "cluster>annotations"
DUAL_MACHINES = [
    *(master(f"10.20.0.{n}", ipv6=f"2001:db8::{n}") for n in (11, 12, 13)),
    *(worker(f"10.20.0.{n}", ipv6=f"2001:db8::{n}") for n in (21, 22)),
]


CASES: list[tuple[str, dict[str, JsonValue], dict[str, object]]] = [
    (
        "registry at an IPv6 address",
        {"registry": {"address": "2001:DB8::5"}},
        {"registry>domain": "[2001:db8::5]:11443"},
    ),
    (
        "names in capitals and with a dot at the end are the same names",
        {"address": {"platform": "ACP.Example.com.", "cluster_endpoint": "API.example.com"}},
        {f"{HA}>vip": "api.example.com", "registry>domain": "api.example.com:11443"},
    ),
    ("defaults: Kube-OVN, load balancer, domain", {}, {}),
    (
        "single node: its own address is endpoint and platform",
        {
            "scenario": "single-node",
            "nodes": [node("10.20.0.11")],
            "address": {"cluster_endpoint": "10.20.0.11", "platform": None},
        },
        {
            "console>globalHost": "10.20.0.11",
            "registry>domain": "10.20.0.11:11443",
            f"{HA}>vip": "10.20.0.11",
            MACHINES: [master("10.20.0.11")],
        },
    ),
    (
        "Self-built VIP with its VRID, platform not given",
        {"address": {"self_built_vip": True, "vrid": 42, "platform": None}},
        {"console>globalHost": VIP, f"{HA}>isThirdParty": False, f"{HA}>vrid": 42},
    ),
    (
        "Calico has no join CIDR",
        {"network": {"cni": "calico", "cluster_cidr": {"ipv4": "10.30.0.0/16"}}},
        {
            "cluster>clusterCIDR": "10.30.0.0/16",
            NOTES: {"cpaas.io/container-runtime": "containerd://1.7.27-4", "cpaas.io/network-type": "calico"},
        },
    ),
    (
        "dual stack, Kube-OVN",
        {"nodes": dual_nodes(), "network": {"ip_family": "dual"}},
        {
            "cluster>features>ipv6DualStack": True,
            "cluster>clusterCIDR": "10.3.0.0/16,fd00:10:16::/64",
            "cluster>serviceCIDR": "10.4.0.0/16,fd00:10:96::/112",
            f"{NOTES}>kube-ovn.cpaas.io/join-cidr": "100.64.0.0/16,fd00:100:64::/64",
            MACHINES: DUAL_MACHINES,
        },
    ),
    (
        "IPv4 only, Calico: IPv6 addresses of nodes are omitted",
        {"nodes": dual_nodes(), "network": {"cni": "calico"}},
        {NOTES: {"cpaas.io/container-runtime": "containerd://1.7.27-4", "cpaas.io/network-type": "calico"}},
    ),
    (
        "IPv6 only: IPv6 values in the fields of IPv4",
        {
            "nodes": [node("2001:db8::11"), node("2001:db8::21", "worker")],
            "network": {"ip_family": "ipv6"},
            "address": {"cluster_endpoint": "api.example.com"},
        },
        {
            "registry>domain": "api.example.com:11443",
            f"{HA}>vip": "api.example.com",
            "cluster>clusterCIDR": "fd00:10:16::/64",
            "cluster>serviceCIDR": "fd00:10:96::/112",
            f"{NOTES}>kube-ovn.cpaas.io/join-cidr": "fd00:100:64::/64",
            MACHINES: [master("2001:db8::11"), worker("2001:db8::21")],
        },
    ),
    (
        "isolation: labels, both taints, deploy mode base",
        {"isolation": True},
        {
            "deployMode": "base",
            MACHINES: [
                *(
                    master(
                        f"10.20.0.{n}",
                        labels={"node-role.kubernetes.io/cpaas-system": "true"},
                        taints=[MASTER, SYSTEM],
                    )
                    for n in (11, 12, 13)
                ),
                worker("10.20.0.21"),
                worker("10.20.0.22"),
            ],
        },
    ),
    (
        "applications on control planes by choice",
        {"nodes": [*nodes(3, 0, deployable=True), *nodes(0, 2)]},
        {
            MACHINES: [
                *(master(f"10.20.0.{n}", taints=[]) for n in (11, 12, 13)),
                worker("10.20.0.21"),
                worker("10.20.0.22"),
            ]
        },
    ),
    (
        "three nodes without workers: applications refused by choice",
        {"nodes": nodes(3, 0, deployable=False)},
        {MACHINES: [master(f"10.20.0.{n}") for n in (11, 12, 13)]},
    ),
    (
        "three nodes without workers: by default no applications on them",
        {"nodes": nodes(3, 0)},
        {MACHINES: [master(f"10.20.0.{n}") for n in (11, 12, 13)]},
    ),
    (
        "installer node first, whatever the order of the plan; control planes before workers",
        {
            "nodes": [
                node("10.20.0.21", "worker"),
                node("10.20.0.11"),
                node("10.20.0.12"),
                node("10.20.0.13", installer=True),
            ]
        },
        {
            MACHINES: [
                *(master(f"10.20.0.{n}") for n in (13, 11, 12)),
                worker("10.20.0.21"),
            ]
        },
    ),
    (
        "SSH key without a password: password empty, key complete",
        {"ssh": {"username": "admin", "port": 2222, "password": None, "key_file": "id_rsa"}},
        {MACHINES: machines(username="admin", port=2222, password="", privateKey=b64(FILES["id_rsa"]))},
    ),
    (
        "SSH key and password, one node with its own login",
        {
            "ssh": {"key_file": "id_rsa"},
            "nodes": [
                node("10.20.0.11", ssh={"username": "ops", "port": 2200, "password": "p=\"1'", "key_file": "own"})
            ],
            "scenario": "multi-cluster",
        },
        {
            MACHINES: [
                master(
                    "10.20.0.11",
                    username="ops",
                    port=2200,
                    password=b64("p=\"1'"),
                    privateKey=b64(b"own key"),
                )
            ]
        },
    ),
    (
        "existing certificate, ports, further addresses",
        {
            "certificate": {"mode": "existing", "cert_file": "tls.crt", "key_file": "tls.key"},
            "address": {"https_port": 8443, "http_port": 8081, "others": ["192.0.2.7", "b.example.com"]},
        },
        {
            "console>cert": {"thirdParty": {"certificate": "Q0VSVAo=", "privateKey": "UFJJVkFURQo="}},
            "console>httpsPort": 8443,
            "console>httpPort": 8081,
            "console>host": ["192.0.2.7", "b.example.com"],
        },
    ),
    (
        "external registry with a login",
        {"registry": {"mode": "external", "address": "reg.example.com:5000", "username": "u", "password": "p"}},
        {
            "registry": {
                "externalAddress": "reg.example.com:5000",
                "domain": "",
                "username": "u",
                "password": "cA==",
            }
        },
    ),
    (
        "external registry with a scheme in its address",
        {"registry": {"mode": "external", "address": "HTTPS://Reg.example.com:5000/"}},
        {"registry>externalAddress": "reg.example.com:5000", "registry>domain": ""},
    ),
    (
        "platform registry with a domain; a password without a user is omitted",
        {"registry": {"address": "reg.example.com", "password": "lost"}},
        {"registry>domain": "reg.example.com:11443"},
    ),
    (
        "Prometheus and Elasticsearch on nodes, more products, host names, Pods, interface",
        {
            "components": {
                "products": ["base", "acp", "devops"],
                "prometheus_nodes": ["10.20.0.21"],
                "elasticsearch_nodes": ["10.20.0.21", "10.20.0.22"],
            },
            "kubernetes": {
                "version": "1.31.6",
                "container_runtime": "containerd://1.7.27-4",
                "node_name": "hostname",
                "max_pods_per_node": 250,
            },
            "network": {"nic": "bond0"},
        },
        {
            "product": ["base", "acp", "devops"],
            "prometheus": {"nodes": ["10.20.0.21"], "runOnMaster": True},
            "elasticSearch": {"nodes": ["10.20.0.21", "10.20.0.22"], "runOnMaster": True, "isUseDefault": True},
            "cluster>hostnameAsNodename": True,
            "cluster>properties>maxNodePodNum": 250,
            "cluster>networkDevice": "bond0",
        },
    ),
    (
        "VictoriaMetrics raises its agents to one",
        {"components": {"victoriametrics_nodes": ["10.20.0.21"], "victoriametrics_agents": 0}},
        {"victoriametrics": {"nodes": ["10.20.0.21"], "agentReplicas": 1, "runOnMaster": True}},
    ),
    (
        "VictoriaMetrics with three agents",
        {"components": {"victoriametrics_nodes": ["10.20.0.21"], "victoriametrics_agents": 3}},
        {"victoriametrics": {"nodes": ["10.20.0.21"], "agentReplicas": 3, "runOnMaster": True}},
    ),
    (
        "versions chosen by the running installer",
        {"kubernetes": {"version": None, "container_runtime": None}},
        {"cluster>version": "", f"{NOTES}>cpaas.io/container-runtime": ""},
    ),
    (
        "disaster recovery",
        {
            "disaster_recovery": {"role": "primary"},
            "certificate": {"mode": "existing", "cert_file": "tls.crt", "key_file": "tls.key"},
            "address": {"http_port": 80, "others": [VIP]},
            "registry": {"address": DOMAIN, "username": "u", "password": "p"},
        },
        {
            "console>httpPort": 80,
            "console>host": [VIP],
            "console>cert": {"thirdParty": {"certificate": "Q0VSVAo=", "privateKey": "UFJJVkFURQo="}},
            "registry": {"externalAddress": "", "domain": f"{DOMAIN}:11443", "username": "u", "password": "cA=="},
        },
    ),
]


@pytest.mark.parametrize(("changes", "differences"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_document_of_a_plan(changes: dict[str, JsonValue], differences: dict[str, object]) -> None:
    expected_document = expected(differences)
    rendered = document(plan_of(**changes), read)
    assert rendered == expected_document
    # == does not distinguish 1 from True and 0 from False; the JSON text does.
    assert json.dumps(rendered) == json.dumps(expected_document)
