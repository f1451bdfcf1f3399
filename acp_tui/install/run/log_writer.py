"""Write the output of setup.sh to its log. If the disk is full, lines are dropped, and the install continues.

setup.sh writes to this process and not to the log, because a script can end when it cannot write to a full disk. This
process also keeps some disk space free for the state of the run.

The output is sanitised, because a person can show the log with any program. A progress bar becomes one line for each
of its states.
"""

import codecs
import os
import signal
import sys

from acp_tui.core.i18n import _
from acp_tui.core.text import UNFINISHED_SEQUENCE, sanitize

RESERVE = 16 * 1024 * 1024
"""Number of bytes that this process leaves free on the disk, or a quarter of the disk if that is less."""
_PIECE = 64 * 1024  # bytes
_TAIL = 32 * 1024
"""Number of bytes of the newest output that stay in memory while the disk is full.

They are kept because they contain the API's address or the error."""


def main(path: str) -> int:
    """Append standard input to the log at `path` until the input ends."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    waiting, lost, clean = b"", 0, Cleaner()
    while piece := os.read(0, _PIECE):
        waiting += clean(piece)
        if _written(log, _dropped_note(lost) + waiting, RESERVE):
            waiting, lost = b"", 0
        elif (surplus := len(waiting) - _TAIL) > 0:
            waiting, lost = waiting[surplus:], lost + surplus
    if waiting := waiting + clean(b"", final=True):
        _written(log, _dropped_note(lost) + waiting, 0)
    return 0


class Cleaner:
    """Sanitises a stream of bytes piece by piece. The result is UTF-8."""

    def __init__(self) -> None:
        self._decode = codecs.getincrementaldecoder("utf-8")(errors="replace").decode
        self._held = ""
        """The start of a control sequence or of a line end that the next piece can complete."""

    def __call__(self, piece: bytes, *, final: bool = False) -> bytes:
        """Return the sanitised text of `piece`. `final`: no further piece follows."""
        text = self._held + self._decode(piece, final)
        text, self._held = (text, "") if final else _split(text)
        return sanitize(text.replace("\r\n", "\n").replace("\r", "\n"), limit=None).encode()


def _split(text: str) -> tuple[str, str]:
    """Return the text before an unfinished control sequence or line end, and the rest."""
    unfinished = UNFINISHED_SEQUENCE.search(text)
    end = unfinished.start() if unfinished else len(text) - text.endswith("\r")
    return text[:end], text[end:]


def _dropped_note(lost: int) -> bytes:
    note = _("... {size} bytes of the output were dropped, because the disk was full").format(size=lost)
    return f"\n{note}\n".encode() if lost else b""


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
