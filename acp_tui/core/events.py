"""Events of long work that any room can emit: file progress and lines of a log."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Progress:
    """Bytes done of long file work. `total` 0: not known. `elapsed`: seconds since the work began."""

    label: str
    done: int
    total: int
    elapsed: float = field(default=0.0, compare=False)

    @property
    def speed(self) -> float | None:
        """Bytes a second so far; None: too early to tell."""
        return self.done / self.elapsed if self.done and self.elapsed > 0 else None

    @property
    def left(self) -> float | None:
        """Seconds until the end at this speed; None: too early to tell."""
        speed = self.speed
        return (self.total - self.done) / speed if speed and self.total else None


@dataclass(frozen=True)
class LogLine:
    """A line of somebody's output (setup.sh, the installer), cleaned of control characters."""

    source: str
    text: str
