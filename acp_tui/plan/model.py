"""The plan: all decisions about an install, in immutable sections.

Rules about several fields are checks in `checks/plan`, so that an unfinished plan can violate them and still be loaded.
"""

import re
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, BeforeValidator, Field
from pydantic.fields import FieldInfo

from acp_tui.core.i18n import N_
from acp_tui.plan.field_types import Bool, format_version
from acp_tui.plan.package_name import release_in_name
from acp_tui.plan.release import RELEASES, Release
from acp_tui.plan.sections.address import Address
from acp_tui.plan.sections.admin import Admin
from acp_tui.plan.sections.certificate import Certificate
from acp_tui.plan.sections.components import Components
from acp_tui.plan.sections.disaster_recovery import DisasterRecovery
from acp_tui.plan.sections.kubernetes import Kubernetes
from acp_tui.plan.sections.network import Network
from acp_tui.plan.sections.node import Node, NodeSsh, Ssh
from acp_tui.plan.sections.package import Package
from acp_tui.plan.sections.registry import Registry
from acp_tui.plan.sections.section import Section, answer
from acp_tui.plan.sections.waiver import Waiver
from acp_tui.plan.sections.workload import Workload

if TYPE_CHECKING:
    ReleaseName = str
else:  # A type checker does not know the releases, because the program lists their files when it starts.
    ReleaseName = Literal[tuple(str(release) for release in RELEASES)]


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
    package: Package = answer(
        Package(), id="BND-CORE", help=N_("Packages to install, their signatures, and the install folder.")
    )
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
        help=N_("true: the control plane nodes run only the platform. Use true only if other nodes run applications."),
    )
    components: Components = answer(
        Components(), id="P-PRODUCTS", help=N_("Products to install, and settings of monitoring and logging.")
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

        If neither names a release that acp-tui knows, the result is the oldest release that acp-tui knows."""
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
