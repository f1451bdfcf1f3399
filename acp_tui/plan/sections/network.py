"""The network of Pods and Services."""

from typing import Literal

from acp_tui.core.i18n import N_
from acp_tui.plan.field_types import Cidr4, Cidr6
from acp_tui.plan.sections.section import Section, answer


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
