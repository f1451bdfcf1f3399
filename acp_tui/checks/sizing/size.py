"""The size of a machine, and the sizes that catalogue rows require."""

import math
from dataclasses import dataclass

from acp_tui.checks.catalog import FunctionCheck
from acp_tui.core.i18n import npgettext
from acp_tui.plan.model import Plan


@dataclass(frozen=True)
class Size:
    """The size of a machine: logical CPUs, and memory in decimal gigabytes. 0 means that no size is required."""

    cores: float = 0
    memory: float = 0

    def __mul__(self, factor: float) -> "Size":
        # Round first: 7 / 0.7 is slightly more than 10 in binary, and would require 11 cores.
        return Size(*(math.ceil(round(part * factor, 6)) for part in (self.cores, self.memory)))

    def __add__(self, other: "Size") -> "Size":
        return Size(self.cores + other.cores, self.memory + other.memory)

    def __or__(self, other: "Size") -> "Size":
        return Size(max(self.cores, other.cores), max(self.memory, other.memory))

    def reached_by(self, machine: "Size") -> bool:
        return machine.cores >= self.cores and machine.memory >= self.memory

    def __str__(self) -> str:
        cores = npgettext("size", "{count} core", "{count} cores", math.ceil(self.cores)).format(
            count=f"{self.cores:g}"
        )
        memory = f"{self.memory:.3g} GB" if self.memory < 1000 else f"{self.memory:.0f} GB"
        return ", ".join((*([cores] if self.cores else []), *([memory] if self.memory else [])))


def by_clusters(check: FunctionCheck, name: str, plan: Plan) -> float:
    """Return the figure `name` that applies to the plan's number of workload clusters; 0 if the row has no such figure.

    The parameter `clusters` of the row lists the highest number of workload clusters for each figure. The last figure
    applies to all higher numbers, too.
    """
    spans, figures = check.numbers("clusters"), check.numbers(name)
    step = next((i for i, most in enumerate(spans) if plan.workload.clusters <= most), len(spans) - 1)
    return figures[max(step, 0)] if figures else 0


def minimum(check: FunctionCheck, plan: Plan) -> Size:
    """Return the minimum size of a machine that the row requires."""
    return Size(by_clusters(check, "cores", plan), by_clusters(check, "memory", plan))


def advised(check: FunctionCheck) -> Size:
    return Size(*(next(iter(check.numbers(name)), 0) for name in ("cores_advised", "memory_advised")))


def only_advised(check: FunctionCheck, role: str) -> bool:
    """Return True if the row is only advice for this role.

    The general table of sizes is only advice for workers (OQ-WK-MIN).
    """
    return role in check.texts("advice_for")
