"""The Network step: network plugin, protocol, CIDR ranges and Kubernetes version."""

from collections.abc import Sequence

from acp_tui.core.i18n import NC_
from acp_tui.plan.model import Plan
from screens.steps.address_helpers import AddressingStep
from screens.widgets.form import Field


def _kube_ovn(plan: Plan) -> bool:
    return plan.network.cni == "kube-ovn"


def _ipv4(plan: Plan) -> bool:
    return plan.network.ip_family != "ipv6"


def _ipv6(plan: Plan) -> bool:
    return plan.network.ip_family != "ipv4"


def _join4(plan: Plan) -> bool:
    return _kube_ovn(plan) and _ipv4(plan)


def _join6(plan: Plan) -> bool:
    return _kube_ovn(plan) and _ipv6(plan)


FIELDS = (
    Field("network.cni", NC_("field", "Network plugin")),
    Field("network.ip_family", NC_("field", "Protocol")),
    Field("network.cluster_cidr.ipv4", NC_("field", "Pod CIDR"), "10.3.0.0/16", _ipv4),
    Field("network.service_cidr.ipv4", NC_("field", "Service CIDR"), "10.4.0.0/16", _ipv4),
    Field("network.join_cidr.ipv4", NC_("field", "Join CIDR"), "100.64.0.0/16", _join4),
    Field("network.cluster_cidr.ipv6", NC_("field", "Pod CIDR IPv6"), "fd00:10:16::/64", _ipv6),
    Field("network.service_cidr.ipv6", NC_("field", "Service CIDR IPv6"), "fd00:10:96::/112", _ipv6),
    Field("network.join_cidr.ipv6", NC_("field", "Join CIDR IPv6"), "fd00:100:64::/64", _join6),
    Field("network.nic", NC_("field", "Interface"), "eth0", _kube_ovn),
    Field("kubernetes.version", NC_("field", "Kubernetes"), "1.31.6"),
    Field("kubernetes.container_runtime", NC_("field", "Container runtime"), "containerd://1.7.27-4"),
    Field("kubernetes.max_pods_per_node", NC_("field", "Pods per node"), "110"),
    Field("kubernetes.node_name", NC_("field", "Node name")),
)


class NetworkStep(AddressingStep):
    NAME = "network"
    SHORT = NC_("step", "Network")
    TITLE_TEXT = NC_("title", "Network: addresses of Pods and Services")
    SECTIONS = ("network", "kubernetes")

    def fields(self) -> Sequence[Field]:
        return FIELDS
