"""Facts of an installed cluster. A fact that could not be read is None; `Installed.missing` has the reason."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from acp_tui.install.api.progress_reply import Says


@dataclass(frozen=True)
class ClusterNode:
    """A Node object of Kubernetes."""

    name: str
    addresses: tuple[str, ...]
    ready: bool
    reason: str
    version: str
    """Version of the kubelet."""
    runtime: str
    cordoned: bool = False
    """True if the node accepts no new Pods."""


@dataclass(frozen=True)
class Container:
    ready: bool
    state: str
    """Reason why the container waits or has ended; "" while it runs."""


@dataclass(frozen=True)
class Pod:
    namespace: str
    name: str
    node: str
    phase: str
    reason: str
    """The reason in the status of the Pod, such as Evicted; "" for most Pods."""
    deleting: bool
    wanted: int
    """Number of containers in the specification of the Pod."""
    containers: tuple[Container, ...]
    init: tuple[Container, ...]


@dataclass(frozen=True)
class Condition:
    type: str
    status: str
    reason: str


@dataclass(frozen=True)
class AppRelease:
    """A chart of the platform. The states of a chart are not documented, so they are kept as reported."""

    namespace: str
    name: str
    phases: tuple[str, ...]
    conditions: tuple[Condition, ...]


@dataclass(frozen=True)
class LeftOver:
    """An installer container that still exists."""

    status: str
    """The status of the container as docker or nerdctl prints it, such as `Up 40 minutes`."""


@dataclass(frozen=True)
class Installed:
    nodes: tuple[ClusterNode, ...] | None = None
    pods: tuple[Pod, ...] | None = None
    releases: tuple[AppRelease, ...] | None = None
    module: str | None = None
    """The phase of `clustermodule global`; "" if the module reports no phase."""
    left_over: tuple[LeftOver, ...] | None = None
    """The installer containers; () if none exists."""
    console: Says | None = None
    """The status that the installer reports. None: the installer did not respond."""
    missing: Mapping[str, str] = field(default_factory=dict)
    """The reasons why facts are missing. Key: the field name of the fact."""


@dataclass(frozen=True)
class Served:
    """The certificate of an HTTPS server."""

    subject: str
    fingerprint: str
    """SHA-256 fingerprint in upper-case hexadecimal digits with colons."""
    self_signed: bool
    not_after: datetime
    names: tuple[str, ...]
    addresses: tuple[str, ...]


@dataclass(frozen=True)
class Answer:
    """The result of one HTTPS GET request. `status`: None if there was no response; `trouble` then has the reason."""

    url: str
    status: int | None = None
    certificate: Served | None = None
    trouble: str = ""
