"""Identify a process by PID, boot ID and start time (Linux, /proc).

The PID alone is not enough, because a later process can have the same PID.
"""

import re
from dataclasses import dataclass
from pathlib import Path

_NUMBER = re.compile(r"[0-9]{1,20}")


@dataclass(frozen=True)
class Process:
    pid: int
    boot: str
    """The kernel's random boot ID."""
    began: int
    """Clock ticks between boot and the start of the process."""

    @property
    def alive(self) -> bool:
        """Return True if the process still runs. A zombie process does not count."""
        return self.boot == boot_id() and running(self.pid) == self


def boot_id() -> str:
    """Return the kernel's random ID of the current boot."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def running(pid: int) -> Process | None:
    """Return the process that now has the PID `pid`. None if the process does not exist."""
    try:
        return from_stat(Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace"), boot_id())
    except OSError:
        return None


def from_stat(line: str, boot: str) -> Process | None:
    """Parse a line of /proc/PID/stat. `boot`: the boot ID. None: the process is a zombie, or the line is not valid."""
    head, _close, tail = line.rpartition(")")
    fields = tail.split()
    pid = head.split(" ")[0]
    if len(fields) < 20 or fields[0] in "ZX" or not _NUMBER.fullmatch(fields[19]) or not _NUMBER.fullmatch(pid):
        return None
    return Process(pid=int(pid), boot=boot, began=int(fields[19]))
