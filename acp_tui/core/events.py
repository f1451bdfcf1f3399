"""Events of long tasks: the progress of work on a file, and a line of output."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Progress:
    """The progress of a long task on a file: the number of bytes that the task has processed.

    `total`: bytes of the complete file, 0 if unknown. `elapsed`: seconds since the start."""

    label: str
    done: int
    total: int
    elapsed: float = field(default=0.0, compare=False)

    @property
    def speed(self) -> float | None:
        """Return the average speed in bytes per second; None if no byte has been processed."""
        return self.done / self.elapsed if self.done and self.elapsed > 0 else None

    @property
    def left(self) -> float | None:
        """Return the estimated seconds until the task ends; None if the speed or the total size is unknown."""
        speed = self.speed
        return (self.total - self.done) / speed if speed and self.total else None


@dataclass(frozen=True)
class LogLine:
    """A line of output of setup.sh or of the installer, without control characters."""

    source: str
    text: str
