"""Where the output of setup.sh goes on its way to its log: a full disk costs lines of the log, never the install.

A program that writes to a full disk itself is told so, and a careful one ends. The log leaves room for the run's state.
"""

import os
import signal
import sys

from acp_tui.core.i18n import _

RESERVE = 16 * 1024 * 1024
"""Bytes of its disk that the log leaves free, but not more than a quarter of the disk."""
_PIECE = 64 * 1024  # bytes
_TAIL = 32 * 1024
"""Bytes of what found no room that are kept in memory: the last words tell where the console is, or what failed."""


def main(path: str) -> int:
    """Append standard input to the log at `path` until it ends."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    waiting, lost = b"", 0
    while piece := os.read(0, _PIECE):
        waiting += piece
        if _written(log, _told(lost) + waiting, RESERVE):
            waiting, lost = b"", 0
        elif (surplus := len(waiting) - _TAIL) > 0:
            waiting, lost = waiting[surplus:], lost + surplus
    if waiting:
        _written(log, _told(lost) + waiting, 0)
    return 0


def _told(lost: int) -> bytes:
    words = _("... {size} bytes are not kept: the disk of the log was full").format(size=lost)
    return f"\n{words}\n".encode() if lost else b""


def _written(log: int, piece: bytes, reserve: int) -> bool:
    disk = os.fstatvfs(log)
    if disk.f_bfree * disk.f_frsize - len(piece) < min(reserve, disk.f_blocks * disk.f_frsize // 4):
        return False
    try:
        os.write(log, piece)
    except OSError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
