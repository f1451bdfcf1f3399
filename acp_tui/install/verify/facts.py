"""What is known of an installed cluster: frozen facts, None where something was not learned; a gap says why."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from acp_tui.install.api.client import Says


@dataclass(frozen=True)
class ClusterNode:
    """A node as Kubernetes knows it."""

    name: str
    addresses: tuple[str, ...]
    ready: bool
    reason: str
    version: str
    """Of the kubelet."""
    runtime: str
    cordoned: bool = False
    """Whether no new Pod is placed on it."""


@dataclass(frozen=True)
class Container:
    ready: bool
    state: str
    """Why it waits or has ended, "" while it runs."""


@dataclass(frozen=True)
class Pod:
    namespace: str
    name: str
    node: str
    phase: str
    reason: str
    """The Pod's own, such as Evicted; mostly ""."""
    deleting: bool
    wanted: int
    """Containers that it is to have."""
    containers: tuple[Container, ...]
    init: tuple[Container, ...]


@dataclass(frozen=True)
class Condition:
    type: str
    status: str
    reason: str


@dataclass(frozen=True)
class AppRelease:
    """A chart of the platform. Its states are no published format: whatever words it has for them."""

    namespace: str
    name: str
    phases: tuple[str, ...]
    conditions: tuple[Condition, ...]


@dataclass(frozen=True)
class LeftOver:
    """The installer's container that is still there."""

    status: str
    """In the tool's words, such as `Up 40 minutes`."""


@dataclass(frozen=True)
class Installed:
    nodes: tuple[ClusterNode, ...] | None = None
    pods: tuple[Pod, ...] | None = None
    releases: tuple[AppRelease, ...] | None = None
    module: str | None = None
    """The phase of `clustermodule global`; "" where it tells none."""
    left_over: tuple[LeftOver, ...] | None = None
    """() when the container is gone."""
    console: Says | None = None
    """What the installer's console says; None: it does not answer, or nobody could ask."""
    missing: Mapping[str, str] = field(default_factory=dict)
    """Field → why it is None."""


@dataclass(frozen=True)
class Served:
    """The certificate that an HTTPS server showed."""

    subject: str
    fingerprint: str
    """SHA-256, upper-case hexadecimal with colons."""
    self_signed: bool
    not_after: datetime
    names: tuple[str, ...]
    addresses: tuple[str, ...]


@dataclass(frozen=True)
class Answer:
    """What one GET over HTTPS gave. `status` None: no answer, and `trouble` says why."""

    url: str
    status: int | None = None
    certificate: Served | None = None
    trouble: str = ""
