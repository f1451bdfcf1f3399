"""Run variants in turn, and print medians with their spread, and ratios."""

import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Cost:
    """Wall and CPU seconds of a pass: `total` of the process, `inside` after the imports (None: not reported)."""

    total: float
    cpu: float
    inside: float | None = None
    inside_cpu: float | None = None
    grown: int = 0
    """Growth of the memory in the pass, in KiB."""
    ends: Mapping[str, float] = field(default_factory=dict)
    """Address → seconds until the node was done."""


Variant = Callable[[], Cost]


HERE = Path(__file__).parent


class Failed(Exception):
    """A variant failed; the text has its error output."""


def timed(
    command: Sequence[str], *, environment: Mapping[str, str] | None = None, good: tuple[int, ...] = (0,)
) -> tuple[Cost, bytes]:
    """Run a command and return its cost and output. Raises Failed if its exit status is not in `good`."""
    before, start = _children_cpu(), time.perf_counter()
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, check=False, env={**os.environ, **(environment or {})}
    )
    wall = time.perf_counter() - start
    if done.returncode not in good:
        raise Failed(f"{' '.join(command)}: status {done.returncode}: {done.stderr.decode(errors='replace')[-2000:]}")
    return Cost(wall, _children_cpu() - before), done.stdout


def _children_cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def in_turns(variants: Mapping[str, Variant], rounds: int) -> dict[str, list[Cost]]:
    """Run each variant once in each round, so that other load on the machine affects all of them."""
    costs: dict[str, list[Cost]] = {name: [] for name in variants}
    for _ in range(rounds):
        for name, variant in variants.items():
            costs[name].append(variant())
    return costs


def median(costs: Sequence[Cost], figure: Callable[[Cost], float | None]) -> float:
    return statistics.median(value for cost in costs if (value := figure(cost)) is not None)


def spread(costs: Sequence[Cost], figure: Callable[[Cost], float | None]) -> str:
    """Return `median (min-max)` in seconds, or a dash without values."""
    values = [value for cost in costs if (value := figure(cost)) is not None]
    return f"{statistics.median(values):.2f} ({min(values):.2f}-{max(values):.2f})" if values else "-"


def table(costs: Mapping[str, Sequence[Cost]], reference: str) -> str:
    """Return a table of the variants. Ratios are of the medians, relative to `reference`."""
    lines = [
        "| variant | inside s | inside CPU s | total s | CPU s | x inside | x total |",
        "|---|---|---|---|---|---|---|",
    ]
    base = costs[reference]
    for name, mine in costs.items():
        inside = "-"
        if mine[0].inside is not None:
            inside = f"{median(mine, lambda c: c.inside) / median(base, lambda c: c.inside):.2f}"
        total = f"{median(mine, lambda c: c.total) / median(base, lambda c: c.total):.2f}"
        cells = (
            name,
            spread(mine, lambda c: c.inside),
            spread(mine, lambda c: c.inside_cpu),
            spread(mine, lambda c: c.total),
            spread(mine, lambda c: c.cpu),
            inside,
            total,
        )
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def machine() -> str:
    """Return a description of this machine."""
    model = next(
        (line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")), "?"
    )
    memory = next((int(line.split()[1]) for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), 0)
    load = os.getloadavg()[0]
    return (
        f"{os.cpu_count()} cores ({model}), {memory / 2**20:.0f} GiB, kernel {platform.release()}, "
        f"Python {platform.python_version()}, load {load:.2f}"
    )


def _lines(file: str) -> list[str]:
    return Path(file).read_text(encoding="utf-8", errors="replace").splitlines()


def goal(text: str, value: float, limit: float, unit: str = "") -> str:
    """Return a line that compares a value with its limit."""
    return f"{'held  ' if value <= limit else 'MISSED'} {text}: {value:.2f}{unit} (at most {limit:g}{unit})"


@contextmanager
def helper(script: str, *arguments: str) -> Iterator[tuple[list[int], "subprocess.Popen[str]"]]:
    """Run a script that prints its ports, until the end of the block."""
    command = (sys.executable, str(HERE / script), *arguments)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield [int(port) for port in process.stdout.readline().split()], process
        finally:
            process.kill()
