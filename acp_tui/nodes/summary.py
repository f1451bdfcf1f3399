"""Summary of a node for reports."""

from dataclasses import dataclass


@dataclass(frozen=True)
class NodeSummary:
    """The facts that describe a node in a report. None or (): unknown."""

    os: str | None = None
    kernel: str | None = None
    arch: str | None = None
    cpus: int | None = None
    """Logical CPUs."""
    cpu_model: str | None = None
    memory: int | None = None
    """Bytes."""
    addresses: tuple[str, ...] = ()
    """`eth0 10.0.0.1/24` each, without loopback."""
    disks: tuple[str, ...] = ()
    """One text for each file system or disk."""
    boot_id: str | None = None
    """Changes with each boot."""
