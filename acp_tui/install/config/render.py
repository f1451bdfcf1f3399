"""Render the installer's configuration from the plan, with the keys, types and order that the installer expects.

The result depends only on the plan and on the key and certificate files that the plan names.
"""

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import JsonValue, SecretStr

from acp_tui.core.errors import AcpError, ExitStatus
from acp_tui.core.files import error_reason, read_limited, resolve_path
from acp_tui.core.i18n import _, pgettext
from acp_tui.core.text import json_text
from acp_tui.plan.model import Plan
from acp_tui.plan.sections.node import Node

Document = dict[str, JsonValue]
ReadFile = Callable[[str], bytes]

API_PORT = 6443
REGISTRY_PORT = 11443

_MASTER_TAINT: Document = {"key": "node-role.kubernetes.io/master", "effect": "NoSchedule"}
_SYSTEM_ROLE = "node-role.kubernetes.io/cpaas-system"
_SYSTEM_TAINT: Document = {"key": _SYSTEM_ROLE, "effect": "NoSchedule"}


@dataclass(frozen=True)
class Missing:
    """A plan key that is missing or invalid. `path`: the key, such as network.cni. `reason`: a message."""

    path: str
    reason: str


class RenderError(AcpError):
    """The plan is not complete. `missing` lists every plan key that is missing or invalid."""

    exit_status = ExitStatus.CHECK_FAILED

    def __init__(self, missing: Sequence[Missing]) -> None:
        super().__init__("; ".join(f"{one.path}: {one.reason}" for one in missing))
        self.missing = tuple(missing)

    @property
    def message(self) -> str:
        """Return one line for each missing or invalid plan key: its path and the reason."""
        return "\n".join(f"{one.path}: {one.reason}" for one in self.missing)


def render(plan: Plan, plan_dir: Path) -> str:
    """Return the installer's configuration as JSON text, including its secrets.

    `plan_dir`: the folder that relative paths of the plan start from.

    Raises: RenderError."""
    content = document(plan, lambda name: read_limited(resolve_path(plan_dir, name)))
    return json_text(content) + "\n"


def document(plan: Plan, read_file: ReadFile) -> Document:
    """Return the installer's configuration, including its secrets.

    `read_file`: a function that returns the bytes of a file or raises OSError. If the plan has no Kubernetes version or
    no container runtime, its value is "": the run later fills in a version that the installer offers.
    Raises: RenderError if keys or files are missing.
    """
    return _Writer(plan, read_file).document()


def network_device(plan: Plan) -> str:
    """Return the interface name for the configuration (OQ-NIC).

    It is the interface name in the plan, else the name that all nodes have in common, else ""."""
    if plan.network.nic:
        return plan.network.nic
    names = {node.nic for node in plan.nodes}
    return (names.pop() or "") if len(names) == 1 else ""


class _Writer:
    """Builds the configuration, and collects all missing plan keys, so that one error lists them all."""

    def __init__(self, plan: Plan, read_file: ReadFile) -> None:
        self.plan = plan
        self.read_file = read_file
        self.missing: dict[str, Missing] = {}

    def document(self) -> Document:
        plan, parts = self.plan, self.plan.components
        content: Document = {
            "basic": {
                "username": plan.admin.username,
                "password": self._secret("admin.password", plan.admin.password),
            },
            "console": {
                "globalHost": plan.platform_address,
                "host": list(plan.address.others),
                "cert": self._certificate(),
                "httpsPort": plan.address.https_port,
                "httpPort": plan.address.http_port,
            },
            "deployMode": "base" if plan.isolation else "normal",
            "registry": self._registry(),
            "cluster": self._cluster(),
            "product": list(parts.products),
            "elasticSearch": {
                "nodes": list(parts.elasticsearch_nodes),
                "runOnMaster": bool(parts.elasticsearch_nodes),
                "isUseDefault": True,
            },
            "prometheus": {"nodes": list(parts.prometheus_nodes), "runOnMaster": bool(parts.prometheus_nodes)},
            "victoriametrics": {
                "nodes": list(parts.victoriametrics_nodes),
                "agentReplicas": _agents(plan),
                "runOnMaster": bool(parts.victoriametrics_nodes),
            },
        }
        if self.missing:
            raise RenderError(tuple(self.missing.values()))
        return content

    def _certificate(self) -> Document:
        wanted = self.plan.certificate
        if wanted.mode == "self-signed":
            return {"selfSigned": {}}
        return {
            "thirdParty": {
                "certificate": self._file("certificate.cert_file", wanted.cert_file),
                "privateKey": self._file("certificate.key_file", wanted.key_file),
            }
        }

    def _registry(self) -> Document:
        registry = self.plan.registry
        external = registry.mode == "external"
        if external and not registry.address:
            self._add_missing("registry.address", _("an external registry requires an address"))
        address = self.plan.registry_address
        host = f"[{address}]" if ":" in address else address
        # QUIRK-REGPASS: a password counts only together with a user.
        password = registry.password.get_secret_value() if registry.username and registry.password else ""
        return {
            "externalAddress": address if external else "",
            "domain": "" if external else f"{host}:{REGISTRY_PORT}",
            "username": registry.username or "",
            "password": _encoded(password.encode()),
        }

    def _cluster(self) -> Document:
        plan, network, address = self.plan, self.plan.network, self.plan.address
        if not address.cluster_endpoint:
            self._add_missing(
                "address.cluster_endpoint", _("the cluster endpoint is required, because the nodes connect to it")
            )
        if not plan.control_planes:
            self._add_missing("nodes", _("at least one control plane node is required"))
        annotations: Document = {
            "cpaas.io/container-runtime": plan.kubernetes.container_runtime or "",
            "cpaas.io/network-type": "calico",
        }
        if network.cni == "kube-ovn":
            annotations["cpaas.io/network-type"] = "ovn"
            annotations["kube-ovn.cpaas.io/join-cidr"] = self._range(network.join_cidr.ipv4, network.join_cidr.ipv6)
            annotations["kube-ovn.cpaas.io/transmit-type"] = "overlay"
        return {
            "version": plan.kubernetes.version or "",
            "networkDevice": network_device(plan),
            "properties": {"maxNodePodNum": plan.kubernetes.max_pods_per_node},
            "features": {
                "ipv6DualStack": network.ip_family == "dual",
                "ha": {
                    "vip": address.cluster_endpoint,
                    "vport": API_PORT,
                    "isThirdParty": not address.self_built_vip,
                    "vrid": address.vrid if address.self_built_vip else None,
                },
                "machines": [self._machine(node) for node in (*plan.control_planes, *plan.workers)],
                "gpuType": "",
            },
            "clusterCIDR": self._range(network.cluster_cidr.ipv4, network.cluster_cidr.ipv6),
            "serviceCIDR": self._range(network.service_cidr.ipv4, network.service_cidr.ipv6),
            "kubeletExtraArgs": {},
            "dockerExtraArgs": {},
            "apiServerExtraArgs": {},
            "controllerManagerExtraArgs": {},
            "schedulerExtraArgs": {},
            "annotations": annotations,
            "hostnameAsNodename": plan.kubernetes.node_name == "hostname",
        }

    def _range(self, ipv4: str, ipv6: str) -> str:
        return {"ipv4": ipv4, "ipv6": ipv6, "dual": f"{ipv4},{ipv6}"}[self.plan.network.ip_family]

    def _machine(self, node: Node) -> Document:
        plan, login = self.plan, self.plan.login(node)
        path = f"nodes[{next(i for i, other in enumerate(plan.nodes) if other is node)}]"
        dual = plan.network.ip_family == "dual"
        if dual and not node.ipv6:
            self._add_missing(f"{path}.ipv6", _("dual stack requires an IPv6 address for each node"))
        password = login.password.get_secret_value() if login.password else ""
        if not password and not login.key_file:
            self._add_missing(
                "ssh.password",
                _("the login to node {address} has no password and no key file").format(address=node.address),
            )
        key_path = f"{path}.ssh.key_file" if node.ssh.key_file else "ssh.key_file"
        machine: Document = {
            "ip": node.address,
            "ipv6": (node.ipv6 or "") if dual else "",
            "port": login.port,
            "username": login.username,
            # QUIRK-PASS-NULL: an empty password is "", never the text null.
            "password": _encoded(password.encode()),
            "privateKey": self._file(key_path, login.key_file) if login.key_file else None,
        }
        if node.role == "worker":
            return {**machine, "role": "node"}
        return {**machine, **_placement(plan, node), "role": "master"}

    def _secret(self, path: str, value: SecretStr | None) -> str:
        text = value.get_secret_value() if value else ""
        if not text:
            self._add_missing(path, pgettext("error", "the plan has no value for this key"))
        return _encoded(text.encode())

    def _file(self, path: str, name: str | None) -> str:
        if not name:
            self._add_missing(path, pgettext("error", "the plan has no value for this key"))
            return ""
        try:
            return _encoded(self.read_file(name))
        except OSError as error:
            self._add_missing(
                path, pgettext("error", "cannot read {file}: {reason}").format(file=name, reason=error_reason(error))
            )
            return ""

    def _add_missing(self, path: str, reason: str) -> None:
        self.missing.setdefault(path, Missing(path, reason))


def _placement(plan: Plan, node: Node) -> Document:
    """Return the labels and taints of a control plane node. They decide which Pods can run on the node."""
    if plan.isolation and plan.exclusive(node):
        return {"labels": {_SYSTEM_ROLE: "true"}, "taints": [dict(_MASTER_TAINT), dict(_SYSTEM_TAINT)]}
    return {"labels": None, "taints": [] if plan.deployable(node) else [dict(_MASTER_TAINT)]}


def _agents(plan: Plan) -> int:
    """Return the number of VictoriaMetrics agents (XR-VM-AGENTS). With VictoriaMetrics, the number is at least 1."""
    wanted = plan.components.victoriametrics_agents or 0
    return max(wanted, 1) if plan.components.victoriametrics_nodes else wanted


def _encoded(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")
