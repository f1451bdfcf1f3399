"""Where the output of setup.sh goes on its way to its log: a full disk costs lines of the log, never the install.

A program that writes to a full disk itself is told so, and a careful one ends. The log leaves room for the run's state.
"""

import os
import signal
import sys

from acp_tui.texts import _

RESERVE = 16 * 1024 * 1024
"""Bytes of its disk that the log leaves free, but not more than a quarter of the disk."""
_PIECE = 64 * 1024  # bytes


def main(path: str) -> int:
    """Append standard input to the log at `path` until it ends."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    lost = 0
    while piece := os.read(0, _PIECE):
        words = _("... {size} bytes are not kept: the disk of the log was full").format(size=lost)
        lost = 0 if _written(log, f"\n{words}\n".encode() + piece if lost else piece) else lost + len(piece)
    return 0


def _written(log: int, piece: bytes) -> bool:
    disk = os.fstatvfs(log)
    if disk.f_bfree * disk.f_frsize - len(piece) < min(RESERVE, disk.f_blocks * disk.f_frsize // 4):
        return False
    try:
        os.write(log, piece)
    except OSError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
