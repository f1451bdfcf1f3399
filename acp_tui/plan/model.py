"""The data model of the plan: all decisions about an install, in immutable sections.

Every field has a default, except the required fields of nodes and waivers. This module validates each field alone, and
the wizard shows the error message of an invalid field. Rules about several fields are checks in `checks/plan`, so that
an unfinished plan can violate them and still be loaded. Each field names its parameter ID (`P-...`). It also names the
requirement (`XR-...`) that an invalid value violates, if such a requirement exists.
"""

import re
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic.fields import FieldInfo

from acp_tui.core.i18n import N_
from acp_tui.plan.field_types import (
    Bool,
    Cidr4,
    Cidr6,
    ContainerRuntime,
    EndpointText,
    FilledText,
    Fingerprint,
    HostText,
    IpText,
    Ipv6Text,
    KubernetesVersion,
    Port,
    RegistryAddress,
    Whole,
    format_version,
    printable,
    writable,
)
from acp_tui.plan.package_name import release_in_name
from acp_tui.plan.release import RELEASES, Release

if TYPE_CHECKING:
    ReleaseName = str
else:  # A type checker does not know the releases, because the program lists their files when it starts.
    ReleaseName = Literal[tuple(str(release) for release in RELEASES)]
VENDOR_FINGERPRINT = "09EEE7B9A30CF4B35E31A91B27041C16BB097AE6"  # BND-KEY-FPR

T = TypeVar("T")


def answer(default: T, *, id: str, help: str, rule: str | None = None) -> T:
    """Return a plan field with its default value, parameter ID and help text.

    `rule`: the requirement that an invalid value violates."""
    field: T = Field(default, description=help, json_schema_extra={"parameter": id, "rule": rule or id})
    return field


def is_secret(annotation: object) -> bool:
    """Return True if a plan field with this annotation contains a secret."""
    return annotation is SecretStr or any(is_secret(part) for part in getattr(annotation, "__args__", ()))


class Section(BaseModel):
    """Base class of all sections of the plan. A section is immutable and rejects unknown keys.

    Error messages of pydantic do not contain the invalid values, because a value can be a secret."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, validate_default=True)

    @model_validator(mode="before")
    @classmethod
    def _empty_is_unset(cls, data: object) -> object:
        """Treat empty text as a missing value, if the default of the field is null.

        An empty field of the wizard and `key: ""` in the plan file are empty text. Text that consists of blanks also
        counts as empty, except in a secret. A section whose keys are all commented out counts as missing."""
        if not isinstance(data, dict):
            return data
        unset = {name for name, info in cls.model_fields.items() if info.default is None}
        secret = {name for name in unset if is_secret(cls.model_fields[name].annotation)}
        empty = {
            key
            for key, value in data.items()
            if key in unset and isinstance(value, str) and not (value if key in secret else value.strip())
        }
        sections = {name for name, info in cls.model_fields.items() if isinstance(info.default, Section)}
        return {
            key: None if key in empty else value
            for key, value in data.items()
            if not (value is None and key in sections)
        }

    @field_validator("*", mode="before")
    @classmethod
    def _printable(cls, value: object, info: ValidationInfo) -> object:
        """Reject control characters. A secret can contain them, because it is never shown or used in a path."""
        secret = is_secret(cls.model_fields[info.field_name or ""].annotation)
        return writable(value) if secret else printable(value)


class Workload(Section):
    pods: Annotated[Whole, Field(ge=0)] = answer(
        0, id="CAP-SC-GROW", help=N_("Number of application Pods that you expect to run.")
    )
    clusters: Annotated[Whole, Field(ge=0)] = answer(
        0, id="CAP-MC-HGROW", help=N_("Number of workload clusters that you expect to connect to the platform.")
    )


class Package(Section):
    core: str | None = answer(
        None,
        id="BND-CORE",
        help=N_("Path of the Core Package: installer-core-v4.x.y-x86.tar, -arm.tar or -hybrid.tar."),
    )
    core_signature: str | None = answer(
        None,
        id="BND-SIG-NAME",
        help=N_("Path of the detached signature of the Core Package. If empty: the package path plus .sig or .asc."),
    )
    extensions: str | None = answer(
        None,
        id="BND-EXT",
        help=N_("Optional. Path of the Extensions Package. Version and architecture should match the Core Package."),
    )
    extensions_signature: str | None = answer(
        None,
        id="BND-SIG-NAME",
        help=N_("Path of the signature of the Extensions Package. If empty: the package path plus .sig or .asc."),
    )
    public_key: str | None = answer(
        None, id="BND-KEY-MD5", help=N_("Path of the vendor's public key file, verify-key.pub.")
    )
    fingerprint: Fingerprint = answer(
        VENDOR_FINGERPRINT,
        id="BND-KEY-FPR",
        help=N_("Fingerprint of the trusted key, 40 hexadecimal digits. Change it only if the vendor gives a new one."),
    )
    install_dir: FilledText = answer(
        "/root/cpaas-install",
        id="BND-WORKDIR",
        help=N_("Folder on the installer node for the unpacked packages. 100 GB must stay free after unpacking."),
    )


class Admin(Section):
    username: FilledText = answer(
        "admin", id="P-ADMIN-USER", help=N_("User name of the platform's first administrator.")
    )
    password: SecretStr | None = answer(
        None, id="P-ADMIN-PASS", help=N_("Password of the first administrator. Use 12 characters or more.")
    )


class Kubernetes(Section):
    version: KubernetesVersion | None = answer(
        None,
        id="P-K8S",
        help=N_("Kubernetes version, such as 1.31.6. If empty: the newest version that the installer offers."),
    )
    container_runtime: ContainerRuntime | None = answer(
        None,
        id="P-CRI",
        help=N_("Container runtime, such as containerd://1.7.27-4. If empty: the version that the installer offers."),
    )
    max_pods_per_node: Annotated[Whole, Field(ge=1, le=1000)] = answer(
        110, id="P-MAXPODS", help=N_("Maximum number of Pods on one node.")
    )
    node_name: Literal["ip", "hostname"] = answer(
        "ip",
        id="P-NODENAME",
        help=N_("Name of each node in Kubernetes: its address (ip) or its host name (hostname). Names must be unique."),
    )


class Ssh(Section):
    """The SSH login that all nodes share."""

    username: FilledText = answer("root", id="P-SSH-USER", help=N_("SSH user: root, or a user with passwordless sudo."))
    port: Port = answer(22, id="P-SSH-PORT", help=N_("SSH port, 1 to 65535."))
    password: SecretStr | None = answer(None, id="P-SSH-PASS", rule="XR-SSH-AUTH", help=N_("Password of the SSH user."))
    key_file: str | None = answer(
        None, id="P-SSH-KEY", rule="XR-SSH-AUTH", help=N_("Path of the SSH private key file.")
    )
    key_passphrase: SecretStr | None = answer(
        None, id="P-SSH-KEY", help=N_("Passphrase of the SSH private key, if the key is encrypted.")
    )


class NodeSsh(Section):
    """The SSH login of one node. Missing values are taken from the login that all nodes share."""

    username: FilledText | None = answer(None, id="P-SSH-USER", help=N_("SSH user for this node only."))
    port: Port | None = answer(None, id="P-SSH-PORT", help=N_("SSH port for this node only."))
    password: SecretStr | None = answer(None, id="P-SSH-PASS", help=N_("SSH password for this node only."))
    key_file: str | None = answer(None, id="P-SSH-KEY", help=N_("Path of the SSH private key file for this node only."))
    key_passphrase: SecretStr | None = answer(
        None, id="P-SSH-KEY", help=N_("Passphrase of the SSH private key for this node only.")
    )


class Node(Section):
    address: IpText = Field(
        description=N_("IPv4 address of the node. In an IPv6-only cluster: its IPv6 address."),
        json_schema_extra={"parameter": "P-CP", "rule": "NET-IP-VALID"},
    )
    ipv6: Ipv6Text | None = answer(
        None, id="P-CP6", rule="XR-DUAL-COUNT", help=N_("IPv6 address of the node. It is required in dual stack.")
    )
    role: Literal["control-plane", "worker"] = answer(
        "control-plane",
        id="P-CP",
        help=N_("Role of the node: control-plane (etcd, API server and platform) or worker (applications)."),
    )
    installer: Bool | None = answer(
        None,
        id="BND-INSTNODE",
        help=N_("true: the installer runs on this node. If no node has true: it runs on the first control plane node."),
    )
    nic: str | None = answer(None, id="P-NIC", help=N_("Network interface of this node for Kube-OVN, such as eth0."))
    platform_exclusive: Bool | None = answer(
        None,
        id="P-EXCLUSIVE",
        help=N_(
            "true: only platform components run on this node. If empty: true on control plane nodes if isolation is"
            " true, otherwise false."
        ),
    )
    deployable: Bool | None = answer(
        None,
        id="P-CP-APPS",
        help=N_("true: applications are allowed on this node. If empty: they are allowed only on workers."),
    )
    ssh: NodeSsh = answer(
        NodeSsh(),
        id="P-SSH-USER",
        help=N_("SSH login for this node, if it differs from the login that all nodes share."),
    )


class ClusterCidr(Section):
    ipv4: Cidr4 = answer(
        "10.3.0.0/16",
        id="P-CLUSTER-CIDR4",
        rule="XR-CIDR-SET",
        help=N_("IPv4 addresses of Pods (default subnet), as a CIDR range."),
    )
    ipv6: Cidr6 = answer(
        "fd00:10:16::/64",
        id="P-CLUSTER-CIDR6",
        rule="XR-DUAL-CIDR",
        help=N_("IPv6 addresses of Pods, as a CIDR range."),
    )


class ServiceCidr(Section):
    ipv4: Cidr4 = answer(
        "10.4.0.0/16", id="P-SERVICE-CIDR4", rule="XR-CIDR-SET", help=N_("IPv4 addresses of Services, as a CIDR range.")
    )
    ipv6: Cidr6 = answer(
        "fd00:10:96::/112",
        id="P-SERVICE-CIDR6",
        rule="XR-DUAL-CIDR",
        help=N_("IPv6 addresses of Services, as a CIDR range."),
    )


class JoinCidr(Section):
    ipv4: Cidr4 = answer(
        "100.64.0.0/16",
        id="P-JOIN-CIDR4",
        rule="XR-CIDR-SET",
        help=N_("IPv4 addresses with which Kube-OVN connects nodes and Pods, as a CIDR range."),
    )
    ipv6: Cidr6 = answer(
        "fd00:100:64::/64",
        id="P-JOIN-CIDR6",
        rule="XR-DUAL-CIDR",
        help=N_("IPv6 addresses with which Kube-OVN connects nodes and Pods, as a CIDR range."),
    )


class Network(Section):
    cni: Literal["kube-ovn", "calico"] = answer("kube-ovn", id="P-CNI", help=N_("Container network plugin."))
    ip_family: Literal["ipv4", "ipv6", "dual"] = answer(
        "ipv4", id="P-PROTOCOL", help=N_("IP protocol of the cluster network. It cannot be changed after the install.")
    )
    nic: str | None = answer(
        None, id="P-NIC", help=N_("Network interface that Kube-OVN uses on all nodes. If empty: Kube-OVN chooses it.")
    )
    cluster_cidr: ClusterCidr = answer(
        ClusterCidr(), id="P-CLUSTER-CIDR4", help=N_("CIDR ranges for the Pods of the cluster.")
    )
    service_cidr: ServiceCidr = answer(
        ServiceCidr(), id="P-SERVICE-CIDR4", help=N_("CIDR ranges for Services (ClusterIP).")
    )
    join_cidr: JoinCidr = answer(
        JoinCidr(), id="P-JOIN-CIDR4", help=N_("CIDR ranges of the join network. Only Kube-OVN uses them.")
    )


class Address(Section):
    cluster_endpoint: EndpointText = answer(
        "",
        id="P-ENDPOINT",
        rule="XR-ENDPOINT-SYNTAX",
        help=N_("Domain or VIP of the API server, without a port. For a single node: the address of the node."),
    )
    self_built_vip: Bool = answer(
        False,
        id="P-SELF-VIP",
        help=N_("true: the installer creates the VIP with keepalived. Use true only without a load balancer."),
    )
    vrid: Annotated[Whole, Field(ge=1, le=255)] = answer(
        137,
        id="P-VRID",
        rule="XR-SELFVIP-VRID",
        help=N_("VRRP router ID of the self-built VIP, 1 to 255. It must be unique in the subnet."),
    )
    platform: HostText | None = answer(
        None, id="P-PLATFORM", help=N_("Domain or IP address of the Web UI. If empty: the cluster endpoint.")
    )
    https_port: Port = answer(443, id="P-HTTPS-PORT", rule="XR-PORTS", help=N_("HTTPS port of the platform."))
    http_port: Annotated[Whole, Field(ge=0, le=65535)] = answer(
        0, id="P-HTTP-PORT", rule="XR-PORTS", help=N_("HTTP port of the platform. 0 turns HTTP off and is recommended.")
    )
    others: tuple[HostText, ...] = answer(
        (), id="P-OTHER-ADDRS", help=N_("More domains or IP addresses of the platform, separated by commas.")
    )


class Certificate(Section):
    mode: Literal["self-signed", "existing"] = answer(
        "self-signed",
        id="P-CERT-MODE",
        help=N_("self-signed: the installer creates the certificate. existing: you provide certificate and key."),
    )
    cert_file: str | None = answer(
        None,
        id="P-CERT-FILE",
        rule="XR-CERT-PAIR",
        help=N_("Path of the certificate chain in PEM format. The platform's certificate must be the first one."),
    )
    key_file: str | None = answer(
        None,
        id="P-CERT-KEY",
        rule="XR-CERT-PAIR",
        help=N_("Path of the private key of the platform certificate, in PEM format."),
    )


class Registry(Section):
    mode: Literal["platform", "external"] = answer(
        "platform",
        id="P-REG-MODE",
        help=N_("platform: the installer creates a registry. external: you provide a registry."),
    )
    address: RegistryAddress | None = answer(
        None,
        id="P-REG-EXT",
        help=N_("Address of the registry. Mode external: host[:port]. Mode platform: if empty, the cluster endpoint."),
    )
    username: str | None = answer(
        None, id="P-REG-USER", rule="XR-REG-AUTH", help=N_("Optional. User name for the registry.")
    )
    password: SecretStr | None = answer(
        None, id="P-REG-PASS", rule="XR-REG-AUTH", help=N_("Password of the registry user.")
    )


class Components(Section):
    products: tuple[FilledText, ...] = answer(
        ("base", "acp"),
        id="P-PRODUCTS",
        rule="XR-PRODUCTS",
        help=N_("Products to install. base and acp are always installed."),
    )
    prometheus_nodes: tuple[IpText, ...] = answer(
        (),
        id="P-PROM",
        rule="XR-MON-NODES",
        help=N_("Addresses of the nodes for Prometheus. Use Prometheus or VictoriaMetrics, not both."),
    )
    victoriametrics_nodes: tuple[IpText, ...] = answer(
        (), id="P-VM", rule="XR-MON-NODES", help=N_("Addresses of the nodes for VictoriaMetrics.")
    )
    victoriametrics_agents: Annotated[Whole, Field(ge=0)] | None = answer(
        None,
        id="P-VM-AGENTS",
        rule="XR-VM-AGENTS",
        help=N_("Number of VictoriaMetrics agents. If empty: 1 if VictoriaMetrics has nodes, otherwise 0."),
    )
    elasticsearch_nodes: tuple[IpText, ...] = answer(
        (), id="P-ES", rule="XR-MON-NODES", help=N_("Addresses of the nodes for Elasticsearch.")
    )


class DisasterRecovery(Section):
    role: Literal["none", "primary", "standby"] = answer(
        "none", id="CAP-DR-FIRST", help=N_("Role of this cluster in a disaster recovery pair.")
    )
    primary: str | None = answer(
        None,
        id="DR-PARAM-RECORD",
        help=N_("Only for a standby cluster: path of the plan or bundle of the primary cluster."),
    )


class Waiver(Section):
    """The record that a person accepts a failed requirement on a node, with the reason."""

    requirement: FilledText
    node: FilledText = "*"
    reason: FilledText
    by: FilledText
    until: str | None = None
    """The last day of the waiver as ISO date; None if the waiver does not expire."""


class Plan(Section):
    acp_tui: Annotated[Literal[1], BeforeValidator(format_version)] = Field(
        1, description=N_("Version of the plan file format.")
    )
    release: ReleaseName | None = answer(
        None,
        id="CAP-SCENARIO",
        help=N_("ACP release whose requirements apply. If empty: the release in the name of the Core Package."),
    )
    scenario: Literal["single-node", "single-cluster", "multi-cluster"] = answer(
        "single-cluster",
        id="CAP-SCENARIO",
        help=N_(
            "single-node: a trial. single-cluster: platform and applications. multi-cluster: manages other clusters."
        ),
    )
    workload: Workload = answer(
        Workload(),
        id="CAP-SC-GROW",
        help=N_("Expected load, from which acp-tui computes the required size of the nodes."),
    )
    package: Package = answer(Package(), id="BND-CORE", help=N_("Packages of the installer."))
    admin: Admin = answer(Admin(), id="P-ADMIN-USER", help=N_("First administrator of the platform."))
    kubernetes: Kubernetes = answer(Kubernetes(), id="P-K8S", help=N_("Kubernetes settings of the global cluster."))
    ssh: Ssh = answer(Ssh(), id="P-SSH-USER", help=N_("SSH login for all nodes."))
    nodes: tuple[Node, ...] = answer((), id="P-CP", help=N_("Nodes of the global cluster."))
    network: Network = answer(Network(), id="P-CNI", help=N_("Network of Pods and Services."))
    address: Address = answer(Address(), id="P-ENDPOINT", help=N_("Addresses of the cluster and the platform."))
    certificate: Certificate = answer(Certificate(), id="P-CERT-MODE", help=N_("Certificate of the platform."))
    registry: Registry = answer(Registry(), id="P-REG-MODE", help=N_("Registry for the container images."))
    isolation: Bool = answer(
        False,
        id="P-ISOLATION",
        help=N_(
            "true: the control plane nodes run only the platform. Use true only if this cluster runs applications."
        ),
    )
    components: Components = answer(
        Components(), id="P-PRODUCTS", help=N_("Products to install, monitoring and logging.")
    )
    local_storage: Literal["none", "topolvm", "rook"] = answer(
        "none", id="SW-LVM2", help=N_("Planned local storage. topolvm and rook require lvm2 on the nodes.")
    )
    disaster_recovery: DisasterRecovery = answer(
        DisasterRecovery(), id="CAP-DR-FIRST", help=N_("Disaster recovery of the global cluster.")
    )
    waivers: tuple[Waiver, ...] = answer((), id="PRE-ALL", help=N_("Waived requirements, each with a reason."))

    @property
    def control_planes(self) -> tuple[Node, ...]:
        """Return the control plane nodes with the installer node first.

        The node on which the installer runs becomes the first node of the cluster (XR-INST-FIRST)."""
        nodes = [n for n in self.nodes if n.role == "control-plane"]
        return tuple(sorted(nodes, key=lambda n: n.installer is not True))

    @property
    def workers(self) -> tuple[Node, ...]:
        return tuple(n for n in self.nodes if n.role == "worker")

    @property
    def installer_node(self) -> Node | None:
        return self.control_planes[0] if self.control_planes else None

    @property
    def single(self) -> bool:
        return len(self.nodes) == 1

    @property
    def effective_release(self) -> Release:
        """Return the release whose catalogue applies: `release`, or the release in the name of the Core Package.

        If neither names a release that acp-tui knows, it is the oldest one."""
        if self.release:
            return Release(self.release)
        release = release_in_name(self.package.core or "")
        return release if release in RELEASES else RELEASES[0]

    @property
    def platform_address(self) -> str:
        return self.address.platform or self.address.cluster_endpoint

    @property
    def registry_address(self) -> str:
        """Return the registry as host or host:port.

        A scheme is removed, because the name of an image must not contain a scheme (OQ-REG-SCHEME)."""
        return (self.registry.address or self.address.cluster_endpoint).rpartition("://")[2]

    def exclusive(self, node: Node) -> bool:
        """Return True if `node` is Platform Exclusive, which means that it runs only platform components.

        The key `platform_exclusive` of the node decides. If it is missing, a control plane node is exclusive if
        `isolation` is true, and a worker is not exclusive."""
        if node.platform_exclusive is not None:
            return node.platform_exclusive
        return self.isolation and node.role == "control-plane"

    def deployable(self, node: Node) -> bool:
        """Return True if applications are allowed on `node`.

        Applications are never allowed on an exclusive node (XR-EXCL-*). They are always allowed on a worker that is not
        exclusive. On a control plane node, they are allowed only if its key `deployable` is true (P-CP-APPS)."""
        if self.exclusive(node):
            return False
        return True if node.role == "worker" else node.deployable is True

    def login(self, node: Node) -> Ssh:
        """Return the SSH login of `node`.

        Values that the node does not set are taken from the login that all nodes share."""
        own = {name: value for name in NodeSsh.model_fields if (value := getattr(node.ssh, name)) is not None}
        return self.ssh.model_copy(update=own)


def field_at(path: str) -> FieldInfo:
    """Return the model field of a plan key such as `nodes[1].ssh.port`. Raises KeyError if the key does not exist."""
    model: type[BaseModel] = Plan
    info: FieldInfo | None = None
    for step in re.sub(r"\[\d+\]", "", path).split("."):
        info = model.model_fields[step]
        model = next((t for t in models_in(info.annotation)), model)
    if info is None:
        raise KeyError(path)
    return info


def rule_of(path: str) -> str | None:
    """Return the requirement that an invalid value of this plan key violates. Raises KeyError for an unknown key."""
    extra = field_at(path).json_schema_extra
    return str(extra["rule"]) if isinstance(extra, dict) and "rule" in extra else None


def models_in(annotation: object) -> list[type[BaseModel]]:
    """Return the plan sections that an annotation contains, such as Node for `tuple[Node, ...]`."""
    if isinstance(annotation, type):
        return [annotation] if issubclass(annotation, BaseModel) else []
    return [model for part in getattr(annotation, "__args__", ()) for model in models_in(part)]
