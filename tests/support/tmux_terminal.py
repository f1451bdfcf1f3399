"""A real terminal for tests: a tmux server that receives keys and returns the screen as text.

There are no fixed waits: the screen is read repeatedly until it shows the expected text or a deadline is over.
"""

import secrets
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

_INTERVAL = 0.05
_TIMEOUT = 30.0
"""Seconds until the wait for an expected screen fails."""


class NotShown(AssertionError):
    """The expected text was not shown in time; the message has the last screen."""


class Terminal:
    """One window of `width` x `height` in which one command runs."""

    def __init__(self, folder: Path) -> None:
        # A new socket each time: the server of the previous terminal may still be running.
        self._socket = folder / f"tmux-{secrets.token_hex(3)}"
        self._pid, self._status = folder / "tmux.pid", folder / "tmux.status"
        self._settings = folder / "tmux.conf"
        self._settings.write_text(
            "set -g exit-empty off\nset -g remain-on-exit on\nset -g status off\n", encoding="utf-8"
        )

    def tmux(self, *arguments: str, text: str | None = None) -> str:
        """Run a tmux command on the server of this terminal and return its output."""
        done = subprocess.run(
            ["tmux", "-S", str(self._socket), "-f", str(self._settings), *arguments],
            input=text,
            capture_output=True,
            text=True,
            check=False,
            timeout=20,
        )
        if done.returncode:
            raise NotShown(f"tmux {arguments[0]}: {done.stderr.strip()}")
        return done.stdout

    def keys(self, *names: str) -> None:
        """Press keys by tmux's names (`Tab`, `C-n`, `Escape`, `m`), all in one burst."""
        self.tmux("send-keys", *names)

    def type(self, text: str) -> None:
        """Type the text as it is."""
        self.tmux("send-keys", "-l", "--", text)

    def paste(self, text: str) -> None:
        """Paste the text, bracketed if the program has enabled that."""
        self.tmux("load-buffer", "-", text=text)
        self.tmux("paste-buffer", "-p", "-d")

    def resize(self, width: int, height: int) -> None:
        self.tmux("resize-window", "-x", str(width), "-y", str(height))

    def screen(self, *, colours: bool = False) -> str:
        """Return the text on the screen; with `colours`, including the escape sequences."""
        return self.tmux("capture-pane", "-p", *(["-e"] if colours else []))

    @property
    def pid(self) -> int:
        """The process ID of the command."""
        return int(self._pid.read_text())

    @property
    def exit_status(self) -> int | None:
        """The exit status of the command as a shell reports it; None while it runs."""
        text = self._status.read_text() if self._status.exists() else ""
        return int(text) if text.endswith("\n") else None

    def run(self, command: Sequence[str], environment: Mapping[str, str], size: tuple[int, int], cwd: Path) -> None:
        """Run the command in a new window."""
        inner = f'echo $$ >"{self._pid}"; exec "$@"'
        outer = f'sh -c \'{inner}\' sh "$@"; echo $? >"{self._status}"'
        where = ["-x", str(size[0]), "-y", str(size[1]), "-c", str(cwd)]
        sets = [f"{name}={value}" for name, value in environment.items()]
        self._status.unlink(missing_ok=True)
        self.tmux("new-session", "-d", *where, "env", "-i", *sets, "sh", "-c", outer, "sh", *command)

    def wait_until(self, holds: Callable[[], bool], seconds: float = _TIMEOUT) -> None:
        deadline = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > deadline:
                raise NotShown(f"timed out after {seconds:.0f} s; the screen:\n{self.screen()}")
            time.sleep(_INTERVAL)

    def wait_for(self, *texts: str, seconds: float = _TIMEOUT) -> str:
        """Return the screen as soon as it shows all `texts`."""
        shown = ""

        def holds() -> bool:
            nonlocal shown
            shown = self.screen()
            return all(text in shown for text in texts)

        try:
            self.wait_until(holds, seconds)
        except NotShown as error:
            raise NotShown(f"{[text for text in texts if text not in shown]}: {error}") from None
        return shown

    def wait_exit(self, seconds: float = _TIMEOUT) -> int:
        """Wait for the end of the command and return its exit status."""
        self.wait_until(lambda: self.exit_status is not None, seconds)
        assert self.exit_status is not None
        return self.exit_status


@contextmanager
def terminal(
    command: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    *,
    width: int = 80,
    height: int = 24,
    cwd: Path | None = None,
) -> Iterator[Terminal]:
    """Run `command` in a new terminal during the block; at the end all its processes are killed.

    `environment` is the complete environment of the command; `folder` holds the socket of the server."""
    window = Terminal(folder)
    # The first session starts the server: a server without a session may end before it has read its settings.
    window.run(command, environment, (width, height), cwd or folder)
    try:
        yield window
    finally:
        window.tmux("kill-server")
