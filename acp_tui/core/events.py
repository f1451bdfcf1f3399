"""Events of long tasks: file progress, and lines of a log."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Progress:
    """Bytes done of a long file task. `total` 0: unknown. `elapsed`: seconds since the start."""

    label: str
    done: int
    total: int
    elapsed: float = field(default=0.0, compare=False)

    @property
    def speed(self) -> float | None:
        """Average bytes per second; None: nothing done yet."""
        return self.done / self.elapsed if self.done and self.elapsed > 0 else None

    @property
    def left(self) -> float | None:
        """Seconds until the end at this speed; None: speed or total unknown."""
        speed = self.speed
        return (self.total - self.done) / speed if speed and self.total else None


@dataclass(frozen=True)
class LogLine:
    """A line of output of another program (setup.sh, the installer), without control characters."""

    source: str
    text: str
