"""The configuration for the installer, compared with documents written by hand from the vendor's field descriptions.

`FULL` is one complete document. Each case lists the fields that differ from it; the complete document is compared.
"""

import base64
import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from acp_tui.core.redaction import MASK, mask_document
from acp_tui.install.config.render import RenderError, document, render
from acp_tui.install.config.unverified import unverified
from acp_tui.plan.model import Plan
from tests.support.factories.plans import DOMAIN, VIP, dual_nodes, node, nodes, valid_plan

FILES = {"id_rsa": b"-----KEY-----\n\x00\xff\n", "tls.crt": b"CERT\n", "tls.key": b"PRIVATE\n", "own": b"own key"}

MASTER = {"key": "node-role.kubernetes.io/master", "effect": "NoSchedule"}
SYSTEM = {"key": "node-role.kubernetes.io/cpaas-system", "effect": "NoSchedule"}


def b64(content: bytes | str) -> str:
    return base64.b64encode(content.encode() if isinstance(content, str) else content).decode()


def master(ip: str, **changes: object) -> dict[str, object]:
    return {
        "ip": ip,
        "ipv6": "",
        "port": 22,
        "username": "root",
        "password": "c3NoLXNlY3JldA==",
        "privateKey": None,
        "labels": None,
        "taints": [MASTER],
        "role": "master",
        **changes,
    }


def worker(ip: str, **changes: object) -> dict[str, object]:
    return {
        "ip": ip,
        "ipv6": "",
        "port": 22,
        "username": "root",
        "password": "c3NoLXNlY3JldA==",
        "privateKey": None,
        "role": "node",
        **changes,
    }


def machines(**changes: object) -> list[dict[str, object]]:
    planes = [master(f"10.20.0.{n}", **changes) for n in (11, 12, 13)]
    return [*planes, *(worker(f"10.20.0.{n}", **changes) for n in (21, 22))]


FULL: dict[str, object] = {
    "basic": {"username": "admin", "password": "Q29ycmVjdC1Ib3JzZS03"},
    "console": {
        "globalHost": "acp.example.com",
        "host": [],
        "cert": {"selfSigned": {}},
        "httpsPort": 443,
        "httpPort": 0,
    },
    "deployMode": "normal",
    "registry": {"externalAddress": "", "domain": "10.20.0.10:11443", "username": "", "password": ""},
    "cluster": {
        "version": "1.31.6",
        "networkDevice": "",
        "properties": {"maxNodePodNum": 110},
        "features": {
            "ipv6DualStack": False,
            "ha": {"vip": "10.20.0.10", "vport": 6443, "isThirdParty": True, "vrid": None},
            "machines": machines(),
            "gpuType": "",
        },
        "clusterCIDR": "10.3.0.0/16",
        "serviceCIDR": "10.4.0.0/16",
        "kubeletExtraArgs": {},
        "dockerExtraArgs": {},
        "apiServerExtraArgs": {},
        "controllerManagerExtraArgs": {},
        "schedulerExtraArgs": {},
        "annotations": {
            "cpaas.io/container-runtime": "containerd://1.7.27-4",
            "cpaas.io/network-type": "ovn",
            "kube-ovn.cpaas.io/join-cidr": "100.64.0.0/16",
            "kube-ovn.cpaas.io/transmit-type": "overlay",
        },
        "hostnameAsNodename": False,
    },
    "product": ["base", "acp"],
    "elasticSearch": {"nodes": [], "runOnMaster": False, "isUseDefault": True},
    "prometheus": {"nodes": [], "runOnMaster": False},
    "victoriametrics": {"nodes": [], "agentReplicas": 0, "runOnMaster": False},
}

HA = "cluster>features>ha"
MACHINES = "cluster>features>machines"
NOTES = "cluster>annotations"


def expected(changes: dict[str, object]) -> dict[str, object]:
    """Return `FULL` with the values at paths such as `a>b>c` replaced."""
    content: Any = deepcopy(FULL)
    for path, value in changes.items():
        *way, last = path.split(">")
        target = content
        for step in way:
            target = target[step]
        target[last] = value
    return content  # type: ignore[no-any-return]


def plan_of(**changes: JsonValue) -> Plan:
    changes = {"kubernetes": {"version": "1.31.6", "container_runtime": "containerd://1.7.27-4"}, **changes}
    return valid_plan(**changes)


def read(name: str) -> bytes:
    if name not in FILES:
        raise FileNotFoundError(2, "No such file or directory", name)
    return FILES[name]


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


def test_files_are_relative_to_the_plan(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "id").write_bytes(FILES["id_rsa"])
    plan = plan_of(ssh={"key_file": "keys/id"}, admin={"username": "админ"})
    text = render(plan, tmp_path)
    assert text.endswith("}\n")
    assert '"username": "админ"' in text
    assert json.loads(text)["cluster"]["features"]["machines"][4]["privateKey"] == b64(FILES["id_rsa"])


def test_all_missing_keys_are_in_one_error(tmp_path: Path) -> None:
    plan = plan_of(
        admin={"password": None},
        ssh={"password": None},
        nodes=[node("10.20.0.11"), node("10.20.0.12", ssh={"key_file": "gone"})],
        network={"ip_family": "dual"},
        address={"cluster_endpoint": ""},
        certificate={"mode": "existing", "cert_file": "tls.crt"},
        registry={"mode": "external"},
    )
    with pytest.raises(RenderError) as caught:
        render(plan, tmp_path)
    assert {key.path for key in caught.value.missing} == {
        "admin.password",
        "ssh.password",
        "nodes[0].ipv6",
        "nodes[1].ipv6",
        "nodes[1].ssh.key_file",
        "address.cluster_endpoint",
        "certificate.cert_file",
        "certificate.key_file",
        "registry.address",
    }
    assert "cannot read gone: No such file or directory" in str(caught.value)


def test_key_file_above_the_size_limit_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "disk.img").write_bytes(b"\0" * (1024 * 1024 + 1))
    with pytest.raises(RenderError, match="larger than 1 MiB"):
        render(plan_of(ssh={"key_file": "disk.img"}), tmp_path)


def test_masked_document_has_no_secret() -> None:
    plan = plan_of(
        admin={"password": "canary-admin"},
        ssh={"password": "canary-ssh", "key_file": "id_rsa"},
        registry={"username": "u", "password": "canary-registry"},
        certificate={"mode": "existing", "cert_file": "tls.crt", "key_file": "tls.key"},
    )
    masked = json.dumps(mask_document(document(plan, read)), ensure_ascii=False)
    for secret in ("canary-admin", "canary-ssh", "canary-registry", FILES["id_rsa"], FILES["tls.key"]):
        assert b64(secret) not in masked
    assert masked.count(MASK) == 3 + 2 * 5
    assert b64(FILES["tls.crt"]) in masked


def test_empty_secret_is_not_masked() -> None:
    assert '"password": ""' in json.dumps(mask_document(document(plan_of(), read))["registry"])


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"release": "4.0"}, "4.0"),
        ({"network": {"ip_family": "ipv6"}, "nodes": [node("2001:db8::11")]}, "IPv6-only"),
        ({"nodes": nodes(3, 0, deployable=True)}, "applications on control plane"),
        ({"isolation": True, "nodes": nodes(3, 2, platform_exclusive=True)}, "exclusive worker"),
        (
            {"isolation": True, "nodes": nodes(3, 2, platform_exclusive=False)},
            "only if all control plane",
        ),
        ({"nodes": [node("10.20.0.11", nic="eth0"), node("10.20.0.12", nic="eth1")]}, "interface"),
        ({"nodes": nodes(3, 2, ssh={"port": 2222})}, "login for a single node"),
        ({"ssh": {"key_file": "k", "key_passphrase": "x"}}, "passphrase"),
    ],
)
def test_undocumented_requests_have_a_note(changes: dict[str, JsonValue], text: str) -> None:
    assert any(text in note for note in unverified(plan_of(**{"release": "4.1", **changes})))


def test_documented_plan_has_no_note() -> None:
    assert unverified(plan_of(release="4.1")) == ()


@given(
    name=st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=40).filter(str.strip),
    password=st.text(min_size=1, max_size=40),
)
def test_any_text_survives_rendering_and_parsing(name: str, password: str) -> None:
    plan = plan_of(
        admin={"username": name, "password": password},
        ssh={"username": name, "password": password},
        components={"products": ["base", "acp", name]},
    )
    text = json.dumps(document(plan, read), indent=2, ensure_ascii=False)
    parsed = json.loads(text.encode())
    assert parsed["basic"]["username"] == name
    assert base64.b64decode(parsed["basic"]["password"]).decode() == password
    assert parsed["cluster"]["features"]["machines"][0]["username"] == name
    assert base64.b64decode(parsed["cluster"]["features"]["machines"][0]["password"]).decode() == password
    assert parsed["product"][2] == name
