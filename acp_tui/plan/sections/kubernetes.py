"""The Kubernetes settings of the global cluster."""

from typing import Annotated, Literal

from pydantic import Field

from acp_tui.core.i18n import N_
from acp_tui.plan.field_types import ContainerRuntime, KubernetesVersion, Whole
from acp_tui.plan.sections.section import Section, answer


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
