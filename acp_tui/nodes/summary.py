"""The summary of a node for reports."""

from dataclasses import dataclass


@dataclass(frozen=True)
class NodeSummary:
    """The facts that describe a node in a report. None or () means that the value is unknown."""

    os: str | None = None
    kernel: str | None = None
    arch: str | None = None
    cpus: int | None = None
    """The number of logical CPUs."""
    cpu_model: str | None = None
    memory: int | None = None
    """The memory in bytes."""
    addresses: tuple[str, ...] = ()
    """Each entry is an interface and an address, such as `eth0 10.0.0.1/24`. Loopback is omitted."""
    disks: tuple[str, ...] = ()
    """One text for each file system: path, device, size, free space, and the type of its disk if the type is known."""
    boot_id: str | None = None
    """An ID that changes at each boot."""
