"""Who a process is, so that a number the kernel has given to somebody else since is never taken for ours.

A process is told by its number, the boot it runs in and the tick at which it began (Linux, /proc).
"""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Process:
    pid: int
    boot: str
    """The kernel's random boot ID."""
    began: int
    """Clock ticks between boot and the start of the process."""

    @property
    def alive(self) -> bool:
        """Whether it still runs; a process that ended and was not waited for does not."""
        return self.boot == boot_id() and running(self.pid) == self


def boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def running(pid: int) -> Process | None:
    """The process that has the number `pid` now; None: there is none."""
    try:
        return from_stat(Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace"), boot_id())
    except OSError:
        return None


def from_stat(line: str, boot: str) -> Process | None:
    """Read a line of /proc/PID/stat, written in the boot `boot`. None: that has ended, or it is no such line."""
    head, _close, tail = line.rpartition(")")
    fields = tail.split()
    pid = head.split(" ")[0]
    if len(fields) < 20 or fields[0] in "ZX" or not fields[19].isdecimal() or not pid.isdecimal():
        return None
    return Process(pid=int(pid), boot=boot, began=int(fields[19]))
