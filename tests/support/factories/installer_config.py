"""One complete configuration for the installer, written by hand from the vendor's field descriptions, and its plan.

`FULL` is the document of `plan_of()`. `master` and `worker` are machines of a document.
"""

import base64
from copy import deepcopy
from typing import Any

from pydantic import JsonValue

from acp_tui.plan.model import Plan
from tests.support.factories.plans import valid_plan

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
