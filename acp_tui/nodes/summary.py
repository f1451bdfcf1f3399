"""A node in a few facts, as reports show it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class NodeSummary:
    """What the report tells of a node, so that a reader far away knows what it is. None or (): not learned."""

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
    """In words, one a filesystem or disk."""
    boot_id: str | None = None
    """Another one after each boot."""
