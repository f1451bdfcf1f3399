"""The sections of the plan, one for each subject, such as the package, a node or the network.

Every field has a default, except the required fields of nodes and waivers. This module validates each field alone, and
the wizard shows the error message of an invalid field. Each field names its parameter ID (`P-...`). It also names the
requirement (`XR-...`) that an invalid value violates, if such a requirement exists.
"""

from typing import Annotated, Literal

from pydantic import Field, SecretStr

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
)
from acp_tui.plan.section import Section, answer

VENDOR_FINGERPRINT = "09EEE7B9A30CF4B35E31A91B27041C16BB097AE6"  # BND-KEY-FPR


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
    """The record that a person accepts a failed requirement, with the reason. It is for one node, or for all (`*`)."""

    requirement: FilledText
    node: FilledText = "*"
    reason: FilledText
    by: FilledText
    until: str | None = None
    """The last day of the waiver as ISO date; None if the waiver does not expire."""
