"""Running one way after another, turn by turn, and saying what came of it: medians with their spread, and ratios."""

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
    """One pass: wall and CPU seconds of the whole process, and of its inside (after import) where it says so."""

    whole: float
    cpu: float
    inside: float | None = None
    inside_cpu: float | None = None
    grown: int = 0
    """KiB that its memory grew by in the pass."""
    ends: Mapping[str, float] = field(default_factory=dict)
    """Address → seconds after which the node was done."""


Way = Callable[[], Cost]


HERE = Path(__file__).parent


class Failed(Exception):
    """A way did not do its work; the text is what it said."""


def timed(
    command: Sequence[str], *, environment: Mapping[str, str] | None = None, good: tuple[int, ...] = (0,)
) -> tuple[Cost, bytes]:
    """Run a command to its end: what it cost, and its output. `Failed`: its exit status is not one of `good`."""
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


def in_turns(ways: Mapping[str, Way], rounds: int) -> dict[str, list[Cost]]:
    """Each way once a round, one after the other, so that a busy minute of the machine is everybody's."""
    costs: dict[str, list[Cost]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            costs[name].append(way())
    return costs


def median(costs: Sequence[Cost], what: Callable[[Cost], float | None]) -> float:
    return statistics.median(value for cost in costs if (value := what(cost)) is not None)


def spread(costs: Sequence[Cost], what: Callable[[Cost], float | None]) -> str:
    """`median (min-max)` in seconds; a dash where nothing was measured."""
    values = [value for cost in costs if (value := what(cost)) is not None]
    return f"{statistics.median(values):.2f} ({min(values):.2f}-{max(values):.2f})" if values else "-"


def table(costs: Mapping[str, Sequence[Cost]], reference: str) -> str:
    """The ways beside each other. Ratios are of the medians: inside where both have one, else whole processes."""
    lines = [
        "| way | inside s | inside CPU s | whole s | CPU s | x inside | x whole |",
        "|---|---|---|---|---|---|---|",
    ]
    base = costs[reference]
    for name, mine in costs.items():
        inside = "-"
        if mine[0].inside is not None:
            inside = f"{median(mine, lambda c: c.inside) / median(base, lambda c: c.inside):.2f}"
        whole = f"{median(mine, lambda c: c.whole) / median(base, lambda c: c.whole):.2f}"
        cells = (
            name,
            spread(mine, lambda c: c.inside),
            spread(mine, lambda c: c.inside_cpu),
            spread(mine, lambda c: c.whole),
            spread(mine, lambda c: c.cpu),
            inside,
            whole,
        )
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def machine() -> str:
    """What this was measured on."""
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


def goal(words: str, value: float, limit: float, unit: str = "") -> str:
    """One line of judgement."""
    return f"{'held  ' if value <= limit else 'MISSED'} {words}: {value:.2f}{unit} (at most {limit:g}{unit})"


@contextmanager
def helper(script: str, *arguments: str) -> Iterator[tuple[list[int], "subprocess.Popen[str]"]]:
    """A process beside us that prints ports and lives as long as its standard input."""
    command = (sys.executable, str(HERE / script), *arguments)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield [int(port) for port in process.stdout.readline().split()], process
        finally:
            process.kill()
